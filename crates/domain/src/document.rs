//! A document: one uploaded file, what was read from it, and where it stands in its batch.

use serde::{Deserialize, Serialize};

use crate::cluster::{ClusterId, ConfidenceLevel};
use crate::failure::Failure;
use crate::family::{Family, FamilyPlace};
use crate::ids::{BatchId, DocumentId};
use crate::job::Stage;
use crate::kind::DocumentKind;
use crate::status::Status;

/// One uploaded file as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    pub id: DocumentId,
    pub batch: BatchId,
    /// Path relative to what was uploaded, `/` between parts; `archive.zip!/inner/path` inside an archive.
    pub path: String,
    /// Lower-case hex SHA-256 of the bytes.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    pub status: Status,
    /// The stage it is in or was last in.
    pub stage: Stage,
    pub failure: Option<Failure>,
}

/// What parsing found out about a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentMetadata {
    pub title: Option<String>,
    pub author: Option<String>,
    /// As the document has it, ISO 8601 where it could be understood.
    pub created: Option<String>,
    /// The program that made it.
    pub producer: Option<String>,
}

/// A fact about a document that a user should see, though it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The page it concerns, from 1.
    pub page: Option<u32>,
    /// In plain words, never the document's text.
    pub message: String,
}

/// A row of the table of documents and of the documents export; every number that is absent is not known (yet).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentRow {
    pub id: DocumentId,
    pub path: String,
    pub sha256: String,
    pub bytes: u64,
    pub kind: Option<DocumentKind>,
    pub pages: Option<u32>,
    pub words: Option<u64>,
    /// ISO 639-3 code of the language that was detected.
    pub language: Option<String>,
    pub status: Status,
    pub stage: Stage,
    /// Absent for outliers and for documents that were not clustered.
    pub cluster: Option<ClusterId>,
    /// The name of `cluster`.
    pub cluster_name: Option<String>,
    /// Membership probability, 0 to 1: how firmly it sits in its cluster.
    pub probability: Option<f32>,
    /// `probability` in three steps.
    pub confidence: Option<ConfidenceLevel>,
    /// Whether it was clustered and fits nowhere.
    pub outlier: bool,
    /// The near-duplicates that it belongs to.
    pub family: Option<FamilyPlace>,
    pub failure: Option<Failure>,
}

/// One of the documents most similar to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Neighbour {
    pub id: DocumentId,
    pub path: String,
    /// Cosine similarity of the two vectors, -1 to 1.
    pub similarity: f32,
    pub cluster: Option<ClusterId>,
}

/// All that a document's own page shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentView {
    pub batch: BatchId,
    pub batch_name: String,
    pub row: DocumentRow,
    pub metadata: DocumentMetadata,
    pub problems: Vec<Problem>,
    /// Pages whose text was recognised on a picture, with the mean confidence (0 to 1) of their words.
    pub recognised: Vec<(u32, f32)>,
    /// The beginning of the extracted text; see `text_truncated`.
    pub text: String,
    /// Whether `text` was cut for the page; the whole is a download.
    pub text_truncated: bool,
    /// Most similar first.
    pub neighbours: Vec<Neighbour>,
    /// Its near-duplicates and itself.
    pub family: Option<Family>,
}
