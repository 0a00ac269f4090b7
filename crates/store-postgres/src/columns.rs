//! A batch as a whole, read in one pass for the columns that are kept of it, and the little that they do not have.

use async_trait::async_trait;
use futures::TryStreamExt;
use sheaf_domain::{BatchId, ClusterId, DocumentId, DocumentRow, FamilyPlace, Heatmap, TextQuery};
use sheaf_store::{ColumnClustering, ColumnRow, ColumnStore, Columns, GroupRange, Place, StoreError, VectorFile};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, QueryBuilder, Row};
use uuid::Uuid;

use crate::again::{Patience, again};
use crate::rows::{self, count, document_columns, document_tables, get, small};
use crate::{PostgresStore, Result, database, nul, search};

#[async_trait]
impl ColumnStore for PostgresStore {
    async fn columns_mark(&self, batch: BatchId) -> Result<Option<String>> {
        again(Patience::ASKED, || async {
            // Transactions end in another order than they begin in: the latest change alone would miss one that was under way,
            // but each moves some document from one state to another.
            sqlx::query_scalar(
                "SELECT concat_ws(' ', (SELECT max(version) FROM documents WHERE batch = $1), \
                 (SELECT value FROM marks WHERE batch = $1), \
                 (SELECT string_agg(t.part, ' ' ORDER BY t.part) FROM (SELECT stage || status || sum(documents) || '/' || sum(bytes) \
                 AS part FROM tallies WHERE batch = $1 GROUP BY stage, status HAVING sum(documents) <> 0) AS t)) \
                 FROM batches WHERE id = $1",
            )
            .bind(batch.0)
            .fetch_optional(&self.pool)
            .await
            .map_err(database)
        })
        .await
    }

    async fn columns(&self, batch: BatchId) -> Result<Columns> {
        again(Patience::ASKED, || columns(&self.pool, batch)).await
    }

    async fn worded(&self, batch: BatchId, words: &TextQuery) -> Result<Vec<DocumentId>> {
        if words.is_empty() {
            return Ok(Vec::new());
        }
        again(Patience::ASKED, || async {
            let mut sql = QueryBuilder::new("SELECT d.id FROM documents d WHERE d.batch = ");
            sql.push_bind(batch.0);
            search::push_words(&mut sql, words);
            let ids: Vec<Uuid> = sql.build_query_scalar().fetch_all(&self.pool).await.map_err(database)?;
            Ok(ids.into_iter().map(DocumentId).collect())
        })
        .await
    }

    async fn rows_of(&self, batch: BatchId, documents: &[DocumentId]) -> Result<Vec<DocumentRow>> {
        let ids: Vec<Uuid> = documents.iter().map(|document| document.0).collect();
        again(Patience::ASKED, || async {
            let rows = sqlx::query(concat!(
                "SELECT ",
                document_columns!(),
                " FROM unnest($1::uuid[]) WITH ORDINALITY AS wanted (id, number) CROSS JOIN ",
                document_tables!(),
                " WHERE d.id = wanted.id AND d.batch = $2 ORDER BY wanted.number"
            ))
            .bind(&ids)
            .bind(batch.0)
            .fetch_all(&self.pool)
            .await
            .map_err(database)?;
            rows.iter().map(rows::document).collect()
        })
        .await
    }

    async fn heatmap(&self, batch: BatchId) -> Result<Option<Heatmap>> {
        again(Patience::ASKED, || async {
            let row = sqlx::query("SELECT heatmap FROM clusterings WHERE batch = $1")
                .bind(batch.0)
                .fetch_optional(&self.pool)
                .await
                .map_err(database)?;
            row.as_ref().map(|row| rows::parsed(row, "clusterings", "heatmap")).transpose()
        })
        .await
    }

    async fn nearest(&self, batch: BatchId, most: u32) -> Result<Vec<Vec<(DocumentId, f32)>>> {
        again(Patience::ASKED, || nearest(&self.pool, batch, most)).await
    }
}

async fn columns(pool: &PgPool, batch: BatchId) -> Result<Columns> {
    let mut rows = sqlx::query(
        "SELECT d.id, d.path, d.bytes, d.status, d.failure_code, coalesce(p.kind, d.kind), p.language, p.pages, p.words, \
         CASE WHEN p.metadata ->> 'created' ~ '^[0-9]{4}' THEN left(p.metadata ->> 'created', 10) END, \
         l.position, l.cluster, l.probability, fm.family, fm.place = 0 FROM documents d \
         LEFT JOIN parses p ON p.key = d.parse LEFT JOIN placements l ON l.document = d.id \
         LEFT JOIN family_members fm ON fm.document = d.id WHERE d.batch = $1 ORDER BY d.path, d.id",
    )
    .bind(batch.0)
    .fetch(pool);
    let mut read = Vec::new();
    while let Some(row) = rows.try_next().await.map_err(database)? {
        read.push(column_row(&row)?);
    }
    drop(rows);
    Columns::gather(read.into_iter().map(Ok), clustering(pool, batch).await?)
}

async fn nearest(pool: &PgPool, batch: BatchId, most: u32) -> Result<Vec<Vec<(DocumentId, f32)>>> {
    let mut rows = sqlx::query("SELECT neighbours::text FROM placements WHERE batch = $1 ORDER BY position")
        .bind(batch.0)
        .fetch(pool);
    let mut nearest = Vec::new();
    while let Some(row) = rows.try_next().await.map_err(database)? {
        let mut of_one: Vec<(DocumentId, f32)> =
            serde_json::from_str(at::<&str>(&row, 0)?).map_err(|error| unreadable(&error))?;
        of_one.truncate(most as usize);
        of_one.shrink_to_fit();
        nearest.push(of_one);
    }
    Ok(nearest)
}

/// By place, for there are as many rows as documents.
fn column_row(row: &PgRow) -> Result<ColumnRow> {
    let place = match number(row, 10)? {
        Some(position) => Some(Place { position, cluster: number(row, 11)?.map(ClusterId), probability: at(row, 12)? }),
        None => None,
    };
    let family = match number(row, 13)? {
        Some(id) => Some(FamilyPlace { id, principal: at(row, 14)? }),
        None => None,
    };
    Ok(ColumnRow {
        id: DocumentId(at(row, 0)?),
        path: nul::show(at(row, 1)?),
        bytes: u64::try_from(at::<i64>(row, 2)?).unwrap_or_default(),
        status: at::<&str>(row, 3)?.parse().map_err(|error| unreadable(&error))?,
        failure: name(row, 4)?,
        kind: name(row, 5)?,
        language: at(row, 6)?,
        pages: number(row, 7)?,
        words: at::<Option<i64>>(row, 8)?.map(|words| u64::try_from(words).unwrap_or_default()),
        created: at(row, 9)?,
        place,
        family,
    })
}

fn at<'r, T>(row: &'r PgRow, place: usize) -> Result<T>
where
    T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    row.try_get(place).map_err(database)
}

fn number(row: &PgRow, place: usize) -> Result<Option<u32>> {
    let number: Option<i64> = at(row, place)?;
    number.map(|number| u32::try_from(number).map_err(|error| unreadable(&error))).transpose()
}

fn name<T>(row: &PgRow, place: usize) -> Result<Option<T>>
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

async fn clustering(pool: &PgPool, batch: BatchId) -> Result<Option<ColumnClustering>> {
    let row = sqlx::query(
        "SELECT vectors, rows, dimensions, silhouette, (SELECT count(*) FROM clusters WHERE batch = $1) AS clusters \
         FROM clusterings WHERE batch = $1",
    )
    .bind(batch.0)
    .fetch_optional(pool)
    .await
    .map_err(database)?;
    let Some(row) = row else { return Ok(None) };
    let groups = sqlx::query("SELECT id, start, size FROM levels WHERE batch = $1 ORDER BY id")
        .bind(batch.0)
        .fetch_all(pool)
        .await
        .map_err(database)?;
    let of = |group: &PgRow, column: &str| small(group, "levels", column);
    let groups = groups.iter().map(|group| {
        Ok(GroupRange { id: ClusterId(of(group, "id")?), start: of(group, "start")?, size: of(group, "size")? })
    });
    let (rows, dimensions) = (small(&row, "clusterings", "rows")?, small(&row, "clusterings", "dimensions")?);
    Ok(Some(ColumnClustering {
        clusters: count(&row, "clusters")?,
        silhouette: get(&row, "silhouette")?,
        vectors: get::<Option<String>>(&row, "vectors")?.map(|name| VectorFile { name, rows, dimensions }),
        groups: groups.collect::<Result<_>>()?,
    }))
}
