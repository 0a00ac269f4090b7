//! Leases: kept, given back, lost. Results are beside their stages.

use sheaf_domain::{JobId, Status};
use sheaf_store::{Claim, StoreError, WorkerState};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::claim::{documents, read_claim};
use crate::rows::{get, json, parsed, signed, small};
use crate::{Result, changed, database, fail, now, progress, steer};

/// Waits after the first lost lease; doubled with each further one.
const CRASH_BACKOFF_MS: u64 = 500;

/// A worker that was silent for this long is forgotten.
const WORKER_FORGOTTEN_MS: u64 = 24 * 60 * 60 * 1000;

/// The document of a claim of a document's stage.
pub(crate) fn document_of(claim: &Claim) -> Result<Uuid> {
    claim.document.map(|d| d.0).ok_or_else(|| StoreError::Row {
        table: "jobs",
        reason: format!("job `{}` of stage `{}` has no document", claim.job, claim.stage),
    })
}

/// Moves the job from `processing` to its last state; `false` when this attempt no longer holds it.
pub(crate) async fn finish_job(tx: &mut PgConnection, claim: &Claim, state: Status) -> Result<bool> {
    let result = sqlx::query(
        "UPDATE jobs SET state = $1, worker = NULL, lease_until = NULL \
         WHERE id = $2 AND attempts = $3 AND state = 'processing'",
    )
    .bind(state.name())
    .bind(claim.job.0)
    .bind(i64::from(claim.attempt))
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(result.rows_affected() == 1)
}

/// These jobs, which the transaction has locked, are done.
pub(crate) async fn complete_jobs(tx: &mut PgConnection, jobs: Vec<Uuid>) -> Result<()> {
    sqlx::query("UPDATE jobs SET state = 'completed', worker = NULL, lease_until = NULL WHERE id = ANY($1)")
        .bind(jobs)
        .execute(tx)
        .await
        .map_err(database)?;
    Ok(())
}

fn jobs(claims: &[Claim]) -> Vec<Uuid> {
    claims.iter().map(|c| c.job.0).collect()
}

fn attempts(claims: &[Claim]) -> Vec<i64> {
    claims.iter().map(|c| i64::from(c.attempt)).collect()
}

pub async fn held(pool: &PgPool, claims: &[Claim]) -> Result<Vec<JobId>> {
    let held: Vec<Uuid> = sqlx::query_scalar(
        "SELECT j.id FROM jobs j JOIN unnest($1::uuid[], $2::bigint[]) AS c (id, attempt) \
         ON j.id = c.id AND j.attempts = c.attempt WHERE j.state = 'processing'",
    )
    .bind(jobs(claims))
    .bind(attempts(claims))
    .fetch_all(pool)
    .await
    .map_err(database)?;
    Ok(held.into_iter().map(JobId).collect())
}

/// Those of the claims that are still held, locked until the transaction ends.
pub(crate) async fn lock_held(tx: &mut PgConnection, claims: &[Claim]) -> Result<Vec<Claim>> {
    let held: Vec<Uuid> = sqlx::query_scalar(
        "SELECT j.id FROM jobs j JOIN unnest($1::uuid[], $2::bigint[]) AS c (id, attempt) \
         ON j.id = c.id AND j.attempts = c.attempt WHERE j.state = 'processing' ORDER BY j.id FOR UPDATE OF j",
    )
    .bind(jobs(claims))
    .bind(attempts(claims))
    .fetch_all(tx)
    .await
    .map_err(database)?;
    Ok(claims.iter().filter(|claim| held.contains(&claim.job.0)).cloned().collect())
}

pub async fn heartbeat(pool: &PgPool, worker: &str, claims: &[Claim], lease_ms: u64) -> Result<Vec<JobId>> {
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = pool.begin().await.map_err(database)?;
    let held = lock_held(&mut tx, claims).await?;
    let kept: Vec<Uuid> = sqlx::query_scalar(concat!(
        "UPDATE jobs SET lease_until = ",
        now!(),
        " + $1 WHERE id = ANY($2) AND worker = $3 RETURNING id"
    ))
    .bind(signed(lease_ms))
    .bind(jobs(&held))
    .bind(worker)
    .fetch_all(&mut *tx)
    .await
    .map_err(database)?;
    tx.commit().await.map_err(database)?;
    Ok(kept.into_iter().map(JobId).collect())
}

pub async fn release(pool: &PgPool, claims: &[Claim]) -> Result<()> {
    let mut tx = pool.begin().await.map_err(database)?;
    let held = lock_held(&mut tx, claims).await?;
    give_back(&mut tx, &held).await?;
    tx.commit().await.map_err(database)
}

/// These jobs, which the transaction has locked, are ready again, as if they had not been claimed.
pub(crate) async fn give_back(tx: &mut PgConnection, claims: &[Claim]) -> Result<()> {
    sqlx::query(
        "UPDATE jobs SET state = 'pending', tries = tries - 1, worker = NULL, lease_until = NULL WHERE id = ANY($1)",
    )
    .bind(jobs(claims))
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    mark_pending(tx, claims).await
}

/// The documents wait again.
pub(crate) async fn mark_pending(tx: &mut PgConnection, claims: &[Claim]) -> Result<()> {
    sqlx::query(concat!("UPDATE documents SET status = 'pending', ", changed!(), " WHERE id = ANY($1)"))
        .bind(documents(claims))
        .execute(tx)
        .await
        .map_err(database)?;
    Ok(())
}

pub async fn expire_leases(pool: &PgPool, max_crashes: u32, all: bool) -> Result<u64> {
    let mut expired = 0;
    for claim in lost_too_often(pool, max_crashes, all).await? {
        expired += u64::from(fail::fail_lost(pool, &claim, &claim.vanished(), all).await?);
    }
    let mut tx = pool.begin().await.map_err(database)?;
    // Several servers do this at the same time: each takes the jobs that no other has in its hands.
    let rows = sqlx::query(concat!(
        "WITH lost AS MATERIALIZED (SELECT id FROM jobs WHERE state = 'processing' AND ($1 OR lease_until < ",
        now!(),
        ") AND crashes + 1 < $3 ORDER BY id FOR UPDATE SKIP LOCKED) ",
        "UPDATE jobs j SET crashes = crashes + 1, state = 'pending', worker = NULL, lease_until = NULL, run_at = ",
        now!(),
        // With `all` this process has just started: the wait would only be felt by people.
        " + CASE WHEN $1 THEN 0 ELSE $2 * (1 << least(crashes, 6)::int) + floor(random() * 250)::bigint END ",
        "FROM lost WHERE j.id = lost.id RETURNING j.id, j.attempts, j.tries, j.stage, j.batch, j.document, j.crashes, ",
        "(SELECT b.trace FROM batches b WHERE b.id = j.batch) AS trace"
    ))
    .bind(all)
    .bind(signed(CRASH_BACKOFF_MS))
    .bind(i64::from(max_crashes))
    .fetch_all(&mut *tx)
    .await
    .map_err(database)?;
    let claims = rows.iter().map(read_claim).collect::<Result<Vec<_>>>()?;
    for claim in &claims {
        steer::note_attempt(&mut tx, claim, &claim.vanished()).await?;
    }
    mark_pending(&mut tx, &claims).await?;
    tx.commit().await.map_err(database)?;
    Ok(expired + claims.len() as u64)
}

/// Jobs whose lease ran out for the last time, with that loss counted. Each fails in a transaction of its own, for that has to
/// lock its batch first.
async fn lost_too_often(pool: &PgPool, max_crashes: u32, all: bool) -> Result<Vec<Claim>> {
    let rows = sqlx::query(concat!(
        "SELECT id, attempts, tries, stage, batch, document, crashes + 1 AS crashes, ",
        "(SELECT b.trace FROM batches b WHERE b.id = jobs.batch) AS trace FROM jobs ",
        "WHERE state = 'processing' AND ($1 OR lease_until < ",
        now!(),
        ") AND crashes + 1 >= $2 ORDER BY id"
    ))
    .bind(all)
    .bind(i64::from(max_crashes))
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter().map(read_claim).collect()
}

pub async fn note_worker(pool: &PgPool, worker: &WorkerState) -> Result<()> {
    sqlx::query(concat!("DELETE FROM workers WHERE seen_at + $1 < ", now!()))
        .bind(signed(WORKER_FORGOTTEN_MS))
        .execute(pool)
        .await
        .map_err(database)?;
    sqlx::query(concat!(
        "INSERT INTO workers (id, host, stages, cores, busy, recognition_full, seen_at) ",
        "VALUES ($1, $2, $3::json, $4, $5, $6, ",
        now!(),
        ") ON CONFLICT (id) DO UPDATE SET host = excluded.host, stages = excluded.stages, cores = excluded.cores, ",
        "busy = excluded.busy, recognition_full = excluded.recognition_full, seen_at = excluded.seen_at"
    ))
    .bind(&worker.id)
    .bind(&worker.host)
    .bind(json(&worker.stages))
    .bind(i64::from(worker.cores))
    .bind(worker.busy)
    .bind(worker.recognition_full)
    .execute(pool)
    .await
    .map_err(database)?;
    // Somebody has to, and signs of life are rare enough.
    progress::fold(pool).await
}

pub async fn workers(pool: &PgPool, within_ms: u64) -> Result<Vec<WorkerState>> {
    let rows = sqlx::query(concat!(
        "SELECT id, host, stages, cores, busy, recognition_full FROM workers WHERE seen_at + $1 >= ",
        now!(),
        " ORDER BY id"
    ))
    .bind(signed(within_ms))
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter()
        .map(|row| {
            Ok(WorkerState {
                id: get(row, "id")?,
                host: get(row, "host")?,
                stages: parsed(row, "workers", "stages")?,
                cores: small(row, "workers", "cores")?,
                busy: get(row, "busy")?,
                recognition_full: get(row, "recognition_full")?,
            })
        })
        .collect()
}
