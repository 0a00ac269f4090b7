//! The documents of runs as a queue: leases, and how they end.

use sheaf_domain::{BatchId, DocumentId, Failure, FailureCode, FlowId, RunId};
use sheaf_store::{RunClaim, RunFound};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{steer, values};
use crate::rows::{id, json, signed, small};
use crate::{Result, database, now};

/// Waits after a lost lease.
const CRASH_BACKOFF_MS: u64 = 500;

/// The columns of a claim of `run_documents`.
macro_rules! claim_columns {
    () => {
        "run, document, batch, attempts, tries, crashes, (SELECT r.flow FROM runs r WHERE r.id = run) AS flow, \
         (SELECT r.version FROM runs r WHERE r.id = run) AS version"
    };
}

fn read_claim(row: &PgRow) -> Result<RunClaim> {
    Ok(RunClaim {
        run: RunId(id(row, "run")?),
        document: DocumentId(id(row, "document")?),
        batch: BatchId(id(row, "batch")?),
        attempt: small(row, "run_documents", "attempts")?,
        tries: small(row, "run_documents", "tries")?,
        flow: FlowId(id(row, "flow")?),
        version: small(row, "runs", "version")?,
    })
}

pub async fn claim(pool: &PgPool, worker: &str, slots: u32, lease_ms: u64) -> Result<Vec<RunClaim>> {
    let runs: Vec<(Uuid, i16)> = sqlx::query_as(concat!(
        "SELECT r.id, r.priority FROM runs r WHERE r.status IN ('pending', 'processing') AND EXISTS (",
        "SELECT 1 FROM run_documents d WHERE d.run = r.id AND d.state = 'pending' AND d.run_at <= ",
        now!(),
        ") ORDER BY r.priority DESC, ",
        "(SELECT count(*) FROM run_documents d WHERE d.run = r.id AND d.state = 'processing'), r.claimed_at, r.id"
    ))
    .fetch_all(pool)
    .await
    .map_err(database)?;
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = pool.begin().await.map_err(database)?;
    let mut claims: Vec<RunClaim> = Vec::new();
    for equals in runs.chunk_by(|a, b| a.1 == b.1) {
        for (i, (run, _)) in equals.iter().enumerate() {
            let free = (slots as usize).saturating_sub(claims.len());
            let share = u32::try_from(free.div_ceil(equals.len() - i)).unwrap_or(u32::MAX);
            if share > 0 {
                claims.extend(lease(&mut tx, *run, worker, share, lease_ms).await?);
            }
        }
    }
    tx.commit().await.map_err(database)?;
    Ok(claims)
}

/// Leases documents of one run.
pub async fn claim_of(pool: &PgPool, run: RunId, worker: &str, slots: u32, lease_ms: u64) -> Result<Vec<RunClaim>> {
    let mut tx = pool.begin().await.map_err(database)?;
    let claims = lease(&mut tx, run.0, worker, slots, lease_ms).await?;
    tx.commit().await.map_err(database)?;
    Ok(claims)
}

async fn lease(tx: &mut PgConnection, run: Uuid, worker: &str, slots: u32, lease_ms: u64) -> Result<Vec<RunClaim>> {
    // The run first: that is the order of locks. One that was stopped meanwhile gives nothing.
    let going = sqlx::query(concat!(
        "UPDATE runs SET status = 'processing', claimed_at = ",
        now!(),
        " WHERE id = $1 AND status IN ('pending', 'processing')"
    ))
    .bind(run)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    if going.rows_affected() == 0 {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(concat!(
        // Materialized: a subquery that is run again for each row would lock, and give, more than its limit.
        "WITH picked AS MATERIALIZED (SELECT d.document FROM run_documents d WHERE d.run = $3 AND d.state = 'pending' ",
        "AND d.run_at <= ",
        now!(),
        " ORDER BY d.crashes, d.document LIMIT $4 FOR UPDATE SKIP LOCKED) ",
        "UPDATE run_documents SET state = 'processing', attempts = attempts + 1, tries = tries + 1, worker = $1, ",
        "outdated = false, lease_until = ",
        now!(),
        " + $2 WHERE run = $3 AND document IN (SELECT document FROM picked) RETURNING ",
        claim_columns!()
    ))
    .bind(worker)
    .bind(signed(lease_ms))
    .bind(run)
    .bind(i64::from(slots))
    .fetch_all(&mut *tx)
    .await
    .map_err(database)?;
    rows.iter().map(read_claim).collect()
}

/// The claims as columns of runs, documents and attempts for `unnest`.
fn columns(claims: &[RunClaim]) -> (Vec<Uuid>, Vec<Uuid>, Vec<i64>) {
    let mut claims: Vec<&RunClaim> = claims.iter().collect();
    claims.sort_by_key(|claim| (claim.run, claim.document));
    (
        claims.iter().map(|claim| claim.run.0).collect(),
        claims.iter().map(|claim| claim.document.0).collect(),
        claims.iter().map(|claim| i64::from(claim.attempt)).collect(),
    )
}

/// What is still held of the claims that columns tell, locked in the order in which [`complete`] locks: whoever has the one
/// and waits for the other would wait for ever.
macro_rules! held {
    ($runs:literal, $documents:literal, $attempts:literal) => {
        concat!(
            "WITH held AS MATERIALIZED (SELECT run, document FROM run_documents WHERE state = 'processing' ",
            "AND (run, document, attempts) IN (SELECT * FROM unnest(",
            $runs,
            "::uuid[], ",
            $documents,
            "::uuid[], ",
            $attempts,
            "::bigint[])) ORDER BY run, document FOR UPDATE) "
        )
    };
}

pub async fn keep(pool: &PgPool, claims: &[RunClaim], lease_ms: u64) -> Result<Vec<RunClaim>> {
    let (runs, documents, attempts) = columns(claims);
    let rows = sqlx::query(concat!(
        held!("$2", "$3", "$4"),
        "UPDATE run_documents SET lease_until = ",
        now!(),
        " + $1 WHERE (run, document) IN (SELECT run, document FROM held) RETURNING ",
        claim_columns!()
    ))
    .bind(signed(lease_ms))
    .bind(runs)
    .bind(documents)
    .bind(attempts)
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter().map(read_claim).collect()
}

pub async fn release(pool: &PgPool, claims: &[RunClaim]) -> Result<()> {
    let (runs, documents, attempts) = columns(claims);
    sqlx::query(concat!(
        held!("$1", "$2", "$3"),
        "UPDATE run_documents SET state = 'pending', tries = tries - 1, worker = NULL, lease_until = NULL ",
        "WHERE (run, document) IN (SELECT run, document FROM held)",
    ))
    .bind(runs)
    .bind(documents)
    .bind(attempts)
    .execute(pool)
    .await
    .map_err(database)?;
    Ok(())
}

pub async fn expire(pool: &PgPool, max_crashes: u32, all: bool) -> Result<u64> {
    let mut tx = pool.begin().await.map_err(database)?;
    let rows = sqlx::query(concat!(
        "UPDATE run_documents SET state = 'pending', worker = NULL, lease_until = NULL, crashes = crashes + 1, run_at = ",
        now!(),
        " + CASE WHEN $1 THEN 0 ELSE $2 * (1 << least(crashes, 6)::int) + floor(random() * 250)::bigint END ",
        "WHERE (run, document) IN (SELECT run, document FROM run_documents ",
        "WHERE state = 'processing' AND ($1 OR lease_until < ",
        now!(),
        ") ORDER BY run, document FOR UPDATE SKIP LOCKED) RETURNING ",
        claim_columns!()
    ))
    .bind(all)
    .bind(signed(CRASH_BACKOFF_MS))
    .fetch_all(&mut *tx)
    .await
    .map_err(database)?;
    for row in &rows {
        let crashes = small(row, "run_documents", "crashes")?;
        if crashes >= max_crashes {
            let claim = read_claim(row)?;
            let message = format!("the worker vanished {crashes} times while it was at this");
            end_failed(&mut tx, &claim, &Failure::new(FailureCode::WorkerCrashed, message)).await?;
        }
    }
    tx.commit().await.map_err(database)?;
    Ok(rows.len() as u64)
}

pub async fn complete(pool: &PgPool, done: &[(RunClaim, RunFound)]) -> Result<Vec<bool>> {
    let Some((first, _)) = done.first() else { return Ok(Vec::new()) };
    let mut tx = pool.begin().await.map_err(database)?;
    steer::lock(&mut tx, first.run).await?;
    let mut held = vec![false; done.len()];
    let mut ordered: Vec<usize> = (0..done.len()).collect();
    ordered.sort_by_key(|&place| (done[place].0.run, done[place].0.document));
    for place in ordered {
        let (claim, found) = &done[place];
        held[place] = complete_one(&mut tx, claim, found).await?;
    }
    steer::end(&mut tx, first.run).await?;
    tx.commit().await.map_err(database)?;
    Ok(held)
}

async fn complete_one(tx: &mut PgConnection, claim: &RunClaim, found: &RunFound) -> Result<bool> {
    let finished = sqlx::query(
        "UPDATE run_documents SET state = 'completed', found = $1, left_out = $2, failure = NULL, worker = NULL, \
         lease_until = NULL WHERE run = $3 AND document = $4 AND attempts = $5 AND state = 'processing'",
    )
    .bind(i64::try_from(found.values.len()).unwrap_or(i64::MAX))
    .bind(found.left_out)
    .bind(claim.run.0)
    .bind(claim.document.0)
    .bind(i64::from(claim.attempt))
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    if finished.rows_affected() == 0 {
        return Ok(false);
    }
    values::replace(tx, claim, &found.values).await?;
    Ok(true)
}

pub async fn fail(pool: &PgPool, claim: &RunClaim, failure: &Failure, retry_ms: Option<u64>) -> Result<bool> {
    let mut tx = pool.begin().await.map_err(database)?;
    steer::lock(&mut tx, claim.run).await?;
    let held = sqlx::query(concat!(
        "UPDATE run_documents SET state = 'pending', failure = $1::json, worker = NULL, lease_until = NULL, run_at = ",
        now!(),
        " + $2 + floor(random() * ($2 / 4 + 1))::bigint WHERE run = $3 AND document = $4 AND attempts = $5 AND state = 'processing'"
    ))
    .bind(json(failure))
    .bind(signed(retry_ms.unwrap_or(0)))
    .bind(claim.run.0)
    .bind(claim.document.0)
    .bind(i64::from(claim.attempt))
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    if held.rows_affected() == 0 {
        return Ok(false);
    }
    if retry_ms.is_none() {
        end_failed(&mut tx, claim, failure).await?;
    }
    tx.commit().await.map_err(database)?;
    Ok(true)
}

/// The document, which waits, has failed for good.
async fn end_failed(tx: &mut PgConnection, claim: &RunClaim, failure: &Failure) -> Result<()> {
    sqlx::query("UPDATE run_documents SET state = 'failed', failure = $1::json WHERE run = $2 AND document = $3")
        .bind(json(failure))
        .bind(claim.run.0)
        .bind(claim.document.0)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    steer::end_by(tx, claim.run, failure).await
}
