//! How far a batch is: what a live page asks for again and again.

use sheaf_domain::{
    BatchId, Changes, DocumentId, DocumentProgress, Progress, ProgressCell, ProgressGrid, Stage, StageCounts, Status,
};
use sheaf_store::{PACE_WINDOW_MS, StagePace};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, QueryBuilder};
use uuid::Uuid;

use crate::rows::{count, get, id, name, parsed_opt, signed, small, small_opt, text};
use crate::{Result, database, now, read};

/// Documents that a live page lists.
const SHOWN: u32 = 200;

/// Milliseconds of an interval of the pace.
const INTERVAL_MS: u64 = 5_000;

/// A batch's tally is folded when it has more rows than this; folded it has ten at most.
const TALLY_ROWS: i64 = 16;

/// The columns of a document on the live page.
macro_rules! progress_columns {
    () => {
        "id, path, status, stage, failure, pages_done, pages_total, version"
    };
}

pub async fn progress(pool: &PgPool, batch: BatchId) -> Result<Option<Progress>> {
    let Some(found) = read::batch(pool, batch).await? else { return Ok(None) };
    let mut documents = Vec::new();
    for (status, latest_first) in [
        (Status::Processing, false),
        (Status::Failed, true),
        (Status::Completed, true),
        (Status::Pending, false),
        (Status::Cancelled, false),
    ] {
        let mut some = QueryBuilder::new(concat!("SELECT ", progress_columns!(), " FROM documents WHERE batch = "));
        some.push_bind(batch.0).push(" AND status = ").push_bind(status.name());
        some.push(if latest_first { " ORDER BY version DESC, id" } else { " ORDER BY version, id" });
        some.push(" LIMIT ").push_bind(i64::from(SHOWN) - documents.len() as i64);
        let rows = some.build().fetch_all(pool).await.map_err(database)?;
        documents.extend(rows.iter().map(read_progress).collect::<Result<Vec<_>>>()?);
    }
    let mut stages = stages(pool, batch).await?;
    for stage in &mut stages {
        let seconds = found.elapsed_seconds.max(1) as f32;
        stage.average_rate = (stage.done > 0).then(|| stage.done as f32 / seconds);
    }
    Ok(Some(Progress {
        batch,
        status: found.status,
        counts: found.counts,
        stages,
        documents,
        elapsed_seconds: found.elapsed_seconds,
        estimate: None,
    }))
}

/// How many documents are before, in and behind each stage.
async fn stages(pool: &PgPool, batch: BatchId) -> Result<Vec<StageCounts>> {
    let mut stages = Stage::ALL.map(|stage| StageCounts {
        stage,
        pending: 0,
        processing: 0,
        done: 0,
        rate: None,
        average_rate: None,
    });
    let rows = sqlx::query(
        "SELECT stage, status, sum(documents)::bigint AS documents FROM tallies WHERE batch = $1 GROUP BY stage, status \
         UNION ALL SELECT stage, state, 1 FROM jobs WHERE batch = $1 AND stage = 'analyse' AND document IS NULL",
    )
    .bind(batch.0)
    .fetch_all(pool)
    .await
    .map_err(database)?;
    for row in &rows {
        let (at, status): (Stage, Status) = (name(row, "tallies", "stage")?, name(row, "tallies", "status")?);
        let documents = count(row, "documents")?;
        for counts in &mut stages {
            let is_behind = at == Stage::Embed && counts.stage == Stage::Parse;
            match (counts.stage == at, status) {
                (true, Status::Pending) => counts.pending += documents,
                (true, Status::Processing) => counts.processing += documents,
                (true, Status::Completed | Status::Failed | Status::Cancelled) => counts.done += documents,
                (false, _) if is_behind => counts.done += documents,
                (false, _) => {}
            }
        }
    }
    Ok(stages.to_vec())
}

fn read_progress(row: &PgRow) -> Result<DocumentProgress> {
    Ok(DocumentProgress {
        id: DocumentId(id(row, "id")?),
        path: text(row, "path")?,
        status: name(row, "documents", "status")?,
        stage: name(row, "documents", "stage")?,
        failure: parsed_opt(row, "documents", "failure")?,
        pages: small_opt(row, "documents", "pages_done")?.zip(small_opt(row, "documents", "pages_total")?),
    })
}

/// Counts jobs that ended well, with the bytes of their documents.
pub(crate) async fn note_pace(tx: &mut PgConnection, batch: BatchId, stage: Stage, documents: Vec<Uuid>) -> Result<()> {
    sqlx::query(concat!(
        "INSERT INTO paces (batch, stage, interval, jobs, bytes) SELECT $1, $2, ",
        now!(),
        " / $3, count(*), coalesce(sum(bytes), 0)::bigint FROM documents WHERE id = ANY($4)"
    ))
    .bind(batch.0)
    .bind(stage.name())
    .bind(signed(INTERVAL_MS))
    .bind(documents)
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

pub async fn pace(pool: &PgPool, batch: BatchId) -> Result<Vec<StagePace>> {
    let mut paces = Vec::new();
    for stage in [Stage::Parse, Stage::Embed] {
        // The interval that is still running counts with the part that has passed.
        let row = sqlx::query(concat!(
            "SELECT coalesce(sum(jobs), 0)::bigint AS jobs, coalesce(sum(bytes), 0)::bigint AS bytes, ",
            "coalesce(",
            now!(),
            " - min(interval) * $1, 0) AS window_ms, ",
            "(SELECT coalesce(sum(bytes), 0)::bigint FROM tallies WHERE batch = $2 AND stage = $3 ",
            "AND status IN ('pending', 'processing')) AS bytes_left ",
            "FROM paces WHERE batch = $2 AND stage = $3 AND interval >= (",
            now!(),
            " - $4) / $1"
        ))
        .bind(signed(INTERVAL_MS))
        .bind(batch.0)
        .bind(stage.name())
        .bind(signed(PACE_WINDOW_MS))
        .fetch_one(pool)
        .await
        .map_err(database)?;
        paces.push(StagePace {
            stage,
            jobs: count(&row, "jobs")?,
            bytes: count(&row, "bytes")?,
            window_ms: count(&row, "window_ms")?,
            bytes_left: count(&row, "bytes_left")?,
        });
    }
    Ok(paces)
}

/// A change carries the number of its transaction, and numbers are not given out in the order of commits. So only what is
/// settled is told, that is older than every transaction that is still under way: nothing can come before it any more. A long
/// transaction, anywhere in the cluster, delays the news.
pub async fn changes(pool: &PgPool, batch: BatchId, cursor: Option<&str>, limit: u32) -> Result<Changes> {
    let Some((version, document)) = cursor.and_then(parse_cursor) else {
        let settled: i64 = sqlx::query_scalar("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1")
            .fetch_one(pool)
            .await
            .map_err(database)?;
        return Ok(Changes { documents: Vec::new(), cursor: format!("{settled}.{}", Uuid::max()), more: false });
    };
    let rows = sqlx::query(concat!(
        "SELECT ",
        progress_columns!(),
        " FROM documents WHERE batch = $1 AND (version, id) > ($2, $3) ",
        "AND version < pg_snapshot_xmin(pg_current_snapshot())::text::bigint ORDER BY version, id LIMIT $4"
    ))
    .bind(batch.0)
    .bind(version)
    .bind(document)
    .bind(i64::from(limit) + 1)
    .fetch_all(pool)
    .await
    .map_err(database)?;
    let more = rows.len() > limit as usize;
    let shown = &rows[..rows.len().min(limit as usize)];
    let next = match shown.last() {
        Some(row) => format!("{}.{}", get::<i64>(row, "version")?, id(row, "id")?),
        None => format!("{version}.{document}"),
    };
    Ok(Changes { documents: shown.iter().map(read_progress).collect::<Result<_>>()?, cursor: next, more })
}

/// The version of the last change that was told, and its document.
fn parse_cursor(cursor: &str) -> Option<(i64, Uuid)> {
    let (version, document) = cursor.split_once('.')?;
    Some((version.parse().ok()?, document.parse().ok()?))
}

pub async fn grid(pool: &PgPool, batch: BatchId, cells: u32) -> Result<ProgressGrid> {
    let total: i64 = sqlx::query_scalar("SELECT coalesce(sum(documents), 0)::bigint FROM tallies WHERE batch = $1")
        .bind(batch.0)
        .fetch_one(pool)
        .await
        .map_err(database)?;
    let per_cell = u32::try_from(total).unwrap_or(u32::MAX).div_ceil(cells.max(1)).max(1);
    let rows = sqlx::query(
        "SELECT row / $2 AS cell, stage, status, count(*) AS documents FROM ( \
           SELECT row_number() OVER (ORDER BY id) - 1 AS row, stage, status FROM documents WHERE batch = $1) AS rows \
         GROUP BY cell, stage, status ORDER BY cell",
    )
    .bind(batch.0)
    .bind(i64::from(per_cell))
    .fetch_all(pool)
    .await
    .map_err(database)?;
    let mut grid = ProgressGrid { per_cell, cells: Vec::new() };
    for row in &rows {
        let at = small(row, "documents", "cell")? as usize;
        grid.cells.resize(grid.cells.len().max(at + 1), ProgressCell::default());
        let cell = &mut grid.cells[at];
        let documents = small(row, "documents", "documents")?;
        cell.documents += documents;
        if name::<Stage>(row, "documents", "stage")? != Stage::Parse {
            cell.parsed += documents;
        }
        match name::<Status>(row, "documents", "status")? {
            Status::Pending => {}
            Status::Processing => cell.processing += documents,
            Status::Completed => cell.completed += documents,
            Status::Failed => cell.failed += documents,
            Status::Cancelled => cell.cancelled += documents,
        }
    }
    Ok(grid)
}

/// Folds the tallies of batches, and forgets paces of the past. Any process may do so at any time:
/// sums stay what they are.
pub(crate) async fn fold(pool: &PgPool) -> Result<()> {
    sqlx::query(
        "WITH crowded AS (SELECT batch FROM tallies GROUP BY batch HAVING count(*) > $1), \
         taken AS MATERIALIZED (SELECT id FROM tallies WHERE batch IN (SELECT batch FROM crowded) FOR UPDATE SKIP LOCKED), \
         gone AS (DELETE FROM tallies t USING taken WHERE t.id = taken.id \
           RETURNING t.batch, t.stage, t.status, t.documents, t.bytes) \
         INSERT INTO tallies (batch, stage, status, documents, bytes) \
         SELECT batch, stage, status, sum(documents), sum(bytes) FROM gone GROUP BY batch, stage, status \
         HAVING sum(documents) <> 0",
    )
    .bind(TALLY_ROWS)
    .execute(pool)
    .await
    .map_err(database)?;
    sqlx::query(concat!("DELETE FROM paces WHERE interval < (", now!(), " - $1) / $2"))
        .bind(signed(2 * PACE_WINDOW_MS))
        .bind(signed(INTERVAL_MS))
        .execute(pool)
        .await
        .map_err(database)?;
    Ok(())
}
