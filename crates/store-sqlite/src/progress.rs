//! How far a batch is: what a live page asks for again and again.

use sheaf_domain::{
    BatchId, Changes, DocumentId, DocumentProgress, Progress, ProgressCell, ProgressGrid, Stage, StageCounts, Status,
};
use sheaf_store::{PACE_WINDOW_MS, StagePace};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, SqliteConnection, SqlitePool};

use crate::rows::{count, get, id, name, parsed_opt, signed};
use crate::{Result, database, now, read};

/// Documents that a live page lists.
const SHOWN: u32 = 200;

/// Milliseconds of an interval of the pace.
const INTERVAL_MS: u64 = 5_000;

/// The columns of a document on the live page.
macro_rules! progress_columns {
    () => {
        "id, path, status, stage, failure, pages_done, pages_total, version"
    };
}

pub async fn progress(readers: &SqlitePool, batch: BatchId) -> Result<Option<Progress>> {
    let Some(found) = read::batch(readers, batch).await? else { return Ok(None) };
    let mut documents = Vec::new();
    for (status, latest_first) in [
        (Status::Processing, false),
        (Status::Failed, true),
        (Status::Completed, true),
        (Status::Pending, false),
        (Status::Cancelled, false),
    ] {
        let mut some = QueryBuilder::new(concat!("SELECT ", progress_columns!(), " FROM documents WHERE batch = "));
        some.push_bind(batch.to_string()).push(" AND status = ").push_bind(status.name());
        some.push(if latest_first { " ORDER BY version DESC, id" } else { " ORDER BY version, id" });
        some.push(" LIMIT ").push_bind(i64::from(SHOWN) - documents.len() as i64);
        let rows = some.build().fetch_all(readers).await.map_err(database)?;
        documents.extend(rows.iter().map(read_progress).collect::<Result<Vec<_>>>()?);
    }
    let mut stages = stages(readers, batch).await?;
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
async fn stages(readers: &SqlitePool, batch: BatchId) -> Result<Vec<StageCounts>> {
    let mut stages = Stage::ALL.map(|stage| StageCounts {
        stage,
        pending: 0,
        processing: 0,
        done: 0,
        rate: None,
        average_rate: None,
    });
    let rows = sqlx::query(
        "SELECT stage, status, documents FROM tallies WHERE batch = ?1 UNION ALL \
         SELECT stage, state, 1 FROM jobs WHERE batch = ?1 AND stage = 'analyse' AND document IS NULL",
    )
    .bind(batch.to_string())
    .fetch_all(readers)
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

fn read_progress(row: &SqliteRow) -> Result<DocumentProgress> {
    Ok(DocumentProgress {
        id: DocumentId(id(row, "documents", "id")?),
        path: get(row, "path")?,
        status: name(row, "documents", "status")?,
        stage: name(row, "documents", "stage")?,
        failure: parsed_opt(row, "documents", "failure")?,
        pages: get::<Option<u32>>(row, "pages_done")?.zip(get::<Option<u32>>(row, "pages_total")?),
    })
}

/// Counts jobs that ended well, with the bytes of their documents.
pub(crate) async fn note_pace(
    tx: &mut SqliteConnection,
    batch: BatchId,
    stage: Stage,
    documents: &[String],
) -> Result<()> {
    sqlx::query(concat!(
        "INSERT INTO paces (batch, stage, interval, jobs, bytes) SELECT ?1, ?2, ",
        now!(),
        " / ?3, count(*), coalesce(sum(bytes), 0) FROM documents WHERE id IN (SELECT value FROM json_each(?4)) ",
        "ON CONFLICT DO UPDATE SET jobs = jobs + excluded.jobs, bytes = bytes + excluded.bytes"
    ))
    .bind(batch.to_string())
    .bind(stage.name())
    .bind(signed(INTERVAL_MS))
    .bind(crate::rows::json(&documents))
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    sqlx::query(concat!("DELETE FROM paces WHERE batch = ? AND stage = ? AND interval < (", now!(), " - ?) / ?"))
        .bind(batch.to_string())
        .bind(stage.name())
        .bind(signed(2 * PACE_WINDOW_MS))
        .bind(signed(INTERVAL_MS))
        .execute(tx)
        .await
        .map_err(database)?;
    Ok(())
}

pub async fn pace(readers: &SqlitePool, batch: BatchId) -> Result<Vec<StagePace>> {
    let mut paces = Vec::new();
    for stage in [Stage::Parse, Stage::Embed] {
        // The interval that is still running counts with the part that has passed.
        let row = sqlx::query(concat!(
            "SELECT coalesce(sum(jobs), 0) AS jobs, coalesce(sum(bytes), 0) AS bytes, ",
            "coalesce(",
            now!(),
            " - min(interval) * ?1, 0) AS window_ms, ",
            "(SELECT coalesce(sum(bytes), 0) FROM tallies WHERE batch = ?2 AND stage = ?3 ",
            "AND status IN ('pending', 'processing')) AS bytes_left ",
            "FROM paces WHERE batch = ?2 AND stage = ?3 AND interval >= (",
            now!(),
            " - ?4) / ?1"
        ))
        .bind(signed(INTERVAL_MS))
        .bind(batch.to_string())
        .bind(stage.name())
        .bind(signed(PACE_WINDOW_MS))
        .fetch_one(readers)
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

pub async fn changes(readers: &SqlitePool, batch: BatchId, cursor: Option<&str>, limit: u32) -> Result<Changes> {
    let Some((version, document)) = cursor.and_then(parse_cursor) else {
        // Nothing sorts after '~'.
        let now: i64 = sqlx::query_scalar("SELECT value FROM clock").fetch_one(readers).await.map_err(database)?;
        return Ok(Changes { documents: Vec::new(), cursor: format!("{now}.~"), more: false });
    };
    let rows = sqlx::query(concat!(
        "SELECT ",
        progress_columns!(),
        " FROM documents WHERE batch = ? AND (version, id) > (?, ?) ORDER BY version, id LIMIT ?"
    ))
    .bind(batch.to_string())
    .bind(version)
    .bind(document)
    .bind(i64::from(limit) + 1)
    .fetch_all(readers)
    .await
    .map_err(database)?;
    let more = rows.len() > limit as usize;
    let shown = &rows[..rows.len().min(limit as usize)];
    let next = match shown.last() {
        Some(row) => format!("{}.{}", get::<i64>(row, "version")?, get::<String>(row, "id")?),
        None => format!("{version}.{document}"),
    };
    Ok(Changes { documents: shown.iter().map(read_progress).collect::<Result<_>>()?, cursor: next, more })
}

/// The version of the last change that was told, and its document.
fn parse_cursor(cursor: &str) -> Option<(i64, &str)> {
    let (version, document) = cursor.split_once('.')?;
    Some((version.parse().ok()?, document))
}

pub async fn grid(readers: &SqlitePool, batch: BatchId, cells: u32) -> Result<ProgressGrid> {
    let mut connection = readers.acquire().await.map_err(database)?;
    let total: i64 = sqlx::query_scalar("SELECT coalesce(sum(documents), 0) FROM tallies WHERE batch = ?")
        .bind(batch.to_string())
        .fetch_one(&mut *connection)
        .await
        .map_err(database)?;
    let per_cell = u32::try_from(total).unwrap_or(u32::MAX).div_ceil(cells.max(1)).max(1);
    let rows = sqlx::query(
        "SELECT row / ?2 AS cell, stage, status, count(*) AS documents FROM ( \
           SELECT row_number() OVER (ORDER BY id) - 1 AS row, stage, status FROM documents WHERE batch = ?1) \
         GROUP BY cell, stage, status ORDER BY cell",
    )
    .bind(batch.to_string())
    .bind(per_cell)
    .fetch_all(&mut *connection)
    .await
    .map_err(database)?;
    let mut grid = ProgressGrid { per_cell, cells: Vec::new() };
    for row in &rows {
        let at: u32 = get(row, "cell")?;
        grid.cells.resize(grid.cells.len().max(at as usize + 1), ProgressCell::default());
        let cell = &mut grid.cells[at as usize];
        let documents: u32 = get(row, "documents")?;
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
