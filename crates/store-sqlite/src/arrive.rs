//! Batches and documents come and go.

use sheaf_domain::{BatchId, DocumentKind, JobId, Stage, Status};
use sheaf_store::{NewBatch, NewDocument, StoreError};
use sqlx::{Row, SqliteConnection, SqlitePool};
use uuid::Uuid;

use crate::rows::{id, json};
use crate::work::signed;
use crate::{Result, database, now};

pub async fn create_batch(writer: &SqlitePool, batch: &NewBatch) -> Result<()> {
    sqlx::query(concat!(
        "INSERT INTO batches (id, name, params, passwords, created_at) VALUES (?, ?, ?, ?, ",
        now!(),
        ")"
    ))
    .bind(batch.id.to_string())
    .bind(&batch.name)
    .bind(json(&batch.params))
    .bind(json(&batch.passwords))
    .execute(writer)
    .await
    .map_err(database)?;
    Ok(())
}

pub async fn add_documents(writer: &SqlitePool, batch: BatchId, documents: &[NewDocument]) -> Result<()> {
    let mut tx = writer.begin().await.map_err(database)?;
    for document in documents {
        let status = if document.failure.is_some() { Status::Failed } else { Status::Pending };
        sqlx::query(concat!(
            "INSERT INTO documents (id, batch, path, sha256, bytes, kind, status, failure, updated_at) ",
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ",
            now!(),
            ")"
        ))
        .bind(document.id.to_string())
        .bind(batch.to_string())
        .bind(&document.path)
        .bind(&document.sha256)
        .bind(i64::try_from(document.bytes).unwrap_or(i64::MAX))
        .bind(document.kind.map(DocumentKind::name))
        .bind(status.name())
        .bind(document.failure.as_ref().map(json))
        .execute(&mut *tx)
        .await
        .map_err(database)?;
        if document.failure.is_none() {
            add_job(&mut tx, batch, Some(&document.id.to_string()), Stage::Parse).await?;
        }
    }
    tx.commit().await.map_err(database)
}

/// Queues a job, ready at once; nothing happens when the same job exists already.
pub(crate) async fn add_job(
    tx: &mut SqliteConnection,
    batch: BatchId,
    document: Option<&str>,
    stage: Stage,
) -> Result<()> {
    sqlx::query(concat!(
        "INSERT INTO jobs (id, batch, document, stage, run_at) VALUES (?, ?, ?, ?, ",
        now!(),
        ") ON CONFLICT DO NOTHING"
    ))
    .bind(JobId(Uuid::now_v7()).to_string())
    .bind(batch.to_string())
    .bind(document)
    .bind(stage.name())
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

pub async fn seal_batch(writer: &SqlitePool, batch: BatchId) -> Result<()> {
    let mut tx = writer.begin().await.map_err(database)?;
    sqlx::query("UPDATE batches SET open = 0 WHERE id = ?")
        .bind(batch.to_string())
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    queue_analysis_when_ready(&mut tx, batch).await?;
    tx.commit().await.map_err(database)
}

/// Queues the analyse job when the batch is sealed and no document of it is waiting or in work. Called in each
/// transaction that finishes a document, so that the last one always does it.
pub(crate) async fn queue_analysis_when_ready(tx: &mut SqliteConnection, batch: BatchId) -> Result<()> {
    let ready: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM batches WHERE id = ?1 AND open = 0) AND NOT EXISTS ( \
           SELECT 1 FROM documents WHERE batch = ?1 AND status IN ('pending', 'processing'))",
    )
    .bind(batch.to_string())
    .fetch_one(&mut *tx)
    .await
    .map_err(database)?;
    if ready { add_job(tx, batch, None, Stage::Analyse).await } else { Ok(()) }
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
    let mut tx = writer.begin().await.map_err(database)?;
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
