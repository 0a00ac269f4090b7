//! What pages read of a batch as a whole.

use sheaf_domain::{
    Batch, BatchId, BatchSummary, Cluster, ClusterId, DocumentId, DocumentProgress, FailureCount, Page, Progress,
    Stage, StageCounts,
};
use sheaf_store::{Clustering, VectorFile};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;

use crate::rows::{self, batch_columns, count, get, id, name, parsed, parsed_opt};
use crate::{Result, database, now};

/// Documents that a live page lists.
const SHOWN_IN_PROGRESS: u32 = 200;

pub async fn batch(readers: &SqlitePool, batch: BatchId) -> Result<Option<Batch>> {
    let row = sqlx::query(concat!(
        "SELECT ",
        batch_columns!(),
        " FROM batches b LEFT JOIN documents d ON d.batch = b.id WHERE b.id = ? GROUP BY b.id"
    ))
    .bind(batch.to_string())
    .fetch_optional(readers)
    .await
    .map_err(database)?;
    row.as_ref().map(rows::batch).transpose()
}

pub async fn batches(readers: &SqlitePool, limit: u32, cursor: Option<&str>) -> Result<Page<Batch>> {
    // Ids are UUID v7, so the id of the last row seen is the cursor. '~' sorts after every hexadecimal digit.
    let rows = sqlx::query(concat!(
        "SELECT ",
        batch_columns!(),
        " FROM (SELECT * FROM batches WHERE id < ? ORDER BY id DESC LIMIT ?) b ",
        "LEFT JOIN documents d ON d.batch = b.id GROUP BY b.id ORDER BY b.id DESC"
    ))
    .bind(cursor.unwrap_or("~"))
    .bind(limit + 1)
    .fetch_all(readers)
    .await
    .map_err(database)?;
    let mut items = rows.iter().map(rows::batch).collect::<Result<Vec<_>>>()?;
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| more).map(|b| b.id.to_string());
    let total: i64 = sqlx::query_scalar("SELECT count(*) FROM batches").fetch_one(readers).await.map_err(database)?;
    Ok(Page { items, total: u64::try_from(total).unwrap_or_default(), next_cursor })
}

pub async fn summary(readers: &SqlitePool, batch_id: BatchId) -> Result<BatchSummary> {
    let key = batch_id.to_string();
    let counts = batch(readers, batch_id).await?.map(|b| b.counts).unwrap_or_default();
    let sums = sqlx::query(
        "SELECT coalesce(sum(d.bytes), 0) AS bytes, coalesce(sum(p.pages), 0) AS pages, \
         coalesce(sum(p.words), 0) AS words FROM documents d LEFT JOIN parses p ON p.key = d.parse WHERE d.batch = ?",
    )
    .bind(&key)
    .fetch_one(readers)
    .await
    .map_err(database)?;
    let placed = sqlx::query(
        "SELECT count(*) AS placed, count(*) FILTER (WHERE cluster IS NULL) AS outliers, \
         avg(probability) FILTER (WHERE cluster IS NOT NULL) AS probability, \
         (SELECT count(*) FROM clusters WHERE batch = ?1) AS clusters, \
         (SELECT silhouette FROM clusterings WHERE batch = ?1) AS silhouette, \
         EXISTS (SELECT 1 FROM clusterings WHERE batch = ?1) AS analysed FROM placements WHERE batch = ?1",
    )
    .bind(&key)
    .fetch_one(readers)
    .await
    .map_err(database)?;
    let analysed: bool = get(&placed, "analysed")?;
    let unclustered = if analysed { counts.completed.saturating_sub(count(&placed, "placed")?) } else { 0 };
    Ok(BatchSummary {
        counts,
        clusters: count(&placed, "clusters")?,
        outliers: count(&placed, "outliers")?,
        unclustered,
        average_probability: get::<Option<f64>>(&placed, "probability")?.map(|p| p as f32),
        silhouette: get::<Option<f64>>(&placed, "silhouette")?.map(|s| s as f32),
        pages: count(&sums, "pages")?,
        words: count(&sums, "words")?,
        bytes: count(&sums, "bytes")?,
    })
}

pub async fn clusters(readers: &SqlitePool, batch: BatchId) -> Result<Vec<Cluster>> {
    let rows = sqlx::query(
        "SELECT c.*, d.path FROM clusters c JOIN documents d ON d.id = c.representative WHERE c.batch = ? ORDER BY c.id",
    )
    .bind(batch.to_string())
    .fetch_all(readers)
    .await
    .map_err(database)?;
    rows.iter().map(read_cluster).collect()
}

fn read_cluster(row: &SqliteRow) -> Result<Cluster> {
    Ok(Cluster {
        id: ClusterId(get(row, "id")?),
        name: get(row, "name")?,
        keywords: parsed(row, "clusters", "keywords")?,
        size: count(row, "size")?,
        cohesion: get::<f64>(row, "cohesion")? as f32,
        average_probability: get::<f64>(row, "average_probability")? as f32,
        representative: DocumentId(id(row, "clusters", "representative")?),
        representative_path: get(row, "path")?,
    })
}

pub async fn failures(readers: &SqlitePool, batch: BatchId) -> Result<Vec<FailureCount>> {
    let rows = sqlx::query(
        "SELECT failure_code, count(*) AS documents FROM documents WHERE batch = ? AND status = 'failed' \
         AND failure_code IS NOT NULL GROUP BY failure_code ORDER BY documents DESC, failure_code",
    )
    .bind(batch.to_string())
    .fetch_all(readers)
    .await
    .map_err(database)?;
    rows.iter()
        .map(|row| {
            Ok(FailureCount { code: name(row, "documents", "failure_code")?, documents: count(row, "documents")? })
        })
        .collect()
}

pub async fn progress(readers: &SqlitePool, batch_id: BatchId) -> Result<Option<Progress>> {
    let Some(found) = batch(readers, batch_id).await? else { return Ok(None) };
    let key = batch_id.to_string();
    let elapsed: i64 = sqlx::query_scalar(concat!(
        "SELECT (coalesce(finished_at, ",
        now!(),
        ") - created_at) / 1000 FROM batches WHERE id = ?"
    ))
    .bind(&key)
    .fetch_one(readers)
    .await
    .map_err(database)?;
    let states = sqlx::query("SELECT stage, state, count(*) AS jobs FROM jobs WHERE batch = ? GROUP BY stage, state")
        .bind(&key)
        .fetch_all(readers)
        .await
        .map_err(database)?;
    let mut stages: Vec<StageCounts> =
        Stage::ALL.iter().map(|&stage| StageCounts { stage, pending: 0, processing: 0, done: 0 }).collect();
    for row in &states {
        let stage: Stage = name(row, "jobs", "stage")?;
        let state: &str = get(row, "state")?;
        let jobs = count(row, "jobs")?;
        let Some(counts) = stages.iter_mut().find(|s| s.stage == stage) else { continue };
        match state {
            "pending" => counts.pending += jobs,
            "processing" => counts.processing += jobs,
            _ => counts.done += jobs,
        }
    }
    let documents = sqlx::query(
        "SELECT id, path, status, stage, failure, pages_done, pages_total FROM documents WHERE batch = ? ORDER BY \
         CASE status WHEN 'processing' THEN 0 WHEN 'failed' THEN 1 WHEN 'completed' THEN 2 ELSE 3 END, \
         CASE WHEN status = 'completed' THEN -updated_at END, path, id LIMIT ?",
    )
    .bind(&key)
    .bind(SHOWN_IN_PROGRESS)
    .fetch_all(readers)
    .await
    .map_err(database)?;
    Ok(Some(Progress {
        batch: batch_id,
        status: found.status,
        counts: found.counts,
        stages,
        documents: documents.iter().map(read_progress).collect::<Result<_>>()?,
        elapsed_seconds: u64::try_from(elapsed).unwrap_or_default(),
    }))
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

pub async fn text(readers: &SqlitePool, batch: BatchId, document: DocumentId) -> Result<Option<String>> {
    sqlx::query_scalar("SELECT t.text FROM documents d JOIN texts t ON t.key = d.parse WHERE d.id = ? AND d.batch = ?")
        .bind(document.to_string())
        .bind(batch.to_string())
        .fetch_optional(readers)
        .await
        .map_err(database)
}

pub async fn clustering(readers: &SqlitePool, batch: BatchId) -> Result<Option<Clustering>> {
    let row = sqlx::query("SELECT * FROM clusterings WHERE batch = ?")
        .bind(batch.to_string())
        .fetch_optional(readers)
        .await
        .map_err(database)?;
    row.map(|row| {
        let vectors: Option<String> = get(&row, "vectors")?;
        let (rows, dimensions) = (get(&row, "rows")?, get(&row, "dimensions")?);
        Ok(Clustering {
            vectors: vectors.map(|name| VectorFile { name, rows, dimensions }),
            heatmap: parsed(&row, "clusterings", "heatmap")?,
            manifest: get(&row, "manifest")?,
            silhouette: get::<Option<f64>>(&row, "silhouette")?.map(|s| s as f32),
        })
    })
    .transpose()
}
