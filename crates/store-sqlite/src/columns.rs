//! A batch as a whole, read in one pass for the columns that are kept of it, and the little that they do not have.

use async_trait::async_trait;
use futures::TryStreamExt;
use sheaf_domain::{BatchId, ClusterId, DocumentId, DocumentRow, FamilyPlace, Heatmap, TextQuery};
use sheaf_store::{ColumnClustering, ColumnRow, ColumnStore, Columns, GroupRange, Place, StoreError, VectorFile};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqlitePool};
use uuid::Uuid;

use crate::rows::{self, document_columns, document_tables, get, json};
use crate::{Result, SqliteStore, database, search};

#[async_trait]
impl ColumnStore for SqliteStore {
    async fn columns_mark(&self, batch: BatchId) -> Result<Option<String>> {
        sqlx::query_scalar(
            "SELECT coalesce((SELECT max(version) FROM documents WHERE batch = ?1), 0) || ' ' || \
             coalesce((SELECT value FROM marks WHERE batch = ?1), 0) || ' ' || \
             coalesce((SELECT group_concat(stage || status || documents || '/' || bytes, ' ' ORDER BY stage, status) \
             FROM tallies WHERE batch = ?1), '') FROM batches WHERE id = ?1",
        )
        .bind(batch.to_string())
        .fetch_optional(&self.readers)
        .await
        .map_err(database)
    }

    async fn columns(&self, batch: BatchId) -> Result<Columns> {
        // Forced to go by path: without statistics the planner would sort a hundred thousand rows.
        let mut rows = sqlx::query(
            "SELECT d.id, d.path, d.bytes, d.status, d.failure_code, coalesce(p.kind, d.kind), p.language, p.pages, p.words, \
             CASE WHEN json_extract(p.metadata, '$.created') GLOB '[0-9][0-9][0-9][0-9]*' \
             THEN substr(json_extract(p.metadata, '$.created'), 1, 10) END, l.position, l.cluster, l.probability, \
             fm.family, fm.place = 0 FROM documents d INDEXED BY documents_by_batch_path \
             LEFT JOIN parses p ON p.key = d.parse LEFT JOIN placements l ON l.document = d.id \
             LEFT JOIN family_members fm ON fm.document = d.id WHERE d.batch = ? ORDER BY d.path, d.id",
        )
        .bind(batch.to_string())
        .fetch(&self.readers);
        let mut read = Vec::new();
        while let Some(row) = rows.try_next().await.map_err(database)? {
            read.push(column_row(&row)?);
        }
        drop(rows);
        Columns::gather(read.into_iter().map(Ok), clustering(&self.readers, batch).await?)
    }

    async fn worded(&self, batch: BatchId, words: &TextQuery) -> Result<Vec<DocumentId>> {
        let Some(words) = search::match_of(words) else { return Ok(Vec::new()) };
        let rows = sqlx::query(
            "SELECT d.id FROM text_words w CROSS JOIN indexed_texts i ON i.id = w.rowid JOIN documents d ON d.parse = i.key \
             WHERE d.batch = ? AND text_words MATCH ?",
        )
        .bind(batch.to_string())
        .bind(words)
        .fetch_all(&self.readers)
        .await
        .map_err(database)?;
        rows.iter().map(|row| Ok(DocumentId(rows::id(row, "documents", "id")?))).collect()
    }

    async fn rows_of(&self, batch: BatchId, documents: &[DocumentId]) -> Result<Vec<DocumentRow>> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            document_columns!(),
            " FROM json_each(?) wanted CROSS JOIN ",
            document_tables!(),
            " WHERE d.id = wanted.value AND d.batch = ? ORDER BY wanted.key"
        ))
        .bind(json(&documents))
        .bind(batch.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(database)?;
        rows.iter().map(rows::document).collect()
    }

    async fn heatmap(&self, batch: BatchId) -> Result<Option<Heatmap>> {
        let row = sqlx::query("SELECT heatmap FROM clusterings WHERE batch = ?")
            .bind(batch.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(database)?;
        row.as_ref().map(|row| rows::parsed(row, "clusterings", "heatmap")).transpose()
    }

    async fn nearest(&self, batch: BatchId, most: u32) -> Result<Vec<Vec<(DocumentId, f32)>>> {
        let mut rows = sqlx::query("SELECT neighbours FROM placements WHERE batch = ? ORDER BY position")
            .bind(batch.to_string())
            .fetch(&self.readers);
        let mut nearest = Vec::new();
        while let Some(row) = rows.try_next().await.map_err(database)? {
            let mut of_one: Vec<(DocumentId, f32)> = rows::parsed(&row, "placements", "neighbours")?;
            of_one.truncate(most as usize);
            of_one.shrink_to_fit();
            nearest.push(of_one);
        }
        Ok(nearest)
    }
}

/// By place, for there are as many rows as documents.
fn column_row(row: &SqliteRow) -> Result<ColumnRow> {
    let position: Option<u32> = at(row, 10)?;
    let place = match position {
        Some(position) => Some(Place {
            position,
            cluster: at::<Option<u32>>(row, 11)?.map(ClusterId),
            probability: at::<f64>(row, 12)? as f32,
        }),
        None => None,
    };
    let family = match at::<Option<u32>>(row, 13)? {
        Some(id) => Some(FamilyPlace { id, principal: at(row, 14)? }),
        None => None,
    };
    let id: &str = at(row, 0)?;
    Ok(ColumnRow {
        id: DocumentId(Uuid::parse_str(id).map_err(|error| unreadable(&error))?),
        path: at(row, 1)?,
        bytes: u64::try_from(at::<i64>(row, 2)?).unwrap_or_default(),
        status: at::<&str>(row, 3)?.parse().map_err(|error| unreadable(&error))?,
        failure: name(row, 4)?,
        kind: name(row, 5)?,
        language: at(row, 6)?,
        pages: at(row, 7)?,
        words: at::<Option<i64>>(row, 8)?.map(|words| u64::try_from(words).unwrap_or_default()),
        created: at(row, 9)?,
        place,
        family,
    })
}

fn at<'r, T>(row: &'r SqliteRow, place: usize) -> Result<T>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(place).map_err(database)
}

fn name<T>(row: &SqliteRow, place: usize) -> Result<Option<T>>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    let text: Option<&str> = at(row, place)?;
    text.map(|text| text.parse().map_err(|error: T::Err| unreadable(&error))).transpose()
}

fn unreadable(error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Row { table: "documents", reason: error.to_string() }
}

async fn clustering(readers: &SqlitePool, batch: BatchId) -> Result<Option<ColumnClustering>> {
    let row = sqlx::query(
        "SELECT vectors, rows, dimensions, silhouette, (SELECT count(*) FROM clusters WHERE batch = ?1) AS clusters \
         FROM clusterings WHERE batch = ?1",
    )
    .bind(batch.to_string())
    .fetch_optional(readers)
    .await
    .map_err(database)?;
    let Some(row) = row else { return Ok(None) };
    let groups = sqlx::query("SELECT id, start, size FROM levels WHERE batch = ? ORDER BY id")
        .bind(batch.to_string())
        .fetch_all(readers)
        .await
        .map_err(database)?;
    let groups = groups.iter().map(|group| {
        Ok(GroupRange { id: ClusterId(get(group, "id")?), start: get(group, "start")?, size: get(group, "size")? })
    });
    let (rows, dimensions) = (get(&row, "rows")?, get(&row, "dimensions")?);
    Ok(Some(ColumnClustering {
        clusters: rows::count(&row, "clusters")?,
        silhouette: get::<Option<f64>>(&row, "silhouette")?.map(|silhouette| silhouette as f32),
        vectors: get::<Option<String>>(&row, "vectors")?.map(|name| VectorFile { name, rows, dimensions }),
        groups: groups.collect::<Result<_>>()?,
    }))
}
