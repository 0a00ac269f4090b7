//! Progress in types: the same for the page, the API and the command line.

use serde::{Deserialize, Serialize};

use crate::batch::Counts;
use crate::failure::Failure;
use crate::ids::{BatchId, DocumentId};
use crate::job::Stage;
use crate::status::Status;

/// How far one stage of a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageCounts {
    pub stage: Stage,
    pub pending: u64,
    pub processing: u64,
    pub done: u64,
    /// Jobs finished a second over the last half minute or so; absent when too few were.
    pub rate: Option<f32>,
    /// Jobs finished a second since the batch was started; absent when none was.
    pub average_rate: Option<f32>,
}

/// What holds a batch up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bottleneck {
    /// Documents are read.
    Reading,
    /// Pictures of pages are waiting for text recognition.
    Recognition,
    /// Texts become vectors.
    Comparing,
    /// Vectors become clusters.
    Grouping,
    /// Jobs wait, and no worker takes them.
    NoWorker,
}

/// When a batch will be done, by what was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Seconds left; absent as long as too little was measured.
    pub seconds: Option<u64>,
    pub bottleneck: Bottleneck,
    /// The share of the workers' cores that is busy, 0 to 1; absent where it is not known.
    pub busy: Option<f32>,
}

/// One document on the live page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentProgress {
    pub id: DocumentId,
    pub path: String,
    pub status: Status,
    pub stage: Stage,
    pub failure: Option<Failure>,
    /// Pages that are read, of how many; while it is in work and has several.
    pub pages: Option<(u32, u32)>,
}

/// What a page polls every two seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub batch: BatchId,
    pub status: Status,
    pub counts: Counts,
    pub stages: Vec<StageCounts>,
    /// The documents that are most worth seeing: in work first, then failed, then the latest completed, then pending.
    /// At most 200.
    pub documents: Vec<DocumentProgress>,
    /// Seconds in which the batch was worked on, by the database's clock.
    pub elapsed_seconds: u64,
    /// Absent when the batch does not run.
    pub estimate: Option<Estimate>,
}

/// What happened to a batch's documents since an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// Each changed document as it is now, in the order of its last change.
    pub documents: Vec<DocumentProgress>,
    /// Give it back to hear what happened after these.
    pub cursor: String,
    /// Whether more is known already than fitted.
    pub more: bool,
}

/// One field of the progress grid: some documents that arrived one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressCell {
    pub documents: u32,
    /// Those that were read.
    pub parsed: u32,
    /// Those that are done.
    pub completed: u32,
    pub processing: u32,
    pub failed: u32,
    pub cancelled: u32,
}

/// A batch's documents by how far they are, in the order of their arrival, in a bounded number of fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressGrid {
    /// Documents that a field stands for; the last may stand for fewer.
    pub per_cell: u32,
    pub cells: Vec<ProgressCell>,
}
