//! Batches and documents come.

use sheaf_domain::{BatchId, DocumentKind, JobId, Stage, Status};
use sheaf_store::{NewBatch, NewDocument};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::rows::{json, signed};
use crate::{Result, database, now, nul};

pub async fn create_batch(pool: &PgPool, batch: &NewBatch) -> Result<()> {
    sqlx::query(concat!(
        "INSERT INTO batches (id, name, params, passwords, created_at) VALUES ($1, $2, $3::json, $4::json, ",
        now!(),
        ") ON CONFLICT (id) DO NOTHING"
    ))
    .bind(batch.id.0)
    .bind(nul::hide(&batch.name))
    .bind(json(&batch.params))
    .bind(json(&batch.passwords))
    .execute(pool)
    .await
    .map_err(database)?;
    Ok(())
}

pub async fn add_documents(pool: &PgPool, batch: BatchId, documents: &[NewDocument]) -> Result<()> {
    let mut tx = pool.begin().await.map_err(database)?;
    let status = |d: &NewDocument| if d.failure.is_some() { Status::Failed } else { Status::Pending };
    sqlx::query(concat!(
        "INSERT INTO documents (id, batch, path, sha256, bytes, kind, status, failure, failure_code, updated_at) ",
        "SELECT id, $1, path, sha256, bytes, kind, status, failure::json, code, ",
        now!(),
        " FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[]) ",
        "AS d (id, path, sha256, bytes, kind, status, failure, code) ON CONFLICT (id) DO NOTHING"
    ))
    .bind(batch.0)
    .bind(documents.iter().map(|d| d.id.0).collect::<Vec<_>>())
    .bind(documents.iter().map(|d| nul::hide(&d.path)).collect::<Vec<_>>())
    .bind(documents.iter().map(|d| d.sha256.as_str()).collect::<Vec<_>>())
    .bind(documents.iter().map(|d| signed(d.bytes)).collect::<Vec<_>>())
    .bind(documents.iter().map(|d| d.kind.map(DocumentKind::name)).collect::<Vec<_>>())
    .bind(documents.iter().map(|d| status(d).name()).collect::<Vec<_>>())
    .bind(documents.iter().map(|d| d.failure.as_ref().map(json)).collect::<Vec<_>>())
    .bind(documents.iter().map(|d| d.failure.as_ref().map(|f| f.code.name())).collect::<Vec<_>>())
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    let waiting: Vec<Uuid> = documents.iter().filter(|d| d.failure.is_none()).map(|d| d.id.0).collect();
    add_jobs(&mut tx, batch, &waiting, Stage::Parse).await?;
    tx.commit().await.map_err(database)
}

/// Queues a job for each of these documents, ready at once; nothing happens where the same job exists already.
pub(crate) async fn add_jobs(tx: &mut PgConnection, batch: BatchId, documents: &[Uuid], stage: Stage) -> Result<()> {
    // Ids are UUID v7 and made in this order, so jobs sort by age.
    let ids: Vec<Uuid> = documents.iter().map(|_| JobId(Uuid::now_v7()).0).collect();
    sqlx::query(concat!(
        "INSERT INTO jobs (id, batch, document, stage, run_at) SELECT id, $1, document, $2, ",
        now!(),
        " FROM unnest($3::uuid[], $4::uuid[]) AS j (id, document) ON CONFLICT DO NOTHING"
    ))
    .bind(batch.0)
    .bind(stage.name())
    .bind(ids)
    .bind(documents)
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

/// Queues the analyse job when the batch is sealed and no document of it is waiting or in work. Called at the end of each
/// transaction that finishes a document, so that the last one always does it.
pub(crate) async fn queue_analysis_when_ready(tx: &mut PgConnection, batch: BatchId) -> Result<()> {
    // Two transactions that finish the last two documents would each see the other's still in work. The lock lets one in
    // after the other has committed, and the next statement sees what it did.
    sqlx::query("SELECT FROM batches WHERE id = $1 FOR NO KEY UPDATE")
        .bind(batch.0)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    sqlx::query(concat!(
        "INSERT INTO jobs (id, batch, stage, run_at) SELECT $2, $1, $3, ",
        now!(),
        " WHERE EXISTS (SELECT FROM batches WHERE id = $1 AND NOT open) AND NOT EXISTS (",
        "SELECT FROM documents WHERE batch = $1 AND status IN ('pending', 'processing')) ON CONFLICT DO NOTHING"
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
        "SELECT b.id FROM batches b WHERE b.open AND greatest(b.created_at, ",
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
