//! Runs of flows: how one is begun, how it stands, and what it found.

pub mod begin;
pub mod exchange;
pub mod failures;
pub mod filter;
pub mod picker;
pub mod progress;
pub mod question;
pub mod table;
pub mod values;
