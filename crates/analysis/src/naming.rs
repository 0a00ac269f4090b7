//! Words for clusters: what a document's words are, and which of them set a cluster apart.

mod grams;
mod language;
mod names;
mod terms;
mod words;

pub use names::{ClusterName, may_be_called, name_clusters};
pub use terms::{MAX_TERMS, Terms};
