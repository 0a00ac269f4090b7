//! The store on SQLite: one file, one writing connection, a few readers, WAL with full durability.

mod analysis;
mod arrive;
mod buckets;
mod chunks;
mod columns;
mod compare;
mod depth;
mod explore;
mod families;
mod finish;
mod flows;
mod gallery;
mod imports;
mod levels;
mod pages;
mod place;
mod progress;
mod read;
mod removal;
mod rows;
mod runs;
mod search;
mod steer;
mod table;
mod uploads;
mod webhooks;
mod work;

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

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
use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous, SqliteTransaction,
};

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// Milliseconds since 1970 by the database's clock, as an SQL expression.
macro_rules! now {
    () => {
        "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
    };
}
pub(crate) use now;

/// What every change of a document's state sets besides. It takes part in the order of changes, so the transaction must come
/// from [`begin`].
macro_rules! changed {
    () => {
        "updated_at = CAST(unixepoch('subsec') * 1000 AS INTEGER), version = (SELECT value FROM clock)"
    };
}
pub(crate) use changed;

type Result<T> = std::result::Result<T, StoreError>;

/// A database file that is open.
pub struct SqliteStore {
    /// One connection: SQLite has one writer, and waiting in a queue is fairer than `SQLITE_BUSY`.
    writer: SqlitePool,
    readers: SqlitePool,
    /// Held as long as the store lives: what it says of leases and uploads is true for one process only. Whoever only reads
    /// needs none.
    _lock: Option<File>,
}

impl SqliteStore {
    /// Opens the database file, makes it if it is absent and brings its tables up to date.
    ///
    /// # Errors
    /// When the file cannot be opened or written, was made by a later version, or another process has it.
    pub async fn open(path: &Path) -> Result<Self> {
        let lock = lock(path).map_err(|error| StoreError::Database(error.into()))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(30))
            .pragma("cache_size", "-16384")
            .pragma("temp_store", "memory");
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(Duration::from_secs(120))
            // A batch of 100,000 documents has half a gigabyte of rows, which are found by the indexes of several tables.
            .connect_with(options.clone().pragma("cache_size", "-65536"))
            .await
            .map_err(database)?;
        MIGRATIONS.run(&writer).await.map_err(|e| StoreError::Database(Box::new(e)))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options.read_only(true))
            .await
            .map_err(database)?;
        Ok(Self { writer, readers, _lock: Some(lock) })
    }

    /// Opens a database file that exists, to read from it while another process may be at work with it. What would write
    /// fails.
    ///
    /// # Errors
    /// When there is none, or it was made by another version.
    pub async fn open_to_read(path: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .busy_timeout(Duration::from_secs(30))
            .pragma("cache_size", "-16384")
            .pragma("temp_store", "memory");
        let readers = SqlitePoolOptions::new().max_connections(4).connect_with(options).await.map_err(database)?;
        let found: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
            .fetch_one(&readers)
            .await
            .map_err(database)?;
        let ours = MIGRATIONS.iter().map(|migration| migration.version).max();
        if found != ours {
            let other =
                "it was made by another version of Sheaf; the server brings an older one up to date when it starts";
            return Err(StoreError::Database(other.into()));
        }
        Ok(Self { writer: readers.clone(), readers, _lock: None })
    }

    /// Writes everything as of now to a new file, while others read and write.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub async fn copy_to(&self, path: &Path) -> Result<()> {
        let path = path.to_str().ok_or_else(|| StoreError::Database("the path is not UTF-8".into()))?;
        sqlx::query("VACUUM INTO ?").bind(path).execute(&self.readers).await.map_err(database)?;
        Ok(())
    }

    /// Waits for what is under way and closes the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Keeps other processes from the database, by a file beside it.
fn lock(path: &Path) -> io::Result<File> {
    let file = File::create(path.with_added_extension("lock"))?;
    file.try_lock().map_err(|_| io::Error::other(format!("`{}` is in use by another process", path.display())))?;
    Ok(file)
}

/// Begins a transaction that writes: what it changes comes after all that was changed before.
pub(crate) async fn begin(writer: &SqlitePool) -> Result<SqliteTransaction<'_>> {
    let mut tx = writer.begin().await.map_err(database)?;
    sqlx::query("UPDATE clock SET value = value + 1").execute(&mut *tx).await.map_err(database)?;
    Ok(tx)
}

/// Wraps a driver's error.
pub(crate) fn database(error: sqlx::Error) -> StoreError {
    StoreError::Database(Box::new(error))
}

#[async_trait]
impl Store for SqliteStore {
    fn is_shared(&self) -> bool {
        false
    }

    async fn create_batch(&self, batch: &NewBatch) -> Result<()> {
        arrive::create_batch(&self.writer, batch).await
    }
    async fn add_documents(&self, batch: BatchId, documents: &[NewDocument]) -> Result<Added> {
        arrive::add_documents(&self.writer, batch, documents).await
    }
    async fn extend_batch(&self, batch: BatchId, documents: &[NewDocument]) -> Result<Option<Added>> {
        arrive::extend_batch(&self.writer, batch, documents).await
    }
    async fn seal_batch(&self, batch: BatchId) -> Result<()> {
        arrive::seal_batch(&self.writer, batch).await
    }
    async fn open_batches(&self, idle_ms: u64) -> Result<Vec<BatchId>> {
        arrive::open_batches(&self.readers, idle_ms).await
    }
    async fn delete_batch(&self, batch: BatchId) -> Result<bool> {
        arrive::delete_batch(&self.writer, batch).await
    }
    async fn unreferenced(&self, sha256: &[String]) -> Result<Vec<String>> {
        arrive::unreferenced(&self.readers, sha256).await
    }
    async fn hashes(&self, batch: BatchId) -> Result<Vec<String>> {
        arrive::hashes(&self.readers, batch).await
    }

    async fn begin_upload(&self, upload: &NewUpload, made: Option<&NewBatch>) -> Result<bool> {
        uploads::begin_upload(&self.writer, upload, made).await
    }
    async fn arrive(&self, upload: UploadId, files: &[UploadFile], documents: &[NewDocument]) -> Result<Option<Added>> {
        uploads::arrive(&self.writer, upload, files, documents).await
    }
    async fn upload(&self, upload: UploadId) -> Result<Option<Upload>> {
        uploads::upload(&self.readers, upload).await
    }
    async fn uploads(&self, batch: BatchId) -> Result<Vec<Upload>> {
        uploads::uploads(&self.readers, batch).await
    }
    async fn arrived(&self, upload: UploadId, offset: u32, limit: u32) -> Result<Vec<UploadFile>> {
        uploads::arrived(&self.readers, upload, offset, limit).await
    }
    async fn known_files(&self, batch: BatchId, paths: &[String]) -> Result<Vec<UploadFile>> {
        uploads::known_files(&self.readers, batch, paths).await
    }
    async fn finish_upload(&self, upload: UploadId) -> Result<bool> {
        uploads::finish_upload(&self.writer, upload).await
    }
    async fn withdraw_upload(&self, upload: UploadId) -> Result<Option<Vec<String>>> {
        uploads::withdraw_upload(&self.writer, upload).await
    }
    async fn idle_uploads(&self, idle_ms: u64) -> Result<Vec<UploadId>> {
        uploads::idle_uploads(&self.readers, idle_ms).await
    }

    async fn cancel_batch(&self, batch: BatchId) -> Result<bool> {
        steer::cancel(&self.writer, batch).await
    }
    async fn restart(&self, batch: BatchId, which: &Restart) -> Result<Option<u64>> {
        steer::restart(&self.writer, batch, which).await
    }
    async fn change_batch(&self, batch: BatchId, change: &BatchChange) -> Result<bool> {
        steer::change(&self.writer, batch, change).await
    }

    async fn batch(&self, batch: BatchId) -> Result<Option<Batch>> {
        read::batch(&self.readers, batch).await
    }
    async fn batches(&self, query: &BatchQuery) -> Result<Page<Batch>> {
        read::batches(&self.readers, query).await
    }
    async fn summary(&self, batch: BatchId) -> Result<BatchSummary> {
        read::summary(&self.readers, batch).await
    }
    async fn clusters(&self, batch: BatchId) -> Result<Vec<Cluster>> {
        read::clusters(&self.readers, batch).await
    }
    async fn failures(&self, batch: BatchId) -> Result<Vec<FailureCount>> {
        read::failures(&self.readers, batch).await
    }
    async fn progress(&self, batch: BatchId) -> Result<Option<Progress>> {
        progress::progress(&self.readers, batch).await
    }
    async fn pace(&self, batch: BatchId) -> Result<Vec<StagePace>> {
        progress::pace(&self.readers, batch).await
    }
    async fn changes(&self, batch: BatchId, cursor: Option<&str>, limit: u32) -> Result<Changes> {
        progress::changes(&self.readers, batch, cursor, limit).await
    }
    async fn progress_grid(&self, batch: BatchId, cells: u32) -> Result<ProgressGrid> {
        progress::grid(&self.readers, batch, cells).await
    }
    async fn attempts(&self, batch: BatchId, document: DocumentId) -> Result<Vec<Attempt>> {
        steer::attempts(&self.readers, batch, document).await
    }
    async fn compare(&self, query: &CompareQuery) -> Result<(CompareCounts, Vec<ComparedDocument>)> {
        compare::compare(&self.readers, query).await
    }
    async fn documents(&self, batch: BatchId, query: &DocumentQuery) -> Result<Page<DocumentRow>> {
        table::documents(&self.readers, batch, query).await
    }
    async fn documents_after(
        &self,
        batch: BatchId,
        after: Option<(&str, DocumentId)>,
        limit: u32,
    ) -> Result<Vec<DocumentRow>> {
        table::documents_after(&self.readers, batch, after, limit).await
    }
    async fn clusters_by_position(&self, batch: BatchId) -> Result<Vec<Option<ClusterId>>> {
        table::clusters_by_position(&self.readers, batch).await
    }
    async fn document(&self, batch: BatchId, document: DocumentId) -> Result<Option<(StoredDocument, DocumentRow)>> {
        table::document(&self.readers, batch, document).await
    }
    async fn neighbours(&self, batch: BatchId, document: DocumentId) -> Result<Vec<Neighbour>> {
        table::neighbours(&self.readers, batch, document).await
    }
    async fn text(&self, batch: BatchId, document: DocumentId) -> Result<Option<String>> {
        read::text(&self.readers, batch, document).await
    }
    async fn passwords(&self, batch: BatchId) -> Result<Passwords> {
        read::passwords(&self.readers, batch).await
    }
    async fn page(&self, batch: BatchId, document: DocumentId, number: u32) -> Result<Option<PageView>> {
        pages::page(&self.readers, batch, document, number).await
    }
    async fn clustering(&self, batch: BatchId) -> Result<Option<Clustering>> {
        read::clustering(&self.readers, batch).await
    }

    async fn claim(&self, room: &Room<'_>) -> Result<Vec<Vec<Claim>>> {
        work::claim(&self.readers, &self.writer, room).await
    }
    async fn held(&self, claims: &[Claim]) -> Result<Vec<JobId>> {
        work::held(&self.readers, claims).await
    }
    async fn heartbeat(&self, worker: &str, claims: &[Claim], lease_ms: u64) -> Result<Vec<JobId>> {
        work::heartbeat(&self.writer, worker, claims, lease_ms).await
    }
    async fn release(&self, claims: &[Claim]) -> Result<()> {
        work::release(&self.writer, claims).await
    }
    async fn expire_leases(&self, max_crashes: u32, all: bool) -> Result<u64> {
        work::expire_leases(&self.writer, max_crashes, all).await
    }
    async fn note_worker(&self, worker: &WorkerState) -> Result<()> {
        work::note_worker(&self.writer, worker).await
    }
    async fn workers(&self, within_ms: u64) -> Result<Vec<WorkerState>> {
        work::workers(&self.readers, within_ms).await
    }
    async fn queue_depths(&self) -> Result<Vec<QueueDepth>> {
        depth::depths(&self.readers).await
    }
    async fn parse_inputs(&self, claims: &[Claim]) -> Result<Vec<ParseInput>> {
        finish::parse_inputs(&self.readers, claims).await
    }
    async fn note_pages(&self, claim: &Claim, done: u32, total: u32) -> Result<()> {
        pages::note(&self.writer, claim, done, total).await
    }
    async fn remembered_parse(&self, key: &str) -> Result<Option<ParseRecord>> {
        finish::remembered_parse(&self.readers, key).await
    }
    async fn complete_parses(&self, results: &[(Claim, ParseRecord)]) -> Result<Vec<JobId>> {
        finish::complete_parses(&self.writer, results).await
    }
    async fn embed_inputs(&self, claims: &[Claim]) -> Result<Vec<EmbedInput>> {
        finish::embed_inputs(&self.readers, claims).await
    }
    async fn remembered_vectors(&self, keys: &[String]) -> Result<Vec<String>> {
        finish::remembered_vectors(&self.readers, keys).await
    }
    async fn complete_embed(&self, results: &[EmbedResult]) -> Result<Vec<JobId>> {
        finish::complete_embed(&self.writer, results).await
    }
    async fn analysed_documents(&self, batch: BatchId) -> Result<Vec<AnalysedDocument>> {
        analysis::analysed_documents(&self.readers, batch).await
    }
    async fn complete_analysis(&self, result: &AnalysisResult) -> Result<bool> {
        analysis::complete_analysis(&self.writer, result).await
    }
    async fn fail(&self, claim: &Claim, failure: &Failure, retry_ms: Option<u64>) -> Result<bool> {
        finish::fail(&self.writer, claim, failure, retry_ms).await
    }

    async fn take_tokens(&self, bucket: &str, limit: RateLimit, want: u32) -> Result<Taken> {
        buckets::take(&self.writer, bucket, limit, want).await
    }
    async fn add_webhook(&self, webhook: &NewWebhook) -> Result<bool> {
        webhooks::add(&self.writer, webhook).await
    }
    async fn webhooks(&self, batch: Option<BatchId>) -> Result<Vec<Webhook>> {
        webhooks::list(&self.readers, batch).await
    }
    async fn delete_webhook(&self, webhook: WebhookId) -> Result<bool> {
        webhooks::delete(&self.writer, webhook).await
    }
    async fn queue_delivery(&self, webhook: WebhookId, event: &WebhookEvent) -> Result<Option<DeliveryId>> {
        webhooks::queue(&self.writer, webhook, event).await
    }
    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Page<Delivery>> {
        webhooks::deliveries(&self.readers, query).await
    }
    async fn delivery(&self, delivery: DeliveryId) -> Result<Option<Delivery>> {
        webhooks::delivery(&self.readers, delivery).await
    }
    async fn claim_deliveries(&self, limit: u32, lease_ms: u64) -> Result<Vec<ClaimedDelivery>> {
        webhooks::claim(&self.readers, &self.writer, limit, lease_ms).await
    }
    async fn finish_delivery(&self, claim: &ClaimedDelivery, outcome: &DeliveryOutcome) -> Result<bool> {
        webhooks::finish(&self.writer, claim, outcome).await
    }
    async fn send_again(&self, delivery: DeliveryId) -> Result<bool> {
        webhooks::send_again(&self.writer, delivery).await
    }
}
