//! Single documents leave a batch, and what only they referred to goes with them.

use async_trait::async_trait;
use sheaf_domain::flow::BatchUse;
use sheaf_domain::{BatchId, DocumentId, Status};
use sheaf_store::{RemovalStore, Removed};
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use crate::again::{Patience, again};
use crate::arrive::{lock_batches, queue_analysis_when_ready};
use crate::rows::name;
use crate::runs::leave::{Leaving, leave, use_of};
use crate::{PostgresStore, Result, database, steer};

#[async_trait]
impl RemovalStore for PostgresStore {
    async fn use_of_documents(&self, batch: BatchId, documents: &[DocumentId]) -> Result<BatchUse> {
        let of_batch = of_batch(&self.pool, batch, documents).await?;
        use_of(&self.pool, Leaving::Documents(&of_batch)).await
    }

    async fn remove_documents(&self, batch: BatchId, documents: &[DocumentId]) -> Result<Option<Removed>> {
        again(Patience::ASKED, || remove(&self.pool, batch, documents)).await
    }
}

/// Those of them that the batch has.
async fn of_batch(db: impl PgExecutor<'_>, batch: BatchId, documents: &[DocumentId]) -> Result<Vec<Uuid>> {
    sqlx::query_scalar("SELECT id FROM documents WHERE batch = $1 AND id = ANY($2) ORDER BY id")
        .bind(batch.0)
        .bind(documents.iter().map(|document| document.0).collect::<Vec<_>>())
        .fetch_all(db)
        .await
        .map_err(database)
}

async fn remove(pool: &PgPool, batch: BatchId, documents: &[DocumentId]) -> Result<Option<Removed>> {
    let mut tx = pool.begin().await.map_err(database)?;
    lock_batches(&mut tx, [batch]).await?;
    let found = sqlx::query("SELECT status FROM batches WHERE id = $1 AND NOT open")
        .bind(batch.0)
        .fetch_optional(&mut *tx)
        .await
        .map_err(database)?;
    let status = found.map(|row| name::<Status>(&row, "batches", "status")).transpose()?;
    let Some(status) = status.filter(|status| status.is_final()) else { return Ok(None) };
    let listed = of_batch(&mut *tx, batch, documents).await?;
    leave(&mut tx, Leaving::Documents(&listed)).await?;
    for sql in [
        // Another batch may be about to refer to the same content: it holds the row that it wants, and once it has let go
        // the next statements see what it did.
        "SELECT FROM parses WHERE key IN (SELECT parse FROM documents WHERE id = ANY($1)) ORDER BY key FOR UPDATE",
        "SELECT FROM vectors WHERE key IN (SELECT vector FROM documents WHERE id = ANY($1)) ORDER BY key FOR UPDATE",
        // No trigger tells of documents that go: otherwise they go with their batch.
        "INSERT INTO tallies (batch, stage, status, documents, bytes) \
         SELECT batch, stage, status, -count(*), -sum(bytes) FROM documents WHERE id = ANY($1) \
         GROUP BY batch, stage, status",
        // What only these documents refer to goes with them: what is removed leaves no text behind.
        "DELETE FROM parses WHERE key IN ( \
           SELECT d.parse FROM documents d WHERE d.id = ANY($1) AND d.parse IS NOT NULL AND NOT EXISTS ( \
             SELECT FROM documents o WHERE o.sha256 = d.sha256 AND o.id <> ALL($1) AND o.parse = d.parse))",
        "DELETE FROM vectors WHERE key IN ( \
           SELECT d.vector FROM documents d WHERE d.id = ANY($1) AND d.vector IS NOT NULL AND NOT EXISTS ( \
             SELECT FROM documents o WHERE o.sha256 = d.sha256 AND o.id <> ALL($1) AND o.vector = d.vector))",
    ] {
        sqlx::query(sql).bind(&listed).execute(&mut *tx).await.map_err(database)?;
    }
    let mut sha256: Vec<String> = sqlx::query_scalar("DELETE FROM documents WHERE id = ANY($1) RETURNING sha256")
        .bind(&listed)
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
