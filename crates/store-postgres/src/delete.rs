//! Batches go, and what only they referred to goes with them.

use sheaf_domain::BatchId;
use sqlx::PgPool;

use crate::arrive::lock_batches;
use crate::runs::leave::{Leaving, leave};
use crate::{Result, database};

pub async fn delete_batch(pool: &PgPool, batch: BatchId) -> Result<bool> {
    let mut tx = pool.begin().await.map_err(database)?;
    lock_batches(&mut tx, [batch]).await?;
    leave(&mut tx, Leaving::Batch(batch)).await?;
    for sql in [
        // Whoever has a job of it in its hands is waited for; then those jobs are that were added by then.
        "SELECT FROM jobs WHERE batch = $1 ORDER BY id FOR UPDATE",
        "SELECT FROM jobs WHERE batch = $1 ORDER BY id FOR UPDATE",
        // Another batch may be about to refer to the same content: it holds the row that it wants, and once it has let go
        // the next statements see what it did.
        "SELECT FROM parses WHERE key IN (SELECT parse FROM documents WHERE batch = $1) ORDER BY key FOR UPDATE",
        "SELECT FROM vectors WHERE key IN (SELECT vector FROM documents WHERE batch = $1) ORDER BY key FOR UPDATE",
        // Somebody may be folding them: then those go that were made of them.
        "DELETE FROM tallies WHERE batch = $1",
        "DELETE FROM tallies WHERE batch = $1",
    ] {
        sqlx::query(sql).bind(batch.0).execute(&mut *tx).await.map_err(database)?;
    }
    // What only this batch's documents refer to goes with it: a deleted batch leaves no text behind.
    for (table, column) in [("parses", "parse"), ("vectors", "vector")] {
        let sql = format!(
            "DELETE FROM {table} WHERE key IN ( \
               SELECT d.{column} FROM documents d WHERE d.batch = $1 AND d.{column} IS NOT NULL AND NOT EXISTS ( \
                 SELECT FROM documents o WHERE o.sha256 = d.sha256 AND o.batch <> $1 AND o.{column} = d.{column}))"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(batch.0).execute(&mut *tx).await.map_err(database)?;
    }
    let deleted =
        sqlx::query("DELETE FROM batches WHERE id = $1").bind(batch.0).execute(&mut *tx).await.map_err(database)?;
    tx.commit().await.map_err(database)?;
    Ok(deleted.rows_affected() > 0)
}

pub async fn unreferenced(pool: &PgPool, sha256: &[String]) -> Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT sha256 FROM unnest($1::text[]) AS given (sha256) \
         WHERE NOT EXISTS (SELECT FROM documents d WHERE d.sha256 = given.sha256)",
    )
    .bind(sha256)
    .fetch_all(pool)
    .await
    .map_err(database)
}

pub async fn hashes(pool: &PgPool, batch: BatchId) -> Result<Vec<String>> {
    sqlx::query_scalar("SELECT DISTINCT sha256 FROM documents WHERE batch = $1")
        .bind(batch.0)
        .fetch_all(pool)
        .await
        .map_err(database)
}
