//! The store on PostgreSQL, which several servers share. It owns the queue and the results; it refuses anything but rows.
//!
//! Locks are taken in one order, so that nobody waits in a circle: batches, jobs, what is remembered by content, documents;
//! each by rising key. What goes wrong all the same, and what a restart of the database cuts off, is done again
//! (`again`): every method is the same when it is done twice.
//!
//! Columns are named in every query: a server that stays while a later one adds columns would stumble over `*`.

mod again;
mod connect;

mod arrive;
mod delete;
mod imports;
mod place;
mod steer;
mod uploads;

mod columns;
mod compare;
mod explore;
mod map;
mod read;
mod removal;
mod search;
mod table;

mod claim;
mod work;

mod analyse;
mod embed;
mod fail;
mod families;
mod gallery;
mod levels;
mod parse;

mod buckets;
mod depth;
mod webhooks;

mod flows;
mod runs;

mod pages;
mod progress;

mod nul;
mod rows;

use async_trait::async_trait;
use sheaf_domain::{
    Added, Attempt, Batch, BatchChange, BatchId, BatchQuery, BatchSummary, Changes, Cluster, ClusterId, CompareCounts,
    CompareQuery, ComparedDocument, Delivery, DeliveryId, DeliveryQuery, DocumentId, DocumentQuery, DocumentRow,
    Failure, FailureCount, JobId, Neighbour, NewWebhook, Page, PageView, Passwords, Progress, ProgressGrid, Restart,
    Upload, UploadFile, UploadId, Webhook, WebhookEvent, WebhookId,
};
use sheaf_store::{
    AnalysedDocument, AnalysisResult, Claim, ClaimedDelivery, Clustering, DeliveryOutcome, EmbedInput, EmbedResult,
    NewBatch, NewDocument, NewUpload, ParseInput, ParseRecord, QueueDepth, RateLimit, Room, StagePace, Store,
    StoreError, StoredDocument, Taken, WorkerState,
};
use sqlx::postgres::PgPool;

use again::{Patience, again};

/// Milliseconds since 1970 by the database's clock, as an SQL expression.
macro_rules! now {
    () => {
        "(extract(epoch FROM statement_timestamp()) * 1000)::bigint"
    };
}
pub(crate) use now;

/// What every change of a document's state sets besides, to take part in the order of changes.
macro_rules! changed {
    () => {
        "updated_at = (extract(epoch FROM statement_timestamp()) * 1000)::bigint, \
         version = pg_current_xact_id()::text::bigint"
    };
}
pub(crate) use changed;

type Result<T> = std::result::Result<T, StoreError>;

/// A database that is open.
pub struct PostgresStore {
    pool: PgPool,
}

/// Wraps a driver's error.
pub(crate) fn database(error: sqlx::Error) -> StoreError {
    StoreError::Database(Box::new(error))
}

#[async_trait]
impl Store for PostgresStore {
    fn is_shared(&self) -> bool {
        true
    }

    async fn create_batch(&self, batch: &NewBatch) -> Result<()> {
        again(Patience::ASKED, || arrive::create_batch(&self.pool, batch)).await
    }
    async fn add_documents(&self, batch: BatchId, documents: &[NewDocument]) -> Result<Added> {
        again(Patience::ASKED, || arrive::add_documents(&self.pool, batch, documents)).await
    }
    async fn extend_batch(&self, batch: BatchId, documents: &[NewDocument]) -> Result<Option<Added>> {
        again(Patience::ASKED, || arrive::extend_batch(&self.pool, batch, documents)).await
    }
    async fn seal_batch(&self, batch: BatchId) -> Result<()> {
        again(Patience::ASKED, || arrive::seal_batch(&self.pool, batch)).await
    }
    async fn open_batches(&self, idle_ms: u64) -> Result<Vec<BatchId>> {
        again(Patience::ASKED, || arrive::open_batches(&self.pool, idle_ms)).await
    }
    async fn delete_batch(&self, batch: BatchId) -> Result<bool> {
        again(Patience::ASKED, || delete::delete_batch(&self.pool, batch)).await
    }
    async fn unreferenced(&self, sha256: &[String]) -> Result<Vec<String>> {
        again(Patience::ASKED, || delete::unreferenced(&self.pool, sha256)).await
    }
    async fn hashes(&self, batch: BatchId) -> Result<Vec<String>> {
        again(Patience::ASKED, || delete::hashes(&self.pool, batch)).await
    }

    async fn begin_upload(&self, upload: &NewUpload, made: Option<&NewBatch>) -> Result<bool> {
        again(Patience::ASKED, || uploads::begin_upload(&self.pool, upload, made)).await
    }
    async fn arrive(&self, upload: UploadId, files: &[UploadFile], documents: &[NewDocument]) -> Result<Option<Added>> {
        again(Patience::ASKED, || uploads::arrive(&self.pool, upload, files, documents)).await
    }
    async fn upload(&self, upload: UploadId) -> Result<Option<Upload>> {
        again(Patience::ASKED, || uploads::upload(&self.pool, upload)).await
    }
    async fn uploads(&self, batch: BatchId) -> Result<Vec<Upload>> {
        again(Patience::ASKED, || uploads::uploads(&self.pool, batch)).await
    }
    async fn arrived(&self, upload: UploadId, offset: u32, limit: u32) -> Result<Vec<UploadFile>> {
        again(Patience::ASKED, || uploads::arrived(&self.pool, upload, offset, limit)).await
    }
    async fn known_files(&self, batch: BatchId, paths: &[String]) -> Result<Vec<UploadFile>> {
        again(Patience::ASKED, || uploads::known_files(&self.pool, batch, paths)).await
    }
    async fn finish_upload(&self, upload: UploadId) -> Result<bool> {
        again(Patience::ASKED, || uploads::finish_upload(&self.pool, upload)).await
    }
    async fn withdraw_upload(&self, upload: UploadId) -> Result<Option<Vec<String>>> {
        again(Patience::ASKED, || uploads::withdraw_upload(&self.pool, upload)).await
    }
    async fn idle_uploads(&self, idle_ms: u64) -> Result<Vec<UploadId>> {
        again(Patience::ASKED, || uploads::idle_uploads(&self.pool, idle_ms)).await
    }

    async fn cancel_batch(&self, batch: BatchId) -> Result<bool> {
        again(Patience::ASKED, || steer::cancel(&self.pool, batch)).await
    }
    async fn restart(&self, batch: BatchId, which: &Restart) -> Result<Option<u64>> {
        again(Patience::ASKED, || steer::restart(&self.pool, batch, which)).await
    }
    async fn change_batch(&self, batch: BatchId, change: &BatchChange) -> Result<bool> {
        again(Patience::ASKED, || steer::change(&self.pool, batch, change)).await
    }

    async fn batch(&self, batch: BatchId) -> Result<Option<Batch>> {
        again(Patience::ASKED, || read::batch(&self.pool, batch)).await
    }
    async fn batches(&self, query: &BatchQuery) -> Result<Page<Batch>> {
        again(Patience::ASKED, || read::batches(&self.pool, query)).await
    }
    async fn summary(&self, batch: BatchId) -> Result<BatchSummary> {
        again(Patience::ASKED, || read::summary(&self.pool, batch)).await
    }
    async fn clusters(&self, batch: BatchId) -> Result<Vec<Cluster>> {
        again(Patience::ASKED, || read::clusters(&self.pool, batch)).await
    }
    async fn failures(&self, batch: BatchId) -> Result<Vec<FailureCount>> {
        again(Patience::ASKED, || read::failures(&self.pool, batch)).await
    }
    async fn progress(&self, batch: BatchId) -> Result<Option<Progress>> {
        again(Patience::ASKED, || progress::progress(&self.pool, batch)).await
    }
    async fn pace(&self, batch: BatchId) -> Result<Vec<StagePace>> {
        again(Patience::ASKED, || progress::pace(&self.pool, batch)).await
    }
    async fn changes(&self, batch: BatchId, cursor: Option<&str>, limit: u32) -> Result<Changes> {
        again(Patience::ASKED, || progress::changes(&self.pool, batch, cursor, limit)).await
    }
    async fn progress_grid(&self, batch: BatchId, cells: u32) -> Result<ProgressGrid> {
        again(Patience::ASKED, || progress::grid(&self.pool, batch, cells)).await
    }
    async fn attempts(&self, batch: BatchId, document: DocumentId) -> Result<Vec<Attempt>> {
        again(Patience::ASKED, || steer::attempts(&self.pool, batch, document)).await
    }
    async fn compare(&self, query: &CompareQuery) -> Result<(CompareCounts, Vec<ComparedDocument>)> {
        again(Patience::ASKED, || compare::compare(&self.pool, query)).await
    }
    async fn documents(&self, batch: BatchId, query: &DocumentQuery) -> Result<Page<DocumentRow>> {
        again(Patience::ASKED, || table::documents(&self.pool, batch, query)).await
    }
    async fn documents_after(
        &self,
        batch: BatchId,
        after: Option<(&str, DocumentId)>,
        limit: u32,
    ) -> Result<Vec<DocumentRow>> {
        again(Patience::ASKED, || table::documents_after(&self.pool, batch, after, limit)).await
    }
    async fn clusters_by_position(&self, batch: BatchId) -> Result<Vec<Option<ClusterId>>> {
        again(Patience::ASKED, || table::clusters_by_position(&self.pool, batch)).await
    }
    async fn document(&self, batch: BatchId, document: DocumentId) -> Result<Option<(StoredDocument, DocumentRow)>> {
        again(Patience::ASKED, || table::document(&self.pool, batch, document)).await
    }
    async fn neighbours(&self, batch: BatchId, document: DocumentId) -> Result<Vec<Neighbour>> {
        again(Patience::ASKED, || table::neighbours(&self.pool, batch, document)).await
    }
    async fn text(&self, batch: BatchId, document: DocumentId) -> Result<Option<String>> {
        again(Patience::ASKED, || read::document_text(&self.pool, batch, document)).await
    }
    async fn passwords(&self, batch: BatchId) -> Result<Passwords> {
        again(Patience::ASKED, || read::passwords(&self.pool, batch)).await
    }
    async fn page(&self, batch: BatchId, document: DocumentId, number: u32) -> Result<Option<PageView>> {
        again(Patience::ASKED, || pages::page(&self.pool, batch, document, number)).await
    }
    async fn clustering(&self, batch: BatchId) -> Result<Option<Clustering>> {
        again(Patience::ASKED, || read::clustering(&self.pool, batch)).await
    }

    async fn claim(&self, room: &Room<'_>) -> Result<Vec<Vec<Claim>>> {
        again(Patience::lease(room.lease_ms), || claim::claim(&self.pool, room)).await
    }
    async fn held(&self, claims: &[Claim]) -> Result<Vec<JobId>> {
        again(Patience::ASKED, || work::held(&self.pool, claims)).await
    }
    async fn heartbeat(&self, worker: &str, claims: &[Claim], lease_ms: u64) -> Result<Vec<JobId>> {
        let patience = Patience::lease(lease_ms);
        again(patience, || work::heartbeat(&self.pool, worker, claims, lease_ms)).await
    }
    async fn release(&self, claims: &[Claim]) -> Result<()> {
        again(Patience::ASKED, || work::release(&self.pool, claims)).await
    }
    async fn expire_leases(&self, max_crashes: u32, all: bool) -> Result<u64> {
        again(Patience::ASKED, || work::expire_leases(&self.pool, max_crashes, all)).await
    }
    async fn note_worker(&self, worker: &WorkerState) -> Result<()> {
        again(Patience::ASKED, || work::note_worker(&self.pool, worker)).await
    }
    async fn workers(&self, within_ms: u64) -> Result<Vec<WorkerState>> {
        again(Patience::ASKED, || work::workers(&self.pool, within_ms)).await
    }

    async fn queue_depths(&self) -> Result<Vec<QueueDepth>> {
        again(Patience::ASKED, || depth::depths(&self.pool)).await
    }
    async fn parse_inputs(&self, claims: &[Claim]) -> Result<Vec<ParseInput>> {
        again(Patience::WORK, || parse::parse_inputs(&self.pool, claims)).await
    }
    async fn note_pages(&self, claim: &Claim, done: u32, total: u32) -> Result<()> {
        again(Patience::ASKED, || pages::note(&self.pool, claim, done, total)).await
    }
    async fn remembered_parse(&self, key: &str) -> Result<Option<ParseRecord>> {
        again(Patience::WORK, || parse::remembered_parse(&self.pool, key)).await
    }
    async fn complete_parses(&self, results: &[(Claim, ParseRecord)]) -> Result<Vec<JobId>> {
        again(Patience::WORK, || parse::complete_parses(&self.pool, results)).await
    }
    async fn embed_inputs(&self, claims: &[Claim]) -> Result<Vec<EmbedInput>> {
        again(Patience::WORK, || embed::embed_inputs(&self.pool, claims)).await
    }
    async fn remembered_vectors(&self, keys: &[String]) -> Result<Vec<String>> {
        again(Patience::WORK, || embed::remembered_vectors(&self.pool, keys)).await
    }
    async fn complete_embed(&self, results: &[EmbedResult]) -> Result<Vec<JobId>> {
        again(Patience::WORK, || embed::complete_embed(&self.pool, results)).await
    }
    async fn analysed_documents(&self, batch: BatchId) -> Result<Vec<AnalysedDocument>> {
        again(Patience::WORK, || analyse::analysed_documents(&self.pool, batch)).await
    }
    async fn complete_analysis(&self, result: &AnalysisResult) -> Result<bool> {
        again(Patience::WORK, || analyse::complete_analysis(&self.pool, result)).await
    }
    async fn fail(&self, claim: &Claim, failure: &Failure, retry_ms: Option<u64>) -> Result<bool> {
        again(Patience::WORK, || fail::fail(&self.pool, claim, failure, retry_ms)).await
    }

    async fn take_tokens(&self, bucket: &str, limit: RateLimit, want: u32) -> Result<Taken> {
        again(Patience::ASKED, || buckets::take(&self.pool, bucket, limit, want)).await
    }

    async fn add_webhook(&self, webhook: &NewWebhook) -> Result<bool> {
        again(Patience::ASKED, || webhooks::add(&self.pool, webhook)).await
    }
    async fn webhooks(&self, batch: Option<BatchId>) -> Result<Vec<Webhook>> {
        again(Patience::ASKED, || webhooks::list(&self.pool, batch)).await
    }
    async fn delete_webhook(&self, webhook: WebhookId) -> Result<bool> {
        again(Patience::ASKED, || webhooks::delete(&self.pool, webhook)).await
    }
    async fn queue_delivery(&self, webhook: WebhookId, event: &WebhookEvent) -> Result<Option<DeliveryId>> {
        again(Patience::ASKED, || webhooks::queue(&self.pool, webhook, event)).await
    }
    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Page<Delivery>> {
        again(Patience::ASKED, || webhooks::deliveries(&self.pool, query)).await
    }
    async fn delivery(&self, delivery: DeliveryId) -> Result<Option<Delivery>> {
        again(Patience::ASKED, || webhooks::delivery(&self.pool, delivery)).await
    }
    async fn claim_deliveries(&self, limit: u32, lease_ms: u64) -> Result<Vec<ClaimedDelivery>> {
        again(Patience::ASKED, || webhooks::claim(&self.pool, limit, lease_ms)).await
    }
    async fn finish_delivery(&self, claim: &ClaimedDelivery, outcome: &DeliveryOutcome) -> Result<bool> {
        again(Patience::ASKED, || webhooks::finish(&self.pool, claim, outcome)).await
    }
    async fn send_again(&self, delivery: DeliveryId) -> Result<bool> {
        again(Patience::ASKED, || webhooks::send_again(&self.pool, delivery)).await
    }
}
