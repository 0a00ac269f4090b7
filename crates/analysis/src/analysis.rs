//! The whole analysis of a batch: vectors and words in; clusters, memberships, names, order and neighbours out.

use std::collections::BTreeMap;

use sheaf_domain::NamedBy;

use crate::clustering::hierarchy::{Join, hierarchy};
use crate::clustering::neighbours::Neighbours;
use crate::clustering::vectors::{Vectors, dot};
use crate::clustering::{self, GroupError, assignment::Assignment};
use crate::history::{self, Beginning, Found, History, NEAR, Settled};
use crate::naming::{self, Terms};
use crate::params::ValidParams;

/// Raised whenever the same batch may be analysed otherwise than before.
pub const CLUSTERING_VERSION: u32 = 7;

/// Neighbours that are kept for each document.
pub const NEIGHBOURS: usize = 10;

/// One document.
#[derive(Clone, Copy, Debug)]
pub struct AnalyseInput<'a> {
    /// Stable and unique, such as its content hash and path: it defines the canonical order of the documents, so that
    /// the order of the input does not matter.
    pub key: &'a str,
    /// Its unit vector; all have the same length.
    pub vector: &'a [f32],
    /// Its words.
    pub terms: &'a Terms,
}

/// What [`analyse`] is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Comparing every document with every other.
    Neighbours,
    /// Grouping, and beside it the map.
    Clusters,
    /// Memberships, outliers and the order.
    Memberships,
    /// Names and keywords.
    Names,
}

impl Step {
    /// All steps in their order.
    pub const ALL: [Self; 4] = [Self::Neighbours, Self::Clusters, Self::Memberships, Self::Names];
}

/// Where a document stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// The number of its cluster (an index into [`Analysis::clusters`]); absent for an outlier.
    pub cluster: Option<u32>,
    /// Its cluster or, for an outlier, the one it is most similar to.
    pub nearest: u32,
    /// How firmly it sits in `nearest`, 0 to 1; see [`clustering::membership`].
    pub probability: f32,
    /// Its place in the order of the heatmap, from 0: clusters side by side that are similar, outliers last.
    pub position: u32,
}

/// A group of similar documents.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundCluster {
    /// A few of `keywords`, unique within the batch.
    pub name: String,
    /// The words that set it apart, strongest first.
    pub keywords: Vec<String>,
    /// Documents in it, at least 1.
    pub size: u32,
    /// Mean cosine similarity of its documents to its centroid.
    pub cohesion: f32,
    /// Mean membership probability of its documents.
    pub average_probability: f32,
    /// The document nearest to its centroid: an index into the input.
    pub representative: usize,
    /// Whose words its name is made of.
    pub named_by: NamedBy,
    /// Whether people changed what is in it.
    pub edited: bool,
}

/// Two groups that become one when fewer are wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundMerge {
    /// What is joined: numbers of clusters, or the number of clusters plus the index of an earlier merge.
    pub parts: [usize; 2],
    /// Mean cosine similarity of the documents of the one to those of the other.
    pub similarity: f32,
    /// Where its documents begin in the order of the heatmap; all of them stand side by side.
    pub start: u32,
    /// The group that comes out. Its representative is, of those of its clusters, the one nearest to its centroid.
    pub group: FoundCluster,
}

/// What [`analyse`] found. Everything is indexed like the input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Analysis {
    /// For each document.
    pub placements: Vec<Placement>,
    /// Largest first.
    pub clusters: Vec<FoundCluster>,
    /// How the clusters join, the most similar first; none with one cluster, or with thousands.
    pub merges: Vec<FoundMerge>,
    /// Mean simplified silhouette of the clustered documents, -1 to 1; absent when there are fewer than two clusters.
    pub silhouette: Option<f32>,
    /// For each document its most similar others (at most [`NEIGHBOURS`]) with the cosine similarity, nearest first.
    pub neighbours: Vec<Vec<(usize, f32)>>,
    /// The documents (indices into the input) in the order of the heatmap.
    pub order: Vec<usize>,
    /// Of each cluster the number by which it is known: the index, unless there was an analysis before.
    pub numbers: Vec<u32>,
    /// For each document the number of its group before what people changed.
    pub found: Vec<u32>,
    /// These groups, the largest first, by number with their names.
    pub found_names: Vec<(u32, String)>,
    /// The first number that was never given.
    pub next: u32,
    /// Where each document stands on the map; see [`lay_out`](crate::layout::lay_out).
    pub places: Vec<[f32; 2]>,
    /// The nearest [`NEAR`] of each distinct vector, in the order of keys: what [`Known`](crate::Known) wants of the next time.
    pub near: Neighbours,
}

/// Analyses a batch on the current rayon pool. The result depends on the documents and parameters alone: neither on the
/// order of `inputs` nor on the number of threads. Costs `n² d` multiplications up to [`EXACT_UP_TO`](sheaf_domain::EXACT_UP_TO) documents, less above, and memory linear
/// in `n`.
///
/// # Errors
/// When the method cannot take so many documents, or finds no groups in them.
///
/// # Panics
/// When the vectors have different lengths.
pub fn analyse(
    inputs: &[AnalyseInput<'_>],
    params: &ValidParams,
    progress: &dyn Fn(Step),
) -> Result<Analysis, GroupError> {
    analyse_after(inputs, params, &History::default(), progress)
}

/// The same where there was an analysis before: clusters that are still the same keep their numbers and names, and what people
/// changed is applied.
///
/// # Errors
/// As [`analyse`].
///
/// # Panics
/// When the vectors have different lengths.
pub fn analyse_after(
    inputs: &[AnalyseInput<'_>],
    params: &ValidParams,
    history: &History,
    progress: &dyn Fn(Step),
) -> Result<Analysis, GroupError> {
    let mut canonical: Vec<usize> = (0..inputs.len()).collect();
    canonical.sort_by_key(|&i| inputs[i].key);
    let mut vectors = Vectors::distinct(canonical.iter().map(|&i| inputs[i].vector));

    progress(Step::Neighbours);
    let mut beginning = Beginning::new(&vectors, params.get(), history, &canonical);
    let near = beginning.neighbours.first(NEAR);
    progress(Step::Clusters);
    // Much of grouping is one thread's work.
    let (found, places) = rayon::join(
        || history::find(&vectors, &beginning, params.get(), history, &canonical),
        || beginning.places(&vectors, params.get(), history.known.places.as_deref(), &canonical),
    );
    let found = found?;
    progress(Step::Memberships);
    let neighbours = &mut beginning.neighbours;
    let settled = Settled::new(&mut vectors, neighbours, &found, history, &canonical);
    let assignment = &settled.assignment;
    let means = assignment.means();
    let sizes: Vec<u32> = assignment.clusters.iter().map(|cluster| cluster.size).collect();
    let joins = hierarchy(&sizes, &means);
    let order = clustering::order::display_order(&vectors, assignment, &joins);
    progress(Step::Names);
    let rows = vectors.rows();
    let terms: Vec<&Terms> = canonical.iter().map(|&i| inputs[i].terms).collect();
    let of_clusters = members(&terms, assignment.clusters.len(), |document| assignment.rows[rows[document]].cluster);
    let joined: Vec<Vec<usize>> = joins.iter().map(|join| join.clusters.clone()).collect();
    let found_names = found_names(&found, &settled, history, &terms);
    let (names, of_merges) = naming::name_clusters(&of_clusters, &joined, &settled.given_names(&found_names));

    // From canonical numbers back to those of the input.
    let mut positions = vec![0; inputs.len()];
    order.iter().enumerate().for_each(|(position, &document)| positions[document] = position as u32);
    let mut analysis = Analysis {
        placements: vec![Placement { cluster: None, nearest: 0, probability: 0.0, position: 0 }; inputs.len()],
        clusters: Vec::new(),
        merges: Vec::new(),
        silhouette: assignment.silhouette,
        neighbours: vec![Vec::new(); inputs.len()],
        order: order.iter().map(|&document| canonical[document]).collect(),
        numbers: settled.numbers.clone(),
        found: vec![0; inputs.len()],
        found_names: Vec::new(),
        next: found.next,
        places: vec![[0.0; 2]; inputs.len()],
        near,
    };
    settled.base.iter().zip(&canonical).for_each(|(place, &input)| analysis.found[input] = place.cluster);
    for (document, &row) in rows.iter().enumerate() {
        let place = &assignment.rows[row];
        analysis.placements[canonical[document]] = Placement {
            cluster: place.cluster,
            nearest: place.nearest,
            probability: place.probability,
            position: positions[document],
        };
        analysis.neighbours[canonical[document]] = nearest_documents(&vectors, neighbours, row, document)
            .map(|(other, similarity)| (canonical[other], similarity))
            .collect();
        analysis.places[canonical[document]] = places[document];
    }
    analysis.clusters = assignment
        .clusters
        .iter()
        .zip(names)
        .zip(&settled.numbers)
        .map(|((cluster, name), &number)| FoundCluster {
            name: name.name,
            keywords: name.keywords,
            size: cluster.size,
            cohesion: cluster.cohesion,
            average_probability: cluster.average_probability,
            representative: canonical[vectors.documents(cluster.representative)[0] as usize],
            named_by: settled.named_by(number),
            edited: settled.is_edited(number),
        })
        .collect();
    let name_of = |number: &u32| {
        let final_name = settled.numbers.iter().position(|known| known == number).map(|i| &analysis.clusters[i].name);
        found_names.get(number).or(final_name).cloned().unwrap_or_default()
    };
    analysis.found_names = found.numbers.iter().map(|number| (*number, name_of(number))).collect();
    analysis.merges = merges(&joins, assignment, &means, &vectors, &analysis, of_merges, &canonical);
    Ok(analysis)
}

/// The words of each cluster's documents.
fn members<'a>(terms: &[&'a Terms], count: usize, cluster: impl Fn(usize) -> Option<u32>) -> Vec<Vec<&'a Terms>> {
    let mut of_clusters = vec![Vec::new(); count];
    for (document, terms) in terms.iter().enumerate() {
        if let Some(cluster) = cluster(document) {
            of_clusters[cluster as usize].push(*terms);
        }
    }
    of_clusters
}

/// The names of groups as they are found, by number: those that are known and, where people changed something, those of new ones.
/// Where nobody did, new ones are named with the clusters, which they are.
fn found_names(found: &Found, settled: &Settled, history: &History, terms: &[&Terms]) -> BTreeMap<u32, String> {
    let given: Vec<Option<String>> = found.numbers.iter().map(|number| history.names.get(number).cloned()).collect();
    let named =
        |names: Vec<Option<String>>| found.numbers.iter().copied().zip(names).filter_map(|(n, name)| Some((n, name?)));
    if history.edits.is_empty() || given.iter().all(Option::is_some) {
        return named(given).collect();
    }
    let index: BTreeMap<u32, u32> = found.numbers.iter().copied().zip(0..).collect();
    let group = |document: usize| {
        let place = settled.base[document];
        if place.is_outlier { None } else { index.get(&place.cluster).copied() }
    };
    let (names, _) = naming::name_clusters(&members(terms, found.numbers.len(), group), &[], &given);
    named(names.into_iter().map(|name| Some(name.name)).collect()).collect()
}

/// The joins with all that is said of the groups that come out.
fn merges(
    joins: &[Join],
    assignment: &Assignment,
    means: &[Vec<f32>],
    vectors: &Vectors,
    analysis: &Analysis,
    names: Vec<naming::ClusterName>,
    canonical: &[usize],
) -> Vec<FoundMerge> {
    let mut starts = vec![u32::MAX; means.len()];
    for place in &analysis.placements {
        if let Some(cluster) = place.cluster {
            let start = &mut starts[cluster as usize];
            *start = place.position.min(*start);
        }
    }
    let merge = |(join, name): (&Join, naming::ClusterName)| {
        let clusters = || join.clusters.iter().map(|&cluster| (&assignment.clusters[cluster], &means[cluster]));
        let size: u32 = clusters().map(|(cluster, _)| cluster.size).sum();
        let mut sum = vec![0.0_f64; vectors.dimensions()];
        for (cluster, mean) in clusters() {
            sum.iter_mut().zip(mean).for_each(|(sum, x)| *sum += f64::from(cluster.size) * f64::from(*x));
        }
        let length = sum.iter().map(|x| x * x).sum::<f64>().sqrt();
        let centroid: Vec<f32> = sum.iter().map(|x| (x / length.max(f64::MIN_POSITIVE)) as f32).collect();
        let similarity = |row: usize| dot(vectors.row(row), &centroid);
        let rows = clusters().map(|(cluster, _)| cluster.representative);
        let typical = rows.reduce(|a, b| if similarity(b) > similarity(a) { b } else { a }).unwrap_or_default();
        let probability: f64 =
            clusters().map(|(cluster, _)| f64::from(cluster.size) * f64::from(cluster.average_probability)).sum();
        FoundMerge {
            parts: join.parts,
            similarity: join.similarity,
            start: join.clusters.iter().map(|&cluster| starts[cluster]).min().unwrap_or_default(),
            group: FoundCluster {
                name: name.name,
                keywords: name.keywords,
                size,
                // The mean of dot products with the direction of a mean is that mean's length.
                cohesion: (length / f64::from(size.max(1))) as f32,
                average_probability: (probability / f64::from(size.max(1))) as f32,
                representative: canonical[vectors.documents(typical)[0] as usize],
                named_by: NamedBy::Words,
                edited: false,
            },
        }
    };
    joins.iter().zip(names).map(merge).collect()
}

/// The documents most similar to `document` of row `row`: first those with the very same vector.
fn nearest_documents<'a>(
    vectors: &'a Vectors,
    neighbours: &'a Neighbours,
    row: usize,
    document: usize,
) -> impl Iterator<Item = (usize, f32)> + 'a {
    let same = vectors.documents(row).iter().map(|&other| (other as usize, 1.0));
    let others = neighbours.of(row).iter().flat_map(|&(other, similarity)| {
        vectors.documents(other as usize).iter().map(move |&other| (other as usize, similarity))
    });
    same.filter(move |&(other, _)| other != document).chain(others).take(NEIGHBOURS)
}
