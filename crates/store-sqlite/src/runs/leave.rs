//! Documents leave, with their batch or without it: what runs of flows still have to do with them, and what of it stays.

use sheaf_domain::RunId;
use sheaf_domain::flow::BatchUse;
use sqlx::{SqliteConnection, SqlitePool};

use super::steer;
use crate::rows::{count, id, json};
use crate::{Result, database};

/// Those of a batch, as a condition on `d` with its id as `?1`.
pub(crate) const OF_BATCH: &str = "d.batch = ?1";

/// What runs have to do with documents, by a condition on `d` with the bound `?1`.
pub(crate) async fn use_of(readers: &SqlitePool, documents: &'static str, key: &str) -> Result<BatchUse> {
    let sql = format!(
        "SELECT count(DISTINCT x.run) AS runs, coalesce(sum(x.found), 0) AS found, \
         count(*) FILTER (WHERE x.state IN ('pending', 'processing')) AS waiting \
         FROM documents d JOIN run_documents x ON x.document = d.id WHERE {documents}"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(key).fetch_one(readers).await.map_err(database)?;
    Ok(BatchUse { runs: count(&row, "runs")?, values: count(&row, "found")?, waiting: count(&row, "waiting")? })
}

/// What waits is cancelled, and what models were sent goes, for that is the documents' text. What was found stays.
pub(crate) async fn leave(tx: &mut SqliteConnection, documents: &'static str, key: &str) -> Result<()> {
    let sql = format!(
        "UPDATE run_documents SET state = 'cancelled', worker = NULL, lease_until = NULL \
         WHERE document IN (SELECT d.id FROM documents d WHERE {documents}) AND state IN ('pending', 'processing') \
         RETURNING run"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(key).fetch_all(&mut *tx).await.map_err(database)?;
    let mut runs = rows.iter().map(|row| Ok(RunId(id(row, "run_documents", "run")?))).collect::<Result<Vec<_>>>()?;
    runs.sort_unstable();
    runs.dedup();
    for run in runs {
        steer::end(tx, run).await?;
    }
    let sql = format!(
        "SELECT DISTINCT e.key FROM documents d JOIN run_documents x ON x.document = d.id \
         JOIN exchanges e ON e.run = x.run AND e.document = x.document WHERE {documents}"
    );
    let keys: Vec<String> =
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(key).fetch_all(&mut *tx).await.map_err(database)?;
    let sql = format!(
        "DELETE FROM exchanges WHERE (run, document) IN (SELECT x.run, x.document FROM documents d \
         JOIN run_documents x ON x.document = d.id WHERE {documents})"
    );
    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(key).execute(&mut *tx).await.map_err(database)?;
    steer::forget_answers(tx, &json(&keys)).await
}
