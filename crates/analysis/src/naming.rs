//! Words for clusters: what a document's words are, and which of them set a cluster apart.

mod grams;
mod language;
mod names;
mod terms;
mod words;

pub use names::{ClusterName, name_clusters};
pub use terms::{MAX_TERMS, Terms};
