//! How much waits in the queue, for whoever watches over the installation.

use sheaf_domain::{Stage, Status};
use sheaf_store::QueueDepth;
use sqlx::SqlitePool;

use crate::rows::{count, name};
use crate::{Result, database, now};

pub async fn depths(readers: &SqlitePool) -> Result<Vec<QueueDepth>> {
    let mut depths: Vec<QueueDepth> = Stage::ALL
        .map(|stage| QueueDepth { stage, ready: 0, delayed: 0, processing: 0, dead: 0, oldest_ready_ms: 0 })
        .into();
    // Four questions, each answered by an index of its own.
    let rows = sqlx::query(concat!(
        "SELECT stage, state, sum(ready) AS ready, sum(jobs) AS jobs, coalesce(max(",
        now!(),
        " - oldest), 0) AS age FROM (",
        "SELECT stage, 'pending' AS state, count(*) FILTER (WHERE run_at <= ",
        now!(),
        ") AS ready, count(*) AS jobs, min(run_at) AS oldest FROM jobs WHERE state = 'pending' AND crashes = 0 GROUP BY stage ",
        "UNION ALL SELECT stage, 'pending', count(*) FILTER (WHERE run_at <= ",
        now!(),
        "), count(*), min(run_at) FROM jobs WHERE state = 'pending' AND crashes > 0 GROUP BY stage ",
        "UNION ALL SELECT stage, 'processing', 0, count(*), NULL FROM jobs WHERE state = 'processing' GROUP BY stage ",
        "UNION ALL SELECT stage, 'failed', 0, count(*), NULL FROM jobs WHERE state = 'failed' AND crashes > 0 GROUP BY stage",
        ") GROUP BY stage, state"
    ))
    .fetch_all(readers)
    .await
    .map_err(database)?;
    for row in &rows {
        let stage: Stage = name(row, "jobs", "stage")?;
        let state: Status = name(row, "jobs", "state")?;
        let Some(depth) = depths.iter_mut().find(|depth| depth.stage == stage) else { continue };
        let (ready, jobs) = (count(row, "ready")?, count(row, "jobs")?);
        match state {
            Status::Pending => {
                depth.ready = ready;
                depth.delayed = jobs - ready;
                depth.oldest_ready_ms = count(row, "age")?;
            }
            Status::Processing => depth.processing = jobs,
            Status::Failed => depth.dead = jobs,
            Status::Completed | Status::Cancelled => {}
        }
    }
    Ok(depths)
}
