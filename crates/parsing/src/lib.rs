//! From bytes to pages, text and problems, in child processes that may die without harm.
//!
//! A [`Pool`] keeps a few children; each is the same binary under its hidden `parse-worker` command and runs
//! [`worker_main`]. Only the child touches a document: the parent sends a path and takes frames back. The exception is
//! [`archive::walk`], which unpacks ZIPs under limits before their entries become documents.

pub mod archive;
mod detect;
mod document;
mod find;
mod limits;
mod plain;
mod pool;
mod protocol;
mod worker;

mod charset;
mod formats;
mod language;
mod output;

pub use detect::detect_kind;
pub use document::{PAGE_BREAK, ParsedDocument, ParsedPage};
pub use find::find_pdfium;
pub use limits::Limits;
pub use plain::read_plain;
pub use pool::{Pool, PoolConfig};
pub use worker::worker_main;

/// Rises whenever the same bytes would yield different text: part of the key under which results are remembered.
pub const PARSER_VERSION: u32 = 2;
