//! The records that cross the store's boundary: what is written, and what workers read.

use std::num::NonZeroU32;

use sheaf_domain::{
    Batch, BatchId, BatchParams, Cluster, ClusterId, ClusterReport, DeliveryId, Document, DocumentId, DocumentKind,
    DocumentMetadata, EventId, Failure, FailureCode, Heatmap, JobId, Merge, PageRecognition, Passwords, Problem,
    RunPolicy, Stage, UploadId,
};

use crate::families::FoundFamilies;

/// A batch that is about to receive its documents.
#[derive(Clone, Debug)]
pub struct NewBatch {
    pub id: BatchId,
    pub name: String,
    pub params: BatchParams,
    pub policy: RunPolicy,
    /// Tried on documents that ask for one.
    pub passwords: Passwords,
    /// The trace of the request that made it (the header `traceparent` of W3C Trace Context), for the logs of workers.
    pub trace: Option<String>,
}

/// An upload that is about to begin.
#[derive(Clone, Copy, Debug)]
pub struct NewUpload {
    pub id: UploadId,
    pub batch: BatchId,
    /// What the sender means to send, in files and bytes.
    pub files: u64,
    pub bytes: u64,
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

/// What a worker has room for.
#[derive(Clone, Copy, Debug)]
pub struct Room<'a> {
    pub stage: Stage,
    /// Who asks; unique over machines and restarts.
    pub worker: &'a str,
    /// Groups of jobs that it can work on at the same time.
    pub slots: u32,
    /// The most jobs of a group.
    pub jobs_per_slot: u32,
    /// The most bytes of the documents of a group, unless it is a single one.
    pub bytes_per_slot: u64,
    pub lease_ms: u64,
}

impl Room<'_> {
    /// Packs waiting jobs, given with their weights in bytes and heaviest first, into groups: as evenly as the bounds allow,
    /// so that a few small jobs are still spread over all slots. What does not fit is left waiting.
    pub fn pack<T>(&self, waiting: Vec<(T, u64)>, slots: u32) -> Vec<Vec<T>> {
        let even = waiting.len().div_ceil(slots.max(1) as usize);
        let most = even.clamp(1, self.jobs_per_slot.max(1) as usize);
        let mut groups: Vec<Vec<T>> = Vec::new();
        let mut weight = 0_u64;
        for (job, bytes) in waiting {
            let fits = weight.saturating_add(bytes) <= self.bytes_per_slot;
            let is_full = groups.len() >= slots as usize;
            match groups.last_mut() {
                Some(group) if fits && group.len() < most => {
                    weight += bytes;
                    group.push(job);
                }
                Some(_) | None if is_full => break,
                Some(_) | None => {
                    weight = bytes;
                    groups.push(vec![job]);
                }
            }
        }
        groups
    }
}

/// One lease of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub job: JobId,
    /// The fencing token: a later claim of the same job has a higher one.
    pub attempt: u32,
    /// Attempts since a person last asked for the job, this one included.
    pub tries: u32,
    pub stage: Stage,
    pub batch: BatchId,
    /// Absent for stages of a whole batch.
    pub document: Option<DocumentId>,
    /// How often a worker vanished while it held this job.
    pub crashes: u32,
    /// The trace of its batch.
    pub trace: Option<String>,
}

impl Claim {
    /// What is said of a job whose worker has vanished again.
    #[must_use]
    pub fn vanished(&self) -> Failure {
        let message =
            format!("the worker vanished {} times while it was at this ({})", self.crashes, self.stage.label());
        let failure = Failure::new(FailureCode::WorkerCrashed, message);
        match self.document {
            Some(_) => failure,
            None => failure.with_hint(
                "Nothing that was read is lost. Look whether the machine runs out of memory or restarts, then try again.",
            ),
        }
    }
}

/// What the parse stage reads of a claimed document.
#[derive(Clone, Debug)]
pub struct ParseInput {
    pub claim: Claim,
    pub document: DocumentId,
    pub path: String,
    pub sha256: String,
    /// Those that were given with its batch.
    pub passwords: Passwords,
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

/// How fast a stage of a batch goes, by the jobs that ended well.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StagePace {
    pub stage: Stage,
    /// Jobs and bytes that ended within the last `window_ms`.
    pub jobs: u64,
    pub bytes: u64,
    /// Milliseconds over which was counted: at most [`PACE_WINDOW_MS`], less when the stage began later.
    pub window_ms: u64,
    /// Bytes of the jobs that wait or are in work.
    pub bytes_left: u64,
}

/// Over how many milliseconds the present pace is measured.
pub const PACE_WINDOW_MS: u64 = 30_000;

/// A sign of life of a process that works on jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerState {
    /// Unique over machines and restarts.
    pub id: String,
    /// The machine's name.
    pub host: String,
    pub stages: Vec<Stage>,
    pub cores: u32,
    /// The share of the machine's cores that is busy, 0 to 1; absent where it is not known.
    pub busy: Option<f32>,
    /// Whether all places for text recognition are taken.
    pub recognition_full: bool,
}

/// How much of one stage waits in the queue, over all batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueDepth {
    pub stage: Stage,
    /// Jobs that could be claimed now.
    pub ready: u64,
    /// Jobs that wait for their next attempt.
    pub delayed: u64,
    /// Jobs that are leased.
    pub processing: u64,
    /// Jobs that failed after their worker had vanished: they may be what kills workers.
    pub dead: u64,
    /// Milliseconds for which the oldest ready job could have been claimed; 0 when there is none.
    pub oldest_ready_ms: u64,
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
    /// The group in which the analysis alone put it, outlier or not, before what people changed.
    pub found: Option<ClusterId>,
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

/// The clusters of a batch and all that follows from them, as an analysis or a person's edit makes them.
#[derive(Clone, Debug, Default)]
pub struct NewClustering {
    pub placements: Vec<Placement>,
    pub clusters: Vec<Cluster>,
    /// How they join, the most similar first.
    pub merges: Vec<Merge>,
    pub silhouette: Option<f32>,
    /// Absent when no document had a vector.
    pub vectors: Option<VectorFile>,
    /// The picture of everything, made once.
    pub heatmap: Heatmap,
    /// Hashes, versions, parameters, seed and edits, as JSON.
    pub manifest: String,
    /// The numbers and names of the groups that the analysis alone found.
    pub found: Vec<(ClusterId, String)>,
    /// The first number that was never given.
    pub next: u32,
}

/// All that analysing a batch produced.
#[derive(Clone, Debug)]
pub struct AnalysisResult {
    pub claim: Claim,
    /// What is double.
    pub families: FoundFamilies,
    pub clustering: NewClustering,
    /// What it changed about the clusters of the analysis before; absent for the first one.
    pub report: Option<ClusterReport>,
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

/// One lease of a message to a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedDelivery {
    pub id: DeliveryId,
    /// The fencing token: a later claim of the same delivery has a higher one.
    pub attempt: u32,
    /// Tries since it was queued or last asked for, this one included.
    pub tries: u32,
    /// Milliseconds since it was queued or last asked for.
    pub age_ms: u64,
    pub url: String,
    pub secret: String,
    pub event: EventId,
    /// The event as JSON, the same in each attempt.
    pub body: String,
}

/// How an attempt at a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// It was taken, with this HTTP status.
    Arrived { answer: u16 },
    /// It is tried again after about this time (a quarter more at most, by chance).
    Retry { answer: Option<u16>, error: String, after_ms: u64 },
    /// It is not tried again by itself.
    GivenUp { answer: Option<u16>, error: String },
}

/// How often something may be done by all workers of an installation together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Over a long time.
    pub per_minute: NonZeroU32,
    /// At once, after a rest.
    pub burst: NonZeroU32,
}

/// What a bucket gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// So many tokens, at most as many as were wanted.
    Granted(NonZeroU32),
    /// None; there is one after about this time.
    Wait { ms: u64 },
}

impl RateLimit {
    /// What a bucket that holds `tokens` gives to who wants at most `want`; stores take it out in the same transaction.
    pub fn take(self, tokens: f64, want: u32) -> Taken {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float is clamped to the range")]
        let whole = tokens.max(0.0).floor() as u32;
        NonZeroU32::new(whole.min(want.max(1))).map_or_else(|| self.wait(tokens), Taken::Granted)
    }

    fn wait(self, tokens: f64) -> Taken {
        let missing = (1.0 - tokens).max(0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most a minute for each token")]
        let ms = (missing * 60_000.0 / f64::from(self.per_minute.get())).ceil() as u64;
        Taken::Wait { ms: ms.max(1) }
    }
}
