//! Progress in types: the same for the page, the API and the command line.

use serde::{Deserialize, Serialize};

use crate::batch::Counts;
use crate::failure::Failure;
use crate::ids::{BatchId, DocumentId};
use crate::job::Stage;
use crate::status::Status;

/// How far one stage of a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageCounts {
    pub stage: Stage,
    pub pending: u64,
    pub processing: u64,
    pub done: u64,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub batch: BatchId,
    pub status: Status,
    pub counts: Counts,
    pub stages: Vec<StageCounts>,
    /// The documents that are most worth seeing: in work first, then failed, then the latest completed, then pending.
    /// At most 200.
    pub documents: Vec<DocumentProgress>,
    /// Seconds since the batch was created, by the database's clock.
    pub elapsed_seconds: u64,
}
