//! What runs found, and what people think of it.

use sheaf_domain::flow::{FoundValue, RunValue, ValueQuery, ValueReview};
use sheaf_domain::{BatchId, DocumentId, Page, RunId};
use sheaf_store::RunClaim;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Postgres, QueryBuilder};

use crate::rows::{get, id, name, small, small_opt, text};
use crate::{Result, database, nul};

/// Puts these values in the place of those of an earlier attempt.
pub(super) async fn replace(tx: &mut PgConnection, claim: &RunClaim, values: &[FoundValue]) -> Result<()> {
    sqlx::query("DELETE FROM run_values WHERE run = $1 AND document = $2")
        .bind(claim.run.0)
        .bind(claim.document.0)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    // Texts in arrays of their own: `json` would bring NUL back.
    let texts = |of: fn(&FoundValue) -> Option<&str>| -> Vec<Option<String>> {
        values.iter().map(|value| of(value).map(|text| nul::hide(text).into_owned())).collect()
    };
    let numbers = |of: fn(&FoundValue) -> Option<u32>| -> Vec<Option<i64>> {
        values.iter().map(|value| of(value).map(i64::from)).collect()
    };
    sqlx::query(
        "INSERT INTO run_values (run, document, number, step, field, place, value, page, quote, quote_start, quote_end, \
         verified, probability) SELECT $1, $2, v.number - 1, v.step, v.field, v.place, v.value, v.page, v.quote, \
         v.quote_start, v.quote_end, v.verified, v.probability \
         FROM unnest($3::text[], $4::text[], $5::bigint[], $6::text[], $7::bigint[], $8::text[], $9::bigint[], $10::bigint[], \
         $11::boolean[], $12::real[]) WITH ORDINALITY AS v (step, field, place, value, page, quote, quote_start, quote_end, \
         verified, probability, number)",
    )
    .bind(claim.run.0)
    .bind(claim.document.0)
    .bind(texts(|value| Some(&value.step)))
    .bind(texts(|value| Some(&value.field)))
    .bind(numbers(|value| Some(value.row)))
    .bind(texts(|value| Some(&value.value)))
    .bind(numbers(|value| value.page))
    .bind(texts(|value| value.quote.as_deref()))
    .bind(numbers(|value| value.start))
    .bind(numbers(|value| value.end))
    .bind(values.iter().map(|value| value.verified).collect::<Vec<_>>())
    .bind(values.iter().map(|value| value.probability).collect::<Vec<_>>())
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

pub async fn list(pool: &PgPool, run: RunId, query: &ValueQuery) -> Result<Page<RunValue>> {
    let ValueQuery { document, step, field, columns, review, verified, cursor, limit: _ } = query;
    let limit = query.effective_limit();
    let filter = |sql: &mut QueryBuilder<Postgres>| {
        sql.push_bind(run.0);
        if let Some(document) = document {
            sql.push(" AND v.document = ").push_bind(document.0);
        }
        if let Some(step) = step {
            sql.push(" AND v.step = ").push_bind(step.clone());
        }
        if let Some(field) = field {
            sql.push(" AND v.field = ").push_bind(field.clone());
        }
        if !columns.is_empty() {
            sql.push(" AND v.step || '.' || v.field = ANY(").push_bind(columns.clone()).push(")");
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
    let total: i64 = counting.build_query_scalar().fetch_one(pool).await.map_err(database)?;
    let mut select = QueryBuilder::new(
        "SELECT v.document, d.batch, d.path, v.number, v.step, v.field, v.place, v.value, v.page, v.quote, v.quote_start, \
         v.quote_end, v.verified, v.probability, v.review, v.corrected, \
         NOT d.outdated AND EXISTS (SELECT FROM documents o WHERE o.id = v.document) AS stands FROM run_values v \
         JOIN run_documents d ON d.run = v.run AND d.document = v.document WHERE v.run = ",
    );
    filter(&mut select);
    let after = cursor.as_deref().and_then(|cursor| cursor.split_once('/'));
    if let Some((Ok(document), Ok(number))) =
        after.map(|(id, number)| (id.parse::<DocumentId>(), number.parse::<u32>()))
    {
        select.push(" AND (v.document, v.number) > (").push_bind(document.0);
        select.push(", ").push_bind(i64::from(number)).push(")");
    }
    select.push(" ORDER BY v.document, v.number LIMIT ").push_bind(i64::from(limit + 1));
    let rows = select.build().fetch_all(pool).await.map_err(database)?;
    let mut items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| more).map(|value| format!("{}/{}", value.document, value.number));
    Ok(Page { items, total: u64::try_from(total).unwrap_or_default(), next_cursor })
}

fn read(row: &PgRow) -> Result<RunValue> {
    Ok(RunValue {
        document: DocumentId(id(row, "document")?),
        batch: BatchId(id(row, "batch")?),
        path: text(row, "path")?,
        number: small(row, "run_values", "number")?,
        found: FoundValue {
            step: get(row, "step")?,
            field: get(row, "field")?,
            row: small(row, "run_values", "place")?,
            value: text(row, "value")?,
            page: small_opt(row, "run_values", "page")?,
            quote: get::<Option<String>>(row, "quote")?.map(nul::show),
            start: small_opt(row, "run_values", "quote_start")?,
            end: small_opt(row, "run_values", "quote_end")?,
            verified: get(row, "verified")?,
            probability: get(row, "probability")?,
        },
        review: name(row, "run_values", "review")?,
        corrected: get::<Option<String>>(row, "corrected")?.map(nul::show),
        stands: get(row, "stands")?,
    })
}

pub async fn review(
    pool: &PgPool,
    (run, document, number): (RunId, DocumentId, u32),
    review: &ValueReview,
) -> Result<bool> {
    let ValueReview { review, value, row } = review;
    let noted = sqlx::query(
        "UPDATE run_values SET review = $1, corrected = $2 WHERE run = $3 AND document = $4 AND (number = $5 OR ($6 AND \
         review <> 'corrected' AND (step, place) = (SELECT step, place FROM run_values WHERE run = $3 AND document = $4 \
         AND number = $5)))",
    )
    .bind(review.name())
    .bind(value.as_deref().map(nul::hide))
    .bind(run.0)
    .bind(document.0)
    .bind(i64::from(number))
    .bind(*row)
    .execute(pool)
    .await
    .map_err(database)?;
    Ok(noted.rows_affected() > 0)
}
