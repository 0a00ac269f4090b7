//! From vectors to clusters.

pub mod graph;
pub mod leiden;
pub mod neighbours;
pub mod vectors;
