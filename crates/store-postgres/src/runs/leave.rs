//! Documents leave, with their batch or without it: what runs of flows still have to do with them, and what of it stays.

use sheaf_domain::flow::BatchUse;
use sheaf_domain::{BatchId, RunId};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::steer;
use crate::rows::count;
use crate::{Result, database};

/// What leaves.
#[derive(Clone, Copy)]
pub(crate) enum Leaving<'a> {
    /// All documents of it.
    Batch(BatchId),
    Documents(&'a [Uuid]),
}

impl<'a> Leaving<'a> {
    /// A batch and documents, of which one is nothing: `d.batch = $1 OR d.id = ANY($2)`.
    fn named(self) -> (Uuid, &'a [Uuid]) {
        match self {
            Self::Batch(batch) => (batch.0, &[]),
            Self::Documents(documents) => (Uuid::nil(), documents),
        }
    }
}

/// What runs have to do with documents.
pub(crate) async fn use_of(pool: &PgPool, leaving: Leaving<'_>) -> Result<BatchUse> {
    let (batch, documents) = leaving.named();
    let row = sqlx::query(
        "SELECT count(DISTINCT x.run) AS runs, coalesce(sum(x.found), 0)::bigint AS found, \
         count(*) FILTER (WHERE x.state IN ('pending', 'processing')) AS waiting \
         FROM documents d JOIN run_documents x ON x.document = d.id WHERE d.batch = $1 OR d.id = ANY($2)",
    )
    .bind(batch)
    .bind(documents)
    .fetch_one(pool)
    .await
    .map_err(database)?;
    Ok(BatchUse { runs: count(&row, "runs")?, values: count(&row, "found")?, waiting: count(&row, "waiting")? })
}

/// What waits is cancelled, and what models were sent goes, for that is the documents' text. What was found stays.
pub(crate) async fn leave(tx: &mut PgConnection, leaving: Leaving<'_>) -> Result<()> {
    let (batch, documents) = leaving.named();
    // Whoever writes down an answer or an end has its run's row, and is waited for.
    sqlx::query(
        "SELECT FROM runs WHERE id IN (SELECT x.run FROM documents d JOIN run_documents x ON x.document = d.id \
         WHERE d.batch = $1 OR d.id = ANY($2)) ORDER BY id FOR UPDATE",
    )
    .bind(batch)
    .bind(documents)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    let mut runs: Vec<Uuid> = sqlx::query_scalar(
        "UPDATE run_documents SET state = 'cancelled', worker = NULL, lease_until = NULL \
         WHERE document IN (SELECT id FROM documents WHERE batch = $1 OR id = ANY($2)) \
         AND state IN ('pending', 'processing') RETURNING run",
    )
    .bind(batch)
    .bind(documents)
    .fetch_all(&mut *tx)
    .await
    .map_err(database)?;
    runs.sort_unstable();
    runs.dedup();
    for run in runs {
        steer::end(tx, RunId(run)).await?;
    }
    let keys: Vec<String> = sqlx::query_scalar(
        "DELETE FROM exchanges e USING documents d, run_documents x \
         WHERE (d.batch = $1 OR d.id = ANY($2)) AND x.document = d.id AND e.run = x.run AND e.document = x.document \
         RETURNING e.key",
    )
    .bind(batch)
    .bind(documents)
    .fetch_all(&mut *tx)
    .await
    .map_err(database)?;
    steer::forget_answers(tx, keys).await
}
