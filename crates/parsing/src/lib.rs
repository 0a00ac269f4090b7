//! From bytes to pages, text and problems, in child processes that may die without harm.
//!
//! A [`Pool`] keeps a few children; each is the same binary under its hidden `parse-worker` command and runs
//! [`worker_main`]. Only the child touches a document: the parent sends an open file and takes frames back,
//! be it text or, from an archive, further files.

pub mod archive;
mod detect;
mod document;
mod find;
mod limits;
mod picture;
mod plain;
mod pool;
mod protections;
mod protocol;
mod reader;
mod readings;
mod recognition;
mod wire;
mod worker;

mod canvas;
mod charset;
mod formats;
mod hints;
mod language;
mod legible;
mod mail;
mod output;
mod quote;

pub use detect::detect_kind;
pub use document::{PAGE_BREAK, PageState, ParsedDocument, ParsedPage, Part};
pub use find::find_pdfium;
pub use hints::Hints;
pub use limits::Limits;
pub use picture::{Picture, PictureFor};
pub use plain::read_plain;
pub use pool::{Pool, PoolConfig, Proof, TOGETHER};
pub use protections::Protections;
pub use quote::Quote;
pub use reader::{OnPages, Reader};
pub use recognition::{RecognisedPage, Recogniser, find_tesseract};
pub use worker::worker_main;

/// Rises whenever the same bytes would yield different text: part of the key under which results are remembered.
pub const PARSER_VERSION: u32 = 5;
