//! The queue: claims, leases and their end. Completion is in `finish`, with the results.

use sheaf_domain::{BatchId, DocumentId, JobId, Stage};
use sheaf_store::{Claim, Room, WorkerState};
use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, SqlitePool};

use crate::rows::{get, id, json, name, parsed, signed};
use crate::{Result, begin, changed, database, finish, now, steer};

/// Waits after the first lost lease; doubled with each further one.
const CRASH_BACKOFF_MS: u64 = 500;

/// A job whose lease was lost waits at most this long behind others.
const SUSPECT_PATIENCE_MS: u64 = 60_000;

/// A worker that was silent for this long is forgotten.
const WORKER_FORGOTTEN_MS: u64 = 24 * 60 * 60 * 1000;

/// The columns of a claim.
macro_rules! claim_columns {
    () => {
        "id, attempts, tries, stage, batch, document, crashes, (SELECT b.trace FROM batches b WHERE b.id = jobs.batch) AS trace"
    };
}

pub async fn claim(readers: &SqlitePool, writer: &SqlitePool, room: &Room<'_>) -> Result<Vec<Vec<Claim>>> {
    // Whoever ends a piece of work wakes all stages, and most find nothing: that must not keep the one writer, nor wait
    // for the disk.
    if !is_ready(readers, room.stage).await? {
        return Ok(Vec::new());
    }
    let mut tx = begin(writer).await?;
    let mut groups = suspect(&mut tx, room.stage, SUSPECT_PATIENCE_MS).await?;
    if groups.is_empty() {
        groups = fair_share(&mut tx, room).await?;
    }
    if groups.is_empty() {
        groups = suspect(&mut tx, room.stage, 0).await?;
    }
    if groups.is_empty() {
        tx.rollback().await.map_err(database)?;
        return Ok(Vec::new());
    }
    let mut claims = Vec::with_capacity(groups.len());
    for group in &groups {
        claims.push(lease(&mut tx, group, room).await?);
    }
    tx.commit().await.map_err(database)?;
    Ok(claims)
}

/// Whether a job of this stage may be begun, as far as its own row says.
async fn is_ready(readers: &SqlitePool, stage: Stage) -> Result<bool> {
    // One look for each of the two indexes.
    sqlx::query_scalar(concat!(
        "SELECT EXISTS (SELECT 1 FROM jobs WHERE state = 'pending' AND crashes = 0 AND stage = ?1 AND run_at <= ",
        now!(),
        ") OR EXISTS (SELECT 1 FROM jobs WHERE state = 'pending' AND crashes > 0 AND stage = ?1 AND run_at <= ",
        now!(),
        ")"
    ))
    .bind(stage.name())
    .fetch_one(readers)
    .await
    .map_err(database)
}

/// Of the jobs that were lost before and have waited for `patience_ms` at least, the one that was lost least, alone: when
/// workers die of something else, the losses are spread over all of them.
async fn suspect(tx: &mut SqliteConnection, stage: Stage, patience_ms: u64) -> Result<Vec<Vec<String>>> {
    let job: Option<String> = sqlx::query_scalar(concat!(
        "SELECT j.id FROM jobs j WHERE j.state = 'pending' AND j.crashes > 0 AND j.stage = ? AND j.run_at + ? <= ",
        now!(),
        " ORDER BY j.crashes, j.run_at, j.id LIMIT 1"
    ))
    .bind(stage.name())
    .bind(signed(patience_ms))
    .fetch_optional(tx)
    .await
    .map_err(database)?;
    Ok(job.map(|job| vec![vec![job]]).unwrap_or_default())
}

/// Groups of jobs: the slots are shared evenly by the batches of the highest priority; what those leave, by the next.
async fn fair_share(tx: &mut SqliteConnection, room: &Room<'_>) -> Result<Vec<Vec<String>>> {
    let batches: Vec<(String, i16)> = sqlx::query_as(concat!(
        "SELECT b.id, b.priority FROM batches b WHERE b.status IN ('pending', 'processing') AND EXISTS (",
        "SELECT 1 FROM jobs j WHERE j.state = 'pending' AND j.crashes = 0 AND j.stage = ?1 AND j.batch = b.id AND j.run_at <= ",
        now!(),
        ") ORDER BY b.priority DESC, ",
        "(SELECT count(*) FROM jobs r WHERE r.state = 'processing' AND r.stage = ?1 AND r.batch = b.id), b.claimed_at, b.id"
    ))
    .bind(room.stage.name())
    .fetch_all(&mut *tx)
    .await
    .map_err(database)?;
    let mut groups = Vec::new();
    for equals in batches.chunk_by(|a, b| a.1 == b.1) {
        for (i, (batch, _)) in equals.iter().enumerate() {
            let free = (room.slots as usize).saturating_sub(groups.len());
            let slots = u32::try_from(free.div_ceil(equals.len() - i)).unwrap_or(u32::MAX);
            if slots > 0 {
                groups.extend(room.pack(waiting(tx, batch, room, slots).await?, slots));
            }
        }
    }
    Ok(groups)
}

/// Ready jobs of a batch with their weights, the heaviest first.
async fn waiting(tx: &mut SqliteConnection, batch: &str, room: &Room<'_>, slots: u32) -> Result<Vec<(String, u64)>> {
    let rows = sqlx::query(concat!(
        "SELECT id, weight FROM jobs WHERE state = 'pending' AND crashes = 0 AND stage = ? AND batch = ? AND run_at <= ",
        now!(),
        " ORDER BY weight DESC, id LIMIT ?"
    ))
    .bind(room.stage.name())
    .bind(batch)
    .bind(i64::from(slots) * i64::from(room.jobs_per_slot))
    .fetch_all(tx)
    .await
    .map_err(database)?;
    rows.iter().map(|row| Ok((get(row, "id")?, crate::rows::count(row, "weight")?))).collect()
}

/// Leases these jobs of one batch, and shows it where people look: at the documents, and at the batch.
async fn lease(tx: &mut SqliteConnection, jobs: &[String], room: &Room<'_>) -> Result<Vec<Claim>> {
    let rows = sqlx::query(concat!(
        "UPDATE jobs SET state = 'processing', attempts = attempts + 1, tries = tries + 1, worker = ?, lease_until = ",
        now!(),
        " + ? WHERE id IN (SELECT value FROM json_each(?)) RETURNING ",
        claim_columns!()
    ))
    .bind(room.worker)
    .bind(signed(room.lease_ms))
    .bind(json(&jobs))
    .fetch_all(&mut *tx)
    .await
    .map_err(database)?;
    let claims = rows.iter().map(read_claim).collect::<Result<Vec<_>>>()?;
    let documents: Vec<String> = claims.iter().filter_map(|c| c.document).map(|d| d.to_string()).collect();
    sqlx::query(concat!(
        "UPDATE documents SET status = 'processing', stage = ?, ",
        changed!(),
        " WHERE id IN (SELECT value FROM json_each(?))"
    ))
    .bind(room.stage.name())
    .bind(json(&documents))
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    if let Some(claim) = claims.first() {
        sqlx::query(concat!("UPDATE batches SET status = 'processing', claimed_at = ", now!(), " WHERE id = ?"))
            .bind(claim.batch.to_string())
            .execute(tx)
            .await
            .map_err(database)?;
    }
    Ok(claims)
}

fn read_claim(row: &SqliteRow) -> Result<Claim> {
    let document: Option<&str> = get(row, "document")?;
    Ok(Claim {
        job: JobId(id(row, "jobs", "id")?),
        attempt: get(row, "attempts")?,
        tries: get(row, "tries")?,
        stage: name(row, "jobs", "stage")?,
        batch: BatchId(id(row, "jobs", "batch")?),
        document: document.map(|_| id(row, "jobs", "document").map(DocumentId)).transpose()?,
        crashes: get(row, "crashes")?,
        trace: get(row, "trace")?,
    })
}

/// The claims as rows of (job, attempt) for `json_each`.
fn pairs(claims: &[Claim]) -> String {
    json(&claims.iter().map(|c| (c.job, c.attempt)).collect::<Vec<_>>())
}

pub async fn held(readers: &SqlitePool, claims: &[Claim]) -> Result<Vec<JobId>> {
    let rows = sqlx::query(
        "SELECT j.id FROM json_each(?) c CROSS JOIN jobs j ON j.id = json_extract(c.value, '$[0]') \
         WHERE j.attempts = json_extract(c.value, '$[1]') AND j.state = 'processing'",
    )
    .bind(pairs(claims))
    .fetch_all(readers)
    .await
    .map_err(database)?;
    rows.iter().map(|row| id(row, "jobs", "id").map(JobId)).collect()
}

pub async fn heartbeat(writer: &SqlitePool, worker: &str, claims: &[Claim], lease_ms: u64) -> Result<Vec<JobId>> {
    let rows = sqlx::query(concat!(
        "UPDATE jobs SET lease_until = ",
        now!(),
        " + ? WHERE worker = ? AND state = 'processing' AND (id, attempts) IN ",
        "(SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)) RETURNING id"
    ))
    .bind(signed(lease_ms))
    .bind(worker)
    .bind(pairs(claims))
    .fetch_all(writer)
    .await
    .map_err(database)?;
    rows.iter().map(|row| id(row, "jobs", "id").map(JobId)).collect()
}

pub async fn release(writer: &SqlitePool, claims: &[Claim]) -> Result<()> {
    let mut tx = begin(writer).await?;
    for claim in claims {
        let result = sqlx::query(
            "UPDATE jobs SET state = 'pending', tries = tries - 1, worker = NULL, lease_until = NULL \
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
    sqlx::query(concat!("UPDATE documents SET status = 'pending', ", changed!(), " WHERE id = ?"))
        .bind(document.to_string())
        .execute(tx)
        .await
        .map_err(database)?;
    Ok(())
}

pub async fn expire_leases(writer: &SqlitePool, max_crashes: u32, all: bool) -> Result<u64> {
    let mut tx = begin(writer).await?;
    let rows = sqlx::query(concat!(
        "UPDATE jobs SET state = 'pending', worker = NULL, lease_until = NULL, crashes = crashes + 1, run_at = ",
        now!(),
        // With `all` this process has just started: the wait would only be felt by people.
        " + CASE WHEN ?1 THEN 0 ELSE ?2 * (1 << min(crashes, 6)) + abs(random() % 250) END ",
        "WHERE state = 'processing' AND (?1 OR lease_until < ",
        now!(),
        ") RETURNING ",
        claim_columns!()
    ))
    .bind(all)
    .bind(signed(CRASH_BACKOFF_MS))
    .fetch_all(&mut *tx)
    .await
    .map_err(database)?;
    let claims = rows.iter().map(read_claim).collect::<Result<Vec<_>>>()?;
    for claim in &claims {
        let failure = claim.vanished();
        if claim.crashes >= max_crashes {
            finish::fail_for_good(&mut tx, claim, &failure).await?;
        } else {
            steer::note_attempt(&mut tx, claim, &failure).await?;
            mark_pending(&mut tx, claim).await?;
        }
    }
    tx.commit().await.map_err(database)?;
    Ok(claims.len() as u64)
}

pub async fn note_worker(writer: &SqlitePool, worker: &WorkerState) -> Result<()> {
    let mut tx = writer.begin().await.map_err(database)?;
    sqlx::query(concat!("DELETE FROM workers WHERE seen_at + ? < ", now!()))
        .bind(signed(WORKER_FORGOTTEN_MS))
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    sqlx::query(concat!(
        "INSERT OR REPLACE INTO workers (id, host, stages, cores, busy, recognition_full, seen_at) VALUES (?, ?, ?, ?, ?, ?, ",
        now!(),
        ")"
    ))
    .bind(&worker.id)
    .bind(&worker.host)
    .bind(json(&worker.stages))
    .bind(worker.cores)
    .bind(worker.busy)
    .bind(worker.recognition_full)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    tx.commit().await.map_err(database)
}

pub async fn workers(readers: &SqlitePool, within_ms: u64) -> Result<Vec<WorkerState>> {
    let rows = sqlx::query(concat!("SELECT * FROM workers WHERE seen_at + ? >= ", now!(), " ORDER BY id"))
        .bind(signed(within_ms))
        .fetch_all(readers)
        .await
        .map_err(database)?;
    rows.iter()
        .map(|row| {
            Ok(WorkerState {
                id: get(row, "id")?,
                host: get(row, "host")?,
                stages: parsed(row, "workers", "stages")?,
                cores: get(row, "cores")?,
                busy: get::<Option<f64>>(row, "busy")?.map(|busy| busy as f32),
                recognition_full: get(row, "recognition_full")?,
            })
        })
        .collect()
}
