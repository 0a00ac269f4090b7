//! Batches and documents come and go.

use sheaf_domain::{BatchId, DocumentKind, JobId, Stage, Status};
use sheaf_store::{NewBatch, NewDocument, StoreError};
use sqlx::{Row, SqliteConnection, SqlitePool};
use uuid::Uuid;

use crate::rows::{id, json, signed};
use crate::{Result, begin, database, now, steer};

pub async fn create_batch(writer: &SqlitePool, batch: &NewBatch) -> Result<()> {
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
    .execute(writer)
    .await
    .map_err(database)?;
    Ok(())
}

pub async fn add_documents(writer: &SqlitePool, batch: BatchId, documents: &[NewDocument]) -> Result<()> {
    let mut tx = begin(writer).await?;
    // Whoever stopped the batch did not mean what was still on its way to go on.
    let stopped: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM batches WHERE id = ? AND status IN ('cancelled', 'failed'))")
            .bind(batch.to_string())
            .fetch_one(&mut *tx)
            .await
            .map_err(database)?;
    for document in documents {
        let status = match &document.failure {
            Some(_) => Status::Failed,
            None if stopped => Status::Cancelled,
            None => Status::Pending,
        };
        sqlx::query(concat!(
            "INSERT INTO documents (id, batch, path, sha256, bytes, kind, status, failure, updated_at, version) ",
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ",
            now!(),
            ", (SELECT value FROM clock))"
        ))
        .bind(document.id.to_string())
        .bind(batch.to_string())
        .bind(&document.path)
        .bind(&document.sha256)
        .bind(signed(document.bytes))
        .bind(document.kind.map(DocumentKind::name))
        .bind(status.name())
        .bind(document.failure.as_ref().map(json))
        .execute(&mut *tx)
        .await
        .map_err(database)?;
        match &document.failure {
            Some(failure) => steer::stop_if_failing(&mut tx, batch, &document.path, failure).await?,
            None => add_job(&mut tx, batch, &document.id.to_string(), Stage::Parse, document.bytes, status).await?,
        }
    }
    tx.commit().await.map_err(database)
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
        "SELECT b.id FROM batches b WHERE b.open = 1 AND max(b.created_at, coalesce( ",
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
    // What only this batch's documents refer to goes with it: a deleted batch leaves no text behind.
    for (table, column) in [("texts", "parse"), ("parses", "parse"), ("vectors", "vector")] {
        let sql = format!(
            "DELETE FROM {table} WHERE key IN ( \
               SELECT d.{column} FROM documents d WHERE d.batch = ?1 AND d.{column} IS NOT NULL AND NOT EXISTS ( \
                 SELECT 1 FROM documents o WHERE o.sha256 = d.sha256 AND o.batch <> ?1 AND o.{column} = d.{column}))"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&key).execute(&mut *tx).await.map_err(database)?;
    }
    let deleted =
        sqlx::query("DELETE FROM batches WHERE id = ?").bind(&key).execute(&mut *tx).await.map_err(database)?;
    tx.commit().await.map_err(database)?;
    Ok(deleted.rows_affected() > 0)
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
