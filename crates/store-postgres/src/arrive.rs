//! Batches and documents come.

use sheaf_domain::{Added, BatchId, DocumentKind, JobId, Restart, Stage, Status, UploadId};
use sheaf_store::{NewBatch, NewDocument};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::place::{Place, places};
use crate::rows::{json, name, signed};
use crate::{Result, database, now, nul, steer};

pub async fn create_batch(pool: &PgPool, batch: &NewBatch) -> Result<()> {
    insert_batch(&mut *pool.acquire().await.map_err(database)?, batch).await
}

pub(crate) async fn insert_batch(connection: &mut PgConnection, batch: &NewBatch) -> Result<()> {
    sqlx::query(concat!(
        "INSERT INTO batches (id, name, params, passwords, on_error, priority, trace, created_at, started_at) ",
        "VALUES ($1, $2, $3::json, $4::json, $5, $6, $7, ",
        now!(),
        ", ",
        now!(),
        ") ON CONFLICT (id) DO NOTHING"
    ))
    .bind(batch.id.0)
    .bind(nul::hide(&batch.name))
    .bind(json(&batch.params))
    .bind(json(&batch.passwords))
    .bind(batch.policy.on_error.name())
    .bind(batch.policy.priority.rank())
    .bind(&batch.trace)
    .execute(connection)
    .await
    .map_err(database)?;
    Ok(())
}

pub async fn add_documents(pool: &PgPool, batch: BatchId, documents: &[NewDocument]) -> Result<Added> {
    let mut tx = pool.begin().await.map_err(database)?;
    let listed = list(&mut tx, Destination { batch, upload: None, goes_on: false }, documents).await?;
    tx.commit().await.map_err(database)?;
    Ok(listed.added)
}

pub async fn extend_batch(pool: &PgPool, batch: BatchId, documents: &[NewDocument]) -> Result<Option<Added>> {
    let mut tx = pool.begin().await.map_err(database)?;
    if !takes_more(&mut tx, batch).await? {
        return Ok(None);
    }
    let listed = list(&mut tx, Destination { batch, upload: None, goes_on: true }, documents).await?;
    if listed.went_on {
        queue_analysis_when_ready(&mut tx, batch).await?;
    }
    tx.commit().await.map_err(database)?;
    Ok(Some(listed.added))
}

/// Whether the batch exists and is not being sent in one piece: that would be removed as a whole if it broke off. It is locked
/// from then on.
pub(crate) async fn takes_more(tx: &mut PgConnection, batch: BatchId) -> Result<bool> {
    lock_batches(tx, [batch]).await?;
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM batches b WHERE b.id = $1 \
         AND (NOT b.open OR EXISTS (SELECT FROM uploads u WHERE u.batch = $1)))",
    )
    .bind(batch.0)
    .fetch_one(tx)
    .await
    .map_err(database)
}

/// Where documents go.
pub(crate) struct Destination {
    pub batch: BatchId,
    /// What brings them.
    pub upload: Option<UploadId>,
    /// Whether the batch goes on with the first of them that changes anything.
    pub goes_on: bool,
}

pub(crate) struct Listed {
    pub added: Added,
    /// Whether the batch went on for it.
    pub went_on: bool,
}

/// Lists documents under paths of their own, each with its first job.
pub(crate) async fn list(tx: &mut PgConnection, to: Destination, documents: &[NewDocument]) -> Result<Listed> {
    let Destination { batch, upload, goes_on } = to;
    // The lock keeps the batch from being stopped between this question and the rows, and others from taking the same path.
    let row = sqlx::query("SELECT status FROM batches WHERE id = $1 FOR NO KEY UPDATE")
        .bind(batch.0)
        .fetch_one(&mut *tx)
        .await
        .map_err(database)?;
    // Whoever stopped the batch did not mean what was still on its way to go on.
    let stopped = !goes_on && matches!(name(&row, "batches", "status")?, Status::Cancelled | Status::Failed);
    let mut listed = Listed { added: Added::default(), went_on: false };
    let mut free = Vec::new();
    let mut again = Vec::new();
    for (document, place) in documents.iter().zip(places(tx, batch, documents).await?) {
        match place {
            Place::Taken => listed.added.already_there += 1,
            Place::Stopped(_) if stopped => listed.added.already_there += 1,
            Place::Stopped(id) => again.push(id),
            Place::Listed => listed.added.documents += 1,
            Place::Free(path) => free.push((document, path)),
        }
    }
    listed.added.documents += free.len() as u64;
    listed.added.again += again.len() as u64;
    if goes_on && (!free.is_empty() || !again.is_empty()) {
        steer::restart_documents(tx, batch, &Restart::Cancelled).await?;
        steer::set_going(tx, batch).await?;
        listed.went_on = true;
    }
    for document in again {
        steer::restart_documents(tx, batch, &Restart::Document(document)).await?;
    }
    let status = if stopped { Status::Cancelled } else { Status::Pending };
    insert_documents(tx, (batch, upload), &free, status).await?;
    let waiting: Vec<(Uuid, u64)> =
        free.iter().filter(|(d, _)| d.failure.is_none()).map(|(d, _)| (d.id.0, d.bytes)).collect();
    add_jobs(tx, batch, &waiting, Stage::Parse, status).await?;
    for (document, path) in &free {
        if let Some(failure) = &document.failure {
            steer::stop_if_failing(tx, batch, path, failure).await?;
        }
    }
    Ok(listed)
}

/// Documents with their paths. Those that were refused have failed, the others have `status`.
async fn insert_documents(
    tx: &mut PgConnection,
    (batch, upload): (BatchId, Option<UploadId>),
    documents: &[(&NewDocument, String)],
    status: Status,
) -> Result<()> {
    let status = |d: &NewDocument| if d.failure.is_some() { Status::Failed } else { status };
    sqlx::query(concat!(
        "INSERT INTO documents (id, batch, upload, path, sha256, bytes, kind, status, failure, failure_code, updated_at, version) ",
        "SELECT id, $1, $10, path, sha256, bytes, kind, status, failure::json, code, ",
        now!(),
        ", pg_current_xact_id()::text::bigint ",
        "FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[]) ",
        "AS d (id, path, sha256, bytes, kind, status, failure, code) ON CONFLICT (id) DO NOTHING"
    ))
    .bind(batch.0)
    .bind(documents.iter().map(|(d, _)| d.id.0).collect::<Vec<_>>())
    .bind(documents.iter().map(|(_, path)| nul::hide(path)).collect::<Vec<_>>())
    .bind(documents.iter().map(|(d, _)| d.sha256.as_str()).collect::<Vec<_>>())
    .bind(documents.iter().map(|(d, _)| signed(d.bytes)).collect::<Vec<_>>())
    .bind(documents.iter().map(|(d, _)| d.kind.map(DocumentKind::name)).collect::<Vec<_>>())
    .bind(documents.iter().map(|(d, _)| status(d).name()).collect::<Vec<_>>())
    .bind(documents.iter().map(|(d, _)| d.failure.as_ref().map(json)).collect::<Vec<_>>())
    .bind(documents.iter().map(|(d, _)| d.failure.as_ref().map(|f| f.code.name())).collect::<Vec<_>>())
    .bind(upload.map(|upload| upload.0))
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

/// Queues a job for each of these documents, given with their weights, ready at once unless the batch was stopped; nothing
/// happens where the same job exists already.
pub(crate) async fn add_jobs(
    tx: &mut PgConnection,
    batch: BatchId,
    documents: &[(Uuid, u64)],
    stage: Stage,
    state: Status,
) -> Result<()> {
    // Ids are UUID v7 and made in this order, so jobs sort by age.
    let ids: Vec<Uuid> = documents.iter().map(|_| JobId(Uuid::now_v7()).0).collect();
    sqlx::query(concat!(
        "INSERT INTO jobs (id, batch, document, stage, state, weight, run_at) SELECT id, $1, document, $2, $3, weight, ",
        now!(),
        " FROM unnest($4::uuid[], $5::uuid[], $6::bigint[]) AS j (id, document, weight) ON CONFLICT DO NOTHING"
    ))
    .bind(batch.0)
    .bind(stage.name())
    .bind(state.name())
    .bind(ids)
    .bind(documents.iter().map(|d| d.0).collect::<Vec<_>>())
    .bind(documents.iter().map(|d| signed(d.1)).collect::<Vec<_>>())
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

pub async fn seal_batch(pool: &PgPool, batch: BatchId) -> Result<()> {
    let mut tx = pool.begin().await.map_err(database)?;
    sqlx::query("UPDATE batches SET open = false WHERE id = $1")
        .bind(batch.0)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    queue_analysis_when_ready(&mut tx, batch).await?;
    tx.commit().await.map_err(database)
}

/// Locks batches before anything else of theirs is. Two transactions that finish the last two documents of a batch would each
/// see the other's still in work; so one comes after the other, and sees what that did.
pub(crate) async fn lock_batches(tx: &mut PgConnection, batches: impl IntoIterator<Item = BatchId>) -> Result<()> {
    sqlx::query("SELECT FROM batches WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE")
        .bind(batches.into_iter().map(|batch| batch.0).collect::<Vec<_>>())
        .execute(tx)
        .await
        .map_err(database)?;
    Ok(())
}

/// Queues the analyse job (again) when the batch, which the transaction has locked, runs, is sealed and has no document that
/// waits or is in work. Called in each transaction that finishes a document, so that the last one always does it.
pub(crate) async fn queue_analysis_when_ready(tx: &mut PgConnection, batch: BatchId) -> Result<()> {
    sqlx::query(concat!(
        "INSERT INTO jobs (id, batch, stage, run_at) SELECT $2, $1, $3, ",
        now!(),
        " WHERE EXISTS (SELECT FROM batches WHERE id = $1 AND NOT open AND status IN ('pending', 'processing')) ",
        "AND NOT EXISTS (SELECT FROM documents WHERE batch = $1 AND status IN ('pending', 'processing')) ",
        "ON CONFLICT (batch, stage, coalesce(document, '00000000-0000-0000-0000-000000000000')) ",
        "DO UPDATE SET state = 'pending', tries = 0, crashes = 0, run_at = excluded.run_at ",
        "WHERE jobs.state NOT IN ('pending', 'processing')"
    ))
    .bind(batch.0)
    .bind(JobId(Uuid::now_v7()).0)
    .bind(Stage::Analyse.name())
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

pub async fn open_batches(pool: &PgPool, idle_ms: u64) -> Result<Vec<BatchId>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(concat!(
        "SELECT b.id FROM batches b WHERE b.open AND NOT EXISTS (SELECT FROM uploads u WHERE u.batch = b.id) AND greatest(b.created_at, ",
        "(SELECT max(d.updated_at) FROM documents d WHERE d.batch = b.id)) <= ",
        now!(),
        " - $1"
    ))
    .bind(signed(idle_ms))
    .fetch_all(pool)
    .await
    .map_err(database)?;
    Ok(ids.into_iter().map(BatchId).collect())
}
