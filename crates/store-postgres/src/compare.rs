//! Two batches side by side: their documents are joined by the hash of their bytes.

use sheaf_domain::{ClusterId, CompareCounts, ComparePart, CompareQuery, ComparedDocument, ComparedSide, DocumentId};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::rows::{count, get, id, name, parsed_opt, small_opt, text};
use crate::{Result, database, nul};

/// Whether two documents ended differently.
macro_rules! differ {
    () => {
        "(a.status, a.failure_code) IS DISTINCT FROM (b.status, b.failure_code)"
    };
}

pub async fn compare(pool: &PgPool, query: &CompareQuery) -> Result<(CompareCounts, Vec<ComparedDocument>)> {
    let mut counting = contents(query);
    counting.push(concat!(
        "SELECT count(*) FILTER (WHERE a.id IS NOT NULL AND b.id IS NOT NULL) AS both_have, ",
        "count(*) FILTER (WHERE a.id IS NOT NULL AND b.id IS NOT NULL AND ",
        differ!(),
        ") AS changed, count(*) FILTER (WHERE b.id IS NULL) AS only_first, ",
        "count(*) FILTER (WHERE a.id IS NULL) AS only_second FROM a FULL JOIN b ON a.content = b.content"
    ));
    let row = counting.build().fetch_one(pool).await.map_err(database)?;
    let counts = CompareCounts {
        both: count(&row, "both_have")?,
        changed: count(&row, "changed")?,
        only_first: count(&row, "only_first")?,
        only_second: count(&row, "only_second")?,
    };

    let mut select = contents(query);
    select.push(", pairs AS (SELECT coalesce(a.path, b.path) AS path, a.id AS first, b.id AS second FROM ");
    select.push(match query.part {
        ComparePart::Both => "a JOIN b ON a.content = b.content",
        ComparePart::Changed => concat!("a JOIN b ON a.content = b.content AND ", differ!()),
        ComparePart::OnlyFirst => "a LEFT JOIN b ON a.content = b.content WHERE b.id IS NULL",
        ComparePart::OnlySecond => "b LEFT JOIN a ON a.content = b.content WHERE a.id IS NULL",
    });
    select.push(" ORDER BY 1, coalesce(a.id, b.id) LIMIT ").push_bind(i64::from(query.effective_limit()));
    select.push(" OFFSET ").push_bind(i64::from(query.offset)).push(") SELECT ");
    for (alias, end) in [("first", ", "), ("second", " FROM pairs p ")] {
        select.push(format!(
            "d_{alias}.id AS {alias}_id, d_{alias}.path AS {alias}_path, d_{alias}.status AS {alias}_status, \
             d_{alias}.failure AS {alias}_failure, l_{alias}.document AS {alias}_placed, l_{alias}.cluster AS {alias}_cluster, \
             c_{alias}.name AS {alias}_cluster_name{end}"
        ));
    }
    for alias in ["first", "second"] {
        select.push(format!(
            "LEFT JOIN documents d_{alias} ON d_{alias}.id = p.{alias} \
             LEFT JOIN placements l_{alias} ON l_{alias}.document = p.{alias} \
             LEFT JOIN clusters c_{alias} ON c_{alias}.batch = d_{alias}.batch AND c_{alias}.id = l_{alias}.cluster "
        ));
    }
    select.push("ORDER BY p.path, coalesce(p.first, p.second)");
    let rows = select.build().fetch_all(pool).await.map_err(database)?;
    let documents = rows
        .iter()
        .map(|row| Ok(ComparedDocument { first: side(row, "first")?, second: side(row, "second")? }))
        .collect::<Result<_>>()?;
    Ok((counts, documents))
}

/// The distinct contents of the two batches, as `a` and `b`: of copies the first by path stands for all.
fn contents(query: &CompareQuery) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("WITH ");
    for (alias, batch, end) in [("a", query.first, "), "), ("b", query.second, ") ")] {
        sql.push(format!(
            "{alias} AS MATERIALIZED (SELECT DISTINCT ON (content) \
             CASE sha256 WHEN '' THEN '/' || path ELSE sha256 END AS content, path, id, status, failure_code \
             FROM documents WHERE batch = "
        ));
        sql.push_bind(batch.0).push(" ORDER BY content, path, id").push(end);
    }
    sql
}

fn side(row: &PgRow, alias: &str) -> Result<Option<ComparedSide>> {
    let column = |name: &str| format!("{alias}_{name}");
    if get::<Option<Uuid>>(row, &column("id"))?.is_none() {
        return Ok(None);
    }
    let placed: Option<Uuid> = get(row, &column("placed"))?;
    let cluster = small_opt(row, "placements", &column("cluster"))?.map(ClusterId);
    Ok(Some(ComparedSide {
        id: DocumentId(id(row, &column("id"))?),
        path: text(row, &column("path"))?,
        status: name(row, "documents", &column("status"))?,
        failure: parsed_opt(row, "documents", &column("failure"))?,
        cluster,
        cluster_name: get::<Option<String>>(row, &column("cluster_name"))?.map(nul::show),
        outlier: placed.is_some() && cluster.is_none(),
    }))
}
