//! The whole analysis of a batch: vectors and words in; clusters, memberships, names, order and neighbours out.

use crate::clustering::neighbours::Neighbours;
use crate::clustering::vectors::Vectors;
use crate::clustering::{self, assignment::Assignment};
use crate::naming::{self, Terms};
use crate::params::ValidParams;

/// Raised whenever the same batch may be analysed otherwise than before.
pub const CLUSTERING_VERSION: u32 = 1;

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
    /// Grouping.
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
}

/// What [`analyse`] found. Everything is indexed like the input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Analysis {
    /// For each document.
    pub placements: Vec<Placement>,
    /// Largest first.
    pub clusters: Vec<FoundCluster>,
    /// Mean simplified silhouette of the clustered documents, -1 to 1; absent when there are fewer than two clusters.
    pub silhouette: Option<f32>,
    /// For each document its most similar others (at most [`NEIGHBOURS`]) with the cosine similarity, nearest first.
    pub neighbours: Vec<Vec<(usize, f32)>>,
    /// The documents (indices into the input) in the order of the heatmap.
    pub order: Vec<usize>,
}

/// Analyses a batch on the current rayon pool. The result depends on the documents and parameters alone: neither on the
/// order of `inputs` nor on the number of threads. Costs `n² d` multiplications and memory linear in `n`.
///
/// # Panics
/// When the vectors have different lengths.
pub fn analyse(inputs: &[AnalyseInput<'_>], params: &ValidParams, progress: &dyn Fn(Step)) -> Analysis {
    let mut canonical: Vec<usize> = (0..inputs.len()).collect();
    canonical.sort_by_key(|&i| inputs[i].key);
    let vectors = Vectors::distinct(canonical.iter().map(|&i| inputs[i].vector));

    progress(Step::Neighbours);
    let neighbours = Neighbours::exact(&vectors, clustering::NEIGHBOURS);
    progress(Step::Clusters);
    let groups = clustering::group(&vectors, &neighbours, params.get());
    progress(Step::Memberships);
    let assignment = Assignment::new(&vectors, &neighbours, &groups);
    let order = clustering::order::display_order(&vectors, &assignment);
    progress(Step::Names);
    let mut of_clusters: Vec<Vec<&Terms>> = vec![Vec::new(); assignment.clusters.len()];
    let rows = vectors.rows();
    for (document, &row) in rows.iter().enumerate() {
        if let Some(cluster) = assignment.rows[row].cluster {
            of_clusters[cluster as usize].push(inputs[canonical[document]].terms);
        }
    }
    let names = naming::name_clusters(&of_clusters);

    // From canonical numbers back to those of the input.
    let mut positions = vec![0; inputs.len()];
    order.iter().enumerate().for_each(|(position, &document)| positions[document] = position as u32);
    let mut analysis = Analysis {
        placements: vec![Placement { cluster: None, nearest: 0, probability: 0.0, position: 0 }; inputs.len()],
        clusters: Vec::new(),
        silhouette: assignment.silhouette,
        neighbours: vec![Vec::new(); inputs.len()],
        order: order.iter().map(|&document| canonical[document]).collect(),
    };
    for (document, &row) in rows.iter().enumerate() {
        let place = &assignment.rows[row];
        analysis.placements[canonical[document]] = Placement {
            cluster: place.cluster,
            nearest: place.nearest,
            probability: place.probability,
            position: positions[document],
        };
        analysis.neighbours[canonical[document]] = nearest_documents(&vectors, &neighbours, row, document)
            .map(|(other, similarity)| (canonical[other], similarity))
            .collect();
    }
    analysis.clusters = assignment
        .clusters
        .iter()
        .zip(names)
        .map(|(cluster, name)| FoundCluster {
            name: name.name,
            keywords: name.keywords,
            size: cluster.size,
            cohesion: cluster.cohesion,
            average_probability: cluster.average_probability,
            representative: canonical[vectors.documents(cluster.representative)[0] as usize],
        })
        .collect();
    analysis
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
