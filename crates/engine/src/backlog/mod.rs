//! A backlog of short texts and a set of labels in, one row of results for each record out; no server, no database.
//!
//! Records are read, classified and written a few microbatches at a time, so memory does not grow with the backlog. A
//! broken record is a row that says so, and never stops the others.

mod examples;
mod fields;
mod labels;
mod record;
mod records;
mod results;
mod run;
mod sample;
mod statistics;
mod stored;

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;

use sheaf_domain::ModelName;

pub use fields::Columns;
pub use run::process;
pub use sample::{Sample, sample};
pub use statistics::{ClassifierStatistics, Statistics};

pub(crate) use examples::number_id;
pub(crate) use fields::look;
pub(crate) use record::{Field, Record};
pub(crate) use records::Records;
pub(crate) use results::Row;
pub(crate) use statistics::Counts;
pub use stored::{LabelsRequest, export};

/// What to classify, how, and where to put the results.
#[derive(Clone, Debug)]
pub struct Request {
    /// A `.json`, `.jsonl`, `.csv` or `.tsv` file of records.
    pub input: PathBuf,
    /// A JSON file: a list of names, a list of objects with `name`, or a map from name to description.
    pub labels: PathBuf,
    /// Labelled examples: ids of records, or texts, with labels.
    pub examples: Option<PathBuf>,
    /// The folder of results; made if absent. Nothing is classified without one.
    pub out: Option<PathBuf>,
    /// The names of the fields, where they are not to be found by themselves.
    pub id_field: Option<String>,
    pub text_field: Option<String>,
    pub model: ModelName,
    pub none_below: f32,
    /// Records of a microbatch, at least 1.
    pub batch_size: usize,
    /// Microbatches that are classified at the same time, at least 1.
    pub max_concurrent: usize,
    /// The folder of models.
    pub models: Option<PathBuf>,
}

/// How far a run is; read by whoever shows it.
#[derive(Debug, Default)]
pub struct Tally {
    /// Bytes of the input.
    pub bytes: AtomicU64,
    /// Bytes of the input that have been read and whose records have results.
    pub done_bytes: AtomicU64,
    /// Records with results.
    pub records: AtomicU64,
}
