//! How much waits in the queue, for whoever watches over the installation.

use sheaf_domain::Stage;
use sheaf_store::QueueDepth;
use sqlx::PgPool;

use crate::rows::{count, name};
use crate::{Result, database, now};

pub async fn depths(pool: &PgPool) -> Result<Vec<QueueDepth>> {
    let mut depths: Vec<QueueDepth> = Stage::ALL
        .map(|stage| QueueDepth { stage, ready: 0, delayed: 0, processing: 0, dead: 0, oldest_ready_ms: 0 })
        .into();
    // Each question is answered by an index of its own.
    let rows = sqlx::query(concat!(
        "SELECT stage, sum(ready)::bigint AS ready, sum(pending - ready)::bigint AS delayed, ",
        "sum(processing)::bigint AS processing, sum(dead)::bigint AS dead, ",
        "coalesce(max(",
        now!(),
        " - oldest), 0) AS age FROM (",
        "SELECT stage, count(*) FILTER (WHERE run_at <= ",
        now!(),
        ") AS ready, count(*) AS pending, 0 AS processing, 0 AS dead, min(run_at) AS oldest ",
        "FROM jobs WHERE state = 'pending' AND crashes = 0 GROUP BY stage ",
        "UNION ALL SELECT stage, count(*) FILTER (WHERE run_at <= ",
        now!(),
        "), count(*), 0, 0, min(run_at) FROM jobs WHERE state = 'pending' AND crashes > 0 GROUP BY stage ",
        "UNION ALL SELECT stage, 0, 0, count(*), 0, NULL FROM jobs WHERE state = 'processing' GROUP BY stage ",
        "UNION ALL SELECT stage, 0, 0, 0, count(*), NULL FROM jobs WHERE state = 'failed' AND crashes > 0 GROUP BY stage",
        ") AS found GROUP BY stage"
    ))
    .fetch_all(pool)
    .await
    .map_err(database)?;
    for row in &rows {
        let stage: Stage = name(row, "jobs", "stage")?;
        let Some(depth) = depths.iter_mut().find(|depth| depth.stage == stage) else { continue };
        *depth = QueueDepth {
            stage,
            ready: count(row, "ready")?,
            delayed: count(row, "delayed")?,
            processing: count(row, "processing")?,
            dead: count(row, "dead")?,
            oldest_ready_ms: count(row, "age")?,
        };
    }
    Ok(depths)
}
