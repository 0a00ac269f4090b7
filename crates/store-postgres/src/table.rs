//! The table of documents: filtered, sorted and paged by the database; and single documents.

use std::ops::Range;

use sheaf_domain::{
    BatchId, ClusterFilter, ClusterId, ConfidenceLevel, Day, Document, DocumentId, DocumentQuery, DocumentRow,
    FamilyFilter, Neighbour, Page, SortKey, TextQuery,
};
use sheaf_store::StoredDocument;
use sqlx::{PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::pages;
use crate::read;
use crate::rows::{self, document_columns, document_tables, get, id, parsed_opt, signed, small_opt, text};
use crate::{Result, database, nul, search};

pub async fn documents(pool: &PgPool, batch: BatchId, query: &DocumentQuery) -> Result<Page<DocumentRow>> {
    let mut counting = QueryBuilder::new(concat!("SELECT count(*) FROM ", document_tables!()));
    push_filter(&mut counting, Some(batch), query);
    let total: i64 = counting.build_query_scalar().fetch_one(pool).await.map_err(database)?;
    let total = u64::try_from(total).unwrap_or_default();

    let limit = query.effective_limit();
    let mut select = QueryBuilder::new(concat!("SELECT ", document_columns!(), " FROM ", document_tables!()));
    push_filter(&mut select, Some(batch), query);
    push_order(&mut select, query.sort, query.descending);
    select.push(" LIMIT ").push_bind(i64::from(limit)).push(" OFFSET ").push_bind(i64::from(query.offset));
    let rows = select.build().fetch_all(pool).await.map_err(database)?;

    let items = rows.iter().map(rows::document).collect::<Result<Vec<_>>>()?;
    let next = u64::from(query.offset) + items.len() as u64;
    let next_cursor = (next < total && !items.is_empty()).then(|| next.to_string());
    Ok(Page { items, total, next_cursor })
}

/// Appends the condition on [`document_tables!`]; without a batch on the documents of all.
pub(crate) fn push_filter(sql: &mut QueryBuilder<Postgres>, batch: Option<BatchId>, query: &DocumentQuery) {
    // Exhaustive, so that a new filter cannot be forgotten here.
    let DocumentQuery {
        cluster,
        status,
        kind,
        confidence,
        failure,
        language,
        family,
        size,
        from,
        to,
        search,
        documents,
        sort: _,
        descending: _,
        offset: _,
        limit: _,
    } = query;
    match batch {
        Some(batch) => sql.push(" WHERE d.batch = ").push_bind(batch.0),
        None => sql.push(" WHERE 1 = 1"),
    };
    if let Some(cluster) = cluster {
        sql.push(" AND ");
        push_cluster(sql, *cluster);
    }
    if let Some(status) = status {
        sql.push(" AND d.status = ").push_bind(status.name());
    }
    if let Some(kind) = kind {
        sql.push(" AND coalesce(p.kind, d.kind) = ").push_bind(kind.name());
    }
    match confidence {
        // The same bounds as `ConfidenceLevel::of`.
        Some(ConfidenceLevel::High) => {
            sql.push(" AND l.probability > 0.7");
        }
        Some(ConfidenceLevel::Medium) => {
            sql.push(" AND l.probability <= 0.7 AND l.probability >= 0.4");
        }
        Some(ConfidenceLevel::Low) => {
            sql.push(" AND l.probability < 0.4");
        }
        None => {}
    }
    if let Some(code) = failure {
        sql.push(" AND d.failure_code = ").push_bind(code.name());
    }
    if let Some(language) = language {
        sql.push(" AND p.language = ").push_bind(language.clone());
    }
    if let Some(family) = family {
        sql.push(" AND ");
        push_family(sql, *family);
    }
    if let Some(size) = size {
        let Range { start, end } = size.bytes();
        sql.push(" AND d.bytes >= ").push_bind(signed(start)).push(" AND d.bytes < ").push_bind(signed(end));
    }
    if from.is_some() || to.is_some() {
        sql.push(" AND ");
        push_dates(sql, from.as_ref(), to.as_ref());
    }
    if !documents.is_empty() {
        sql.push(" AND d.id = ANY(").push_bind(documents.iter().map(|d| d.0).collect::<Vec<Uuid>>()).push(")");
    }
    if let Some(search) = search.as_deref().filter(|s| !s.is_empty()) {
        // `strpos` knows no wildcards, so nothing needs escaping; `lower` folds ASCII only in this collation.
        sql.push(" AND (strpos(lower(d.path), lower(")
            .push_bind(nul::hide(search).into_owned())
            .push(" COLLATE \"C\")) > 0");
        let words = TextQuery::parse(search);
        if !words.is_empty() {
            sql.push(" OR (true");
            search::push_words(sql, &words);
            sql.push(")");
        }
        sql.push(")");
    }
}

/// Whether a document is in a cluster or group, or an outlier.
pub(crate) fn push_cluster(sql: &mut QueryBuilder<Postgres>, cluster: ClusterFilter) {
    match cluster {
        ClusterFilter::Cluster(id) => {
            // A group's documents stand side by side, outliers behind all.
            sql.push("(l.cluster = ").push_bind(i64::from(id.0));
            sql.push(" OR EXISTS (SELECT FROM levels v WHERE v.batch = d.batch AND v.id = ").push_bind(i64::from(id.0));
            sql.push(" AND l.position >= v.start AND l.position < v.start + v.size))");
        }
        ClusterFilter::Outliers => {
            sql.push("(l.document IS NOT NULL AND l.cluster IS NULL)");
        }
    }
}

/// Whether a document is let through by its family.
pub(crate) fn push_family(sql: &mut QueryBuilder<Postgres>, family: FamilyFilter) {
    let members = "EXISTS (SELECT FROM family_members o WHERE o.document = d.id AND o.family IS NOT NULL";
    match family {
        FamilyFilter::Any => sql.push(members).push(")"),
        FamilyFilter::Spare => sql.push(members).push(" AND o.place > 0)"),
        FamilyFilter::Collapsed => sql.push("NOT ").push(members).push(" AND o.place > 0)"),
        FamilyFilter::Family(id) => sql.push(members).push(" AND o.family = ").push_bind(i64::from(id)).push(")"),
    };
}

/// Whether a document says that it was made on one of these days. What does not begin with a year says nothing.
pub(crate) fn push_dates(sql: &mut QueryBuilder<Postgres>, from: Option<&Day>, to: Option<&Day>) {
    const CREATED: &str = "(p.metadata ->> 'created')";
    sql.push(format!("({CREATED} ~ '^[0-9]{{4}}'"));
    for (day, holds) in [(from, ">="), (to, "<=")] {
        if let Some(day) = day {
            let length = day.as_str().len();
            sql.push(format!(" AND left({CREATED}, {length}) COLLATE \"C\" {holds} "))
                .push_bind(day.as_str().to_owned());
        }
    }
    sql.push(")");
}

pub(crate) fn push_order(sql: &mut QueryBuilder<Postgres>, sort: SortKey, descending: bool) {
    let column = match sort {
        SortKey::Path => "d.path",
        SortKey::Kind => "coalesce(p.kind, d.kind)",
        SortKey::Pages => "p.pages",
        SortKey::Words => "p.words",
        SortKey::Language => "p.language",
        SortKey::Cluster => "l.cluster",
        SortKey::Probability => "l.probability",
        SortKey::Status => "d.status",
    };
    let direction = if descending { "DESC" } else { "ASC" };
    sql.push(format!(" ORDER BY {column} {direction} NULLS LAST, d.path, d.id"));
}

pub async fn documents_after(
    pool: &PgPool,
    batch: BatchId,
    after: Option<(&str, DocumentId)>,
    limit: u32,
) -> Result<Vec<DocumentRow>> {
    let (path, document) = after.map_or(("", Uuid::nil()), |(path, document)| (path, document.0));
    let rows = sqlx::query(concat!(
        "SELECT ",
        document_columns!(),
        " FROM ",
        document_tables!(),
        " WHERE d.batch = $1 AND (d.path, d.id) > ($2, $3) ORDER BY d.path, d.id LIMIT $4"
    ))
    .bind(batch.0)
    .bind(nul::hide(path))
    .bind(document)
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter().map(rows::document).collect()
}

pub async fn clusters_by_position(pool: &PgPool, batch: BatchId) -> Result<Vec<Option<ClusterId>>> {
    let clusters: Vec<Option<i64>> =
        sqlx::query_scalar("SELECT cluster FROM placements WHERE batch = $1 ORDER BY position")
            .bind(batch.0)
            .fetch_all(pool)
            .await
            .map_err(database)?;
    Ok(clusters.into_iter().map(|c| c.and_then(|c| u32::try_from(c).ok()).map(ClusterId)).collect())
}

pub async fn document(
    pool: &PgPool,
    batch: BatchId,
    document: DocumentId,
) -> Result<Option<(StoredDocument, DocumentRow)>> {
    let row = sqlx::query(concat!(
        "SELECT ",
        document_columns!(),
        ", p.metadata, p.problems FROM ",
        document_tables!(),
        " WHERE d.batch = $1 AND d.id = $2"
    ))
    .bind(batch.0)
    .bind(document.0)
    .fetch_optional(pool)
    .await
    .map_err(database)?;
    let Some(row) = row else { return Ok(None) };
    let Some(found) = read::batch(pool, batch).await? else { return Ok(None) };
    let shown = rows::document(&row)?;
    let stored = StoredDocument {
        document: Document {
            id: document,
            batch,
            path: shown.path.clone(),
            sha256: shown.sha256.clone(),
            bytes: shown.bytes,
            status: shown.status,
            stage: shown.stage,
            failure: shown.failure.clone(),
        },
        batch: found,
        metadata: parsed_opt(&row, "parses", "metadata")?.unwrap_or_default(),
        problems: parsed_opt(&row, "parses", "problems")?.unwrap_or_default(),
        recognised: pages::confidences(pool, document).await?,
    };
    Ok(Some((stored, shown)))
}

pub async fn neighbours(pool: &PgPool, batch: BatchId, document: DocumentId) -> Result<Vec<Neighbour>> {
    let rows = sqlx::query(
        "SELECT d.id, d.path, o.cluster, (n.pair ->> 1)::real AS similarity FROM placements l \
         CROSS JOIN jsonb_array_elements(l.neighbours) WITH ORDINALITY AS n (pair, place) \
         JOIN documents d ON d.id = (n.pair ->> 0)::uuid LEFT JOIN placements o ON o.document = d.id \
         WHERE l.document = $1 AND l.batch = $2 ORDER BY n.place",
    )
    .bind(document.0)
    .bind(batch.0)
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter()
        .map(|row| {
            Ok(Neighbour {
                id: DocumentId(id(row, "id")?),
                path: text(row, "path")?,
                similarity: get(row, "similarity")?,
                cluster: small_opt(row, "placements", "cluster")?.map(ClusterId),
            })
        })
        .collect()
}
