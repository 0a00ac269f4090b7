//! The documents of runs as a queue: leases, and how they end.

use sheaf_domain::{BatchId, DocumentId, Failure, FailureCode, FlowId, RunId};
use sheaf_store::{RunClaim, RunFound};
use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, SqlitePool};

use super::{steer, values};
use crate::rows::{get, id, json, signed};
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

fn read_claim(row: &SqliteRow) -> Result<RunClaim> {
    Ok(RunClaim {
        run: RunId(id(row, "run_documents", "run")?),
        document: DocumentId(id(row, "run_documents", "document")?),
        batch: BatchId(id(row, "run_documents", "batch")?),
        attempt: get(row, "attempts")?,
        tries: get(row, "tries")?,
        flow: FlowId(id(row, "runs", "flow")?),
        version: get(row, "version")?,
    })
}

pub async fn claim(
    readers: &SqlitePool,
    writer: &SqlitePool,
    worker: &str,
    slots: u32,
    lease_ms: u64,
) -> Result<Vec<RunClaim>> {
    // Most of the time nothing waits: that is found out without keeping the one writer.
    let runs: Vec<(String, i16)> = sqlx::query_as(concat!(
        "SELECT r.id, r.priority FROM runs r WHERE r.status IN ('pending', 'processing') AND EXISTS (",
        "SELECT 1 FROM run_documents d WHERE d.run = r.id AND d.state = 'pending' AND d.run_at <= ",
        now!(),
        ") ORDER BY r.priority DESC, ",
        "(SELECT count(*) FROM run_documents d WHERE d.run = r.id AND d.state = 'processing'), r.claimed_at, r.id"
    ))
    .fetch_all(readers)
    .await
    .map_err(database)?;
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = writer.begin().await.map_err(database)?;
    let mut claims: Vec<RunClaim> = Vec::new();
    for equals in runs.chunk_by(|a, b| a.1 == b.1) {
        for (i, (run, _)) in equals.iter().enumerate() {
            let free = (slots as usize).saturating_sub(claims.len());
            let share = u32::try_from(free.div_ceil(equals.len() - i)).unwrap_or(u32::MAX);
            if share > 0 {
                claims.extend(lease(&mut tx, run, worker, share, lease_ms).await?);
            }
        }
    }
    tx.commit().await.map_err(database)?;
    Ok(claims)
}

/// Leases documents of one run.
pub async fn claim_of(
    writer: &SqlitePool,
    run: RunId,
    worker: &str,
    slots: u32,
    lease_ms: u64,
) -> Result<Vec<RunClaim>> {
    let mut tx = writer.begin().await.map_err(database)?;
    let claims = lease(&mut tx, &run.to_string(), worker, slots, lease_ms).await?;
    tx.commit().await.map_err(database)?;
    Ok(claims)
}

async fn lease(tx: &mut SqliteConnection, run: &str, worker: &str, slots: u32, lease_ms: u64) -> Result<Vec<RunClaim>> {
    let rows = sqlx::query(concat!(
        "UPDATE run_documents SET state = 'processing', attempts = attempts + 1, tries = tries + 1, worker = ?1, ",
        "outdated = 0, lease_until = ",
        now!(),
        " + ?2 WHERE run = ?3 AND document IN (SELECT d.document FROM run_documents d WHERE d.run = ?3 AND d.state = 'pending' ",
        "AND d.run_at <= ",
        now!(),
        " ORDER BY d.crashes, d.document LIMIT ?4) AND EXISTS (SELECT 1 FROM runs r WHERE r.id = ?3 ",
        "AND r.status IN ('pending', 'processing')) RETURNING ",
        claim_columns!()
    ))
    .bind(worker)
    .bind(signed(lease_ms))
    .bind(run)
    .bind(slots)
    .fetch_all(&mut *tx)
    .await
    .map_err(database)?;
    if !rows.is_empty() {
        sqlx::query(concat!("UPDATE runs SET status = 'processing', claimed_at = ", now!(), " WHERE id = ?"))
            .bind(run)
            .execute(tx)
            .await
            .map_err(database)?;
    }
    rows.iter().map(read_claim).collect()
}

/// The claims as rows of (run, document, attempt) for `json_each`.
fn triples(claims: &[RunClaim]) -> String {
    json(&claims.iter().map(|claim| (claim.run, claim.document, claim.attempt)).collect::<Vec<_>>())
}

pub async fn keep(writer: &SqlitePool, claims: &[RunClaim], lease_ms: u64) -> Result<Vec<RunClaim>> {
    let rows = sqlx::query(concat!(
        "UPDATE run_documents SET lease_until = ",
        now!(),
        " + ? WHERE state = 'processing' AND (run, document, attempts) IN (SELECT json_extract(value, '$[0]'), ",
        "json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(?)) RETURNING ",
        claim_columns!()
    ))
    .bind(signed(lease_ms))
    .bind(triples(claims))
    .fetch_all(writer)
    .await
    .map_err(database)?;
    rows.iter().map(read_claim).collect()
}

pub async fn release(writer: &SqlitePool, claims: &[RunClaim]) -> Result<()> {
    sqlx::query(
        "UPDATE run_documents SET state = 'pending', tries = tries - 1, worker = NULL, lease_until = NULL \
         WHERE state = 'processing' AND (run, document, attempts) IN (SELECT json_extract(value, '$[0]'), \
         json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(?))",
    )
    .bind(triples(claims))
    .execute(writer)
    .await
    .map_err(database)?;
    Ok(())
}

pub async fn expire(writer: &SqlitePool, max_crashes: u32, all: bool) -> Result<u64> {
    let mut tx = writer.begin().await.map_err(database)?;
    let rows = sqlx::query(concat!(
        "UPDATE run_documents SET state = 'pending', worker = NULL, lease_until = NULL, crashes = crashes + 1, run_at = ",
        now!(),
        " + CASE WHEN ?1 THEN 0 ELSE ?2 * (1 << min(crashes, 6)) + abs(random() % 250) END WHERE state = 'processing' AND (?1 OR lease_until < ",
        now!(),
        ") RETURNING ",
        claim_columns!()
    ))
    .bind(all)
    .bind(signed(CRASH_BACKOFF_MS))
    .fetch_all(&mut *tx)
    .await
    .map_err(database)?;
    for row in &rows {
        let crashes: u32 = get(row, "crashes")?;
        if crashes >= max_crashes {
            let claim = read_claim(row)?;
            let message = format!("the worker vanished {crashes} times while it was at this");
            end_failed(&mut tx, &claim, &Failure::new(FailureCode::WorkerCrashed, message)).await?;
        }
    }
    tx.commit().await.map_err(database)?;
    Ok(rows.len() as u64)
}

pub async fn complete(writer: &SqlitePool, done: &[(RunClaim, RunFound)]) -> Result<Vec<bool>> {
    let Some((first, _)) = done.first() else { return Ok(Vec::new()) };
    let mut tx = writer.begin().await.map_err(database)?;
    let mut held = Vec::with_capacity(done.len());
    for (claim, found) in done {
        held.push(complete_one(&mut tx, claim, found).await?);
    }
    steer::end(&mut tx, first.run).await?;
    tx.commit().await.map_err(database)?;
    Ok(held)
}

async fn complete_one(tx: &mut SqliteConnection, claim: &RunClaim, found: &RunFound) -> Result<bool> {
    let finished = sqlx::query(
        "UPDATE run_documents SET state = 'completed', found = ?, left_out = ?, failure = NULL, worker = NULL, \
         lease_until = NULL WHERE run = ? AND document = ? AND attempts = ? AND state = 'processing'",
    )
    .bind(i64::try_from(found.values.len()).unwrap_or(i64::MAX))
    .bind(found.left_out)
    .bind(claim.run.to_string())
    .bind(claim.document.to_string())
    .bind(claim.attempt)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    if finished.rows_affected() == 0 {
        return Ok(false);
    }
    values::replace(tx, claim, &found.values).await?;
    Ok(true)
}

pub async fn fail(writer: &SqlitePool, claim: &RunClaim, failure: &Failure, retry_ms: Option<u64>) -> Result<bool> {
    let mut tx = writer.begin().await.map_err(database)?;
    let held = sqlx::query(concat!(
        "UPDATE run_documents SET state = 'pending', failure = ?1, worker = NULL, lease_until = NULL, run_at = ",
        now!(),
        " + ?2 + abs(random() % (?2 / 4 + 1)) WHERE run = ?3 AND document = ?4 AND attempts = ?5 AND state = 'processing'"
    ))
    .bind(json(failure))
    .bind(signed(retry_ms.unwrap_or(0)))
    .bind(claim.run.to_string())
    .bind(claim.document.to_string())
    .bind(claim.attempt)
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
async fn end_failed(tx: &mut SqliteConnection, claim: &RunClaim, failure: &Failure) -> Result<()> {
    sqlx::query("UPDATE run_documents SET state = 'failed', failure = ? WHERE run = ? AND document = ?")
        .bind(json(failure))
        .bind(claim.run.to_string())
        .bind(claim.document.to_string())
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    steer::end_by(tx, claim.run, failure).await
}
