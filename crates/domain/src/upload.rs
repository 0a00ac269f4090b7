//! Uploads that can break off and go on: what was announced, what of it has arrived, and what became of it.

use serde::{Deserialize, Serialize};

use crate::ids::{BatchId, UploadId};

/// Files on their way into a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    pub id: UploadId,
    pub batch: BatchId,
    /// Whether the batch was made for it; otherwise it adds to a batch that was there before.
    pub makes_batch: bool,
    /// Files that the sender announced, archives counted as one.
    pub files: u64,
    /// Bytes that the sender announced.
    pub bytes: u64,
    /// Files that arrived and survive a crash, archives counted as one.
    pub arrived_files: u64,
    /// Bytes of these.
    pub arrived_bytes: u64,
    /// Seconds since 1970, UTC.
    pub created_at: i64,
    /// Seconds since the last sign of life of the sender, by the database's clock.
    pub idle_seconds: u64,
}

/// A file as it was sent; an archive is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UploadFile {
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Lower-case hex SHA-256.
    pub sha256: String,
}

/// What became of documents that arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Added {
    /// New in the batch.
    pub documents: u64,
    /// In the batch already, with the same path and bytes: failed or cancelled, and now worked on again.
    pub again: u64,
    /// In the batch already, with the same path and bytes: left as they are.
    pub already_there: u64,
}

/// The answer to files that arrived: from now on they survive a crash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// The files as they were sent, in their order.
    pub files: Vec<UploadFile>,
    /// In JSON its fields stand beside the others.
    #[serde(flatten)]
    pub added: Added,
}

impl std::ops::AddAssign for Added {
    fn add_assign(&mut self, other: Self) {
        let Self { documents, again, already_there } = other;
        self.documents += documents;
        self.again += again;
        self.already_there += already_there;
    }
}
