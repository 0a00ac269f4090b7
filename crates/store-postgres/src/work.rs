//! The queue: claims, leases and their end. Results are beside their stages.

use sheaf_domain::{BatchId, DocumentId, Failure, FailureCode, JobId, Stage, Status};
use sheaf_store::{Claim, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::rows::{get, id, name, signed, small};
use crate::{Result, database, fail, now};

/// Waits after the first lost lease; doubled with each further one.
const CRASH_BACKOFF_MS: u64 = 500;

pub async fn claim(pool: &PgPool, stage: Stage, worker: &str, limit: u32, lease_ms: u64) -> Result<Vec<Claim>> {
    let mut tx = pool.begin().await.map_err(database)?;
    let mut rows = lease(&mut tx, stage, worker, false, limit, lease_ms).await?;
    if rows.is_empty() {
        // A job that was lost before may be what killed its worker: it comes last, and alone, so that it cannot take
        // innocent ones along.
        rows = lease(&mut tx, stage, worker, true, 1, lease_ms).await?;
    }
    let mut claims = rows.iter().map(read_claim).collect::<Result<Vec<_>>>()?;
    if claims.is_empty() {
        return Ok(claims);
    }
    // RETURNING promises no order; ids are UUID v7, so this is the order of arrival.
    claims.sort_by_key(|c| c.job);
    mark_processing(&mut tx, stage, &claims).await?;
    tx.commit().await.map_err(database)?;
    Ok(claims)
}

/// The statement that leases ready jobs; the condition tells suspects from others.
macro_rules! lease_sql {
    ($condition:literal) => {
        concat!(
            "WITH ready AS MATERIALIZED (SELECT id FROM jobs WHERE state = 'pending' AND stage = $3 AND ",
            $condition,
            " AND run_at <= ",
            now!(),
            " ORDER BY priority DESC, run_at, id LIMIT $4 FOR UPDATE SKIP LOCKED) ",
            "UPDATE jobs j SET state = 'processing', attempts = attempts + 1, worker = $1, lease_until = ",
            now!(),
            " + $2 FROM ready WHERE j.id = ready.id ",
            "RETURNING j.id, j.attempts, j.stage, j.batch, j.document, j.crashes"
        )
    };
}

async fn lease(
    tx: &mut PgConnection,
    stage: Stage,
    worker: &str,
    suspects: bool,
    limit: u32,
    lease_ms: u64,
) -> Result<Vec<PgRow>> {
    // Two statements rather than a parameter, so that each finds its part of the index. Rows that another worker is about to
    // claim are passed over, not waited for. MATERIALIZED: the limit counts once.
    let sql = if suspects { lease_sql!("crashes > 0") } else { lease_sql!("NOT (crashes > 0)") };
    sqlx::query(sql)
        .bind(worker)
        .bind(signed(lease_ms))
        .bind(stage.name())
        .bind(i64::from(limit))
        .fetch_all(tx)
        .await
        .map_err(database)
}

fn read_claim(row: &PgRow) -> Result<Claim> {
    Ok(Claim {
        job: JobId(id(row, "id")?),
        attempt: small(row, "jobs", "attempts")?,
        stage: name(row, "jobs", "stage")?,
        batch: BatchId(id(row, "batch")?),
        document: get::<Option<Uuid>>(row, "document")?.map(DocumentId),
        crashes: small(row, "jobs", "crashes")?,
    })
}

/// Shows the claims where people look: at the documents, and at the batches that were waiting.
async fn mark_processing(tx: &mut PgConnection, stage: Stage, claims: &[Claim]) -> Result<()> {
    sqlx::query(concat!(
        "UPDATE documents SET status = 'processing', stage = $1, updated_at = ",
        now!(),
        " WHERE id = ANY($2)"
    ))
    .bind(stage.name())
    .bind(documents(claims))
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    sqlx::query(
        "UPDATE batches SET status = 'processing' WHERE id IN ( \
           SELECT id FROM batches WHERE id = ANY($1) AND status = 'pending' ORDER BY id FOR NO KEY UPDATE)",
    )
    .bind(claims.iter().map(|c| c.batch.0).collect::<Vec<_>>())
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

fn documents(claims: &[Claim]) -> Vec<Uuid> {
    claims.iter().filter_map(|c| c.document).map(|d| d.0).collect()
}

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

/// Those of the claims that are still held, locked until the transaction ends.
pub(crate) async fn held(tx: &mut PgConnection, claims: &[&Claim]) -> Result<Vec<Uuid>> {
    sqlx::query_scalar(
        "SELECT j.id FROM jobs j JOIN unnest($1::uuid[], $2::bigint[]) AS c (id, attempt) \
         ON j.id = c.id AND j.attempts = c.attempt WHERE j.state = 'processing' ORDER BY j.id FOR UPDATE OF j",
    )
    .bind(claims.iter().map(|c| c.job.0).collect::<Vec<_>>())
    .bind(claims.iter().map(|c| i64::from(c.attempt)).collect::<Vec<_>>())
    .fetch_all(tx)
    .await
    .map_err(database)
}

pub async fn heartbeat(pool: &PgPool, worker: &str, claims: &[Claim], lease_ms: u64) -> Result<Vec<JobId>> {
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = pool.begin().await.map_err(database)?;
    let held = held(&mut tx, &claims.iter().collect::<Vec<_>>()).await?;
    let kept: Vec<Uuid> = sqlx::query_scalar(concat!(
        "UPDATE jobs SET lease_until = ",
        now!(),
        " + $1 WHERE id = ANY($2) AND worker = $3 RETURNING id"
    ))
    .bind(signed(lease_ms))
    .bind(held)
    .bind(worker)
    .fetch_all(&mut *tx)
    .await
    .map_err(database)?;
    tx.commit().await.map_err(database)?;
    // In the order in which they were asked for.
    Ok(claims.iter().map(|c| c.job).filter(|job| kept.contains(&job.0)).collect())
}

pub async fn release(pool: &PgPool, claims: &[Claim]) -> Result<()> {
    let mut tx = pool.begin().await.map_err(database)?;
    let held = held(&mut tx, &claims.iter().collect::<Vec<_>>()).await?;
    let held: Vec<Claim> = claims.iter().filter(|c| held.contains(&c.job.0)).cloned().collect();
    give_back(&mut tx, &held).await?;
    tx.commit().await.map_err(database)
}

/// These jobs, which the transaction has locked, are ready again.
pub(crate) async fn give_back(tx: &mut PgConnection, claims: &[Claim]) -> Result<()> {
    sqlx::query("UPDATE jobs SET state = 'pending', worker = NULL, lease_until = NULL WHERE id = ANY($1)")
        .bind(claims.iter().map(|c| c.job.0).collect::<Vec<_>>())
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    mark_pending(tx, claims).await
}

/// The documents wait again.
pub(crate) async fn mark_pending(tx: &mut PgConnection, claims: &[Claim]) -> Result<()> {
    sqlx::query(concat!("UPDATE documents SET status = 'pending', updated_at = ", now!(), " WHERE id = ANY($1)"))
        .bind(documents(claims))
        .execute(tx)
        .await
        .map_err(database)?;
    Ok(())
}

pub async fn expire_leases(pool: &PgPool, max_crashes: u32, all: bool) -> Result<u64> {
    let mut tx = pool.begin().await.map_err(database)?;
    // Several servers do this at the same time: each takes the jobs that no other has in its hands.
    let rows = sqlx::query(concat!(
        "WITH lost AS MATERIALIZED (SELECT id FROM jobs WHERE state = 'processing' AND ($1 OR lease_until < ",
        now!(),
        ") ORDER BY id FOR UPDATE SKIP LOCKED) ",
        "UPDATE jobs j SET state = 'pending', worker = NULL, lease_until = NULL, crashes = crashes + 1, run_at = ",
        now!(),
        // With `all` this process has just started: the wait would only be felt by people.
        " + CASE WHEN $1 THEN 0 ELSE $2 * (1 << least(crashes, 6)::int) + floor(random() * 250)::bigint END ",
        "FROM lost WHERE j.id = lost.id RETURNING j.id, j.attempts, j.stage, j.batch, j.document, j.crashes"
    ))
    .bind(all)
    .bind(signed(CRASH_BACKOFF_MS))
    .fetch_all(&mut *tx)
    .await
    .map_err(database)?;
    let mut claims = rows.iter().map(read_claim).collect::<Result<Vec<_>>>()?;
    claims.sort_by_key(|c| (c.batch, c.job));
    let (suspects, others): (Vec<_>, Vec<_>) = claims.into_iter().partition(|c| c.crashes >= max_crashes);
    mark_pending(&mut tx, &others).await?;
    for claim in &suspects {
        let failure = Failure::new(
            FailureCode::WorkerCrashed,
            format!("the worker vanished {} times while it was at this ({})", claim.crashes, claim.stage.label()),
        );
        fail::fail_for_good(&mut tx, claim, &failure).await?;
    }
    tx.commit().await.map_err(database)?;
    Ok((suspects.len() + others.len()) as u64)
}
