//! Runs begin, are stopped, go on and go.

use sheaf_domain::flow::RunChange;
use sheaf_domain::{Failure, Restart, RunId};
use sheaf_store::StartedRun;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, SqlitePool};

use crate::rows::{json, signed};
use crate::{Result, database, now, webhooks};

pub async fn start(writer: &SqlitePool, run: &StartedRun) -> Result<()> {
    let StartedRun { id, name, flow, version, policy, budget_tokens, documents } = run;
    let mut tx = writer.begin().await.map_err(database)?;
    sqlx::query(concat!(
        "INSERT INTO runs (id, name, flow, version, on_error, priority, budget_tokens, created_at, started_at) ",
        "SELECT ?, ?, ?, ?, ?, ?, ?, t, t FROM (SELECT ",
        now!(),
        " AS t)"
    ))
    .bind(id.to_string())
    .bind(name)
    .bind(flow.to_string())
    .bind(version)
    .bind(policy.on_error.name())
    .bind(policy.priority.rank())
    .bind(budget_tokens.map(signed))
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    let rows: Vec<_> = documents.iter().map(|input| (input.document, input.batch, &input.path)).collect();
    sqlx::query(concat!(
        "INSERT INTO run_documents (run, document, batch, path, run_at) SELECT ?, json_extract(value, '$[0]'), ",
        "json_extract(value, '$[1]'), json_extract(value, '$[2]'), ",
        now!(),
        " FROM json_each(?)"
    ))
    .bind(id.to_string())
    .bind(json(&rows))
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    end(&mut tx, *id).await?;
    tx.commit().await.map_err(database)
}

/// Ends a run of which nothing is left to do. It has failed when nothing of it was completed but something failed, and was
/// cancelled when all of it was, because its documents were deleted.
pub(super) async fn end(tx: &mut SqliteConnection, run: RunId) -> Result<()> {
    let ended = sqlx::query(concat!(
        "UPDATE runs SET finished_at = t, ran_ms = ran_ms + t - started_at, status = CASE WHEN ",
        "EXISTS (SELECT 1 FROM run_documents d WHERE d.run = ?1 AND d.state = 'failed') AND ",
        "NOT EXISTS (SELECT 1 FROM run_documents d WHERE d.run = ?1 AND d.state = 'completed') ",
        "THEN 'failed' WHEN EXISTS (SELECT 1 FROM run_documents d WHERE d.run = ?1 AND d.state = 'cancelled') AND ",
        "NOT EXISTS (SELECT 1 FROM run_documents d WHERE d.run = ?1 AND d.state IN ('completed', 'failed')) ",
        "THEN 'cancelled' ELSE 'completed' END FROM (SELECT ",
        now!(),
        " AS t) WHERE id = ?1 AND status IN ('pending', 'processing') AND NOT EXISTS ",
        "(SELECT 1 FROM run_documents d WHERE d.run = ?1 AND d.state IN ('pending', 'processing'))"
    ))
    .bind(run.to_string())
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    if ended.rows_affected() > 0 {
        webhooks::tell_of_run(tx, run).await?;
    }
    Ok(())
}

/// Stops what is left of a run.
async fn stop(tx: &mut SqliteConnection, run: RunId, status: &str, failure: Option<&Failure>) -> Result<bool> {
    let stopped = sqlx::query(concat!(
        "UPDATE runs SET status = ?, failure = ?, finished_at = t, ran_ms = ran_ms + t - started_at FROM (SELECT ",
        now!(),
        " AS t) WHERE id = ? AND status IN ('pending', 'processing')"
    ))
    .bind(status)
    .bind(failure.map(json))
    .bind(run.to_string())
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    if stopped.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "UPDATE run_documents SET state = 'cancelled', worker = NULL, lease_until = NULL \
         WHERE run = ? AND state IN ('pending', 'processing')",
    )
    .bind(run.to_string())
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    webhooks::tell_of_run(tx, run).await?;
    Ok(true)
}

pub async fn cancel(writer: &SqlitePool, run: RunId) -> Result<bool> {
    let mut tx = writer.begin().await.map_err(database)?;
    let stopped = stop(&mut tx, run, "cancelled", None).await?;
    tx.commit().await.map_err(database)?;
    Ok(stopped)
}

/// The first failure ends a run whose policy says so.
pub(super) async fn end_by(tx: &mut SqliteConnection, run: RunId, failure: &Failure) -> Result<()> {
    let strict: Option<bool> = sqlx::query_scalar("SELECT on_error = 'fail_all' FROM runs WHERE id = ?")
        .bind(run.to_string())
        .fetch_optional(&mut *tx)
        .await
        .map_err(database)?;
    if strict == Some(true) {
        stop(&mut *tx, run, "failed", Some(failure)).await?;
    }
    end(tx, run).await
}

pub async fn restart(writer: &SqlitePool, run: RunId, which: &Restart) -> Result<Option<u64>> {
    let mut tx = writer.begin().await.map_err(database)?;
    let mut sql = QueryBuilder::<Sqlite>::new(concat!(
        "UPDATE run_documents SET state = 'pending', tries = 0, crashes = 0, failure = NULL, run_at = ",
        now!(),
        " WHERE run = "
    ));
    sql.push_bind(run.to_string());
    match which {
        Restart::Cancelled => sql.push(" AND state = 'cancelled'"),
        Restart::Failed => sql.push(" AND state = 'failed'"),
        Restart::FailedWith(code) => sql.push(" AND state = 'failed' AND failure_code = ").push_bind(code.name()),
        Restart::Document(document) => {
            sql.push(" AND state IN ('failed', 'cancelled') AND document = ").push_bind(document.to_string())
        }
    };
    let restarted = sql.build().execute(&mut *tx).await.map_err(database)?.rows_affected();
    if restarted == 0 {
        return Ok(None);
    }
    sqlx::query(concat!(
        "UPDATE runs SET status = 'pending', failure = NULL, finished_at = NULL, started_at = ",
        now!(),
        " WHERE id = ? AND finished_at IS NOT NULL"
    ))
    .bind(run.to_string())
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    tx.commit().await.map_err(database)?;
    Ok(Some(restarted))
}

pub async fn change(writer: &SqlitePool, run: RunId, change: &RunChange) -> Result<bool> {
    let RunChange { name, priority, budget_tokens } = change;
    let changed = sqlx::query(
        "UPDATE runs SET name = coalesce(?, name), priority = coalesce(?, priority), \
         budget_tokens = coalesce(?, budget_tokens) WHERE id = ?",
    )
    .bind(name)
    .bind(priority.map(|priority| priority.rank()))
    .bind(budget_tokens.map(signed))
    .bind(run.to_string())
    .execute(writer)
    .await
    .map_err(database)?;
    Ok(changed.rows_affected() > 0)
}

pub async fn delete(writer: &SqlitePool, run: RunId) -> Result<bool> {
    let mut tx = writer.begin().await.map_err(database)?;
    let keys: Vec<String> = sqlx::query_scalar("SELECT DISTINCT key FROM exchanges WHERE run = ?")
        .bind(run.to_string())
        .fetch_all(&mut *tx)
        .await
        .map_err(database)?;
    let deleted =
        sqlx::query("DELETE FROM runs WHERE id = ?").bind(run.to_string()).execute(&mut *tx).await.map_err(database)?;
    forget_answers(&mut tx, &json(&keys)).await?;
    tx.commit().await.map_err(database)?;
    Ok(deleted.rows_affected() > 0)
}

/// Removes those of these answers, a JSON list of keys, that nothing uses any more: they hold texts of documents.
pub(super) async fn forget_answers(tx: &mut SqliteConnection, keys: &str) -> Result<()> {
    sqlx::query(
        "DELETE FROM answers WHERE key IN (SELECT value FROM json_each(?)) \
         AND NOT EXISTS (SELECT 1 FROM exchanges e WHERE e.key = answers.key)",
    )
    .bind(keys)
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}
