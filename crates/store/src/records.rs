//! The records that cross the store's boundary: what is written, and what workers read.

use sheaf_domain::{
    Batch, BatchId, BatchParams, Cluster, ClusterId, Document, DocumentId, DocumentKind, DocumentMetadata, Failure,
    Heatmap, JobId, PageRecognition, Problem, Stage,
};

/// A batch that is about to receive its documents.
#[derive(Clone, Debug)]
pub struct NewBatch {
    pub id: BatchId,
    pub name: String,
    pub params: BatchParams,
}

/// A document whose bytes are safely stored; or, with a failure, one that was refused on arrival and is only listed.
#[derive(Clone, Debug)]
pub struct NewDocument {
    pub id: DocumentId,
    pub path: String,
    /// Lower-case hex SHA-256.
    pub sha256: String,
    pub bytes: u64,
    /// What it looks like on arrival; parsing may know better.
    pub kind: Option<DocumentKind>,
    pub failure: Option<Failure>,
}

/// One lease of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub job: JobId,
    /// The fencing token: a later claim of the same job has a higher one.
    pub attempt: u32,
    pub stage: Stage,
    pub batch: BatchId,
    /// Absent for stages of a whole batch.
    pub document: Option<DocumentId>,
    /// How often a worker vanished while it held this job.
    pub crashes: u32,
}

/// What parsing found, remembered by content.
#[derive(Clone, Debug, PartialEq)]
pub struct ParseRecord {
    /// Content hash, parser version and name suffix: what the result depends on.
    pub key: String,
    pub kind: DocumentKind,
    pub pages: u32,
    pub words: u64,
    pub language: Option<String>,
    pub metadata: DocumentMetadata,
    pub problems: Vec<Problem>,
    pub text: String,
    /// Where each page begins in `text`, in bytes.
    pub page_starts: Vec<u64>,
    /// What was recognised on pictures of pages.
    pub recognised: Vec<PageRecognition>,
}

/// What the embed stage reads of a claimed document.
#[derive(Clone, Debug)]
pub struct EmbedInput {
    pub claim: Claim,
    pub document: DocumentId,
    pub parse_key: String,
    pub language: Option<String>,
    pub text: String,
    pub params: BatchParams,
}

/// One document's vector and word counts, or the reason why it has none.
#[derive(Clone, Debug)]
pub struct EmbedResult {
    pub claim: Claim,
    /// Parse key, model and chunking version: what the result depends on.
    pub key: String,
    pub outcome: EmbedOutcome,
}

/// How embedding one document ended.
#[derive(Clone, Debug)]
pub enum EmbedOutcome {
    /// A new vector.
    Vectored(Vectored),
    /// The vector of the same text under the same model stands already.
    Remembered,
    /// The document cannot be placed.
    Failed(Failure),
}

/// What clustering and naming need of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Vectored {
    /// Unit vector, row of f32.
    pub vector: Vec<f32>,
    /// Word counts, in the analysis' own encoding.
    pub terms: Vec<u8>,
}

/// A document of a batch with its vector, as the analyse stage reads it.
#[derive(Clone, Debug)]
pub struct AnalysedDocument {
    pub id: DocumentId,
    pub path: String,
    pub sha256: String,
    pub language: Option<String>,
    pub vectored: Vectored,
}

/// Where one document came to stand.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    pub document: DocumentId,
    /// Absent for an outlier.
    pub cluster: Option<ClusterId>,
    /// 0 to 1.
    pub probability: f32,
    /// Place in the order of the heatmap, from 0.
    pub position: u32,
    /// Most similar first, with cosine similarity.
    pub neighbours: Vec<(DocumentId, f32)>,
}

/// The immutable file that holds the vectors of a clustering, row-major little-endian f32 in the order of positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VectorFile {
    /// Name within the blob store.
    pub name: String,
    pub rows: u32,
    pub dimensions: u32,
}

/// All that analysing a batch produced.
#[derive(Clone, Debug)]
pub struct AnalysisResult {
    pub claim: Claim,
    pub placements: Vec<Placement>,
    pub clusters: Vec<Cluster>,
    pub silhouette: Option<f32>,
    /// Absent when no document had a vector.
    pub vectors: Option<VectorFile>,
    /// The picture of everything, made once.
    pub heatmap: Heatmap,
    /// Hashes, versions, parameters and seed, as JSON.
    pub manifest: String,
}

/// The clustering that a batch has now.
#[derive(Clone, Debug)]
pub struct Clustering {
    pub vectors: Option<VectorFile>,
    pub heatmap: Heatmap,
    pub manifest: String,
    pub silhouette: Option<f32>,
}

/// A document with everything that its own page shows but its neighbours' names.
#[derive(Clone, Debug)]
pub struct StoredDocument {
    pub document: Document,
    pub batch: Batch,
    pub metadata: DocumentMetadata,
    pub problems: Vec<Problem>,
    /// Pages whose text was recognised, with the mean confidence of their words.
    pub recognised: Vec<(u32, f32)>,
}
