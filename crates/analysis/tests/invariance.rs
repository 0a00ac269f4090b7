//! The analysis depends on the documents alone: not on their order, not on threads; and small or odd piles behave.

use std::f32::consts::TAU;

use proptest::prelude::*;
use sheaf_analysis::{AnalyseInput, AnalyseParams, Analysis, GroupError, Step, Terms, analyse};
use sheaf_domain::{Method, MethodName};

struct Document {
    key: String,
    vector: Vec<f32>,
    terms: Terms,
}

/// A cheap, fixed source of numbers between -1 and 1.
fn noise(seed: u64) -> f32 {
    let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03;
    x ^= x >> 29;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^= x >> 32;
    (x % 20_001) as f32 / 10_000.0 - 1.0
}

/// `groups` groups of `size` documents around well separated directions in 16 dimensions.
fn pile(groups: usize, size: usize, spread: f32) -> Vec<Document> {
    const TOPICS: [&str; 6] = ["football", "budget", "violin", "vaccine", "harvest", "satellite"];
    (0..groups * size)
        .map(|i| {
            let group = i % groups;
            let mut vector: Vec<f32> = (0..16)
                .map(|d| {
                    let centre = if d == group { 1.0 } else { 0.0 };
                    centre + spread * noise((i * 16 + d) as u64)
                })
                .collect();
            let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            vector.iter_mut().for_each(|x| *x /= norm);
            let text = format!("a text about the {} number {i}", TOPICS[group % TOPICS.len()]);
            Document { key: format!("{i:05}"), vector, terms: Terms::of(&text, Some("eng")) }
        })
        .collect()
}

/// Each method with parameters that suit the piles here.
const METHODS: [Method; 5] = [
    Method::Graph,
    Method::KMeans { clusters: 7 },
    Method::Dbscan { similarity: 55, least: 4 },
    Method::Mixture { clusters: 4 },
    Method::Hierarchical { similarity: 40 },
];

fn of_count(clusters: Option<u32>) -> Method {
    clusters.map_or(Method::Graph, |clusters| Method::KMeans { clusters })
}

fn run(documents: &[&Document], params: &AnalyseParams) -> Analysis {
    try_run(documents, params).expect("grouped")
}

fn try_run(documents: &[&Document], params: &AnalyseParams) -> Result<Analysis, GroupError> {
    let inputs: Vec<AnalyseInput<'_>> =
        documents.iter().map(|d| AnalyseInput { key: &d.key, vector: &d.vector, terms: &d.terms }).collect();
    analyse(&inputs, &params.clone().check().expect("valid"), &|_: Step| ())
}

fn run_all(documents: &[Document], params: &AnalyseParams) -> Analysis {
    run(&documents.iter().collect::<Vec<_>>(), params)
}

fn clusters_of(analysis: &Analysis) -> Vec<Option<u32>> {
    analysis.placements.iter().map(|place| place.cluster).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn order_of_input_changes_nothing(seed in any::<u64>(), groups in 1_usize..6, size in 1_usize..30, method in prop::sample::select(METHODS.to_vec())) {
        let documents = pile(groups, size, 0.3);
        let params = AnalyseParams { method, ..AnalyseParams::default() };
        let straight = try_run(&documents.iter().collect::<Vec<_>>(), &params);
        let mut order: Vec<usize> = (0..documents.len()).collect();
        order.sort_by_key(|&i| (noise(seed.wrapping_add(i as u64)).to_bits(), i));
        let permuted = try_run(&order.iter().map(|&i| &documents[i]).collect::<Vec<_>>(), &params);
        let (permuted, straight) = match (permuted, straight) {
            (Ok(permuted), Ok(straight)) => (permuted, straight),
            (permuted, straight) => {
                prop_assert_eq!(permuted, straight);
                return Ok(());
            }
        };
        for (new, &old) in order.iter().enumerate() {
            prop_assert_eq!(permuted.placements[new], straight.placements[old]);
            let neighbours: Vec<_> = permuted.neighbours[new].iter().map(|&(j, s)| (order[j], s)).collect();
            prop_assert_eq!(&neighbours, &straight.neighbours[old]);
            prop_assert_eq!(permuted.places[new], straight.places[old]);
        }
        for (a, b) in permuted.clusters.iter().zip(&straight.clusters) {
            prop_assert_eq!((&a.name, &a.keywords, a.size, a.cohesion), (&b.name, &b.keywords, b.size, b.cohesion));
            prop_assert_eq!(order[a.representative], b.representative);
        }
        prop_assert_eq!(permuted.silhouette, straight.silhouette);
        prop_assert_eq!(permuted.merges.len(), straight.merges.len());
        for (a, b) in permuted.merges.iter().zip(&straight.merges) {
            prop_assert_eq!((a.parts, a.similarity, a.start, &a.group.name), (b.parts, b.similarity, b.start, &b.group.name));
            prop_assert_eq!(order[a.group.representative], b.group.representative);
        }
    }

    #[test]
    fn a_given_number_of_clusters_is_kept(groups in 1_usize..6, size in 1_usize..20, k in 1_u32..30) {
        let documents = pile(groups, size, 0.3);
        let analysis = run_all(&documents, &AnalyseParams { method: of_count(Some(k)), ..AnalyseParams::default() });
        prop_assert_eq!(analysis.clusters.len(), documents.len().min(k as usize));
        prop_assert!(analysis.clusters.iter().all(|cluster| cluster.size > 0));
    }
}

#[test]
fn threads_change_nothing() {
    let documents = pile(5, 120, 0.4);
    for method in METHODS {
        let params = AnalyseParams { method, ..AnalyseParams::default() };
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| run_all(&documents, &params))
        };
        let one = on(1);
        assert_eq!(one, on(2));
        assert_eq!(one, on(4));
    }
}

#[test]
fn separate_groups_are_found_and_named() {
    let analysis = run_all(&pile(4, 25, 0.2), &AnalyseParams::default());
    assert_eq!(analysis.clusters.len(), 4);
    let mut names: Vec<&str> = analysis.clusters.iter().map(|cluster| cluster.keywords[0].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["budget", "football", "vaccine", "violin"]);
    assert!(analysis.silhouette.is_some_and(|s| s > 0.5));
    assert!(analysis.clusters.iter().all(|cluster| cluster.average_probability > 0.8));
}

#[test]
fn the_documents_of_a_merged_group_stand_side_by_side() {
    let documents = pile(6, 30, 0.35);
    let analysis = run_all(&documents, &AnalyseParams { method: of_count(Some(12)), ..AnalyseParams::default() });
    let k = analysis.clusters.len();
    assert_eq!((k, analysis.merges.len()), (12, 11));
    let mut members: Vec<Vec<u32>> = (0..12).map(|cluster| vec![cluster]).collect();
    for merge in &analysis.merges {
        members.push(merge.parts.iter().flat_map(|&part| members[part].clone()).collect());
        let inside = members.last().expect("pushed");
        let run = merge.start as usize..merge.start as usize + merge.group.size as usize;
        assert!(analysis.order[run].iter().all(|&document| {
            analysis.placements[document].cluster.is_some_and(|cluster| inside.contains(&cluster))
        }));
    }
    let clustered = analysis.placements.iter().filter(|place| place.cluster.is_some()).count();
    let all = &analysis.merges[10];
    assert_eq!((all.start, all.group.size as usize), (0, clustered));

    // The similarity of the last two is the mean over all pairs, one of each.
    let of_part = |part: usize| {
        let inside = |i: &usize| analysis.placements[*i].cluster.is_some_and(|c| members[part].contains(&c));
        (0..documents.len()).filter(inside).collect::<Vec<_>>()
    };
    let [a, b] = all.parts.map(of_part);
    let dot =
        |i: usize, j: usize| documents[i].vector.iter().zip(&documents[j].vector).map(|(x, y)| x * y).sum::<f32>();
    let sum: f32 = a.iter().map(|&i| b.iter().map(|&j| dot(i, j)).sum::<f32>()).sum();
    let mean = sum / (a.len() * b.len()) as f32;
    assert!((all.similarity - mean).abs() < 1e-3, "{} and {mean}", all.similarity);
}

#[test]
fn small_piles_behave() {
    let check = |groups: usize, size: usize, clusters: usize| {
        let documents = pile(groups, size, 0.15);
        let analysis = run_all(&documents, &AnalyseParams::default());
        assert_eq!(analysis.clusters.len(), clusters, "{groups} groups of {size}");
        assert_eq!(analysis.placements.len(), documents.len());
        let mut order = analysis.order.clone();
        order.sort_unstable();
        assert_eq!(order, (0..documents.len()).collect::<Vec<_>>());
        assert!(analysis.neighbours.iter().all(|list| list.len() == 10.min(documents.len() - 1)));
        assert!(analysis.placements.iter().all(|place| (0.0..=1.0).contains(&place.probability)));
    };
    assert_eq!(run_all(&[], &AnalyseParams::default()), Analysis::default());
    check(1, 1, 1);
    check(1, 2, 1);
    check(1, 3, 1);
    check(2, 5, 2);
    check(3, 10, 3);
}

#[test]
fn copies_share_a_cluster() {
    let mut documents = pile(3, 12, 0.3);
    for i in 0..36 {
        let copy = Document {
            key: format!("copy {i}"),
            vector: documents[i].vector.clone(),
            terms: documents[i].terms.clone(),
        };
        documents.push(copy);
    }
    let analysis = run_all(&documents, &AnalyseParams::default());
    for i in 0..36 {
        assert_eq!(analysis.placements[i].cluster, analysis.placements[36 + i].cluster);
        assert_eq!(analysis.neighbours[i][0], (36 + i, 1.0));
    }
}

#[test]
fn identical_documents_are_one_cluster_and_two_kinds_are_two() {
    let check = |kinds: usize| {
        let documents: Vec<Document> = (0..40)
            .map(|i| {
                let angle = TAU * (i % kinds) as f32 / 4.0;
                Document {
                    key: format!("{i}"),
                    vector: vec![angle.cos(), angle.sin()],
                    terms: Terms::of("same words", None),
                }
            })
            .collect();
        let analysis = run_all(&documents, &AnalyseParams::default());
        assert_eq!(analysis.clusters.len(), kinds);
        let clusters = clusters_of(&analysis);
        assert!((0..40).all(|i| clusters[i].is_some() && clusters[i] == clusters[i % kinds]));
    };
    check(1);
    check(2);
}

#[test]
fn every_method_finds_separate_groups() {
    let documents = pile(4, 25, 0.2);
    for method in [
        Method::Graph,
        Method::KMeans { clusters: 4 },
        Method::Dbscan { similarity: 80, least: 4 },
        Method::Mixture { clusters: 4 },
        Method::Hierarchical { similarity: 60 },
    ] {
        let analysis = run_all(&documents, &AnalyseParams { method, ..AnalyseParams::default() });
        assert_eq!(analysis.clusters.len(), 4, "{method:?}");
        let found: Vec<u32> = analysis.placements.iter().map(|place| place.nearest).collect();
        assert!((0..100).all(|i| found[i] == found[i % 4]), "{method:?}: {found:?}");
    }
}

#[test]
fn what_is_not_dense_or_joins_nothing_fits_nowhere() {
    let mut documents = pile(3, 20, 0.1);
    let mut vector = vec![0.0; 16];
    vector[9] = 1.0;
    documents.push(Document { key: "odd".into(), vector, terms: Terms::of("an odd one", None) });
    for method in [Method::Dbscan { similarity: 80, least: 4 }, Method::Hierarchical { similarity: 60 }] {
        let analysis = run_all(&documents, &AnalyseParams { method, ..AnalyseParams::default() });
        assert_eq!(analysis.clusters.len(), 3, "{method:?}");
        assert_eq!(clusters_of(&analysis).iter().filter(|cluster| cluster.is_none()).count(), 1, "{method:?}");
        let odd = &analysis.placements[60];
        assert_eq!((odd.cluster, odd.position, odd.nearest < 3), (None, 60, true), "{method:?}");
    }
}

#[test]
fn a_threshold_above_everything_is_told() {
    let documents = pile(2, 6, 0.4);
    for method in [Method::Dbscan { similarity: 99, least: 5 }, Method::Hierarchical { similarity: 99 }] {
        let params = AnalyseParams { method, ..AnalyseParams::default() };
        let found = try_run(&documents.iter().collect::<Vec<_>>(), &params);
        assert_eq!(found, Err(GroupError::NoCluster { method: method.name(), similarity: 99 }));
        assert_eq!(try_run(&[], &params), Ok(Analysis::default()), "of nothing there is nothing");
    }
}

#[test]
fn more_documents_than_a_method_takes_are_refused() {
    let terms = Terms::of("words", None);
    let vectors: Vec<[f32; 2]> = (0..5001).map(|i| [(i as f32 * 1e-4).cos(), (i as f32 * 1e-4).sin()]).collect();
    let keys: Vec<String> = (0..5001).map(|i| format!("{i:05}")).collect();
    let inputs: Vec<AnalyseInput<'_>> =
        vectors.iter().zip(&keys).map(|(vector, key)| AnalyseInput { key, vector, terms: &terms }).collect();
    let params = AnalyseParams { method: Method::Hierarchical { similarity: 50 }, ..AnalyseParams::default() };
    let refused = analyse(&inputs, &params.check().expect("valid"), &|_: Step| ());
    let expect = GroupError::TooMany { method: MethodName::Hierarchical, most: 5000, documents: 5001 };
    assert_eq!(refused, Err(expect));
}
