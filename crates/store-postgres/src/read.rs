//! What pages read of a batch as a whole.

use sheaf_domain::{
    Batch, BatchId, BatchQuery, BatchSummary, Cluster, ClusterId, DocumentId, FailureCount, Page, Passwords,
};
use sheaf_store::{Clustering, VectorFile};
use sqlx::postgres::PgRow;
use sqlx::{PgExecutor, PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::rows::{self, batch_columns, count, get, id, name, parsed, small, text};
use crate::{Result, database, nul};

pub async fn batch(pool: impl PgExecutor<'_>, batch: BatchId) -> Result<Option<Batch>> {
    let row = sqlx::query(concat!(
        "SELECT ",
        batch_columns!(),
        " FROM batches b LEFT JOIN tallies t ON t.batch = b.id WHERE b.id = $1 GROUP BY b.id"
    ))
    .bind(batch.0)
    .fetch_optional(pool)
    .await
    .map_err(database)?;
    row.as_ref().map(rows::batch).transpose()
}

pub async fn batches(pool: &PgPool, query: &BatchQuery) -> Result<Page<Batch>> {
    let limit = query.effective_limit();
    let mut counting = QueryBuilder::new("SELECT count(*) FROM batches b WHERE true");
    push_filter(&mut counting, query);
    let total: i64 = counting.build_query_scalar().fetch_one(pool).await.map_err(database)?;

    let mut select = QueryBuilder::new(concat!(
        "SELECT ",
        batch_columns!(),
        " FROM batches b LEFT JOIN tallies t ON t.batch = b.id WHERE b.id IN (SELECT id FROM batches b WHERE true"
    ));
    push_filter(&mut select, query);
    // Ids are UUID v7, so the id of the last row seen is the cursor; what is no id stands for the beginning.
    if let Some(cursor) = query.cursor.as_deref().and_then(|cursor| Uuid::parse_str(cursor).ok()) {
        select.push(" AND b.id < ").push_bind(cursor);
    }
    select.push(" ORDER BY b.id DESC LIMIT ").push_bind(i64::from(limit) + 1);
    select.push(") GROUP BY b.id ORDER BY b.id DESC");
    let rows = select.build().fetch_all(pool).await.map_err(database)?;
    let mut items = rows.iter().map(rows::batch).collect::<Result<Vec<_>>>()?;
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| more).map(|b| b.id.to_string());
    Ok(Page { items, total: u64::try_from(total).unwrap_or_default(), next_cursor })
}

fn push_filter(sql: &mut QueryBuilder<Postgres>, query: &BatchQuery) {
    let BatchQuery { search, status, cursor: _, limit: _ } = query;
    if let Some(search) = search.as_deref().filter(|s| !s.is_empty()) {
        let search = nul::hide(search).into_owned();
        // `strpos` knows no wildcards, so nothing needs escaping; `lower` folds ASCII only in this collation.
        sql.push(" AND (strpos(lower(b.name), lower(").push_bind(search.clone());
        sql.push(" COLLATE \"C\")) > 0 OR starts_with(b.id::text, lower(").push_bind(search);
        sql.push(" COLLATE \"C\")))");
    }
    if let Some(status) = status {
        sql.push(" AND b.status = ").push_bind(status.name());
    }
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
        "SELECT c.id, c.name, c.keywords, c.size, c.cohesion, c.average_probability, c.representative, c.named_by, c.edited, \
         d.path FROM clusters c JOIN documents d ON d.id = c.representative WHERE c.batch = $1 ORDER BY c.size DESC, c.id",
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
        named_by: name(row, "clusters", "named_by")?,
        edited: get(row, "edited")?,
    })
}

pub async fn failures(pool: &PgPool, batch: BatchId) -> Result<Vec<FailureCount>> {
    // What was refused on arrival has no job, and no hash.
    let rows = sqlx::query(
        "SELECT stage, failure_code, count(*) AS documents, count(*) FILTER (WHERE sha256 <> '') AS retryable \
         FROM documents WHERE batch = $1 AND status = 'failed' AND failure_code IS NOT NULL GROUP BY stage, failure_code \
         ORDER BY CASE stage WHEN 'parse' THEN 0 ELSE 1 END, documents DESC, failure_code",
    )
    .bind(batch.0)
    .fetch_all(pool)
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
    let row = sqlx::query(
        "SELECT vectors, rows, dimensions, heatmap, manifest, silhouette FROM clusterings WHERE batch = $1",
    )
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
