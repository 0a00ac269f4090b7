//! The trait.

use async_trait::async_trait;
use sheaf_domain::{
    Added, Attempt, Batch, BatchChange, BatchId, BatchQuery, BatchSummary, Changes, Cluster, ClusterId, CompareCounts,
    CompareQuery, ComparedDocument, Delivery, DeliveryId, DeliveryQuery, DocumentId, DocumentQuery, DocumentRow,
    Failure, FailureCode, FailureCount, JobId, Neighbour, NewWebhook, Page, PageView, Passwords, Progress,
    ProgressGrid, Restart, Upload, UploadFile, UploadId, Webhook, WebhookEvent, WebhookId,
};

use crate::SearchStore;
use crate::backlog::BacklogStore;
use crate::columns::ColumnStore;
use crate::explore::ExploreStore;
use crate::families::FamilyStore;
use crate::flows::FlowStore;
use crate::gallery::GalleryStore;
use crate::identity::IdentityStore;
use crate::imports::ImportStore;
use crate::levels::LevelStore;
use crate::map::MapStore;
use crate::records::{
    AnalysedDocument, AnalysisResult, Claim, ClaimedDelivery, Clustering, DeliveryOutcome, EmbedInput, EmbedResult,
    NewBatch, NewDocument, NewUpload, ParseInput, ParseRecord, QueueDepth, RateLimit, Room, StagePace, StoredDocument,
    Taken, WorkerState,
};
use crate::removal::RemovalStore;
use crate::runs::RunStore;

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or could not be reached.
    #[error("the database refused")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A row that this version cannot understand.
    #[error("a row of `{table}` cannot be read: {reason}")]
    Row {
        /// The table it is in.
        table: &'static str,
        /// What is wrong with it; never a document's text.
        reason: String,
    },
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(FailureCode::Storage, error.to_string())
    }
}

type Result<T> = std::result::Result<T, StoreError>;

/// What Sheaf remembers. Every method is one transaction.
#[async_trait]
pub trait Store:
    BacklogStore
    + ColumnStore
    + ExploreStore
    + FamilyStore
    + FlowStore
    + IdentityStore
    + GalleryStore
    + ImportStore
    + LevelStore
    + MapStore
    + RemovalStore
    + RunStore
    + SearchStore
    + Send
    + Sync
    + 'static
{
    /// Whether other processes may be at work on it now.
    fn is_shared(&self) -> bool;

    // Batches and their documents arrive.

    /// Makes an empty, open batch: it is listed, but not analysed before [`Store::seal_batch`].
    async fn create_batch(&self, batch: &NewBatch) -> Result<()>;
    /// Adds documents to an open batch, each with its first job, so that work starts while the rest is still being sent.
    ///
    /// Paths stay unique, whoever else adds at the same time: a path that other bytes have is [`Numbered`]. What has the same
    /// path and bytes as a document that is there is none of its own; did that one fail, or was it cancelled, it is worked on
    /// again. In a batch that was stopped while it was sent, documents begin as cancelled.
    ///
    /// [`Numbered`]: sheaf_domain::Numbered
    async fn add_documents(&self, batch: BatchId, documents: &[NewDocument]) -> Result<Added>;
    /// Adds documents to a batch that was there before, all or none, by the rules of [`Store::add_documents`]. With the first
    /// that changes anything the batch goes on: what was cancelled is worked on again, and it is analysed anew. Absent
    /// when there is no such batch, or it is itself still being sent in one piece.
    async fn extend_batch(&self, batch: BatchId, documents: &[NewDocument]) -> Result<Option<Added>>;
    /// Says that no more documents come. When all are finished already, the analyse job is queued.
    async fn seal_batch(&self, batch: BatchId) -> Result<()>;
    /// Batches that were sent in one piece, never sealed, and to which nothing has happened for `idle_ms`: uploads that were cut
    /// off.
    async fn open_batches(&self, idle_ms: u64) -> Result<Vec<BatchId>>;
    /// Removes a batch and all that belongs to it; `false` when there is none. Blobs are swept by the caller.
    async fn delete_batch(&self, batch: BatchId) -> Result<bool>;
    /// Of these content hashes, those that no document has.
    async fn unreferenced(&self, sha256: &[String]) -> Result<Vec<String>>;
    /// The distinct content hashes of a batch's documents.
    async fn hashes(&self, batch: BatchId) -> Result<Vec<String>>;

    // Uploads break off and go on.

    /// Begins an upload, into a new batch or one that is there; `false` when there is none, or it is itself still being sent
    /// in one piece. A batch that was there changes with the first documents only.
    async fn begin_upload(&self, upload: &NewUpload, made: Option<&NewBatch>) -> Result<bool>;
    /// Notes files that arrived, and adds what is in them by the rules of [`Store::extend_batch`]; once anything of an upload
    /// came into the batch, whoever stops it also stops what is still on its way. Absent when there is no such upload (any
    /// more).
    async fn arrive(&self, upload: UploadId, files: &[UploadFile], documents: &[NewDocument]) -> Result<Option<Added>>;
    /// An upload that is not finished.
    async fn upload(&self, upload: UploadId) -> Result<Option<Upload>>;
    /// The uploads of a batch that are not finished, the latest first.
    async fn uploads(&self, batch: BatchId) -> Result<Vec<Upload>>;
    /// Files of an upload that arrived, in the order of (path, sha256), from `offset`.
    async fn arrived(&self, upload: UploadId, offset: u32, limit: u32) -> Result<Vec<UploadFile>>;
    /// What a batch has of these paths: documents that did not fail, and files of uploads that are not finished.
    async fn known_files(&self, batch: BatchId, paths: &[String]) -> Result<Vec<UploadFile>>;
    /// Says that no more of an upload comes: its batch is analysed when it waits for no other. `false` when there is none.
    async fn finish_upload(&self, upload: UploadId) -> Result<bool>;
    /// Takes an upload back: the documents that it added go, and their batch is analysed anew if it had gone on. Gives the
    /// distinct content hashes of these documents, for the caller to sweep; absent when there is no such upload.
    async fn withdraw_upload(&self, upload: UploadId) -> Result<Option<Vec<String>>>;
    /// Uploads whose sender gave no sign of life for this time.
    async fn idle_uploads(&self, idle_ms: u64) -> Result<Vec<UploadId>>;

    // People steer.

    /// Stops a batch: what waits or is in work is cancelled, what is done stays. `false` when it does not run.
    async fn cancel_batch(&self, batch: BatchId) -> Result<bool>;
    /// Puts documents back to the stage at which they stopped, with new attempts, and sets the batch going; the failures they
    /// had stay listed by [`Store::attempts`]. When no document is left to do, the batch is analysed (again). Gives the
    /// number of documents; `None` when there is nothing to start.
    async fn restart(&self, batch: BatchId, which: &Restart) -> Result<Option<u64>>;
    /// Renames a batch or gives it another priority; `false` when there is none.
    async fn change_batch(&self, batch: BatchId, change: &BatchChange) -> Result<bool>;

    // Pages read rows.

    /// A batch with its counts.
    async fn batch(&self, batch: BatchId) -> Result<Option<Batch>>;
    /// Sealed and open batches, latest first.
    async fn batches(&self, query: &BatchQuery) -> Result<Page<Batch>>;
    /// The figures of the cards.
    async fn summary(&self, batch: BatchId) -> Result<BatchSummary>;
    /// Largest first.
    async fn clusters(&self, batch: BatchId) -> Result<Vec<Cluster>>;
    /// In the order of stages, then the most frequent first.
    async fn failures(&self, batch: BatchId) -> Result<Vec<FailureCount>>;
    /// What a live page polls, without rates and estimate; absent when there is no such batch.
    async fn progress(&self, batch: BatchId) -> Result<Option<Progress>>;
    /// How fast the stages of documents go.
    async fn pace(&self, batch: BatchId) -> Result<Vec<StagePace>>;
    /// What happened to documents after `cursor`, at most `limit` of them. Without a cursor (or with one that this store did
    /// not give) nothing but the cursor of now. No change is ever left out, whatever commits at the same time.
    async fn changes(&self, batch: BatchId, cursor: Option<&str>, limit: u32) -> Result<Changes>;
    /// The batch's documents in at most `cells` fields.
    async fn progress_grid(&self, batch: BatchId, cells: u32) -> Result<ProgressGrid>;
    /// Attempts at a document that did not succeed, the earliest first.
    async fn attempts(&self, batch: BatchId, document: DocumentId) -> Result<Vec<Attempt>>;
    /// How many documents of two batches are in both or in one, and a page of the part that is asked for, by path.
    async fn compare(&self, query: &CompareQuery) -> Result<(CompareCounts, Vec<ComparedDocument>)>;
    /// One page of the table.
    async fn documents(&self, batch: BatchId, query: &DocumentQuery) -> Result<Page<DocumentRow>>;
    /// Rows in the order of (path, id) after the given one, for exports.
    async fn documents_after(
        &self,
        batch: BatchId,
        after: Option<(&str, DocumentId)>,
        limit: u32,
    ) -> Result<Vec<DocumentRow>>;
    /// The cluster at each position, from 0; an outlier has none.
    async fn clusters_by_position(&self, batch: BatchId) -> Result<Vec<Option<ClusterId>>>;
    /// One row and what only its own page shows.
    async fn document(&self, batch: BatchId, document: DocumentId) -> Result<Option<(StoredDocument, DocumentRow)>>;
    /// Most similar first.
    async fn neighbours(&self, batch: BatchId, document: DocumentId) -> Result<Vec<Neighbour>>;
    /// A document's extracted text; absent when it has none.
    async fn text(&self, batch: BatchId, document: DocumentId) -> Result<Option<String>>;
    /// The passwords that were given with a batch; none for an unknown one.
    async fn passwords(&self, batch: BatchId) -> Result<Passwords>;
    /// One page (from 1) of a document that was read.
    async fn page(&self, batch: BatchId, document: DocumentId, number: u32) -> Result<Option<PageView>>;
    /// The clustering that a batch has now.
    async fn clustering(&self, batch: BatchId) -> Result<Option<Clustering>>;

    // Workers claim, keep and finish jobs.

    /// Leases ready jobs, in groups of one batch each. Batches of the highest priority come first; among equals the slots are
    /// shared evenly, so that a small batch need not wait for a large one. Within a batch the heaviest jobs come first, so
    /// that the cores end together. Jobs whose lease was lost before may be what kills workers: they come when there are no
    /// others, or after a minute, and one at a time.
    async fn claim(&self, room: &Room<'_>) -> Result<Vec<Vec<Claim>>>;
    /// Of these claims, those that are still held; the others were lost or cancelled. It extends nothing.
    async fn held(&self, claims: &[Claim]) -> Result<Vec<JobId>>;
    /// Extends the leases of these claims and says which are still held; the others were lost or cancelled.
    async fn heartbeat(&self, worker: &str, claims: &[Claim], lease_ms: u64) -> Result<Vec<JobId>>;
    /// Gives leases back unfinished, as if they had not been claimed (a worker that shuts down).
    async fn release(&self, claims: &[Claim]) -> Result<()>;
    /// Returns jobs whose lease ran out to the queue, later each time; one that was lost `max_crashes` times fails. With
    /// `all`, every running job's lease counts as run out: for a store that only one process can open, at its start.
    async fn expire_leases(&self, max_crashes: u32, all: bool) -> Result<u64>;
    /// Notes a sign of life of a worker.
    async fn note_worker(&self, worker: &WorkerState) -> Result<()>;
    /// Workers that gave a sign of life within this time.
    async fn workers(&self, within_ms: u64) -> Result<Vec<WorkerState>>;

    /// How much waits in the queue, for each stage.
    async fn queue_depths(&self) -> Result<Vec<QueueDepth>>;

    /// The documents behind claims of the parse stage; those that were deleted meanwhile are left out.
    async fn parse_inputs(&self, claims: &[Claim]) -> Result<Vec<ParseInput>>;
    /// How many pages of a document are read; nothing when this attempt no longer holds it.
    async fn note_pages(&self, claim: &Claim, done: u32, total: u32) -> Result<()>;
    /// A parse result of the same bytes by the same parser, if it was remembered.
    async fn remembered_parse(&self, key: &str) -> Result<Option<ParseRecord>>;
    /// Remembers results and moves their documents on to the embed stage; gives the jobs that were really finished, which
    /// those are not whose lease was lost.
    async fn complete_parses(&self, results: &[(Claim, ParseRecord)]) -> Result<Vec<JobId>>;
    /// The texts behind claims of the embed stage.
    async fn embed_inputs(&self, claims: &[Claim]) -> Result<Vec<EmbedInput>>;
    /// Those of the given keys whose vectors are remembered.
    async fn remembered_vectors(&self, keys: &[String]) -> Result<Vec<String>>;
    /// Remembers vectors and finishes the documents; gives the jobs that were really finished.
    async fn complete_embed(&self, results: &[EmbedResult]) -> Result<Vec<JobId>>;
    /// The documents of a batch that have a vector, in the order of (sha256, path).
    async fn analysed_documents(&self, batch: BatchId) -> Result<Vec<AnalysedDocument>>;
    /// Replaces the batch's clustering and finishes the batch. `false`: the lease was lost, nothing changed.
    async fn complete_analysis(&self, result: &AnalysisResult) -> Result<bool>;
    /// Ends an attempt without success, and lists its failure: with `retry_ms` the job is ready again after about that time (a
    /// quarter more at most, by chance), otherwise it and its document (or batch) have failed, and the batch with them if its
    /// policy says so. `false`: the lease was lost, nothing changed.
    async fn fail(&self, claim: &Claim, failure: &Failure, retry_ms: Option<u64>) -> Result<bool>;

    /// Takes tokens out of the bucket of this name, which fills by the database's clock and is full at first: at most `want`
    /// (one at least), and never more over any time than the limit lets all takers together have.
    async fn take_tokens(&self, bucket: &str, limit: RateLimit, want: u32) -> Result<Taken>;

    // Webhooks: whatever ends a batch queues, in the same transaction, an event for each webhook that hears of it.

    /// Adds a webhook; its `created_at` is the database's. `false` when the batch that it is limited to is not there.
    async fn add_webhook(&self, webhook: &NewWebhook) -> Result<bool>;
    /// Those that hear of all batches, or those limited to one; the earliest first.
    async fn webhooks(&self, batch: Option<BatchId>) -> Result<Vec<Webhook>>;
    /// Removes a webhook with its log; `false` when there is none.
    async fn delete_webhook(&self, webhook: WebhookId) -> Result<bool>;
    /// Queues an event for one webhook; absent when there is no such webhook.
    async fn queue_delivery(&self, webhook: WebhookId, event: &WebhookEvent) -> Result<Option<DeliveryId>>;
    /// The delivery log, latest first. What ended is forgotten after [`DELIVERIES_KEPT_MS`].
    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Page<Delivery>>;
    /// One row of the log.
    async fn delivery(&self, delivery: DeliveryId) -> Result<Option<Delivery>>;
    /// Leases deliveries that are due, or whose lease ran out: at most `limit`, and at most [`DELIVERIES_AT_ONCE`] of one
    /// webhook, so that one that does not answer holds nobody up.
    async fn claim_deliveries(&self, limit: u32, lease_ms: u64) -> Result<Vec<ClaimedDelivery>>;
    /// Ends an attempt; `false`: the lease was lost, nothing changed.
    async fn finish_delivery(&self, claim: &ClaimedDelivery, outcome: &DeliveryOutcome) -> Result<bool>;
    /// Makes a delivery due now, with new attempts, however it ended; `false` when there is none or it is under way.
    async fn send_again(&self, delivery: DeliveryId) -> Result<bool>;
}

/// How long a delivery that ended stays in the log.
pub const DELIVERIES_KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// The most deliveries of one webhook that are leased by one claim.
pub const DELIVERIES_AT_ONCE: u32 = 4;
