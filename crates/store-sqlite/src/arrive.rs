//! Batches and documents come and go.

use sheaf_domain::{Added, BatchId, DocumentKind, JobId, Restart, Stage, Status, UploadId};
use sheaf_store::{NewBatch, NewDocument, StoreError};
use sqlx::{Row, SqliteConnection, SqlitePool};
use uuid::Uuid;

use crate::place::{Place, place};
use crate::rows::{id, json, signed};
use crate::runs::leave::{OF_BATCH, leave};
use crate::{Result, begin, database, now, steer};

pub async fn create_batch(writer: &SqlitePool, batch: &NewBatch) -> Result<()> {
    insert_batch(&mut *writer.acquire().await.map_err(database)?, batch).await
}

pub(crate) async fn insert_batch(connection: &mut SqliteConnection, batch: &NewBatch) -> Result<()> {
    sqlx::query(concat!(
        "INSERT INTO batches (id, name, params, passwords, on_error, priority, trace, created_at, started_at) ",
        "VALUES (?, ?, ?, ?, ?, ?, ?, ",
        now!(),
        ", ",
        now!(),
        ")"
    ))
    .bind(batch.id.to_string())
    .bind(&batch.name)
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

pub async fn add_documents(writer: &SqlitePool, batch: BatchId, documents: &[NewDocument]) -> Result<Added> {
    let mut tx = begin(writer).await?;
    let listed = list(&mut tx, Destination { batch, upload: None, goes_on: false }, documents).await?;
    tx.commit().await.map_err(database)?;
    Ok(listed.added)
}

pub async fn extend_batch(writer: &SqlitePool, batch: BatchId, documents: &[NewDocument]) -> Result<Option<Added>> {
    let mut tx = begin(writer).await?;
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

/// Whether the batch exists and is not being sent in one piece: that would be removed as a whole if it broke off.
pub(crate) async fn takes_more(tx: &mut SqliteConnection, batch: BatchId) -> Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM batches b WHERE b.id = ?1 \
         AND (b.open = 0 OR EXISTS (SELECT 1 FROM uploads u WHERE u.batch = ?1)))",
    )
    .bind(batch.to_string())
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
pub(crate) async fn list(tx: &mut SqliteConnection, to: Destination, documents: &[NewDocument]) -> Result<Listed> {
    let Destination { batch, upload, goes_on } = to;
    let mut listed = Listed { added: Added::default(), went_on: false };
    let mut stopped = !goes_on && is_stopped(tx, batch).await?;
    for document in documents {
        let place = place(tx, batch, document).await?;
        if matches!(place, Place::Taken) {
            listed.added.already_there += 1;
            continue;
        }
        if goes_on && !listed.went_on {
            steer::restart_documents(tx, batch, &Restart::Cancelled).await?;
            steer::set_going(tx, batch).await?;
            listed.went_on = true;
        }
        match place {
            Place::Taken => {}
            Place::Stopped(_) if stopped => listed.added.already_there += 1,
            Place::Stopped(id) => {
                steer::restart_documents(tx, batch, &Restart::Document(id)).await?;
                listed.added.again += 1;
            }
            Place::Free(path) => {
                listed.added.documents += 1;
                insert_document(tx, (batch, upload), document, &path, stopped).await?;
                if let Some(failure) = &document.failure {
                    steer::stop_if_failing(tx, batch, &path, failure).await?;
                    stopped = is_stopped(tx, batch).await?;
                }
            }
        }
    }
    Ok(listed)
}

/// Whoever stopped the batch did not mean what was still on its way to go on.
async fn is_stopped(tx: &mut SqliteConnection, batch: BatchId) -> Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM batches WHERE id = ? AND status IN ('cancelled', 'failed'))")
        .bind(batch.to_string())
        .fetch_one(tx)
        .await
        .map_err(database)
}

async fn insert_document(
    tx: &mut SqliteConnection,
    (batch, upload): (BatchId, Option<UploadId>),
    document: &NewDocument,
    path: &str,
    stopped: bool,
) -> Result<()> {
    let status = match &document.failure {
        Some(_) => Status::Failed,
        None if stopped => Status::Cancelled,
        None => Status::Pending,
    };
    sqlx::query(concat!(
        "INSERT INTO documents (id, batch, upload, path, sha256, bytes, kind, status, failure, updated_at, version) ",
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ",
        now!(),
        ", (SELECT value FROM clock))"
    ))
    .bind(document.id.to_string())
    .bind(batch.to_string())
    .bind(upload.map(|upload| upload.to_string()))
    .bind(path)
    .bind(&document.sha256)
    .bind(signed(document.bytes))
    .bind(document.kind.map(DocumentKind::name))
    .bind(status.name())
    .bind(document.failure.as_ref().map(json))
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    if document.failure.is_none() {
        add_job(tx, batch, &document.id.to_string(), Stage::Parse, document.bytes, status).await?;
    }
    Ok(())
}

/// Queues a document's job, ready at once unless the batch was stopped; nothing happens when the same job exists already.
pub(crate) async fn add_job(
    tx: &mut SqliteConnection,
    batch: BatchId,
    document: &str,
    stage: Stage,
    weight: u64,
    state: Status,
) -> Result<()> {
    sqlx::query(concat!(
        "INSERT INTO jobs (id, batch, document, stage, weight, state, run_at) VALUES (?, ?, ?, ?, ?, ?, ",
        now!(),
        ") ON CONFLICT DO NOTHING"
    ))
    .bind(JobId(Uuid::now_v7()).to_string())
    .bind(batch.to_string())
    .bind(document)
    .bind(stage.name())
    .bind(signed(weight))
    .bind(state.name())
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

pub async fn seal_batch(writer: &SqlitePool, batch: BatchId) -> Result<()> {
    let mut tx = begin(writer).await?;
    sqlx::query("UPDATE batches SET open = 0 WHERE id = ?")
        .bind(batch.to_string())
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    queue_analysis_when_ready(&mut tx, batch).await?;
    tx.commit().await.map_err(database)
}

/// Queues the analyse job (again) when the batch runs, is sealed and has no document that waits or is in work. Called in each
/// transaction that finishes a document, so that the last one always does it.
pub(crate) async fn queue_analysis_when_ready(tx: &mut SqliteConnection, batch: BatchId) -> Result<()> {
    let ready: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM batches WHERE id = ?1 AND open = 0 AND status IN ('pending', 'processing')) \
         AND NOT EXISTS (SELECT 1 FROM tallies WHERE batch = ?1 AND status IN ('pending', 'processing') AND documents > 0)",
    )
    .bind(batch.to_string())
    .fetch_one(&mut *tx)
    .await
    .map_err(database)?;
    if !ready {
        return Ok(());
    }
    sqlx::query(concat!(
        "INSERT INTO jobs (id, batch, stage, run_at) VALUES (?, ?, ?, ",
        now!(),
        ") ON CONFLICT DO UPDATE SET state = 'pending', tries = 0, crashes = 0, run_at = excluded.run_at ",
        "WHERE state NOT IN ('pending', 'processing')"
    ))
    .bind(JobId(Uuid::now_v7()).to_string())
    .bind(batch.to_string())
    .bind(Stage::Analyse.name())
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

pub async fn open_batches(readers: &SqlitePool, idle_ms: u64) -> Result<Vec<BatchId>> {
    let rows = sqlx::query(concat!(
        "SELECT b.id FROM batches b WHERE b.open = 1 AND NOT EXISTS (SELECT 1 FROM uploads u WHERE u.batch = b.id) ",
        "AND max(b.created_at, coalesce( ",
        "(SELECT max(d.updated_at) FROM documents d WHERE d.batch = b.id), 0)) <= ",
        now!(),
        " - ?"
    ))
    .bind(signed(idle_ms))
    .fetch_all(readers)
    .await
    .map_err(database)?;
    rows.iter().map(|row| id(row, "batches", "id").map(BatchId)).collect()
}

pub async fn delete_batch(writer: &SqlitePool, batch: BatchId) -> Result<bool> {
    let mut tx = begin(writer).await?;
    let key = batch.to_string();
    leave(&mut tx, OF_BATCH, &key).await?;
    forget_results(&mut tx, &Whose { documents: OF_BATCH, others: "o.batch <> ?1", key: &key }).await?;
    let deleted =
        sqlx::query("DELETE FROM batches WHERE id = ?").bind(&key).execute(&mut *tx).await.map_err(database)?;
    tx.commit().await.map_err(database)?;
    Ok(deleted.rows_affected() > 0)
}

/// Documents by a condition on `d` with the bound `?1`, and all others by one on `o`.
pub(crate) struct Whose<'a> {
    pub documents: &'static str,
    pub others: &'static str,
    pub key: &'a str,
}

/// Removes the results that only these documents refer to: what is deleted leaves no text behind.
pub(crate) async fn forget_results(tx: &mut SqliteConnection, whose: &Whose<'_>) -> Result<()> {
    let Whose { documents, others, key } = whose;
    for (table, column) in [("texts", "parse"), ("parses", "parse"), ("vectors", "vector")] {
        let sql = format!(
            "DELETE FROM {table} WHERE key IN ( \
               SELECT d.{column} FROM documents d WHERE {documents} AND d.{column} IS NOT NULL AND NOT EXISTS ( \
                 SELECT 1 FROM documents o WHERE o.sha256 = d.sha256 AND {others} AND o.{column} = d.{column}))"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(*key).execute(&mut *tx).await.map_err(database)?;
    }
    Ok(())
}

pub async fn unreferenced(readers: &SqlitePool, sha256: &[String]) -> Result<Vec<String>> {
    let list = json(&sha256);
    let rows = sqlx::query(
        "SELECT j.value AS sha256 FROM json_each(?) j \
         WHERE NOT EXISTS (SELECT 1 FROM documents d WHERE d.sha256 = j.value)",
    )
    .bind(list)
    .fetch_all(readers)
    .await
    .map_err(database)?;
    rows.iter().map(|row| row.try_get("sha256").map_err(database)).collect()
}

pub async fn hashes(readers: &SqlitePool, batch: BatchId) -> Result<Vec<String>> {
    let rows = sqlx::query("SELECT DISTINCT sha256 FROM documents WHERE batch = ?")
        .bind(batch.to_string())
        .fetch_all(readers)
        .await
        .map_err(database)?;
    rows.iter().map(|row| row.try_get("sha256").map_err(|e| StoreError::Database(Box::new(e)))).collect()
}
