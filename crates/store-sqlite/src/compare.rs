//! Two batches side by side: their documents are joined by the hash of their bytes.

use sheaf_domain::{
    BatchId, ClusterId, CompareCounts, ComparePart, CompareQuery, ComparedDocument, ComparedSide, DocumentId,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqlitePool};

use crate::rows::{count, get, id, name, parsed_opt};
use crate::{Result, database};

/// The distinct contents of a batch. Where there is exactly one `min`, SQLite takes the other columns from its row
/// (<https://www.sqlite.org/lang_select.html#bareagg>).
const CONTENTS: &str = "SELECT CASE sha256 WHEN '' THEN '/' || path ELSE sha256 END AS content, min(path) AS path, id, status, \
     failure_code FROM documents WHERE batch = ";

pub async fn compare(readers: &SqlitePool, query: &CompareQuery) -> Result<(CompareCounts, Vec<ComparedDocument>)> {
    let mut tx = readers.begin().await.map_err(database)?;
    let mut counting = pairs(query);
    counting.push(
        "SELECT count(*) FILTER (WHERE a.id IS NOT NULL AND b.id IS NOT NULL) AS both_have, \
         count(*) FILTER (WHERE a.id IS NOT NULL AND b.id IS NOT NULL \
           AND (a.status, a.failure_code) IS NOT (b.status, b.failure_code)) AS changed, \
         count(*) FILTER (WHERE b.id IS NULL) AS only_first, count(*) FILTER (WHERE a.id IS NULL) AS only_second \
         FROM a FULL JOIN b ON a.content = b.content",
    );
    let row = counting.build().fetch_one(&mut *tx).await.map_err(database)?;
    let counts = CompareCounts {
        both: count(&row, "both_have")?,
        changed: count(&row, "changed")?,
        only_first: count(&row, "only_first")?,
        only_second: count(&row, "only_second")?,
    };

    let mut select = pairs(query);
    select.push(", pairs AS (SELECT coalesce(a.path, b.path) AS path, a.id AS first, b.id AS second FROM ");
    select.push(match query.part {
        ComparePart::Both => "a JOIN b ON a.content = b.content",
        ComparePart::Changed => {
            "a JOIN b ON a.content = b.content AND (a.status, a.failure_code) IS NOT (b.status, b.failure_code)"
        }
        ComparePart::OnlyFirst => "a LEFT JOIN b ON a.content = b.content WHERE b.id IS NULL",
        ComparePart::OnlySecond => "b LEFT JOIN a ON a.content = b.content WHERE a.id IS NULL",
    });
    select.push(" ORDER BY 1, coalesce(a.id, b.id) LIMIT ").push_bind(query.effective_limit());
    select.push(" OFFSET ").push_bind(query.offset).push(") SELECT ");
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
    let rows = select.build().fetch_all(&mut *tx).await.map_err(database)?;
    let documents = rows
        .iter()
        .map(|row| Ok(ComparedDocument { first: side(row, "first")?, second: side(row, "second")? }))
        .collect::<Result<_>>()?;
    Ok((counts, documents))
}

/// The distinct contents of the two batches, as `a` and `b`.
fn pairs(query: &CompareQuery) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("WITH ");
    let mut contents = |alias: &str, batch: BatchId, end: &str| {
        sql.push(format!("{alias} AS MATERIALIZED ({CONTENTS}")).push_bind(batch.to_string());
        sql.push(format!(" GROUP BY content){end} "));
    };
    contents("a", query.first, ",");
    contents("b", query.second, "");
    sql
}

fn side(row: &SqliteRow, alias: &str) -> Result<Option<ComparedSide>> {
    let column = |name: &str| format!("{alias}_{name}");
    if get::<Option<&str>>(row, &column("id"))?.is_none() {
        return Ok(None);
    }
    let placed: Option<&str> = get(row, &column("placed"))?;
    let cluster = get::<Option<u32>>(row, &column("cluster"))?.map(ClusterId);
    Ok(Some(ComparedSide {
        id: DocumentId(id(row, "documents", &column("id"))?),
        path: get(row, &column("path"))?,
        status: name(row, "documents", &column("status"))?,
        failure: parsed_opt(row, "documents", &column("failure"))?,
        cluster,
        cluster_name: get(row, &column("cluster_name"))?,
        outlier: placed.is_some() && cluster.is_none(),
    }))
}
