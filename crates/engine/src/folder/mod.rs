//! The same walk without a server: files or records in, a folder of results out.
//!
//! It shares every stage with the queue; what it leaves out is the store. Texts are not kept: a document is down to its
//! vector and its word counts as soon as it is embedded.

mod input;
mod reading;
mod results;
mod run;
mod shard;
mod timings;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use sheaf_domain::{BatchParams, Failure, Passwords};

use crate::ProcessingConfig;

pub use crate::stages::past::Identity as Replay;
pub use results::MATRIX_LIMIT;
pub use run::analyze;
pub(crate) use run::unwritable;
pub use shard::analyze_shard;

/// What to analyse, how, and where to put the results.
#[derive(Clone, Debug)]
pub struct Request {
    /// Folders (walked recursively), files, archives; or files of records when `fields` is given.
    pub inputs: Vec<PathBuf>,
    /// The folder of results; made if absent.
    pub out: PathBuf,
    /// How records are read.
    pub fields: Option<Fields>,
    pub params: BatchParams,
    /// What there was before and what people changed, when an analysis is repeated.
    pub replay: Option<Replay>,
    /// Tried on what asks for one.
    pub passwords: Passwords,
    /// Also write each document's text to `text/PATH.txt`.
    pub text: bool,
    pub processing: ProcessingConfig,
}

/// Where a record of a JSON Lines or CSV file has its id and its text.
#[derive(Clone, Debug)]
pub struct Fields {
    pub id: String,
    pub text: String,
}

impl Fields {
    /// The fields that were named, and the usual names for those that were not; absent when none was.
    pub fn of(id: Option<String>, text: Option<String>) -> Option<Self> {
        let named = id.is_some() || text.is_some();
        let or = |field: Option<String>, usual: &str| field.unwrap_or_else(|| usual.to_owned());
        named.then(|| Self { id: or(id, "id"), text: or(text, "text") })
    }
}

/// How far a run is; read by whoever shows it.
#[derive(Debug, Default)]
pub struct Tally {
    pub total: AtomicU64,
    pub parsed: AtomicU64,
    pub embedded: AtomicU64,
    pub failed: AtomicU64,
    stage: Mutex<&'static str>,
}

impl Tally {
    /// What is going on, in a word.
    pub fn stage(&self) -> &'static str {
        self.stage.lock().map_or("", |stage| *stage)
    }

    fn enter(&self, stage: &'static str) {
        if let Ok(mut current) = self.stage.lock() {
            *current = stage;
        }
    }

    fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }
}

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub documents: u64,
    pub completed: u64,
    pub clusters: u64,
    pub outliers: u64,
    /// Families of near-duplicates.
    pub families: u64,
    /// Path and reason of each document that failed, in the order of paths.
    pub failures: Vec<(String, Failure)>,
    /// Whether the matrix was small enough to be written.
    pub matrix: bool,
}
