//! From vectors to clusters.

pub mod vectors;

pub mod neighbours;

pub mod graph;
pub mod leiden;

pub mod grain;
pub mod kmeans;

pub mod assignment;
pub mod hierarchy;
pub mod membership;
pub mod order;

use crate::params::AnalyseParams;
use neighbours::Neighbours;
use vectors::Vectors;

/// Neighbours of each document that clustering looks at.
pub const NEIGHBOURS: usize = 30;

/// A group for each row, numbered without gaps: as many as were asked for, or as the data suggest.
pub fn group(vectors: &Vectors, neighbours: &Neighbours, params: &AnalyseParams) -> Vec<u32> {
    let AnalyseParams { clusters, seed, granularity } = params;
    match clusters {
        Some(count) => kmeans::k_means(vectors, *count as usize, *seed),
        None => grain::communities(vectors, neighbours, *granularity, *seed),
    }
}
