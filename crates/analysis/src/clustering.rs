//! From vectors to clusters.

pub mod vectors;

pub mod neighbours;

pub mod cells;

pub mod graph;
pub mod leiden;

pub mod grain;

pub mod dbscan;
pub mod kmeans;
pub mod linkage;
pub mod mixture;

pub mod assignment;
pub mod hierarchy;
pub mod leaves;
pub mod membership;
pub mod order;

use rayon::prelude::*;
use sheaf_domain::{Method, MethodName};
use thiserror::Error;

use crate::params::AnalyseParams;
use neighbours::Neighbours;
use vectors::{Vectors, dot};

/// Neighbours of each document that clustering looks at.
pub const NEIGHBOURS: usize = 40;

/// Rows in groups.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Groups {
    /// Of each row, numbered without gaps. That of an outlier is the one that it is nearest to.
    pub of: Vec<u32>,
    /// Whether a row fits nowhere. No group consists of outliers alone.
    pub outlier: Vec<bool>,
}

/// Why documents cannot be grouped so.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum GroupError {
    /// More than the method can take.
    #[error("{method} takes at most {most} documents, and there are {documents}")]
    TooMany { method: MethodName, most: u64, documents: u64 },
    /// The threshold is above everything.
    #[error("{method} finds no cluster at a similarity of {similarity} %: everything would be an outlier")]
    NoCluster { method: MethodName, similarity: u32 },
    /// Expectation and maximisation found no end.
    #[error("no mixture of {clusters} normal distributions settles on these documents")]
    Unsettled { clusters: u32 },
}

/// The groups that the parameters ask for. What fits nowhere is told by the method itself, or from the neighbours.
///
/// # Errors
/// When the method cannot take so many rows, or finds no groups in them.
pub fn group(vectors: &Vectors, neighbours: &Neighbours, params: &AnalyseParams) -> Result<Groups, GroupError> {
    let AnalyseParams { method, seed, granularity, map: _ } = *params;
    let (name, documents) = (method.name(), vectors.len() as u64);
    match name.most_documents() {
        Some(most) if documents > most => return Err(GroupError::TooMany { method: name, most, documents }),
        Some(_) | None => {}
    }
    let all = |of: Vec<u32>| {
        let outlier = membership::is_outlier(vectors, neighbours, &of);
        Ok(Groups { of, outlier })
    };
    let some = |found: &[Option<u32>], similarity: u32| {
        let groups = with_outliers(vectors, found);
        groups.ok_or(GroupError::NoCluster { method: name, similarity })
    };
    match method {
        Method::Graph => all(grain::communities(vectors, neighbours, granularity, seed)),
        Method::KMeans { clusters } => all(kmeans::k_means(vectors, clusters as usize, seed)),
        Method::Mixture { clusters } => {
            all(mixture::mixture(vectors, clusters as usize, seed).ok_or(GroupError::Unsettled { clusters })?)
        }
        Method::Dbscan { similarity, least } => {
            some(&dbscan::dbscan(vectors, percent(similarity), least as usize), similarity)
        }
        Method::Hierarchical { similarity } => some(&linkage::linkage(vectors, percent(similarity)), similarity),
    }
}

/// Groups of a method that leaves rows without one: those are nearest to the group with the most similar centroid (of equals the
/// first). None when there is no group for any row.
fn with_outliers(vectors: &Vectors, found: &[Option<u32>]) -> Option<Groups> {
    if found.is_empty() {
        return Some(Groups::default());
    }
    let count = found.iter().flatten().max().map(|&most| most as usize + 1)?;
    let outlier: Vec<bool> = found.iter().map(Option::is_none).collect();
    let known: Vec<u32> = found.iter().map(|group| group.unwrap_or(0)).collect();
    let centroids = assignment::centroids(vectors, &known, &outlier, count);
    let nearest = |row: usize| {
        let similarity = |group: u32| dot(vectors.row(row), &centroids[group as usize]);
        (0..count as u32).reduce(|a, b| if similarity(b) > similarity(a) { b } else { a }).unwrap_or(0)
    };
    let of = found.par_iter().enumerate().map(|(row, group)| group.unwrap_or_else(|| nearest(row))).collect();
    Some(Groups { of, outlier })
}

fn percent(value: u32) -> f32 {
    value as f32 / 100.0
}
