//! What the pages ask the server for: thin, typed, one engine call each. What changes something is sent with POST.

pub mod batches;
pub mod documents;
pub mod runs;

#[cfg(feature = "ssr")]
pub mod front_door;
