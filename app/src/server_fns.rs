//! What the pages ask the server for: thin, typed, one engine call each. All of them only read.

pub mod batches;
pub mod documents;

#[cfg(feature = "ssr")]
pub mod front_door;
