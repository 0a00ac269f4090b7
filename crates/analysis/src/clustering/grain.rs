//! How fine the clusters are to be when nobody says: the resolution is chosen from the data.

use super::graph::shared_neighbour_graph;
use super::leiden::leiden;
use super::neighbours::Neighbours;
use super::vectors::Vectors;

/// A group for each row.
pub fn communities(vectors: &Vectors, neighbours: &Neighbours, granularity: f64, seed: u64) -> Vec<u32> {
    let n = vectors.len();
    if n <= 3 {
        return vec![0; n];
    }
    let count = (n / 15).clamp(3, 30);
    let graph = shared_neighbour_graph(neighbours, n, count);
    leiden(&graph, 0.5 * granularity, seed)
}
