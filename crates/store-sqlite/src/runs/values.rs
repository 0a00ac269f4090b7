//! What runs found, and what people think of it.

use sheaf_domain::flow::{FoundValue, RunValue, ValueQuery, ValueReview};
use sheaf_domain::{BatchId, DocumentId, Page, RunId};
use sheaf_store::RunClaim;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, SqlitePool};

use crate::rows::{get, id, json, name};
use crate::{Result, database};

/// Puts these values in the place of those of an earlier attempt.
pub(super) async fn replace(tx: &mut SqliteConnection, claim: &RunClaim, values: &[FoundValue]) -> Result<()> {
    sqlx::query("DELETE FROM run_values WHERE run = ? AND document = ?")
        .bind(claim.run.to_string())
        .bind(claim.document.to_string())
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    sqlx::query(
        "INSERT INTO run_values (run, document, number, step, field, place, value, page, quote, quote_start, quote_end, \
         verified, probability) SELECT ?, ?, key, value ->> 'step', value ->> 'field', value ->> 'row', value ->> 'value', \
         value ->> 'page', value ->> 'quote', value ->> 'start', value ->> 'end', value ->> 'verified', \
         CAST(value ->> 'probability' AS REAL) FROM json_each(?)",
    )
    .bind(claim.run.to_string())
    .bind(claim.document.to_string())
    .bind(json(&values))
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

pub async fn list(readers: &SqlitePool, run: RunId, query: &ValueQuery) -> Result<Page<RunValue>> {
    let ValueQuery { document, step, field, columns, review, verified, cursor, limit: _ } = query;
    let limit = query.effective_limit();
    let filter = |sql: &mut QueryBuilder<Sqlite>| {
        sql.push_bind(run.to_string());
        if let Some(document) = document {
            sql.push(" AND v.document = ").push_bind(document.to_string());
        }
        if let Some(step) = step {
            sql.push(" AND v.step = ").push_bind(step.clone());
        }
        if let Some(field) = field {
            sql.push(" AND v.field = ").push_bind(field.clone());
        }
        if !columns.is_empty() {
            sql.push(" AND v.step || '.' || v.field IN (SELECT value FROM json_each(")
                .push_bind(json(columns))
                .push("))");
        }
        if let Some(review) = review {
            sql.push(" AND v.review = ").push_bind(review.name());
        }
        if let Some(verified) = verified {
            sql.push(" AND v.verified = ").push_bind(*verified);
        }
    };
    let mut counting = QueryBuilder::new("SELECT count(*) FROM run_values v WHERE v.run = ");
    filter(&mut counting);
    let total: i64 = counting.build_query_scalar().fetch_one(readers).await.map_err(database)?;
    let mut select = QueryBuilder::new(
        "SELECT v.document, d.batch, d.path, v.number, v.step, v.field, v.place, v.value, v.page, v.quote, v.quote_start, \
         v.quote_end, v.verified, v.probability, v.review, v.corrected, \
         NOT d.outdated AND EXISTS (SELECT 1 FROM documents o WHERE o.id = v.document) AS stands FROM run_values v \
         JOIN run_documents d ON d.run = v.run AND d.document = v.document WHERE v.run = ",
    );
    filter(&mut select);
    let after = cursor.as_deref().and_then(|cursor| cursor.split_once('/'));
    if let Some((document, Ok(number))) = after.map(|(document, number)| (document, number.parse::<u32>())) {
        select.push(" AND (v.document, v.number) > (").push_bind(document.to_owned());
        select.push(", ").push_bind(number).push(")");
    }
    select.push(" ORDER BY v.document, v.number LIMIT ").push_bind(limit + 1);
    let rows = select.build().fetch_all(readers).await.map_err(database)?;
    let mut items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| more).map(|value| format!("{}/{}", value.document, value.number));
    Ok(Page { items, total: u64::try_from(total).unwrap_or_default(), next_cursor })
}

fn read(row: &SqliteRow) -> Result<RunValue> {
    Ok(RunValue {
        document: DocumentId(id(row, "run_values", "document")?),
        batch: BatchId(id(row, "run_documents", "batch")?),
        path: get(row, "path")?,
        number: get(row, "number")?,
        found: FoundValue {
            step: get(row, "step")?,
            field: get(row, "field")?,
            row: get(row, "place")?,
            value: get(row, "value")?,
            page: get(row, "page")?,
            quote: get(row, "quote")?,
            start: get(row, "quote_start")?,
            end: get(row, "quote_end")?,
            verified: get(row, "verified")?,
            probability: get::<Option<f64>>(row, "probability")?.map(|probability| probability as f32),
        },
        review: name(row, "run_values", "review")?,
        corrected: get(row, "corrected")?,
        stands: get(row, "stands")?,
    })
}

pub async fn review(
    writer: &SqlitePool,
    (run, document, number): (RunId, DocumentId, u32),
    review: &ValueReview,
) -> Result<bool> {
    let ValueReview { review, value, row } = review;
    let noted = sqlx::query(
        "UPDATE run_values SET review = ?1, corrected = ?2 WHERE run = ?3 AND document = ?4 AND (number = ?5 OR (?6 AND \
         review <> 'corrected' AND (step, place) = (SELECT step, place FROM run_values WHERE run = ?3 AND document = ?4 \
         AND number = ?5)))",
    )
    .bind(review.name())
    .bind(value)
    .bind(run.to_string())
    .bind(document.to_string())
    .bind(number)
    .bind(*row)
    .execute(writer)
    .await
    .map_err(database)?;
    Ok(noted.rows_affected() > 0)
}
