//! Attempts that end without success: tried again later, or for good.

use sheaf_domain::{Failure, Status};
use sheaf_store::Claim;
use sqlx::{PgConnection, PgPool};

use crate::arrive::{lock_batches, queue_analysis_when_ready};
use crate::rows::{json, signed, text};
use crate::steer::{end, note_attempt, stop_if_failing};
use crate::work::{finish_job, lock_held, mark_pending};
use crate::{Result, changed, database, now};

pub async fn fail(pool: &PgPool, claim: &Claim, failure: &Failure, retry_ms: Option<u64>) -> Result<bool> {
    let mut tx = pool.begin().await.map_err(database)?;
    let failed = match retry_ms {
        Some(wait) => try_later(&mut tx, claim, failure, wait).await?,
        None => {
            lock_batches(&mut tx, [claim.batch]).await?;
            finish_job(&mut tx, claim, Status::Failed).await? && {
                fail_for_good(&mut tx, claim, failure).await?;
                true
            }
        }
    };
    tx.commit().await.map_err(database)?;
    Ok(failed)
}

async fn try_later(tx: &mut PgConnection, claim: &Claim, failure: &Failure, wait_ms: u64) -> Result<bool> {
    let held = lock_held(tx, std::slice::from_ref(claim)).await?;
    if held.is_empty() {
        return Ok(false);
    }
    note_attempt(tx, claim, failure).await?;
    sqlx::query(concat!(
        "UPDATE jobs SET state = 'pending', worker = NULL, lease_until = NULL, run_at = ",
        now!(),
        " + $1 + floor(random() * ($1 / 4 + 1))::bigint WHERE id = $2"
    ))
    .bind(signed(wait_ms))
    .bind(claim.job.0)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    mark_pending(tx, &held).await?;
    Ok(true)
}

/// Fails a job whose lease ran out (or, with `all`, whoever holds it), unless it was saved at the last moment.
pub(crate) async fn fail_lost(pool: &PgPool, claim: &Claim, failure: &Failure, all: bool) -> Result<bool> {
    let mut tx = pool.begin().await.map_err(database)?;
    lock_batches(&mut tx, [claim.batch]).await?;
    let lost = sqlx::query(concat!(
        "UPDATE jobs SET state = 'failed', crashes = crashes + 1, worker = NULL, lease_until = NULL ",
        "WHERE id = $1 AND attempts = $2 AND state = 'processing' AND ($3 OR lease_until < ",
        now!(),
        ")"
    ))
    .bind(claim.job.0)
    .bind(i64::from(claim.attempt))
    .bind(all)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    let failed = lost.rows_affected() == 1;
    if failed {
        fail_for_good(&mut tx, claim, failure).await?;
    }
    tx.commit().await.map_err(database)?;
    Ok(failed)
}

/// The document (or the batch) of a job that has just failed has failed too; a batch that waited for this document only is
/// analysed next. The transaction has locked the batch.
pub(crate) async fn fail_for_good(tx: &mut PgConnection, claim: &Claim, failure: &Failure) -> Result<()> {
    note_attempt(tx, claim, failure).await?;
    let Some(document) = claim.document else {
        return end(tx, claim.batch, Status::Failed, Some(failure)).await.map(drop);
    };
    let row = sqlx::query(concat!(
        "UPDATE documents SET status = 'failed', failure = $1::json, failure_code = $2, stage = $3, ",
        changed!(),
        " WHERE id = $4 RETURNING path"
    ))
    .bind(json(failure))
    .bind(failure.code.name())
    .bind(claim.stage.name())
    .bind(document.0)
    .fetch_one(&mut *tx)
    .await
    .map_err(database)?;
    stop_if_failing(tx, claim.batch, &text(&row, "path")?, failure).await?;
    queue_analysis_when_ready(tx, claim.batch).await
}
