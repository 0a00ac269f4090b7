//! The queue: claims, leases and their end. Completion is in `finish`, with the results.

use sheaf_domain::{BatchId, DocumentId, Failure, FailureCode, JobId, Stage};
use sheaf_store::Claim;
use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, SqlitePool};

use crate::rows::{get, id, name};
use crate::{Result, database, finish, now};

/// Waits after the first lost lease; doubled with each further one.
const CRASH_BACKOFF_MS: u64 = 500;

pub async fn claim(writer: &SqlitePool, stage: Stage, worker: &str, limit: u32, lease_ms: u64) -> Result<Vec<Claim>> {
    let mut tx = writer.begin().await.map_err(database)?;
    let mut rows = lease(&mut tx, stage, worker, false, limit, lease_ms).await?;
    if rows.is_empty() {
        // A job that was lost before may be what killed its worker: it comes last, and alone, so that it cannot take
        // innocent ones along.
        rows = lease(&mut tx, stage, worker, true, 1, lease_ms).await?;
    }
    let mut claims = rows.iter().map(read_claim).collect::<Result<Vec<_>>>()?;
    // RETURNING promises no order; ids are UUID v7, so this is the order of arrival.
    claims.sort_by_key(|c| c.job);
    for claim in &claims {
        mark_processing(&mut tx, claim).await?;
    }
    tx.commit().await.map_err(database)?;
    Ok(claims)
}

async fn lease(
    tx: &mut SqliteConnection,
    stage: Stage,
    worker: &str,
    suspects: bool,
    limit: u32,
    lease_ms: u64,
) -> Result<Vec<SqliteRow>> {
    sqlx::query(concat!(
        "UPDATE jobs SET state = 'processing', attempts = attempts + 1, worker = ?1, lease_until = ",
        now!(),
        " + ?2 WHERE id IN (SELECT id FROM jobs WHERE state = 'pending' AND stage = ?3 AND (crashes > 0) = ?4 ",
        "AND run_at <= ",
        now!(),
        " ORDER BY priority DESC, run_at, id LIMIT ?5) ",
        "RETURNING id, attempts, stage, batch, document, crashes"
    ))
    .bind(worker)
    .bind(signed(lease_ms))
    .bind(stage.name())
    .bind(suspects)
    .bind(limit)
    .fetch_all(tx)
    .await
    .map_err(database)
}

fn read_claim(row: &SqliteRow) -> Result<Claim> {
    let document: Option<&str> = get(row, "document")?;
    Ok(Claim {
        job: JobId(id(row, "jobs", "id")?),
        attempt: get(row, "attempts")?,
        stage: name(row, "jobs", "stage")?,
        batch: BatchId(id(row, "jobs", "batch")?),
        document: document.map(|_| id(row, "jobs", "document").map(DocumentId)).transpose()?,
        crashes: get(row, "crashes")?,
    })
}

/// Shows the claim where people look: at the document, and at the batch that was waiting.
async fn mark_processing(tx: &mut SqliteConnection, claim: &Claim) -> Result<()> {
    if let Some(document) = claim.document {
        sqlx::query(concat!(
            "UPDATE documents SET status = 'processing', stage = ?, updated_at = ",
            now!(),
            " WHERE id = ?"
        ))
        .bind(claim.stage.name())
        .bind(document.to_string())
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    }
    sqlx::query("UPDATE batches SET status = 'processing' WHERE id = ? AND status = 'pending'")
        .bind(claim.batch.to_string())
        .execute(tx)
        .await
        .map_err(database)?;
    Ok(())
}

pub async fn heartbeat(writer: &SqlitePool, worker: &str, claims: &[Claim], lease_ms: u64) -> Result<Vec<JobId>> {
    let mut tx = writer.begin().await.map_err(database)?;
    let mut held = Vec::with_capacity(claims.len());
    for claim in claims {
        let result = sqlx::query(concat!(
            "UPDATE jobs SET lease_until = ",
            now!(),
            " + ? WHERE id = ? AND attempts = ? AND worker = ? AND state = 'processing'"
        ))
        .bind(signed(lease_ms))
        .bind(claim.job.to_string())
        .bind(claim.attempt)
        .bind(worker)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
        if result.rows_affected() == 1 {
            held.push(claim.job);
        }
    }
    tx.commit().await.map_err(database)?;
    Ok(held)
}

pub async fn release(writer: &SqlitePool, claims: &[Claim]) -> Result<()> {
    let mut tx = writer.begin().await.map_err(database)?;
    for claim in claims {
        let result = sqlx::query(
            "UPDATE jobs SET state = 'pending', worker = NULL, lease_until = NULL \
             WHERE id = ? AND attempts = ? AND state = 'processing'",
        )
        .bind(claim.job.to_string())
        .bind(claim.attempt)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
        if result.rows_affected() == 1 {
            mark_pending(&mut tx, claim).await?;
        }
    }
    tx.commit().await.map_err(database)
}

/// The document waits again.
pub(crate) async fn mark_pending(tx: &mut SqliteConnection, claim: &Claim) -> Result<()> {
    let Some(document) = claim.document else { return Ok(()) };
    sqlx::query(concat!("UPDATE documents SET status = 'pending', updated_at = ", now!(), " WHERE id = ?"))
        .bind(document.to_string())
        .execute(tx)
        .await
        .map_err(database)?;
    Ok(())
}

pub async fn expire_leases(writer: &SqlitePool, max_crashes: u32, all: bool) -> Result<u64> {
    let mut tx = writer.begin().await.map_err(database)?;
    let rows = sqlx::query(concat!(
        "UPDATE jobs SET state = 'pending', worker = NULL, lease_until = NULL, crashes = crashes + 1, run_at = ",
        now!(),
        // With `all` this process has just started: the wait would only be felt by people.
        " + CASE WHEN ?1 THEN 0 ELSE ?2 * (1 << min(crashes, 6)) + abs(random() % 250) END ",
        "WHERE state = 'processing' AND (?1 OR lease_until < ",
        now!(),
        ") RETURNING id, attempts, stage, batch, document, crashes"
    ))
    .bind(all)
    .bind(signed(CRASH_BACKOFF_MS))
    .fetch_all(&mut *tx)
    .await
    .map_err(database)?;
    let claims = rows.iter().map(read_claim).collect::<Result<Vec<_>>>()?;
    for claim in &claims {
        if claim.crashes >= max_crashes {
            let failure = Failure::new(
                FailureCode::WorkerCrashed,
                format!("the worker vanished {} times while it was at this ({})", claim.crashes, claim.stage.label()),
            );
            finish::fail_for_good(&mut tx, claim, &failure).await?;
        } else {
            mark_pending(&mut tx, claim).await?;
        }
    }
    tx.commit().await.map_err(database)?;
    Ok(claims.len() as u64)
}

/// SQLite's integers are signed.
pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
