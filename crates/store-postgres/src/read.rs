//! What pages read of a batch as a whole.

use sheaf_domain::{
    Batch, BatchId, BatchSummary, Cluster, ClusterId, DocumentId, DocumentProgress, FailureCount, Page, Passwords,
    Progress, Stage, StageCounts,
};
use sheaf_store::{Clustering, VectorFile};
use sqlx::PgPool;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::rows::{self, batch_columns, count, get, id, name, parsed, parsed_opt, small, small_opt, text};
use crate::{Result, database, now, nul};

/// Documents that a live page lists.
const SHOWN_IN_PROGRESS: u32 = 200;

pub async fn batch(pool: &PgPool, batch: BatchId) -> Result<Option<Batch>> {
    let row = sqlx::query(concat!(
        "SELECT ",
        batch_columns!(),
        " FROM batches b LEFT JOIN documents d ON d.batch = b.id WHERE b.id = $1 GROUP BY b.id"
    ))
    .bind(batch.0)
    .fetch_optional(pool)
    .await
    .map_err(database)?;
    row.as_ref().map(rows::batch).transpose()
}

pub async fn batches(pool: &PgPool, limit: u32, cursor: Option<&str>) -> Result<Page<Batch>> {
    // Ids are UUID v7, so the id of the last row seen is the cursor; what is no id stands for the beginning.
    let rows = sqlx::query(concat!(
        "SELECT ",
        batch_columns!(),
        " FROM batches b LEFT JOIN documents d ON d.batch = b.id ",
        "WHERE b.id IN (SELECT id FROM batches WHERE id < $1 ORDER BY id DESC LIMIT $2) GROUP BY b.id ORDER BY b.id DESC"
    ))
    .bind(cursor.and_then(|c| Uuid::parse_str(c).ok()).unwrap_or(Uuid::max()))
    .bind(i64::from(limit) + 1)
    .fetch_all(pool)
    .await
    .map_err(database)?;
    let mut items = rows.iter().map(rows::batch).collect::<Result<Vec<_>>>()?;
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| more).map(|b| b.id.to_string());
    let total: i64 = sqlx::query_scalar("SELECT count(*) FROM batches").fetch_one(pool).await.map_err(database)?;
    Ok(Page { items, total: u64::try_from(total).unwrap_or_default(), next_cursor })
}

pub async fn summary(pool: &PgPool, batch_id: BatchId) -> Result<BatchSummary> {
    let counts = batch(pool, batch_id).await?.map(|b| b.counts).unwrap_or_default();
    let sums = sqlx::query(
        "SELECT coalesce(sum(d.bytes), 0)::bigint AS bytes, coalesce(sum(p.pages), 0)::bigint AS pages, \
         coalesce(sum(p.words), 0)::bigint AS words FROM documents d LEFT JOIN parses p ON p.key = d.parse WHERE d.batch = $1",
    )
    .bind(batch_id.0)
    .fetch_one(pool)
    .await
    .map_err(database)?;
    let placed = sqlx::query(
        "SELECT count(*) AS placed, count(*) FILTER (WHERE cluster IS NULL) AS outliers, \
         avg(probability) FILTER (WHERE cluster IS NOT NULL) AS probability, \
         (SELECT count(*) FROM clusters WHERE batch = $1) AS clusters, \
         (SELECT silhouette FROM clusterings WHERE batch = $1) AS silhouette, \
         EXISTS (SELECT FROM clusterings WHERE batch = $1) AS analysed FROM placements WHERE batch = $1",
    )
    .bind(batch_id.0)
    .fetch_one(pool)
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
        silhouette: get(&placed, "silhouette")?,
        pages: count(&sums, "pages")?,
        words: count(&sums, "words")?,
        bytes: count(&sums, "bytes")?,
    })
}

pub async fn clusters(pool: &PgPool, batch: BatchId) -> Result<Vec<Cluster>> {
    let rows = sqlx::query(
        "SELECT c.*, d.path FROM clusters c JOIN documents d ON d.id = c.representative WHERE c.batch = $1 ORDER BY c.id",
    )
    .bind(batch.0)
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter().map(read_cluster).collect()
}

fn read_cluster(row: &PgRow) -> Result<Cluster> {
    Ok(Cluster {
        id: ClusterId(small(row, "clusters", "id")?),
        name: text(row, "name")?,
        keywords: parsed(row, "clusters", "keywords")?,
        size: count(row, "size")?,
        cohesion: get(row, "cohesion")?,
        average_probability: get(row, "average_probability")?,
        representative: DocumentId(id(row, "representative")?),
        representative_path: text(row, "path")?,
    })
}

pub async fn failures(pool: &PgPool, batch: BatchId) -> Result<Vec<FailureCount>> {
    let rows = sqlx::query(
        "SELECT failure_code, count(*) AS documents FROM documents WHERE batch = $1 AND status = 'failed' \
         AND failure_code IS NOT NULL GROUP BY failure_code ORDER BY documents DESC, failure_code",
    )
    .bind(batch.0)
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter()
        .map(|row| {
            Ok(FailureCount { code: name(row, "documents", "failure_code")?, documents: count(row, "documents")? })
        })
        .collect()
}

pub async fn progress(pool: &PgPool, batch_id: BatchId) -> Result<Option<Progress>> {
    let Some(found) = batch(pool, batch_id).await? else { return Ok(None) };
    let elapsed: i64 = sqlx::query_scalar(concat!(
        "SELECT (coalesce(finished_at, ",
        now!(),
        ") - created_at) / 1000 FROM batches WHERE id = $1"
    ))
    .bind(batch_id.0)
    .fetch_one(pool)
    .await
    .map_err(database)?;
    let states = sqlx::query("SELECT stage, state, count(*) AS jobs FROM jobs WHERE batch = $1 GROUP BY stage, state")
        .bind(batch_id.0)
        .fetch_all(pool)
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
        "SELECT id, path, status, stage, failure, pages_done, pages_total FROM documents WHERE batch = $1 ORDER BY \
         CASE status WHEN 'processing' THEN 0 WHEN 'failed' THEN 1 WHEN 'completed' THEN 2 ELSE 3 END, \
         CASE WHEN status = 'completed' THEN -updated_at END, path, id LIMIT $2",
    )
    .bind(batch_id.0)
    .bind(i64::from(SHOWN_IN_PROGRESS))
    .fetch_all(pool)
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

pub async fn passwords(pool: &PgPool, batch: BatchId) -> Result<Passwords> {
    let row = sqlx::query("SELECT passwords FROM batches WHERE id = $1")
        .bind(batch.0)
        .fetch_optional(pool)
        .await
        .map_err(database)?;
    row.as_ref().map_or_else(|| Ok(Passwords::default()), |row| parsed(row, "batches", "passwords"))
}

pub async fn document_text(pool: &PgPool, batch: BatchId, document: DocumentId) -> Result<Option<String>> {
    let text: Option<String> = sqlx::query_scalar(
        "SELECT t.text FROM documents d JOIN texts t ON t.key = d.parse WHERE d.id = $1 AND d.batch = $2",
    )
    .bind(document.0)
    .bind(batch.0)
    .fetch_optional(pool)
    .await
    .map_err(database)?;
    Ok(text.map(nul::show))
}

pub async fn clustering(pool: &PgPool, batch: BatchId) -> Result<Option<Clustering>> {
    let row = sqlx::query("SELECT * FROM clusterings WHERE batch = $1")
        .bind(batch.0)
        .fetch_optional(pool)
        .await
        .map_err(database)?;
    row.map(|row| {
        let vectors: Option<String> = get(&row, "vectors")?;
        let (rows, dimensions) = (small(&row, "clusterings", "rows")?, small(&row, "clusterings", "dimensions")?);
        Ok(Clustering {
            vectors: vectors.map(|name| VectorFile { name, rows, dimensions }),
            heatmap: parsed(&row, "clusterings", "heatmap")?,
            manifest: text(&row, "manifest")?,
            silhouette: get(&row, "silhouette")?,
        })
    })
    .transpose()
}
