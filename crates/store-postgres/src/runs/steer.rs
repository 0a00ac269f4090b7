//! Runs begin, are stopped, go on and go.

use sheaf_domain::flow::RunChange;
use sheaf_domain::{Failure, Restart, RunId};
use sheaf_store::StartedRun;
use sqlx::{PgConnection, PgPool, Postgres, QueryBuilder};

use crate::rows::{json, signed};
use crate::{Result, database, now, nul, webhooks};

pub async fn start(pool: &PgPool, run: &StartedRun) -> Result<()> {
    let StartedRun { id, name, flow, version, policy, budget_tokens, documents } = run;
    let mut tx = pool.begin().await.map_err(database)?;
    sqlx::query(concat!(
        "INSERT INTO runs (id, name, flow, version, on_error, priority, budget_tokens, created_at, started_at) ",
        "SELECT $1, $2, $3, $4, $5, $6, $7, t, t FROM (SELECT ",
        now!(),
        " AS t) AS present ON CONFLICT (id) DO NOTHING"
    ))
    .bind(id.0)
    .bind(nul::hide(name))
    .bind(flow.0)
    .bind(i64::from(*version))
    .bind(policy.on_error.name())
    .bind(policy.priority.rank())
    .bind(budget_tokens.map(signed))
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    let of_document: Vec<_> = documents.iter().map(|input| input.document.0).collect();
    let of_batch: Vec<_> = documents.iter().map(|input| input.batch.0).collect();
    let paths: Vec<_> = documents.iter().map(|input| nul::hide(&input.path).into_owned()).collect();
    sqlx::query(concat!(
        "INSERT INTO run_documents (run, document, batch, path, run_at) SELECT $1, d.document, d.batch, d.path, ",
        now!(),
        " FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS d (document, batch, path) ORDER BY d.document ",
        "ON CONFLICT (run, document) DO NOTHING"
    ))
    .bind(id.0)
    .bind(of_document)
    .bind(of_batch)
    .bind(paths)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    end(&mut tx, *id).await?;
    tx.commit().await.map_err(database)
}

/// Ends a run of which nothing is left to do. It has failed when nothing of it was completed but something failed, and was
/// cancelled when all of it was, because its documents were deleted.
pub(super) async fn end(tx: &mut PgConnection, run: RunId) -> Result<()> {
    let ended = sqlx::query(concat!(
        "UPDATE runs SET finished_at = t, ran_ms = ran_ms + t - started_at, status = CASE WHEN ",
        "EXISTS (SELECT 1 FROM run_documents d WHERE d.run = $1 AND d.state = 'failed') AND ",
        "NOT EXISTS (SELECT 1 FROM run_documents d WHERE d.run = $1 AND d.state = 'completed') ",
        "THEN 'failed' WHEN EXISTS (SELECT 1 FROM run_documents d WHERE d.run = $1 AND d.state = 'cancelled') AND ",
        "NOT EXISTS (SELECT 1 FROM run_documents d WHERE d.run = $1 AND d.state IN ('completed', 'failed')) ",
        "THEN 'cancelled' ELSE 'completed' END FROM (SELECT ",
        now!(),
        " AS t) AS present WHERE id = $1 AND status IN ('pending', 'processing') AND NOT EXISTS ",
        "(SELECT 1 FROM run_documents d WHERE d.run = $1 AND d.state IN ('pending', 'processing'))"
    ))
    .bind(run.0)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    if ended.rows_affected() > 0 {
        webhooks::tell_of_run(tx, run).await?;
    }
    Ok(())
}

/// Takes the run's row, so that whoever ends a document and whoever ends the run do it one after the other.
pub(crate) async fn lock(tx: &mut PgConnection, run: RunId) -> Result<()> {
    sqlx::query("SELECT FROM runs WHERE id = $1 FOR UPDATE").bind(run.0).execute(tx).await.map_err(database)?;
    Ok(())
}

/// Stops what is left of a run.
async fn stop(tx: &mut PgConnection, run: RunId, status: &str, failure: Option<&Failure>) -> Result<bool> {
    let stopped = sqlx::query(concat!(
        "UPDATE runs SET status = $1, failure = $2::json, finished_at = t, ran_ms = ran_ms + t - started_at FROM (SELECT ",
        now!(),
        " AS t) AS present WHERE id = $3 AND status IN ('pending', 'processing')"
    ))
    .bind(status)
    .bind(failure.map(json))
    .bind(run.0)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    if stopped.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "UPDATE run_documents SET state = 'cancelled', worker = NULL, lease_until = NULL \
         WHERE run = $1 AND state IN ('pending', 'processing')",
    )
    .bind(run.0)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    webhooks::tell_of_run(tx, run).await?;
    Ok(true)
}

pub async fn cancel(pool: &PgPool, run: RunId) -> Result<bool> {
    let mut tx = pool.begin().await.map_err(database)?;
    let stopped = stop(&mut tx, run, "cancelled", None).await?;
    tx.commit().await.map_err(database)?;
    Ok(stopped)
}

/// The first failure ends a run whose policy says so.
pub(super) async fn end_by(tx: &mut PgConnection, run: RunId, failure: &Failure) -> Result<()> {
    let strict: Option<bool> = sqlx::query_scalar("SELECT on_error = 'fail_all' FROM runs WHERE id = $1")
        .bind(run.0)
        .fetch_optional(&mut *tx)
        .await
        .map_err(database)?;
    if strict == Some(true) {
        stop(&mut *tx, run, "failed", Some(failure)).await?;
    }
    end(tx, run).await
}

pub async fn restart(pool: &PgPool, run: RunId, which: &Restart) -> Result<Option<u64>> {
    let mut tx = pool.begin().await.map_err(database)?;
    lock(&mut tx, run).await?;
    let mut sql = QueryBuilder::<Postgres>::new(concat!(
        "UPDATE run_documents SET state = 'pending', tries = 0, crashes = 0, failure = NULL, run_at = ",
        now!(),
        " WHERE run = "
    ));
    sql.push_bind(run.0);
    match which {
        Restart::Cancelled => sql.push(" AND state = 'cancelled'"),
        Restart::Failed => sql.push(" AND state = 'failed'"),
        Restart::FailedWith(code) => sql.push(" AND state = 'failed' AND failure_code = ").push_bind(code.name()),
        Restart::Document(document) => {
            sql.push(" AND state IN ('failed', 'cancelled') AND document = ").push_bind(document.0)
        }
    };
    let restarted = sql.build().execute(&mut *tx).await.map_err(database)?.rows_affected();
    if restarted == 0 {
        return Ok(None);
    }
    sqlx::query(concat!(
        "UPDATE runs SET status = 'pending', failure = NULL, finished_at = NULL, started_at = ",
        now!(),
        " WHERE id = $1 AND finished_at IS NOT NULL"
    ))
    .bind(run.0)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    tx.commit().await.map_err(database)?;
    Ok(Some(restarted))
}

pub async fn change(pool: &PgPool, run: RunId, change: &RunChange) -> Result<bool> {
    let RunChange { name, priority, budget_tokens } = change;
    let changed = sqlx::query(
        "UPDATE runs SET name = coalesce($1, name), priority = coalesce($2, priority), \
         budget_tokens = coalesce($3, budget_tokens) WHERE id = $4",
    )
    .bind(name.as_deref().map(nul::hide))
    .bind(priority.map(|priority| priority.rank()))
    .bind(budget_tokens.map(signed))
    .bind(run.0)
    .execute(pool)
    .await
    .map_err(database)?;
    Ok(changed.rows_affected() > 0)
}

pub async fn delete(pool: &PgPool, run: RunId) -> Result<bool> {
    let mut tx = pool.begin().await.map_err(database)?;
    let keys: Vec<String> = sqlx::query_scalar("SELECT DISTINCT key FROM exchanges WHERE run = $1")
        .bind(run.0)
        .fetch_all(&mut *tx)
        .await
        .map_err(database)?;
    let deleted =
        sqlx::query("DELETE FROM runs WHERE id = $1").bind(run.0).execute(&mut *tx).await.map_err(database)?;
    forget_answers(&mut tx, keys).await?;
    tx.commit().await.map_err(database)?;
    Ok(deleted.rows_affected() > 0)
}

/// Removes those of these answers that nothing uses any more: they hold texts of documents.
pub(super) async fn forget_answers(tx: &mut PgConnection, keys: Vec<String>) -> Result<()> {
    sqlx::query(
        "DELETE FROM answers WHERE key = ANY($1) \
         AND NOT EXISTS (SELECT 1 FROM exchanges e WHERE e.key = answers.key)",
    )
    .bind(keys)
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}
