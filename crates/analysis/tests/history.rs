//! Clusters that last: numbers and names over a second analysis, edits over it as well, whatever the order of the input; and a
//! replay that comes to the same.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use sheaf_analysis::{
    AnalyseInput, AnalyseParams, Analysis, Edit, History, Known, Step, Terms, analyse, analyse_after, edits::split,
};
use sheaf_domain::{ClusterChange, ClusterId, NamedBy};

struct Document {
    key: String,
    vector: Vec<f32>,
    terms: Terms,
}

const TOPICS: [&str; 6] = ["football", "budget", "violin", "vaccine", "harvest", "satellite"];

/// A cheap, fixed source of numbers between -1 and 1.
fn noise(seed: u64) -> f32 {
    let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03;
    x ^= x >> 29;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^= x >> 32;
    (x % 20_001) as f32 / 10_000.0 - 1.0
}

/// The document of this number about this topic.
fn document(topic: usize, number: usize) -> Document {
    let mut vector: Vec<f32> =
        (0..16).map(|d| f32::from(d == topic) + 0.25 * noise((topic * 1_000_003 + number * 16 + d) as u64)).collect();
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|x| *x /= norm);
    let text = format!("a text about the {} number {number}", TOPICS[topic]);
    Document { key: format!("{topic}-{number:04}"), vector, terms: Terms::of(&text, Some("eng")) }
}

/// So many documents about each topic.
fn pile(sizes: &[usize]) -> Vec<Document> {
    sizes.iter().enumerate().flat_map(|(topic, &size)| (0..size).map(move |number| document(topic, number))).collect()
}

fn run(documents: &[&Document], history: &History) -> Analysis {
    let inputs: Vec<AnalyseInput<'_>> =
        documents.iter().map(|d| AnalyseInput { key: &d.key, vector: &d.vector, terms: &d.terms }).collect();
    analyse_after(&inputs, &AnalyseParams::default().check().expect("valid"), history, &|_: Step| ())
        .expect("any pile has groups")
}

/// What a later analysis of these documents goes on from: the keys that were there, with their groups.
fn history(documents: &[&Document], before: &BTreeMap<String, u32>, first: &Analysis, edits: Vec<Edit>) -> History {
    History {
        earlier: documents.iter().map(|document| before.get(&document.key).copied()).collect(),
        names: first.found_names.iter().cloned().collect(),
        next: first.next,
        edits,
        ..History::default()
    }
}

fn found(documents: &[&Document], analysis: &Analysis) -> BTreeMap<String, u32> {
    documents.iter().zip(&analysis.found).map(|(document, found)| (document.key.clone(), *found)).collect()
}

/// The number of the cluster of each document.
fn places(documents: &[&Document], analysis: &Analysis) -> BTreeMap<String, Option<u32>> {
    let number = |place: &sheaf_analysis::Placement| place.cluster.map(|cluster| analysis.numbers[cluster as usize]);
    documents.iter().zip(&analysis.placements).map(|(d, place)| (d.key.clone(), number(place))).collect()
}

fn name_of(analysis: &Analysis, number: u32) -> &str {
    let at = analysis.numbers.iter().position(|known| *known == number).expect("it is there");
    &analysis.clusters[at].name
}

fn refs(documents: &[Document]) -> Vec<&Document> {
    documents.iter().collect()
}

/// The cluster of most documents of a topic.
fn of_topic(places: &BTreeMap<String, Option<u32>>, topic: usize) -> u32 {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    let prefix = format!("{topic}-");
    let members = places.iter().filter(|(key, _)| key.starts_with(&prefix));
    members.filter_map(|(_, place)| *place).for_each(|place| *counts.entry(place).or_default() += 1);
    counts.into_iter().max_by_key(|(_, count)| *count).expect("it has one").0
}

#[test]
fn without_a_history_numbers_are_those_of_sizes() {
    let documents = pile(&[30, 20, 10]);
    let documents = refs(&documents);
    let analysis = run(&documents, &History::default());
    assert_eq!(analysis.numbers, [0, 1, 2]);
    let inputs: Vec<AnalyseInput<'_>> =
        documents.iter().map(|d| AnalyseInput { key: &d.key, vector: &d.vector, terms: &d.terms }).collect();
    let plain = analyse(&inputs, &AnalyseParams::default().check().expect("valid"), &|_| {});
    assert_eq!(plain.as_ref(), Ok(&analysis));
    assert!(analysis.clusters.iter().all(|cluster| cluster.named_by == NamedBy::Words && !cluster.edited));
}

#[test]
fn numbers_and_names_last_when_documents_are_added() {
    let first_pile = pile(&[30, 20, 12]);
    let before = refs(&first_pile);
    let first = run(&before, &History::default());
    let was = places(&before, &first);
    // The smallest becomes the largest, and there is a new topic.
    let second_pile = pile(&[30, 20, 60, 25]);
    let after = refs(&second_pile);
    let second = run(&after, &history(&after, &found(&before, &first), &first, Vec::new()));
    let now = places(&after, &second);
    for topic in 0..3 {
        let number = of_topic(&was, topic);
        assert_eq!(of_topic(&now, topic), number, "topic {topic}");
        assert_eq!(name_of(&second, number), name_of(&first, number));
    }
    assert_eq!((of_topic(&now, 3), second.next), (first.next, first.next + 1));
    assert_ne!(second.numbers[0], 0, "the largest comes first, whatever its number");
    let names: BTreeSet<&String> = second.clusters.iter().map(|cluster| &cluster.name).collect();
    assert_eq!(names.len(), second.clusters.len());
}

fn is_odd(document: &Document) -> bool {
    document.key.ends_with(['1', '3', '5', '7', '9'])
}

/// One of each kind, on a pile whose first cluster is topic 0's, and so on.
fn edits_of(documents: &[&Document], numbers: &[u32], next: u32) -> Vec<Edit> {
    let at = |key: &str| documents.iter().position(|document| document.key == key).expect("it is there");
    let id = |topic: usize| ClusterId(numbers[topic]);
    let members = |topic: usize| {
        let prefix = format!("{topic}-");
        let all = documents.iter().enumerate().filter(move |(_, document)| document.key.starts_with(&prefix));
        all.map(|(index, _)| index)
    };
    let parts = [id(3), ClusterId(next)];
    let merged = members(1).chain(members(2)).map(|index| (index, Some(id(1)))).collect();
    let halves = members(3).map(|index| (index, Some(parts[usize::from(is_odd(documents[index]))]))).collect();
    vec![
        Edit { change: ClusterChange::Rename { cluster: id(0), name: "Games".into() }, stay: Vec::new() },
        Edit { change: ClusterChange::Merge { clusters: vec![id(2)], into: id(1) }, stay: merged },
        Edit { change: ClusterChange::Split { cluster: id(3), parts: parts.to_vec() }, stay: halves },
        Edit {
            change: ClusterChange::Move { to: Some(ClusterId(next + 1)) },
            stay: vec![(at("0-0001"), Some(ClusterId(next + 1))), (at("1-0001"), Some(ClusterId(next + 1)))],
        },
        Edit { change: ClusterChange::Move { to: None }, stay: vec![(at("0-0002"), None)] },
        Edit { change: ClusterChange::Pin, stay: vec![(at("0-0003"), Some(id(0)))] },
    ]
}

fn numbers_of_topics(places: &BTreeMap<String, Option<u32>>) -> Vec<u32> {
    (0..4).map(|topic| of_topic(places, topic)).collect()
}

#[test]
fn edits_hold_when_documents_are_added() {
    let first_pile = pile(&[30, 20, 14, 24]);
    let before = refs(&first_pile);
    let first = run(&before, &History::default());
    let numbers = numbers_of_topics(&places(&before, &first));
    let edits = edits_of(&before, &numbers, first.next);
    let kept = History {
        keep_groups: true,
        next: first.next + 2,
        ..history(&before, &found(&before, &first), &first, edits.clone())
    };
    let edited = run(&before, &kept);
    let anew = run(&before, &History { keep_groups: false, ..kept.clone() });
    assert_eq!(edited, anew, "grouping anew finds what was there");
    let known = Known { near: Some(first.near.clone()), places: Some(first.places.clone()) };
    let quick = run(&before, &History { known: known.clone(), ..kept.clone() });
    assert_eq!(quick, edited, "what does not depend on groups is not found anew");
    let turned = Known { places: Some(vec![[0.5, -0.5]; before.len()]), ..known };
    assert_eq!(
        run(&before, &History { known: turned, ..kept.clone() }).places[0],
        [0.5, -0.5],
        "it is not laid out anew"
    );
    let check = |documents: &[&Document], analysis: &Analysis| {
        let places = places(documents, analysis);
        assert_eq!(name_of(analysis, numbers[0]), "Games");
        assert_eq!(places["0-0002"], None, "it was moved out");
        assert_eq!(places["0-0003"], Some(numbers[0]));
        assert_eq!((places["0-0001"], places["1-0001"]), (Some(first.next + 1), Some(first.next + 1)));
        assert_eq!(of_topic(&places, 2), numbers[1], "merged");
        assert!(!analysis.numbers.contains(&numbers[2]));
        assert_eq!((places["3-0000"], places["3-0001"]), (Some(numbers[3]), Some(first.next)));
        let cluster = |number: u32| {
            let at = analysis.numbers.iter().position(|known| *known == number).expect("it is there");
            &analysis.clusters[at]
        };
        assert!(cluster(numbers[1]).edited && cluster(first.next).edited);
        assert_eq!(cluster(numbers[0]).named_by, NamedBy::Person);
        let size: u32 = analysis.clusters.iter().map(|cluster| cluster.size).sum();
        let inside = analysis.placements.iter().filter(|place| place.cluster.is_some()).count();
        assert_eq!(size as usize, inside);
        assert!(analysis.clusters.iter().all(|cluster| cluster.cohesion > 0.0 && cluster.size > 0));
        if let Some(last) = analysis.merges.last() {
            assert_eq!(last.group.size as usize, inside, "levels follow");
        }
    };
    check(&before, &edited);

    let second_pile = pile(&[60, 20, 30, 24, 20]);
    let after = refs(&second_pile);
    let edits = edits_of(&after, &numbers, first.next);
    let mut edits_then = edits;
    // Those that came later are held by nobody.
    for edit in &mut edits_then {
        edit.stay.retain(|(index, _)| before.iter().any(|document| document.key == after[*index].key));
    }
    let later = History { next: first.next + 2, ..history(&after, &found(&before, &first), &first, edits_then) };
    let second = run(&after, &later);
    check(&after, &second);
    assert_eq!(places(&after, &second)["2-0020"], Some(numbers[1]), "what comes later goes where its cluster went");
    assert_eq!(of_topic(&places(&after, &second), 4), first.next + 2, "a new topic gets a number of its own");

    // Without edits all is as it was.
    let back = run(&before, &history(&before, &found(&before, &first), &first, Vec::new()));
    assert_eq!((back.numbers, back.clusters), (first.numbers, first.clusters));
}

#[test]
fn a_replay_comes_to_the_same() {
    let first_pile = pile(&[30, 20, 14, 24]);
    let before = refs(&first_pile);
    let first = run(&before, &History::default());
    let numbers = numbers_of_topics(&places(&before, &first));
    let second_pile = pile(&[60, 20, 30, 24, 20]);
    let after = refs(&second_pile);
    let edits = edits_of(&after, &numbers, first.next);
    let second = run(
        &after,
        &History { next: first.next + 2, ..history(&after, &found(&before, &first), &first, edits.clone()) },
    );
    let replayed = History {
        names: second.found_names.iter().cloned().collect(),
        given: Some(second.found_names.iter().map(|(number, _)| *number).collect()),
        edits,
        ..History::default()
    };
    let again = run(&after, &replayed);
    assert_eq!((again.numbers, again.placements), (second.numbers, second.placements));
    assert_eq!((again.clusters, again.merges), (second.clusters, second.merges));
}

#[test]
fn one_of_two_copies_can_be_moved() {
    let mut documents = pile(&[20, 20]);
    let copy = Document {
        key: "0-copy".into(),
        vector: documents[0].vector.clone(),
        terms: Terms::of("a text about the football number 0", Some("eng")),
    };
    documents.push(copy);
    let documents = refs(&documents);
    let first = run(&documents, &History::default());
    let was = places(&documents, &first);
    assert_eq!(was["0-copy"], was["0-0000"]);
    let other = of_topic(&was, 1);
    let stay = vec![(documents.len() - 1, Some(ClusterId(other)))];
    let edit = Edit { change: ClusterChange::Move { to: Some(ClusterId(other)) }, stay };
    let kept = History { keep_groups: true, ..history(&documents, &found(&documents, &first), &first, vec![edit]) };
    let moved = run(&documents, &kept);
    let now = places(&documents, &moved);
    assert_eq!((now["0-copy"], now["0-0000"]), (Some(other), was["0-0000"]));
    let nearest = moved.neighbours[documents.len() - 1][0];
    assert_eq!((documents[nearest.0].key.as_str(), nearest.1 > 0.999), ("0-0000", true));
    assert_eq!(moved.found, first.found, "what the analysis alone found is as it was");
    let known = Known { near: Some(first.near.clone()), places: Some(first.places.clone()) };
    assert_eq!(run(&documents, &History { known, ..kept }), moved);
}

#[test]
fn members_alone_have_parts() {
    let documents = pile(&[12, 9]);
    let members: Vec<(&str, &[f32])> = documents.iter().map(|d| (d.key.as_str(), d.vector.as_slice())).collect();
    let parts = split(&members, &AnalyseParams::default(), Some(2));
    assert!(parts[..12].iter().all(|part| *part == 0) && parts[12..].iter().all(|part| *part == 1), "{parts:?}");
    let parts = split(&members, &AnalyseParams::default(), None);
    assert_eq!(parts.iter().collect::<BTreeSet<_>>().len(), 2, "{parts:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_order_of_the_input_changes_nothing(seed in any::<u64>()) {
        let first_pile = pile(&[20, 16, 12, 14]);
        let before = refs(&first_pile);
        let first = run(&before, &History::default());
        let numbers = numbers_of_topics(&places(&before, &first));
        let second_pile = pile(&[24, 16, 30, 14, 9]);
        let straight = refs(&second_pile);
        let mut shuffled = straight.clone();
        shuffled.sort_by_key(|document| {
            document.key.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
        });
        let second = |documents: &[&Document]| {
            let edits = edits_of(documents, &numbers, first.next);
            run(documents, &History { next: first.next + 2, ..history(documents, &found(&before, &first), &first, edits) })
        };
        let (a, b) = (second(&straight), second(&shuffled));
        prop_assert_eq!(places(&straight, &a), places(&shuffled, &b));
        prop_assert_eq!(&a.numbers, &b.numbers);
        prop_assert_eq!(&a.found_names, &b.found_names);
        for (a, b) in a.clusters.iter().zip(&b.clusters) {
            prop_assert_eq!((&a.name, a.size, a.cohesion, a.edited), (&b.name, b.size, b.cohesion, b.edited));
            prop_assert_eq!(&straight[a.representative].key, &shuffled[b.representative].key);
        }
    }
}
