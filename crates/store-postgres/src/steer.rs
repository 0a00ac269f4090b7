//! People steer: batches are stopped, started again and changed; the failures of earlier attempts stay readable.

use sheaf_domain::{Attempt, BatchChange, BatchId, DocumentId, Failure, Priority, Restart, Status};
use sheaf_store::Claim;
use sqlx::{PgConnection, PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::arrive::{lock_batches, queue_analysis_when_ready};
use crate::rows::{get, json, name, parsed, seconds, small};
use crate::{Result, changed, database, now, nul, webhooks};

pub async fn cancel(pool: &PgPool, batch: BatchId) -> Result<bool> {
    let mut tx = pool.begin().await.map_err(database)?;
    let stopped = end(&mut tx, batch, Status::Cancelled, None).await?;
    tx.commit().await.map_err(database)?;
    Ok(stopped)
}

/// Stops a batch, which the transaction has locked, if its policy is that one failure stops all.
pub(crate) async fn stop_if_failing(
    tx: &mut PgConnection,
    batch: BatchId,
    path: &str,
    failure: &Failure,
) -> Result<()> {
    let fails_all: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM batches WHERE id = $1 AND on_error = 'fail_all')")
            .bind(batch.0)
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

/// Ends a batch that runs and queues what webhooks hear of it; `false` when it does not run. The batch is locked from then on.
/// Unless it is complete, what of it still waits or is in work is cancelled.
pub(crate) async fn end(
    tx: &mut PgConnection,
    batch: BatchId,
    status: Status,
    failure: Option<&Failure>,
) -> Result<bool> {
    let ended = sqlx::query(concat!(
        "UPDATE batches SET status = $1, failure = $2::json, ran_ms = ran_ms + ",
        now!(),
        " - started_at, finished_at = ",
        now!(),
        " WHERE id = $3 AND status IN ('pending', 'processing')"
    ))
    .bind(status.name())
    .bind(failure.map(json))
    .bind(batch.0)
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
async fn cancel_rest(tx: &mut PgConnection, batch: BatchId) -> Result<()> {
    // Whoever has a job in its hands is waited for, in the order in which all take jobs; then for those that were added by then.
    let take = "SELECT FROM jobs WHERE batch = $1 AND state IN ('pending', 'processing') ORDER BY id FOR UPDATE";
    for sql in [
        take,
        take,
        "UPDATE jobs SET state = 'cancelled', worker = NULL, lease_until = NULL \
         WHERE batch = $1 AND state IN ('pending', 'processing')",
        concat!(
            "UPDATE documents SET status = 'cancelled', pages_done = NULL, pages_total = NULL, ",
            changed!(),
            " WHERE batch = $1 AND status IN ('pending', 'processing')"
        ),
    ] {
        sqlx::query(sql).bind(batch.0).execute(&mut *tx).await.map_err(database)?;
    }
    Ok(())
}

pub async fn restart(pool: &PgPool, batch: BatchId, which: &Restart) -> Result<Option<u64>> {
    let mut tx = pool.begin().await.map_err(database)?;
    lock_batches(&mut tx, [batch]).await?;
    let documents = restart_documents(&mut tx, batch, which).await?;
    // A batch that was stopped while it was grouped, or failed at that, has no document to do.
    let grouping = match which {
        Restart::Cancelled => Status::Cancelled.name(),
        Restart::Failed => Status::Failed.name(),
        Restart::FailedWith(_) | Restart::Document(_) => "",
    };
    let stopped: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM jobs j JOIN batches b ON b.id = j.batch WHERE b.id = $1 AND j.stage = 'analyse' \
         AND j.state = $2 AND b.status = $2)",
    )
    .bind(batch.0)
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

/// Puts documents of a batch, which the transaction has locked, back to the stage at which they stopped; gives how many.
pub(crate) async fn restart_documents(tx: &mut PgConnection, batch: BatchId, which: &Restart) -> Result<u64> {
    let mut jobs = QueryBuilder::new(concat!(
        "UPDATE jobs j SET state = 'pending', tries = 0, crashes = 0, run_at = ",
        now!(),
        " FROM documents d WHERE j.document = d.id AND j.stage = d.stage AND j.state IN ('failed', 'cancelled') AND d.batch = "
    ));
    jobs.push_bind(batch.0);
    push_which(&mut jobs, which);
    jobs.push(" RETURNING j.document");
    let documents: Vec<Uuid> = jobs.build_query_scalar().fetch_all(&mut *tx).await.map_err(database)?;
    sqlx::query(concat!(
        "UPDATE documents SET status = 'pending', failure = NULL, failure_code = NULL, ",
        changed!(),
        " WHERE id = ANY($1)"
    ))
    .bind(&documents)
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(documents.len() as u64)
}

fn push_which(sql: &mut QueryBuilder<Postgres>, which: &Restart) {
    match which {
        Restart::Cancelled => sql.push(" AND d.status = 'cancelled'"),
        Restart::Failed => sql.push(" AND d.status = 'failed'"),
        Restart::FailedWith(code) => sql.push(" AND d.status = 'failed' AND d.failure_code = ").push_bind(code.name()),
        Restart::Document(document) => {
            sql.push(" AND d.status IN ('failed', 'cancelled') AND d.id = ").push_bind(document.0)
        }
    };
}

/// The batch, which the transaction has locked, runs (again): a grouping that is under way is of the past. The next one is
/// queued by the caller, with [`queue_analysis_when_ready`], or comes with the end of the last document.
pub(crate) async fn set_going(tx: &mut PgConnection, batch: BatchId) -> Result<()> {
    for sql in [
        "UPDATE jobs SET state = 'cancelled', worker = NULL, lease_until = NULL \
         WHERE batch = $1 AND stage = 'analyse' AND state IN ('pending', 'processing')",
        concat!(
            "UPDATE batches SET status = 'pending', failure = NULL, finished_at = NULL, started_at = ",
            now!(),
            " WHERE id = $1 AND status NOT IN ('pending', 'processing')"
        ),
    ] {
        sqlx::query(sql).bind(batch.0).execute(&mut *tx).await.map_err(database)?;
    }
    Ok(())
}

pub async fn change(pool: &PgPool, batch: BatchId, change: &BatchChange) -> Result<bool> {
    let BatchChange { name, priority } = change;
    let changed =
        sqlx::query("UPDATE batches SET name = coalesce($1, name), priority = coalesce($2, priority) WHERE id = $3")
            .bind(name.as_deref().map(nul::hide))
            .bind(priority.map(Priority::rank))
            .bind(batch.0)
            .execute(pool)
            .await
            .map_err(database)?;
    Ok(changed.rows_affected() > 0)
}

/// Lists an attempt that did not succeed.
pub(crate) async fn note_attempt(tx: &mut PgConnection, claim: &Claim, failure: &Failure) -> Result<()> {
    sqlx::query(concat!(
        "INSERT INTO attempts (job, attempt, failure, ended_at) VALUES ($1, $2, $3::json, ",
        now!(),
        ") ON CONFLICT DO NOTHING"
    ))
    .bind(claim.job.0)
    .bind(i64::from(claim.attempt))
    .bind(json(failure))
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

pub async fn attempts(pool: &PgPool, batch: BatchId, document: DocumentId) -> Result<Vec<Attempt>> {
    let rows = sqlx::query(
        "SELECT j.stage, a.attempt, a.ended_at, a.failure FROM jobs j JOIN attempts a ON a.job = j.id \
         WHERE j.document = $1 AND j.batch = $2 ORDER BY a.ended_at, a.attempt",
    )
    .bind(document.0)
    .bind(batch.0)
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter()
        .map(|row| {
            Ok(Attempt {
                stage: name(row, "jobs", "stage")?,
                number: small(row, "attempts", "attempt")?,
                ended_at: seconds(get(row, "ended_at")?),
                failure: parsed(row, "attempts", "failure")?,
            })
        })
        .collect()
}
