//! Which jobs a worker gets: fair to batches, heaviest first, suspects alone. Rows that another worker is about to claim are
//! passed over, not waited for.

use std::collections::HashMap;
use std::time::Duration;

use sheaf_domain::{BatchId, DocumentId, JobId, Stage};
use sheaf_store::{Claim, Room};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::rows::{count, get, id, name, signed, small};
use crate::{Result, changed, database, now};

/// A job whose lease was lost waits at most this long behind others.
const SUSPECT_PATIENCE_MS: u64 = 60_000;

/// Looks at a queue whose jobs others have in their hands for a moment, before it counts as empty.
const LOOKS: u32 = 5;

/// Between them.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

pub async fn claim(pool: &PgPool, room: &Room<'_>) -> Result<Vec<Vec<Claim>>> {
    for look in 1.. {
        let mut tx = pool.begin().await.map_err(database)?;
        let mut waiting = 0;
        let mut groups = suspect(&mut tx, room.stage, SUSPECT_PATIENCE_MS).await?;
        if groups.is_empty() {
            (groups, waiting) = fair_share(&mut tx, room).await?;
        }
        if groups.is_empty() {
            groups = suspect(&mut tx, room.stage, 0).await?;
        }
        if !groups.is_empty() {
            let claims = lease(&mut tx, &groups, room).await?;
            tx.commit().await.map_err(database)?;
            return Ok(claims);
        }
        // Others look at more jobs than they take, and have them locked meanwhile.
        if waiting == 0 || look >= LOOKS {
            break;
        }
        drop(tx);
        tokio::time::sleep(LOOK_AGAIN.mul_f64(0.5 + fastrand::f64())).await;
    }
    Ok(Vec::new())
}

/// Of the jobs that were lost before and have waited for `patience_ms` at least, the one that was lost least, alone: when
/// workers die of something else, the losses are spread over all of them.
async fn suspect(tx: &mut PgConnection, stage: Stage, patience_ms: u64) -> Result<Vec<Vec<Uuid>>> {
    let job: Option<Uuid> = sqlx::query_scalar(concat!(
        "SELECT id FROM jobs WHERE state = 'pending' AND crashes > 0 AND stage = $1 AND run_at <= ",
        now!(),
        " - $2 ORDER BY crashes, run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED"
    ))
    .bind(stage.name())
    .bind(signed(patience_ms))
    .fetch_optional(tx)
    .await
    .map_err(database)?;
    Ok(job.map(|job| vec![vec![job]]).unwrap_or_default())
}

/// Groups of jobs: the slots are shared evenly by the batches of the highest priority; what those leave, by the next. Also how
/// many batches have jobs that wait, be they locked or not.
async fn fair_share(tx: &mut PgConnection, room: &Room<'_>) -> Result<(Vec<Vec<Uuid>>, usize)> {
    let batches: Vec<(Uuid, i16)> = sqlx::query_as(concat!(
        "SELECT b.id, b.priority FROM batches b WHERE b.status IN ('pending', 'processing') AND EXISTS (",
        "SELECT FROM jobs j WHERE j.state = 'pending' AND j.crashes = 0 AND j.stage = $1 AND j.batch = b.id AND j.run_at <= ",
        now!(),
        ") ORDER BY b.priority DESC, ",
        "(SELECT count(*) FROM jobs r WHERE r.state = 'processing' AND r.stage = $1 AND r.batch = b.id), b.claimed_at, b.id"
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
                groups.extend(room.pack(waiting(tx, *batch, room, slots).await?, slots));
            }
        }
    }
    Ok((groups, batches.len()))
}

/// Ready jobs of a batch with their weights, the heaviest first.
async fn waiting(tx: &mut PgConnection, batch: Uuid, room: &Room<'_>, slots: u32) -> Result<Vec<(Uuid, u64)>> {
    let rows = sqlx::query(concat!(
        "SELECT id, weight FROM jobs WHERE state = 'pending' AND crashes = 0 AND stage = $1 AND batch = $2 AND run_at <= ",
        now!(),
        " ORDER BY weight DESC, id LIMIT $3 FOR UPDATE SKIP LOCKED"
    ))
    .bind(room.stage.name())
    .bind(batch)
    .bind(i64::from(slots) * i64::from(room.jobs_per_slot))
    .fetch_all(tx)
    .await
    .map_err(database)?;
    rows.iter().map(|row| Ok((id(row, "id")?, count(row, "weight")?))).collect()
}

/// Leases these groups of jobs, which the transaction has locked, and shows it where people look: at the documents, and at the
/// batches.
async fn lease(tx: &mut PgConnection, groups: &[Vec<Uuid>], room: &Room<'_>) -> Result<Vec<Vec<Claim>>> {
    let rows = sqlx::query(concat!(
        "UPDATE jobs SET state = 'processing', attempts = attempts + 1, tries = tries + 1, worker = $1, lease_until = ",
        now!(),
        " + $2 WHERE id = ANY($3) RETURNING id, attempts, tries, stage, batch, document, crashes, ",
        "(SELECT b.trace FROM batches b WHERE b.id = jobs.batch) AS trace"
    ))
    .bind(room.worker)
    .bind(signed(room.lease_ms))
    .bind(groups.concat())
    .fetch_all(&mut *tx)
    .await
    .map_err(database)?;
    let claims = rows.iter().map(read_claim).collect::<Result<Vec<_>>>()?;
    sqlx::query(concat!("UPDATE documents SET status = 'processing', stage = $1, ", changed!(), " WHERE id = ANY($2)"))
        .bind(room.stage.name())
        .bind(documents(&claims))
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    // Whoever finishes a document has its batch locked and may want one of these jobs. It is not waited for: the next claim
    // sets the same.
    sqlx::query(concat!(
        "UPDATE batches SET status = 'processing', claimed_at = ",
        now!(),
        " WHERE id IN (SELECT id FROM batches WHERE id = ANY($1) AND status IN ('pending', 'processing') ",
        "FOR NO KEY UPDATE SKIP LOCKED)"
    ))
    .bind(claims.iter().map(|c| c.batch.0).collect::<Vec<_>>())
    .execute(tx)
    .await
    .map_err(database)?;
    let mut by_job: HashMap<Uuid, Claim> = claims.into_iter().map(|claim| (claim.job.0, claim)).collect();
    Ok(groups.iter().map(|group| group.iter().filter_map(|job| by_job.remove(job)).collect()).collect())
}

/// A claim from the columns of a job.
pub(crate) fn read_claim(row: &PgRow) -> Result<Claim> {
    Ok(Claim {
        job: JobId(id(row, "id")?),
        attempt: small(row, "jobs", "attempts")?,
        tries: small(row, "jobs", "tries")?,
        stage: name(row, "jobs", "stage")?,
        batch: BatchId(id(row, "batch")?),
        document: get::<Option<Uuid>>(row, "document")?.map(DocumentId),
        crashes: small(row, "jobs", "crashes")?,
        trace: get(row, "trace")?,
    })
}

/// The documents behind claims.
pub(crate) fn documents(claims: &[Claim]) -> Vec<Uuid> {
    claims.iter().filter_map(|c| c.document).map(|d| d.0).collect()
}
