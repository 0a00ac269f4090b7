//! Single documents leave a batch, and what only they referred to goes with them.

use async_trait::async_trait;
use sheaf_domain::flow::BatchUse;
use sheaf_domain::{BatchId, DocumentId, Status};
use sheaf_store::{RemovalStore, Removed};
use sqlx::SqlitePool;

use crate::arrive::{Whose, forget_results, queue_analysis_when_ready};
use crate::rows::{json, name};
use crate::runs::leave::{leave, use_of};
use crate::{Result, SqliteStore, begin, database, steer};

/// Documents by a list of their ids.
const LISTED: &str = "d.id IN (SELECT value FROM json_each(?1))";

#[async_trait]
impl RemovalStore for SqliteStore {
    async fn use_of_documents(&self, batch: BatchId, documents: &[DocumentId]) -> Result<BatchUse> {
        let of_batch = of_batch(&self.readers, batch, documents).await?;
        use_of(&self.readers, LISTED, &json(&of_batch)).await
    }

    async fn remove_documents(&self, batch: BatchId, documents: &[DocumentId]) -> Result<Option<Removed>> {
        remove(&self.writer, batch, documents).await
    }
}

/// Those of them that the batch has.
async fn of_batch(db: impl sqlx::SqliteExecutor<'_>, batch: BatchId, documents: &[DocumentId]) -> Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT id FROM documents WHERE batch = ? AND id IN (SELECT value FROM json_each(?)) ORDER BY id",
    )
    .bind(batch.to_string())
    .bind(json(&documents))
    .fetch_all(db)
    .await
    .map_err(database)
}

async fn remove(writer: &SqlitePool, batch: BatchId, documents: &[DocumentId]) -> Result<Option<Removed>> {
    let mut tx = begin(writer).await?;
    let found = sqlx::query("SELECT status FROM batches WHERE id = ? AND open = 0")
        .bind(batch.to_string())
        .fetch_optional(&mut *tx)
        .await
        .map_err(database)?;
    let status = found.map(|row| name::<Status>(&row, "batches", "status")).transpose()?;
    let Some(status) = status.filter(|status| status.is_final()) else { return Ok(None) };
    let listed = of_batch(&mut *tx, batch, documents).await?;
    let key = json(&listed);
    leave(&mut tx, LISTED, &key).await?;
    let whose = Whose { documents: LISTED, others: "o.id NOT IN (SELECT value FROM json_each(?1))", key: &key };
    forget_results(&mut tx, &whose).await?;
    let mut sha256: Vec<String> =
        sqlx::query_scalar("DELETE FROM documents WHERE id IN (SELECT value FROM json_each(?)) RETURNING sha256")
            .bind(&key)
            .fetch_all(&mut *tx)
            .await
            .map_err(database)?;
    let documents = sha256.len() as u64;
    sha256.sort_unstable();
    sha256.dedup();
    if documents > 0 && status == Status::Completed {
        steer::set_going(&mut tx, batch).await?;
        queue_analysis_when_ready(&mut tx, batch).await?;
    }
    tx.commit().await.map_err(database)?;
    Ok(Some(Removed { documents, sha256 }))
}
