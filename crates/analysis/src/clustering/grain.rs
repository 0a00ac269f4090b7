//! How fine the clusters are to be when nobody says: communities are looked for at many resolutions, and the
//! data choose among them.

use rayon::prelude::*;

use super::assignment::centroids;
use super::graph::{Graph, shared_neighbour_graph};
use super::leiden::{leiden, modularity};
use super::neighbours::Neighbours;
use super::vectors::{Vectors, dot};
use crate::matrix::{Matrix, MatrixMut, multiply};
use crate::metrics::adjusted_rand_index;

/// Neighbours that span the graph: a row in [`ROWS_PER_NEIGHBOUR`] of the pile, within these bounds. In a small pile a group has few rows,
/// and neighbourhoods larger than groups join what is apart.
const GRAPH_NEIGHBOURS: std::ops::RangeInclusive<usize> = 5..=20;
const ROWS_PER_NEIGHBOUR: usize = 16;
/// Above this many rows the neighbours grow with their number, by this power: groups grow with the pile, and the same few neighbours
/// span an ever sparser graph, in which modularity finds ever more groups.
const ROWS_OF_A_MIDDLING_PILE: usize = 320;
const GROWTH: f64 = 0.2;
/// Resolutions that are tried: from a sixteenth to eight, in steps of two thirds of an octave.
const RESOLUTIONS: std::ops::RangeInclusive<i32> = -6..=5;
const OCTAVES_PER_STEP: f64 = 2.0 / 3.0;
/// How much modularity counts beside the silhouette.
const WEIGHT_OF_MODULARITY: f64 = 1.5;
/// Below this modularity a graph has no communities to speak of (Newman and Girvan 2004).
const LEAST_MODULARITY: f64 = 0.3;
/// Rows that the silhouette is taken over, at most.
const SAMPLE: usize = 2000;
/// Groups of fewer rows than this are dissolved, in piles that are large enough to tell.
const SMALLEST: usize = 3;
const LARGE_ENOUGH: usize = 30;
/// Up to so many rows there is no graph to speak of.
const FEW: usize = 3;
/// Rows more similar than this are not told apart when there are few of them.
const ALIKE: f32 = 0.9;

/// A group for each row, numbered without gaps.
///
/// The graph of shared neighbours is cut by Leiden at a range of resolutions. Each cut is judged by the weighted
/// geometric mean `silhouette · modularity^1.5 · agreement^0.5`: the simplified silhouette (clusters are compact and
/// apart), the modularity at resolution 1 (few neighbours are torn apart) and the mean adjusted Rand index with the cuts at
/// the next resolutions (what is there is found at more than one; von Luxburg 2010 on stability). Silhouette alone prefers ever
/// finer cuts, modularity alone is blind to small clusters in large graphs; where they agree is a broad optimum. `granularity`
/// multiplies the chosen resolution.
pub fn communities(vectors: &Vectors, neighbours: &Neighbours, granularity: f64, seed: u64) -> Vec<u32> {
    let n = vectors.len();
    if n <= FEW {
        return few(vectors);
    }
    let graph = shared_neighbour_graph(neighbours, n, graph_neighbours(n));
    let cuts: Vec<Cut> = RESOLUTIONS
        .into_par_iter()
        .map(|step| Cut::new(vectors, &graph, (f64::from(step) * OCTAVES_PER_STEP).exp2(), seed))
        .collect();
    let groups = match best(&cuts) {
        None => vec![0; n],
        #[expect(clippy::float_cmp, reason = "exactly 1 means that nothing was asked for")]
        Some(cut) if granularity == 1.0 => cut.groups.clone(),
        Some(cut) => leiden(&graph, cut.resolution * granularity, seed),
    };
    dissolve_small(vectors, groups)
}

/// Neighbours of each row that span the graph of `n` rows.
fn graph_neighbours(n: usize) -> usize {
    let few = (n / ROWS_PER_NEIGHBOUR).clamp(*GRAPH_NEIGHBOURS.start(), *GRAPH_NEIGHBOURS.end()).min((n / 6).max(3));
    let growth = (n as f64 / ROWS_OF_A_MIDDLING_PILE as f64).max(1.0).powf(GROWTH);
    ((few as f64 * growth) as usize).min(super::NEIGHBOURS)
}

/// The groups at one resolution.
struct Cut {
    resolution: f64,
    groups: Vec<u32>,
    /// `silhouette · modularity^1.5`. 0 when there is nothing to be told apart.
    merit: f64,
}

impl Cut {
    fn new(vectors: &Vectors, graph: &Graph, resolution: f64, seed: u64) -> Self {
        let groups = leiden(graph, resolution, seed);
        let count = count(&groups);
        let modularity = modularity(graph, &groups, 1.0);
        let merit = if count < 2 || count >= groups.len() || modularity < LEAST_MODULARITY {
            0.0
        } else {
            silhouette(vectors, &groups, count).max(0.0) * modularity.powf(WEIGHT_OF_MODULARITY)
        };
        Self { resolution, groups, merit }
    }
}

/// The cut of the highest score above 0, of equal ones the coarsest, which comes first.
fn best(cuts: &[Cut]) -> Option<&Cut> {
    let agreements: Vec<f64> =
        cuts.par_windows(2).map(|pair| adjusted_rand_index(&labels(&pair[0]), &labels(&pair[1]))).collect();
    let score = |index: usize| {
        let beside = &agreements[index.saturating_sub(1)..agreements.len().min(index + 1)];
        let agreement = beside.iter().sum::<f64>() / beside.len().max(1) as f64;
        cuts[index].merit * agreement.max(0.0).sqrt()
    };
    let mut found: Option<(f64, &Cut)> = None;
    for (index, cut) in cuts.iter().enumerate() {
        let score = score(index);
        if score > found.map_or(0.0, |(most, _)| most) {
            found = Some((score, cut));
        }
    }
    found.map(|(_, cut)| cut)
}

fn labels(cut: &Cut) -> Vec<usize> {
    cut.groups.iter().map(|&group| group as usize).collect()
}

/// The simplified silhouette over a sample of rows at even distances.
fn silhouette(vectors: &Vectors, groups: &[u32], count: usize) -> f64 {
    let centroids = centroids(vectors, groups, &vec![false; groups.len()], count).concat();
    let sample: Vec<usize> = (0..groups.len()).step_by(groups.len().div_ceil(SAMPLE)).collect();
    let mut rows = Vec::with_capacity(sample.len() * vectors.dimensions());
    sample.iter().for_each(|&row| rows.extend_from_slice(vectors.row(row)));
    let mut similarities = vec![0.0; sample.len() * count];
    multiply(
        &mut MatrixMut::new(&mut similarities, sample.len(), count),
        0.0,
        Matrix::new(&rows, sample.len(), vectors.dimensions()),
        Matrix::new(&centroids, count, vectors.dimensions()).transposed(),
        1.0,
    );
    let sum: f64 = sample
        .iter()
        .zip(similarities.chunks_exact(count))
        .map(|(&row, similarities)| {
            let own = groups[row] as usize;
            let others = similarities.iter().enumerate().filter(|&(group, _)| group != own);
            let nearest = others.map(|(_, &similarity)| similarity).fold(f32::NEG_INFINITY, f32::max);
            let (a, b) = (f64::from(1.0 - similarities[own]), f64::from(1.0 - nearest));
            (b - a) / a.max(b).max(f64::MIN_POSITIVE)
        })
        .sum();
    sum / sample.len() as f64
}

/// One group, but for a few texts that several documents each share: those are groups of their own.
fn few(vectors: &Vectors) -> Vec<u32> {
    let n = vectors.len();
    let all_shared = (0..n).all(|row| vectors.documents(row).len() > 1);
    let all_different = (0..n).all(|a| (0..a).all(|b| dot(vectors.row(a), vectors.row(b)) < ALIKE));
    (0..n as u32).map(|row| if all_shared && all_different { row } else { 0 }).collect()
}

/// Gives the rows of very small groups to the group with the nearest centroid; whether they fit there is decided later.
fn dissolve_small(vectors: &Vectors, groups: Vec<u32>) -> Vec<u32> {
    let count = count(&groups);
    let mut sizes = vec![0; count];
    // Copies count: a text that was sent ten times is a group.
    groups.iter().enumerate().for_each(|(row, &group)| sizes[group as usize] += vectors.documents(row).len());
    let kept: Vec<usize> = (0..count).filter(|&group| sizes[group] >= SMALLEST).collect();
    if groups.len() < LARGE_ENOUGH || kept.len() == count || kept.is_empty() {
        return groups;
    }
    let centroids = centroids(vectors, &groups, &vec![false; groups.len()], count);
    let mut numbers = vec![None; count];
    kept.iter().enumerate().for_each(|(number, &group)| numbers[group] = Some(number as u32));
    let nearest = |row: usize| {
        let similarity = |group: usize| dot(vectors.row(row), &centroids[group]);
        let best = (0..kept.len()).reduce(|a, b| if similarity(kept[b]) > similarity(kept[a]) { b } else { a });
        best.unwrap_or_default() as u32
    };
    groups.iter().enumerate().map(|(row, &group)| numbers[group as usize].unwrap_or_else(|| nearest(row))).collect()
}

fn count(groups: &[u32]) -> usize {
    groups.iter().max().map_or(0, |&most| most as usize + 1)
}
