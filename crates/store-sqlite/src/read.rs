//! What pages read of a batch as a whole.

use sheaf_domain::{
    Batch, BatchId, BatchQuery, BatchSummary, Cluster, ClusterId, DocumentId, FailureCount, Page, Passwords,
};
use sheaf_store::{Clustering, VectorFile};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteExecutor, SqlitePool};

use crate::rows::{self, batch_columns, count, get, id, name, parsed};
use crate::{Result, database};

pub async fn batch(readers: impl SqliteExecutor<'_>, batch: BatchId) -> Result<Option<Batch>> {
    let row = sqlx::query(concat!(
        "SELECT ",
        batch_columns!(),
        " FROM batches b LEFT JOIN tallies t ON t.batch = b.id WHERE b.id = ? GROUP BY b.id"
    ))
    .bind(batch.to_string())
    .fetch_optional(readers)
    .await
    .map_err(database)?;
    row.as_ref().map(rows::batch).transpose()
}

pub async fn batches(readers: &SqlitePool, query: &BatchQuery) -> Result<Page<Batch>> {
    let limit = query.effective_limit();
    let mut counting = QueryBuilder::new("SELECT count(*) FROM batches b WHERE true");
    push_filter(&mut counting, query);
    let total: i64 = counting.build_query_scalar().fetch_one(readers).await.map_err(database)?;

    let mut select =
        QueryBuilder::new(concat!("SELECT ", batch_columns!(), " FROM (SELECT * FROM batches b WHERE true"));
    push_filter(&mut select, query);
    if let Some(cursor) = &query.cursor {
        // Ids are UUID v7, so the id of the last row seen is the cursor.
        select.push(" AND b.id < ").push_bind(cursor.clone());
    }
    select.push(" ORDER BY b.id DESC LIMIT ").push_bind(limit + 1);
    select.push(") b LEFT JOIN tallies t ON t.batch = b.id GROUP BY b.id ORDER BY b.id DESC");
    let rows = select.build().fetch_all(readers).await.map_err(database)?;
    let mut items = rows.iter().map(rows::batch).collect::<Result<Vec<_>>>()?;
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| more).map(|b| b.id.to_string());
    Ok(Page { items, total: u64::try_from(total).unwrap_or_default(), next_cursor })
}

fn push_filter(sql: &mut QueryBuilder<Sqlite>, query: &BatchQuery) {
    let BatchQuery { search, status, cursor: _, limit: _ } = query;
    if let Some(search) = search.as_deref().filter(|s| !s.is_empty()) {
        // `instr` knows no wildcards, so nothing needs escaping; `lower` folds ASCII only.
        sql.push(" AND (instr(lower(b.name), lower(").push_bind(search.to_owned());
        sql.push(")) > 0 OR instr(b.id, lower(").push_bind(search.to_owned()).push(")) = 1)");
    }
    if let Some(status) = status {
        sql.push(" AND b.status = ").push_bind(status.name());
    }
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
        "SELECT c.*, d.path FROM clusters c JOIN documents d ON d.id = c.representative WHERE c.batch = ? \
         ORDER BY c.size DESC, c.id",
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
        named_by: name(row, "clusters", "named_by")?,
        edited: get(row, "edited")?,
    })
}

pub async fn failures(readers: &SqlitePool, batch: BatchId) -> Result<Vec<FailureCount>> {
    // What was refused on arrival has no job, and no hash.
    let rows = sqlx::query(
        "SELECT stage, failure_code, count(*) AS documents, count(*) FILTER (WHERE sha256 <> '') AS retryable \
         FROM documents WHERE batch = ? AND status = 'failed' AND failure_code IS NOT NULL GROUP BY stage, failure_code \
         ORDER BY CASE stage WHEN 'parse' THEN 0 ELSE 1 END, documents DESC, failure_code",
    )
    .bind(batch.to_string())
    .fetch_all(readers)
    .await
    .map_err(database)?;
    rows.iter()
        .map(|row| {
            Ok(FailureCount {
                stage: name(row, "documents", "stage")?,
                code: name(row, "documents", "failure_code")?,
                documents: count(row, "documents")?,
                retryable: count(row, "retryable")?,
            })
        })
        .collect()
}

pub async fn passwords(readers: &SqlitePool, batch: BatchId) -> Result<Passwords> {
    let row = sqlx::query("SELECT passwords FROM batches WHERE id = ?")
        .bind(batch.to_string())
        .fetch_optional(readers)
        .await
        .map_err(database)?;
    row.as_ref().map_or_else(|| Ok(Passwords::default()), |row| parsed(row, "batches", "passwords"))
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
