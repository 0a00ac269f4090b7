//! People steer: batches are stopped, started again and changed; the failures of earlier attempts stay readable.

use sheaf_domain::{Attempt, BatchChange, BatchId, DocumentId, Failure, Restart, Status};
use sheaf_store::Claim;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, SqlitePool};

use crate::arrive::queue_analysis_when_ready;
use crate::rows::{get, json, name, parsed, seconds};
use crate::{Result, begin, changed, database, now, webhooks};

pub async fn cancel(writer: &SqlitePool, batch: BatchId) -> Result<bool> {
    let mut tx = begin(writer).await?;
    let stopped = end(&mut tx, batch, Status::Cancelled, None).await?;
    tx.commit().await.map_err(database)?;
    Ok(stopped)
}

/// Stops a batch whose policy is that one failure stops all.
pub(crate) async fn stop_if_failing(
    tx: &mut SqliteConnection,
    batch: BatchId,
    path: &str,
    failure: &Failure,
) -> Result<()> {
    let fails_all: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM batches WHERE id = ? AND on_error = 'fail_all')")
            .bind(batch.to_string())
            .fetch_one(&mut *tx)
            .await
            .map_err(database)?;
    if !fails_all {
        return Ok(());
    }
    let why = Failure::new(failure.code, format!("stopped at the first failure, of `{path}`: {}", failure.message))
        .with_hint(failure.hint.clone());
    end(tx, batch, Status::Failed, Some(&why)).await.map(drop)
}

/// Ends a batch that runs and queues what webhooks hear of it; `false` when it does not run. Unless it is complete, what of it
/// still waits or is in work is cancelled.
pub(crate) async fn end(
    tx: &mut SqliteConnection,
    batch: BatchId,
    status: Status,
    failure: Option<&Failure>,
) -> Result<bool> {
    let ended = sqlx::query(concat!(
        "UPDATE batches SET status = ?, failure = ?, ran_ms = ran_ms + ",
        now!(),
        " - started_at, finished_at = ",
        now!(),
        " WHERE id = ? AND status IN ('pending', 'processing')"
    ))
    .bind(status.name())
    .bind(failure.map(json))
    .bind(batch.to_string())
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    if ended.rows_affected() == 0 {
        return Ok(false);
    }
    if status != Status::Completed {
        cancel_rest(tx, batch).await?;
    }
    webhooks::tell(tx, batch).await?;
    Ok(true)
}

/// Cancels what waits or is in work: the leases are lost with it.
async fn cancel_rest(tx: &mut SqliteConnection, batch: BatchId) -> Result<()> {
    for sql in [
        "UPDATE jobs SET state = 'cancelled', worker = NULL, lease_until = NULL \
         WHERE batch = ? AND state IN ('pending', 'processing')",
        concat!(
            "UPDATE documents SET status = 'cancelled', pages_done = NULL, pages_total = NULL, ",
            changed!(),
            " WHERE batch = ? AND status IN ('pending', 'processing')"
        ),
    ] {
        sqlx::query(sql).bind(batch.to_string()).execute(&mut *tx).await.map_err(database)?;
    }
    Ok(())
}

pub async fn restart(writer: &SqlitePool, batch: BatchId, which: &Restart) -> Result<Option<u64>> {
    let mut tx = begin(writer).await?;
    let documents = restart_documents(&mut tx, batch, which).await?;
    // A batch that was stopped while it was grouped, or failed at that, has no document to do.
    let grouping = match which {
        Restart::Cancelled => "cancelled",
        Restart::Failed => "failed",
        Restart::FailedWith(_) | Restart::Document(_) => "",
    };
    let stopped: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM jobs j JOIN batches b ON b.id = j.batch WHERE b.id = ?1 AND j.stage = 'analyse' \
         AND j.state = ?2 AND b.status = ?2)",
    )
    .bind(batch.to_string())
    .bind(grouping)
    .fetch_one(&mut *tx)
    .await
    .map_err(database)?;
    if documents == 0 && !stopped {
        return Ok(None);
    }
    set_going(&mut tx, batch).await?;
    queue_analysis_when_ready(&mut tx, batch).await?;
    tx.commit().await.map_err(database)?;
    Ok(Some(documents))
}

/// Puts documents back to the stage at which they stopped; gives how many.
pub(crate) async fn restart_documents(tx: &mut SqliteConnection, batch: BatchId, which: &Restart) -> Result<u64> {
    let mut jobs =
        QueryBuilder::new(concat!("UPDATE jobs SET state = 'pending', tries = 0, crashes = 0, run_at = ", now!()));
    jobs.push(" WHERE (document, stage) IN (SELECT d.id, d.stage FROM documents d WHERE d.batch = ")
        .push_bind(batch.to_string());
    push_which(&mut jobs, which);
    jobs.push(") AND state IN ('failed', 'cancelled') RETURNING document");
    let documents: Vec<String> = jobs.build_query_scalar().fetch_all(&mut *tx).await.map_err(database)?;
    sqlx::query(concat!(
        "UPDATE documents SET status = 'pending', failure = NULL, ",
        changed!(),
        " WHERE id IN (SELECT value FROM json_each(?))"
    ))
    .bind(json(&documents))
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(documents.len() as u64)
}

fn push_which(sql: &mut QueryBuilder<Sqlite>, which: &Restart) {
    match which {
        Restart::Cancelled => sql.push(" AND d.status = 'cancelled'"),
        Restart::Failed => sql.push(" AND d.status = 'failed'"),
        Restart::FailedWith(code) => sql.push(" AND d.status = 'failed' AND d.failure_code = ").push_bind(code.name()),
        Restart::Document(document) => {
            sql.push(" AND d.status IN ('failed', 'cancelled') AND d.id = ").push_bind(document.to_string())
        }
    };
}

/// The batch runs (again): a grouping that is under way is of the past. The next one is queued by the caller, with
/// [`queue_analysis_when_ready`], or comes with the end of the last document.
pub(crate) async fn set_going(tx: &mut SqliteConnection, batch: BatchId) -> Result<()> {
    for sql in [
        "UPDATE jobs SET state = 'cancelled', worker = NULL, lease_until = NULL \
         WHERE batch = ? AND stage = 'analyse' AND state IN ('pending', 'processing')",
        concat!(
            "UPDATE batches SET status = 'pending', failure = NULL, finished_at = NULL, started_at = ",
            now!(),
            " WHERE id = ? AND status NOT IN ('pending', 'processing')"
        ),
    ] {
        sqlx::query(sql).bind(batch.to_string()).execute(&mut *tx).await.map_err(database)?;
    }
    Ok(())
}

pub async fn change(writer: &SqlitePool, batch: BatchId, change: &BatchChange) -> Result<bool> {
    let BatchChange { name, priority } = change;
    let changed =
        sqlx::query("UPDATE batches SET name = coalesce(?, name), priority = coalesce(?, priority) WHERE id = ?")
            .bind(name)
            .bind(priority.map(sheaf_domain::Priority::rank))
            .bind(batch.to_string())
            .execute(writer)
            .await
            .map_err(database)?;
    Ok(changed.rows_affected() > 0)
}

/// Lists an attempt that did not succeed.
pub(crate) async fn note_attempt(tx: &mut SqliteConnection, claim: &Claim, failure: &Failure) -> Result<()> {
    sqlx::query(concat!(
        "INSERT INTO attempts (job, attempt, failure, ended_at) VALUES (?, ?, ?, ",
        now!(),
        ") ON CONFLICT DO NOTHING"
    ))
    .bind(claim.job.to_string())
    .bind(claim.attempt)
    .bind(json(failure))
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

pub async fn attempts(readers: &SqlitePool, batch: BatchId, document: DocumentId) -> Result<Vec<Attempt>> {
    let rows = sqlx::query(
        "SELECT j.stage, a.attempt, a.ended_at, a.failure FROM jobs j JOIN attempts a ON a.job = j.id \
         WHERE j.document = ? AND j.batch = ? ORDER BY a.ended_at, a.attempt",
    )
    .bind(document.to_string())
    .bind(batch.to_string())
    .fetch_all(readers)
    .await
    .map_err(database)?;
    rows.iter()
        .map(|row| {
            Ok(Attempt {
                stage: name(row, "jobs", "stage")?,
                number: get(row, "attempt")?,
                ended_at: seconds(get(row, "ended_at")?),
                failure: parsed(row, "attempts", "failure")?,
            })
        })
        .collect()
}
