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

/// Neighbours that span the graph, at most.
const GRAPH_NEIGHBOURS: usize = 20;
/// Resolutions that are tried: from a sixteenth to eight, in steps of two thirds of an octave.
const RESOLUTIONS: std::ops::RangeInclusive<i32> = -6..=5;
const OCTAVES_PER_STEP: f64 = 2.0 / 3.0;
/// Runs at each resolution whose agreement is measured.
const RUNS: u64 = 2;
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
/// geometric mean `silhouette · modularity^0.75 · agreement^0.5`: the simplified silhouette (clusters are compact and
/// apart), the modularity at resolution 1 (few neighbours are torn apart) and the mean adjusted Rand index between runs
/// with different seeds (the cut is no accident). Silhouette alone prefers ever finer cuts, modularity alone is blind to small clusters
/// in large graphs; where the two agree is a broad optimum. `granularity` multiplies the chosen resolution.
pub fn communities(vectors: &Vectors, neighbours: &Neighbours, granularity: f64, seed: u64) -> Vec<u32> {
    let n = vectors.len();
    if n <= FEW {
        return few(vectors);
    }
    let graph = shared_neighbour_graph(neighbours, n, (n / 6).clamp(3, GRAPH_NEIGHBOURS));
    let cuts: Vec<Cut> = RESOLUTIONS
        .into_par_iter()
        .map(|step| Cut::new(vectors, &graph, (f64::from(step) * OCTAVES_PER_STEP).exp2(), seed))
        .collect();
    let groups = match best(&graph, &cuts, seed) {
        None => vec![0; n],
        #[expect(clippy::float_cmp, reason = "exactly 1 means that nothing was asked for")]
        Some(cut) if granularity == 1.0 => cut.groups.clone(),
        Some(cut) => leiden(&graph, cut.resolution * granularity, seed),
    };
    dissolve_small(vectors, groups)
}

/// The groups at one resolution.
struct Cut {
    resolution: f64,
    groups: Vec<u32>,
    /// Its score were all runs to agree: the most that it can be. 0 when there is nothing to be told apart.
    most: f64,
}

impl Cut {
    fn new(vectors: &Vectors, graph: &Graph, resolution: f64, seed: u64) -> Self {
        let groups = leiden(graph, resolution, seed);
        let count = count(&groups);
        let modularity = modularity(graph, &groups, 1.0);
        let most = if count < 2 || count >= groups.len() || modularity < LEAST_MODULARITY {
            0.0
        } else {
            silhouette(vectors, &groups, count).max(0.0) * modularity.powf(0.75)
        };
        Self { resolution, groups, most }
    }

    /// What it is worth, after more runs with other seeds.
    fn score(&self, graph: &Graph, seed: u64) -> f64 {
        let of_run = |run: u64| match run {
            0 => self.groups.clone(),
            run => leiden(graph, self.resolution, seed.wrapping_add(run)),
        };
        let runs: Vec<Vec<usize>> =
            (0..RUNS).map(|run| of_run(run).into_iter().map(|group| group as usize).collect()).collect();
        let pairs = || (0..runs.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
        let agreement: f64 =
            pairs().map(|(i, j)| adjusted_rand_index(&runs[i], &runs[j])).sum::<f64>() / pairs().count() as f64;
        self.most * agreement.max(0.0).sqrt()
    }
}

/// The cut of the highest score above 0, of equal ones the coarsest, which comes first. Cuts that cannot surpass what was
/// found already are not run again.
fn best<'a>(graph: &Graph, cuts: &'a [Cut], seed: u64) -> Option<&'a Cut> {
    let mut promising: Vec<usize> = (0..cuts.len()).filter(|&index| cuts[index].most > 0.0).collect();
    promising.sort_by(|&a, &b| cuts[b].most.total_cmp(&cuts[a].most));
    let mut found: Option<(f64, usize)> = None;
    // How many are scored at a time changes what is skipped, never what is found.
    for group in promising.chunks(rayon::current_num_threads().max(1)) {
        // The agreement of equal partitions is 1 but for rounding.
        let within_reach = |&&index: &&usize| found.is_none_or(|(score, _)| cuts[index].most * (1.0 + 1e-9) >= score);
        let group: Vec<usize> = group.iter().filter(within_reach).copied().collect();
        let scores: Vec<f64> = group.par_iter().map(|&index| cuts[index].score(graph, seed)).collect();
        for (score, index) in scores.into_iter().zip(group) {
            let better = |(most, at): (f64, usize)| score > most || (score >= most && index < at);
            if score > 0.0 && found.is_none_or(better) {
                found = Some((score, index));
            }
        }
    }
    found.map(|(_, index)| &cuts[index])
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
