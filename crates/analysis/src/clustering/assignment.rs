//! What follows from groups: numbers by size, centroids, memberships, outliers, cohesion and silhouette.

use rayon::prelude::*;

use super::Groups;
use super::membership::memberships;
use super::neighbours::Neighbours;
use super::vectors::{Vectors, dot};

/// Where a row stands.
#[derive(Clone, Copy, Debug)]
pub struct RowPlace {
    /// Absent for an outlier.
    pub cluster: Option<u32>,
    /// The row's group, also for an outlier.
    pub nearest: u32,
    pub probability: f32,
}

/// A numbered cluster.
#[derive(Clone, Debug)]
pub struct NumberedCluster {
    /// Documents in it.
    pub size: u32,
    /// The direction of the mean of its documents' vectors, a unit vector.
    pub centroid: Vec<f32>,
    /// Mean cosine similarity of its documents to the centroid.
    pub cohesion: f32,
    pub average_probability: f32,
    /// The row nearest to the centroid.
    pub representative: usize,
}

/// Everything about clusters but their names and order.
#[derive(Clone, Debug, Default)]
pub struct Assignment {
    /// Of each row.
    pub rows: Vec<RowPlace>,
    /// Largest first; of equal size, the one with the earliest document first.
    pub clusters: Vec<NumberedCluster>,
    pub silhouette: Option<f32>,
}

impl Assignment {
    /// Derives everything from groups.
    pub fn new(vectors: &Vectors, neighbours: &Neighbours, groups: &Groups) -> Self {
        let Groups { of, outlier } = groups;
        Self::of(vectors, neighbours, &numbered(vectors, of, outlier), outlier)
    }

    /// The same of groups as [`numbered`] gives them, whose outliers are known. No group consists of outliers alone.
    pub fn of(vectors: &Vectors, neighbours: &Neighbours, groups: &[u32], outlier: &[bool]) -> Self {
        if groups.is_empty() {
            return Self::default();
        }
        let count = groups.iter().max().map_or(0, |&most| most as usize + 1);
        let centroids = centroids(vectors, groups, outlier, count);
        let similarities: Vec<f32> =
            (0..vectors.len()).map(|row| dot(vectors.row(row), &centroids[groups[row] as usize])).collect();
        let probabilities = memberships(neighbours, groups, outlier, &similarities, count);
        let rows: Vec<RowPlace> = (0..vectors.len())
            .map(|row| RowPlace {
                cluster: (!outlier[row]).then_some(groups[row]),
                nearest: groups[row],
                probability: probabilities[row],
            })
            .collect();
        let silhouette = (count > 1).then(|| silhouette(vectors, &rows, &centroids));
        let clusters = summarise(vectors, &rows, centroids, &similarities);
        Self { rows, clusters, silhouette }
    }
}

/// The groups numbered by documents that are no outliers, largest first, then by first row.
pub fn numbered(vectors: &Vectors, groups: &[u32], outlier: &[bool]) -> Vec<u32> {
    let count = groups.iter().max().map_or(0, |&most| most as usize + 1);
    let mut sizes = vec![0; count];
    let mut first = vec![usize::MAX; count];
    for (row, &group) in groups.iter().enumerate() {
        let group = group as usize;
        if !outlier[row] {
            sizes[group] += vectors.documents(row).len();
        }
        first[group] = first[group].min(row);
    }
    let mut by_size: Vec<usize> = (0..count).collect();
    by_size.sort_by_key(|&group| (std::cmp::Reverse(sizes[group]), first[group]));
    let mut numbers = vec![0; count];
    by_size.iter().enumerate().for_each(|(number, &group)| numbers[group] = number as u32);
    groups.iter().map(|&group| numbers[group as usize]).collect()
}

/// The direction of the mean of each cluster's documents, outliers left out. f64 sums in the order of rows.
pub(super) fn centroids(vectors: &Vectors, groups: &[u32], left_out: &[bool], count: usize) -> Vec<Vec<f32>> {
    let mut sums = vec![vec![0.0_f64; vectors.dimensions()]; count];
    for (row, &group) in groups.iter().enumerate() {
        if !left_out[row] {
            let weight = vectors.documents(row).len() as f64;
            sums[group as usize].iter_mut().zip(vectors.row(row)).for_each(|(sum, x)| *sum += weight * f64::from(*x));
        }
    }
    sums.into_iter()
        .map(|sum| {
            let norm = sum.iter().map(|x| x * x).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
            sum.into_iter().map(|x| (x / norm) as f32).collect()
        })
        .collect()
}

impl Assignment {
    /// The mean of the unit vectors of each cluster's documents: its direction is the centroid, its length the cohesion.
    pub fn means(&self) -> Vec<Vec<f32>> {
        let scaled = |cluster: &NumberedCluster| cluster.centroid.iter().map(|x| x * cluster.cohesion).collect();
        self.clusters.iter().map(scaled).collect()
    }
}

/// The mean simplified silhouette (Hruschka, de Castro and Campello 2004): for each document `(b - a) / max(a, b)` with
/// the cosine distance `a` to its own centroid and `b` to the nearest other one.
pub(super) fn silhouette(vectors: &Vectors, rows: &[RowPlace], centroids: &[Vec<f32>]) -> f32 {
    let values: Vec<Option<(f64, f64)>> = rows
        .par_iter()
        .enumerate()
        .map(|(row, place)| {
            let own = place.cluster? as usize;
            let distance = |centroid: &Vec<f32>| f64::from((1.0 - dot(vectors.row(row), centroid)).max(0.0));
            let a = distance(&centroids[own]);
            let others = centroids.iter().enumerate().filter(|&(cluster, _)| cluster != own);
            let b = others.map(|(_, centroid)| distance(centroid)).fold(f64::INFINITY, f64::min);
            let value = if a.max(b) > 0.0 { (b - a) / a.max(b) } else { 0.0 };
            Some((value, vectors.documents(row).len() as f64))
        })
        .collect();
    let (sum, weight) = values.into_iter().flatten().fold((0.0, 0.0), |(s, w), (v, n)| (s + v * n, w + n));
    if weight > 0.0 { (sum / weight) as f32 } else { 0.0 }
}

fn summarise(
    vectors: &Vectors,
    rows: &[RowPlace],
    centroids: Vec<Vec<f32>>,
    similarities: &[f32],
) -> Vec<NumberedCluster> {
    let mut clusters: Vec<NumberedCluster> = centroids
        .into_iter()
        .map(|centroid| NumberedCluster {
            size: 0,
            centroid,
            cohesion: 0.0,
            average_probability: 0.0,
            representative: usize::MAX,
        })
        .collect();
    let mut sums = vec![(0.0_f64, 0.0_f64); clusters.len()];
    for (row, place) in rows.iter().enumerate() {
        let Some(number) = place.cluster else { continue };
        let cluster = &mut clusters[number as usize];
        let weight = vectors.documents(row).len();
        cluster.size += weight as u32;
        if cluster.representative == usize::MAX || similarities[row] > similarities[cluster.representative] {
            cluster.representative = row;
        }
        let sums = &mut sums[number as usize];
        sums.0 += weight as f64 * f64::from(similarities[row]);
        sums.1 += weight as f64 * f64::from(place.probability);
    }
    for (cluster, (cohesion, probability)) in clusters.iter_mut().zip(sums) {
        let size = f64::from(cluster.size.max(1));
        cluster.cohesion = (cohesion / size) as f32;
        cluster.average_probability = (probability / size) as f32;
    }
    clusters
}
