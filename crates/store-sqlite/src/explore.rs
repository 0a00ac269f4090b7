//! Facets in one grouped query; pages of a selection; what stands before and after a document; the documents of the map.

use async_trait::async_trait;
use sheaf_domain::{
    Around, BatchId, ClusterId, ConfidenceLevel, DocumentId, DocumentQuery, DocumentRow, FacetRow, SizeClass,
};
use sheaf_store::{ExploreStore, MapStore, PlacedDocument, StoreError};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite};

use crate::rows::{self, count, document_columns, document_tables, get};
use crate::table::{push_cluster, push_dates, push_family, push_filter, push_order};
use crate::{Result, SqliteStore, database};

#[async_trait]
impl ExploreStore for SqliteStore {
    async fn facets(&self, batch: Option<BatchId>, query: &DocumentQuery) -> Result<Vec<FacetRow>> {
        let mut sql = QueryBuilder::new(
            // The same bounds as `ConfidenceLevel::of` and `SizeClass::bytes`.
            "SELECT coalesce(p.kind, d.kind) AS kind, p.language, d.status, d.failure_code, \
             CASE WHEN l.probability > 0.7 THEN 'high' WHEN l.probability >= 0.4 THEN 'medium' \
             WHEN l.probability IS NOT NULL THEN 'low' END AS confidence, \
             CASE WHEN d.bytes < 10000 THEN 'tiny' WHEN d.bytes < 100000 THEN 'small' WHEN d.bytes < 1000000 THEN 'medium' \
             WHEN d.bytes < 10000000 THEN 'large' ELSE 'huge' END AS size, \
             CASE WHEN json_extract(p.metadata, '$.created') GLOB '[0-9][0-9][0-9][0-9]*' \
             THEN substr(json_extract(p.metadata, '$.created'), 1, 4) END AS year, \
             CASE WHEN fm.family IS NOT NULL THEN fm.place = 0 END AS principal, \
             l.cluster, l.document IS NOT NULL AND l.cluster IS NULL AS outlier, coalesce(",
        );
        push_or_true(&mut sql, query.cluster.map(|cluster| move |sql: &mut _| push_cluster(sql, cluster)));
        sql.push(", 0) AS in_cluster, coalesce(");
        push_or_true(&mut sql, query.family.map(|family| move |sql: &mut _| push_family(sql, family)));
        sql.push(", 0) AS in_family, coalesce(");
        let (from, to) = (query.from.as_ref(), query.to.as_ref());
        let has_dates = from.is_some() || to.is_some();
        push_or_true(&mut sql, has_dates.then_some(move |sql: &mut _| push_dates(sql, from, to)));
        sql.push(concat!(", 0) AS in_dates, count(*) AS documents FROM ", document_tables!()));
        push_filter(&mut sql, batch, &ungrouped(query));
        sql.push(" GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13");
        let rows = sql.build().fetch_all(&self.readers).await.map_err(database)?;
        rows.iter().map(facet).collect()
    }

    async fn matching_after(
        &self,
        batch: BatchId,
        query: &DocumentQuery,
        after: Option<(&str, DocumentId)>,
        limit: u32,
    ) -> Result<Vec<DocumentRow>> {
        let mut sql = QueryBuilder::new(concat!("SELECT ", document_columns!(), " FROM ", document_tables!()));
        push_filter(&mut sql, Some(batch), query);
        if let Some((path, document)) = after {
            sql.push(" AND (d.path, d.id) > (").push_bind(path.to_owned()).push(", ");
            sql.push_bind(document.to_string()).push(")");
        }
        sql.push(" ORDER BY d.path, d.id LIMIT ").push_bind(limit);
        let rows = sql.build().fetch_all(&self.readers).await.map_err(database)?;
        rows.iter().map(rows::document).collect()
    }

    async fn around(&self, batch: BatchId, query: &DocumentQuery, document: DocumentId) -> Result<Option<Around>> {
        let mut sql = QueryBuilder::new(concat!(
            "SELECT previous, next, place, total FROM (SELECT d.id, lag(d.id) OVER w AS previous, lead(d.id) OVER w AS next, \
             row_number() OVER w AS place, count(*) OVER () AS total FROM ",
            document_tables!()
        ));
        push_filter(&mut sql, Some(batch), query);
        sql.push(" WINDOW w AS (");
        push_order(&mut sql, query.sort, query.descending);
        sql.push(")) WHERE id = ").push_bind(document.to_string());
        let row = sql.build().fetch_optional(&self.readers).await.map_err(database)?;
        row.map(|row| {
            Ok(Around {
                previous: id_opt(&row, "previous")?,
                next: id_opt(&row, "next")?,
                place: count(&row, "place")?,
                total: count(&row, "total")?,
            })
        })
        .transpose()
    }
}

#[async_trait]
impl MapStore for SqliteStore {
    async fn placed(&self, batch: BatchId) -> Result<Vec<PlacedDocument>> {
        let rows = sqlx::query(
            "SELECT d.id, d.path, l.cluster FROM placements l JOIN documents d ON d.id = l.document WHERE l.batch = ? \
             ORDER BY l.position",
        )
        .bind(batch.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(database)?;
        rows.iter()
            .map(|row| {
                Ok(PlacedDocument {
                    id: DocumentId(rows::id(row, "documents", "id")?),
                    path: get(row, "path")?,
                    cluster: get::<Option<u32>>(row, "cluster")?.map(ClusterId),
                })
            })
            .collect()
    }
}

/// What facets do not count values of.
fn ungrouped(query: &DocumentQuery) -> DocumentQuery {
    DocumentQuery { search: query.search.clone(), documents: query.documents.clone(), ..DocumentQuery::default() }
}

fn push_or_true(sql: &mut QueryBuilder<Sqlite>, condition: Option<impl FnOnce(&mut QueryBuilder<Sqlite>)>) {
    match condition {
        Some(push) => push(sql),
        None => {
            sql.push("1");
        }
    }
}

fn facet(row: &SqliteRow) -> Result<FacetRow> {
    Ok(FacetRow {
        kind: name_opt(row, "kind")?,
        language: get(row, "language")?,
        status: rows::name(row, "documents", "status")?,
        failure: name_opt(row, "failure_code")?,
        confidence: name_opt::<ConfidenceLevel>(row, "confidence")?,
        size: rows::name::<SizeClass>(row, "documents", "size")?,
        year: get(row, "year")?,
        principal: get(row, "principal")?,
        cluster: get::<Option<u32>>(row, "cluster")?.map(ClusterId),
        outlier: get(row, "outlier")?,
        in_cluster: get(row, "in_cluster")?,
        in_family: get(row, "in_family")?,
        in_dates: get(row, "in_dates")?,
        documents: count(row, "documents")?,
    })
}

fn name_opt<T>(row: &SqliteRow, column: &'static str) -> Result<Option<T>>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    let text: Option<&str> = get(row, column)?;
    text.map(|_| rows::name(row, "documents", column)).transpose()
}

fn id_opt(row: &SqliteRow, column: &str) -> Result<Option<DocumentId>> {
    let text: Option<&str> = get(row, column)?;
    text.map(|text| {
        text.parse()
            .map(DocumentId)
            .map_err(|e| StoreError::Row { table: "documents", reason: format!("column `id`: {e}") })
    })
    .transpose()
}
