//! Documents leave: what runs of flows still have to do with those of a batch that is deleted, and what of it stays.

use sheaf_domain::flow::BatchUse;
use sheaf_domain::{BatchId, RunId};
use sqlx::{SqliteConnection, SqlitePool};

use super::steer;
use crate::rows::{count, id, json};
use crate::{Result, database};

/// What runs have to do with a batch's documents.
pub async fn use_of(readers: &SqlitePool, batch: BatchId) -> Result<BatchUse> {
    let row = sqlx::query(
        "SELECT count(DISTINCT x.run) AS runs, coalesce(sum(x.found), 0) AS found, \
         count(*) FILTER (WHERE x.state IN ('pending', 'processing')) AS waiting \
         FROM documents d JOIN run_documents x ON x.document = d.id WHERE d.batch = ?",
    )
    .bind(batch.to_string())
    .fetch_one(readers)
    .await
    .map_err(database)?;
    Ok(BatchUse { runs: count(&row, "runs")?, values: count(&row, "found")?, waiting: count(&row, "waiting")? })
}

/// What waits is cancelled, and what models were sent goes, for that is the documents' text. What was found stays.
pub(crate) async fn leave(tx: &mut SqliteConnection, batch: BatchId) -> Result<()> {
    let key = batch.to_string();
    let rows = sqlx::query(
        "UPDATE run_documents SET state = 'cancelled', worker = NULL, lease_until = NULL \
         WHERE document IN (SELECT id FROM documents WHERE batch = ?) AND state IN ('pending', 'processing') RETURNING run",
    )
    .bind(&key)
    .fetch_all(&mut *tx)
    .await
    .map_err(database)?;
    let mut runs = rows.iter().map(|row| Ok(RunId(id(row, "run_documents", "run")?))).collect::<Result<Vec<_>>>()?;
    runs.sort_unstable();
    runs.dedup();
    for run in runs {
        steer::end(tx, run).await?;
    }
    let keys: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT e.key FROM documents d JOIN run_documents x ON x.document = d.id \
         JOIN exchanges e ON e.run = x.run AND e.document = x.document WHERE d.batch = ?",
    )
    .bind(&key)
    .fetch_all(&mut *tx)
    .await
    .map_err(database)?;
    sqlx::query(
        "DELETE FROM exchanges WHERE (run, document) IN (SELECT x.run, x.document FROM documents d \
         JOIN run_documents x ON x.document = d.id WHERE d.batch = ?)",
    )
    .bind(&key)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    steer::forget_answers(tx, &json(&keys)).await
}
