//! Attempts that end without success: tried again later, or for good.

use sheaf_domain::{Failure, Status};
use sheaf_store::Claim;
use sqlx::{PgConnection, PgPool};

use crate::arrive::queue_analysis_when_ready;
use crate::rows::{json, signed};
use crate::work::{held, mark_pending};
use crate::{Result, database, now};

pub async fn fail(pool: &PgPool, claim: &Claim, failure: &Failure, retry_ms: Option<u64>) -> Result<bool> {
    let mut tx = pool.begin().await.map_err(database)?;
    if held(&mut tx, &[claim]).await?.is_empty() {
        return Ok(false);
    }
    match retry_ms {
        Some(wait) => {
            sqlx::query(concat!(
                "UPDATE jobs SET state = 'pending', worker = NULL, lease_until = NULL, run_at = ",
                now!(),
                " + $1 WHERE id = $2"
            ))
            .bind(signed(wait))
            .bind(claim.job.0)
            .execute(&mut *tx)
            .await
            .map_err(database)?;
            mark_pending(&mut tx, std::slice::from_ref(claim)).await?;
        }
        None => fail_for_good(&mut tx, claim, failure).await?,
    }
    tx.commit().await.map_err(database)?;
    Ok(true)
}

/// The job, which the transaction has locked, and its document (or its batch) have failed; a batch that waited for this
/// document only is analysed next.
pub(crate) async fn fail_for_good(tx: &mut PgConnection, claim: &Claim, failure: &Failure) -> Result<()> {
    if claim.document.is_some() {
        fail_document(tx, claim, failure).await?;
        return queue_analysis_when_ready(tx, claim.batch).await;
    }
    fail_job(tx, claim).await?;
    sqlx::query(concat!(
        "UPDATE batches SET status = 'failed', failure = $1::json, finished_at = ",
        now!(),
        " WHERE id = $2"
    ))
    .bind(json(failure))
    .bind(claim.batch.0)
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

/// The job, which the transaction has locked, and its document have failed. Whether the batch is analysed next is for the
/// caller to ask.
pub(crate) async fn fail_document(tx: &mut PgConnection, claim: &Claim, failure: &Failure) -> Result<()> {
    fail_job(tx, claim).await?;
    sqlx::query(concat!(
        "UPDATE documents SET status = 'failed', failure = $1::json, failure_code = $2, stage = $3, updated_at = ",
        now!(),
        " WHERE id = $4"
    ))
    .bind(json(failure))
    .bind(failure.code.name())
    .bind(claim.stage.name())
    .bind(claim.document.map(|d| d.0))
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

/// Whatever state the job is in: a lost one has been given back already.
async fn fail_job(tx: &mut PgConnection, claim: &Claim) -> Result<()> {
    sqlx::query("UPDATE jobs SET state = $1, worker = NULL, lease_until = NULL WHERE id = $2")
        .bind(Status::Failed.name())
        .bind(claim.job.0)
        .execute(tx)
        .await
        .map_err(database)?;
    Ok(())
}
