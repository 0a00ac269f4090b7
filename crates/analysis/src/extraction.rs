//! What is taken out of texts, and the proof that it stands there.

mod quote;

pub use quote::{Located, Match, locate};
