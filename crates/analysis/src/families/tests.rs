//! Whole piles of few documents: kinds, chains, copies, samples, and that neither order nor count matters.

use proptest::prelude::*;

use super::*;

/// A text of `words` words, none of which is in a text of another seed; every `changed`th is another one.
fn text(seed: u64, words: usize, changed: usize, other: u64) -> String {
    let word = |number: usize| match changed > 0 && number % changed == changed - 1 {
        true => format!("other{other}x{number}"),
        false => format!("word{seed}x{number}"),
    };
    (0..words).map(word).collect::<Vec<_>>().join(" ")
}

fn found(documents: &[(&str, &str, &str)]) -> Vec<Vec<(String, &'static str)>> {
    let prints: Vec<Option<Fingerprint>> =
        documents.iter().map(|(_, _, text)| (!text.is_empty()).then(|| Fingerprint::of(text))).collect();
    let inputs: Vec<FamilyInput<'_>> = documents
        .iter()
        .zip(&prints)
        .map(|((key, content, _), print)| FamilyInput { key, content, fingerprint: print.as_ref() })
        .collect();
    let name = |member: &Member| (documents[member.document].0.to_owned(), member.likeness.name());
    families(&inputs).iter().map(|family| family.members.iter().map(name).collect()).collect()
}

#[test]
fn kinds_are_told_apart() {
    let original = text(1, 200, 0, 0);
    let (edited, rewritten, half) = (text(1, 200, 25, 1), text(1, 200, 4, 2), text(1, 100, 0, 0));
    let wrapped = original.to_uppercase().replace(' ', "\n");
    let other = text(2, 200, 0, 0);
    let families = found(&[
        ("a", "1", &original),
        ("b", "1", &original),
        ("c", "2", &wrapped),
        ("d", "3", &edited),
        ("e", "4", &rewritten),
        ("f", "5", &half),
        ("g", "6", &other),
    ]);
    let expect = [("a", "exact"), ("b", "exact"), ("c", "same-text"), ("d", "near")];
    assert_eq!(families, [expect.map(|(key, kind)| (key.to_owned(), kind))]);
}

#[test]
fn a_chain_of_changes_is_no_family() {
    // Each differs from the one before in a twelfth of its words, from the one before that in twice as many.
    let link = |upto: usize| {
        let word = |n: usize| if n % 24 < upto { format!("new{n}") } else { format!("old{n}") };
        (0..480).map(word).collect::<Vec<_>>().join(" ")
    };
    let texts: Vec<String> = [0, 2, 4, 6, 8].map(link).to_vec();
    let keys = ["a", "b", "c", "d", "e"];
    let documents: Vec<_> = keys.iter().zip(&texts).map(|(key, text)| (*key, *key, text.as_str())).collect();
    let families = found(&documents);
    assert!(!families.is_empty());
    for family in families {
        let principal = keys.iter().position(|key| *key == family[0].0).expect("one of them");
        let print = |index: usize| Fingerprint::of(&texts[index]);
        for (key, _) in &family[1..] {
            let member = keys.iter().position(|known| known == key).expect("one of them");
            assert!(print(principal).jaccard(&print(member)) >= LEAST_JACCARD);
        }
    }
}

#[test]
fn copies_without_a_text_and_short_questions() {
    let families = found(&[
        ("scan.png", "9", ""),
        ("scan (1).png", "9", ""),
        ("another.png", "8", ""),
        ("q1", "1", "Where is my card?"),
        ("q2", "2", "where is my card"),
        ("q3", "3", "Where is my new card?"),
        ("empty", "4", "— ... —"),
        ("empty too", "5", "***"),
    ]);
    let own = |names: [(&str, &'static str); 2]| names.map(|(key, kind)| (key.to_owned(), kind)).to_vec();
    assert_eq!(
        families,
        [own([("q1", "exact"), ("q2", "same-text")]), own([("scan (1).png", "exact"), ("scan.png", "exact")])]
    );
}

#[test]
fn a_fingerprint_is_kept_as_bytes() {
    for words in [0, 2, 90, 60_000] {
        let print = Fingerprint::of(&text(1, words, 0, 0));
        assert_eq!(Fingerprint::from_bytes(&print.to_bytes()).as_ref(), Some(&print));
    }
    assert_eq!(Fingerprint::from_bytes(&[0; 19]), None);
    assert_eq!(Fingerprint::from_bytes(&[0; 22]), None);
}

#[test]
fn a_higher_threshold_parts_families_and_needs_no_texts() {
    let texts = [text(1, 200, 0, 0), text(1, 200, 40, 1), text(1, 200, 12, 2), text(2, 50, 0, 0)];
    let prints: Vec<Fingerprint> = texts.iter().map(|text| Fingerprint::of(text)).collect();
    let sketches: Vec<Sketch> = prints.iter().map(Sketch::of).collect();
    let keys = ["a", "b", "c", "d"];
    let inputs: Vec<SketchedInput<'_>> = keys
        .iter()
        .zip(&sketches)
        .map(|(key, sketch)| SketchedInput { key, content: key, sketch: Some(sketch) })
        .collect();
    let mut load = |wanted: &[usize]| {
        Ok::<_, Infallible>(wanted.iter().map(|&document| Cow::Borrowed(&prints[document])).collect())
    };
    let alike = match Alike::find(&inputs, &mut load) {
        Ok(alike) => alike,
        Err(never) => match never {},
    };
    let sizes = |least: f32| alike.families(least).iter().map(|family| family.members.len()).collect::<Vec<_>>();
    assert_eq!(sizes(LEAST_JACCARD), [3]);
    assert_eq!(sizes(0.8), [2], "c has one word in twelve changed");
    assert_eq!(sizes(0.95), [] as [usize; 0]);
    // A part of the documents with the numbers that they had, as it is kept of a batch.
    let kept = Alike { documents: alike.documents[..3].to_vec(), pairs: alike.pairs.clone() };
    for least in [LEAST_JACCARD, 0.8, 0.95] {
        assert_eq!(kept.families(least), alike.families(least));
    }
}

#[test]
fn a_sample_estimates_the_similarity_of_long_texts() {
    let (a, b) = (Fingerprint::of(&text(1, 60_000, 0, 0)), Fingerprint::of(&text(1, 60_000, 30, 1)));
    assert_eq!((a.shingles().len(), b.shingles().len()), (SKETCH, SKETCH));
    // One word in thirty is another one: three shingles of thirty.
    let expect = 0.9 / 1.1;
    assert!((a.jaccard(&b) - expect).abs() < 0.03, "{} is not {expect}", a.jaccard(&b));
}

proptest! {
    #[test]
    fn the_order_of_the_input_does_not_matter(
        edits in prop::collection::vec((0_u64..4, prop::sample::select(vec![0_usize, 12, 20, 40])), 2..24),
        turn in 0_usize..24,
    ) {
        let texts: Vec<String> =
            edits.iter().enumerate().map(|(n, &(seed, changed))| text(seed, 120, changed, n as u64)).collect();
        let keys: Vec<String> = (0..texts.len()).map(|n| format!("{n:02}")).collect();
        let documents: Vec<_> = keys.iter().zip(&texts).map(|(k, t)| (k.as_str(), k.as_str(), t.as_str())).collect();
        let mut turned = documents.clone();
        turned.rotate_left(turn % documents.len());
        prop_assert_eq!(found(&documents), found(&turned));
        let mut reversed = documents.clone();
        reversed.reverse();
        prop_assert_eq!(found(&documents), found(&reversed));
    }

    #[test]
    fn a_document_is_in_one_family_at_most(seeds in prop::collection::vec(0_u64..3, 0..20)) {
        let texts: Vec<String> = seeds.iter().enumerate().map(|(n, &s)| text(s, 60, 15, n as u64)).collect();
        let keys: Vec<String> = (0..texts.len()).map(|n| format!("{n:02}")).collect();
        let documents: Vec<_> = keys.iter().zip(&texts).map(|(k, t)| (k.as_str(), k.as_str(), t.as_str())).collect();
        let mut all: Vec<String> = found(&documents).into_iter().flatten().map(|(key, _)| key).collect();
        let count = all.len();
        all.sort();
        all.dedup();
        prop_assert_eq!(all.len(), count);
    }
}
