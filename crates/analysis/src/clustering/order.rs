//! The order in which documents stand in the heatmap: similar clusters side by side, similar documents side by side.

use rayon::prelude::*;

use super::assignment::Assignment;
use super::hierarchy::Join;
use super::leaves::{MOST_LEAVES, optimal_order};
use super::vectors::{Vectors, dot};

/// Rounds of improvement of the order of clusters.
const ROUNDS: usize = 20;
/// Steps of the power iteration.
const STEPS: usize = 20;

/// All documents (canonical numbers): clusters as the hierarchy puts them side by side, or without one along a path of similar
/// centroids; within a cluster of up to [`MOST_LEAVES`] distinct vectors by optimal leaf ordering, in a larger one, for which
/// that would take too long, along its first principal component; beginning with the end that is nearer to the cluster
/// before; outliers last, each near those of the same nearest cluster.
pub fn display_order(vectors: &Vectors, assignment: &Assignment, joins: &[Join]) -> Vec<usize> {
    let centroids: Vec<&[f32]> = assignment.clusters.iter().map(|cluster| cluster.centroid.as_slice()).collect();
    let path = joins.last().map_or_else(|| path(&centroids), |all| all.clusters.clone());
    let mut members = vec![Vec::new(); centroids.len()];
    let mut outliers = vec![Vec::new(); centroids.len()];
    for (row, place) in assignment.rows.iter().enumerate() {
        match place.cluster {
            Some(cluster) => members[cluster as usize].push(row),
            None => outliers[place.nearest as usize].push(row),
        }
    }
    let sorted: Vec<Vec<usize>> = path
        .par_iter()
        .enumerate()
        .map(|(i, &cluster)| {
            let before = i.checked_sub(1).map(|i| centroids[path[i]]);
            let sorted = match members[cluster].len() {
                0..=MOST_LEAVES => optimal_order(vectors, &members[cluster]),
                _ => along_component(vectors, &members[cluster], centroids[cluster]),
            };
            turned(vectors, sorted, before)
        })
        .collect();
    let outliers = path.iter().flat_map(|&cluster| outliers[cluster].iter());
    let rows = sorted.iter().flatten().chain(outliers);
    rows.flat_map(|&row| vectors.documents(row)).map(|&document| document as usize).collect()
}

/// A path through all centroids with similar ones side by side: greedy from the most remote one, then improved by
/// turning sections round as long as that helps (2-opt; Croes 1958).
fn path(centroids: &[&[f32]]) -> Vec<usize> {
    let k = centroids.len();
    if k < 3 {
        return (0..k).collect();
    }
    let similarity: Vec<Vec<f32>> =
        centroids.par_iter().map(|a| centroids.iter().map(|b| dot(a, b)).collect()).collect();
    let total = |i: usize| similarity[i].iter().sum::<f32>();
    let start = (0..k).min_by(|&a, &b| total(a).total_cmp(&total(b)).then(a.cmp(&b))).unwrap_or(0);
    let mut path = vec![start];
    let mut rest: Vec<usize> = (0..k).filter(|&i| i != start).collect();
    while let Some(&last) = path.last() {
        let nearest = (0..rest.len()).max_by(|&a, &b| {
            similarity[last][rest[a]].total_cmp(&similarity[last][rest[b]]).then(rest[b].cmp(&rest[a]))
        });
        let Some(nearest) = nearest else { break };
        path.push(rest.remove(nearest));
    }
    let link = |path: &[usize], i: usize, j: usize| match (path.get(i), path.get(j)) {
        (Some(&a), Some(&b)) => similarity[a][b],
        (None, _) | (_, None) => 0.0,
    };
    for _ in 0..ROUNDS {
        let mut improved = false;
        for i in 0..k - 1 {
            for j in i + 1..k {
                let before = i.wrapping_sub(1);
                let gain =
                    link(&path, before, j) + link(&path, i, j + 1) - link(&path, before, i) - link(&path, j, j + 1);
                if gain > 1e-5 {
                    path[i..=j].reverse();
                    improved = true;
                }
            }
        }
        if !improved {
            break;
        }
    }
    path
}

/// The rows along the direction in which they differ most (power iteration on their deviations from the centroid).
fn along_component(vectors: &Vectors, rows: &[usize], centroid: &[f32]) -> Vec<usize> {
    let farthest = rows
        .iter()
        .copied()
        .min_by(|&a, &b| dot(vectors.row(a), centroid).total_cmp(&dot(vectors.row(b), centroid)).then(a.cmp(&b)));
    let Some(farthest) = farthest else { return Vec::new() };
    let deviation = |row: usize, direction: &[f32]| dot(vectors.row(row), direction) - dot(centroid, direction);
    let mut direction: Vec<f32> = vectors.row(farthest).iter().zip(centroid).map(|(x, c)| x - c).collect();
    for _ in 0..STEPS {
        let mut next = vec![0.0; direction.len()];
        for &row in rows {
            let weight = deviation(row, &direction);
            next.iter_mut().zip(vectors.row(row)).zip(centroid).for_each(|((out, x), c)| *out += weight * (x - c));
        }
        let norm = dot(&next, &next).sqrt();
        if norm < 1e-9 {
            break;
        }
        direction = next.into_iter().map(|x| x / norm).collect();
    }
    let mut sorted: Vec<(f32, usize)> = rows.iter().map(|&row| (deviation(row, &direction), row)).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    sorted.into_iter().map(|(_, row)| row).collect()
}

/// Beginning with the end that is nearer to what stands before.
fn turned(vectors: &Vectors, mut sorted: Vec<usize>, before: Option<&[f32]>) -> Vec<usize> {
    if let (Some(before), Some(&first), Some(&last)) = (before, sorted.first(), sorted.last())
        && dot(vectors.row(last), before) > dot(vectors.row(first), before)
    {
        sorted.reverse();
    }
    sorted
}
