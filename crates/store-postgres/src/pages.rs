//! Pages of documents: their text, what was recognised on them, and how many are read.

use sheaf_domain::{BatchId, DocumentId, PageRecognition, PageView};
use sheaf_store::Claim;
use sqlx::{PgConnection, PgPool};

use crate::rows::{get, json, parsed, small, text};
use crate::{Result, changed, database};

pub async fn note(pool: &PgPool, claim: &Claim, done: u32, total: u32) -> Result<()> {
    // The job is locked so that a late note cannot follow the end of its attempt.
    sqlx::query(concat!(
        "WITH held AS (SELECT document FROM jobs WHERE id = $3 AND attempts = $4 AND state = 'processing' FOR SHARE) ",
        "UPDATE documents d SET pages_done = $1, pages_total = $2, ",
        changed!(),
        " FROM held WHERE d.id = held.document"
    ))
    .bind(i64::from(done))
    .bind(i64::from(total))
    .bind(claim.job.0)
    .bind(i64::from(claim.attempt))
    .execute(pool)
    .await
    .map_err(database)?;
    Ok(())
}

/// Remembers what was recognised; the parse that it belongs to is new.
pub async fn remember(tx: &mut PgConnection, key: &str, recognised: &[PageRecognition]) -> Result<()> {
    sqlx::query(
        "INSERT INTO recognitions (key, page, confidence, words) SELECT $1, page, confidence, words::json \
         FROM unnest($2::bigint[], $3::real[], $4::text[]) AS r (page, confidence, words) ON CONFLICT DO NOTHING",
    )
    .bind(key)
    .bind(recognised.iter().map(|r| i64::from(r.page)).collect::<Vec<_>>())
    .bind(recognised.iter().map(|r| r.confidence).collect::<Vec<_>>())
    .bind(recognised.iter().map(|r| json(&r.words)).collect::<Vec<_>>())
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

/// What was recognised on the pages of a parse; `key` as the database has it.
pub async fn recognised(pool: &PgPool, key: &str) -> Result<Vec<PageRecognition>> {
    let rows = sqlx::query("SELECT page, confidence, words FROM recognitions WHERE key = $1 ORDER BY page")
        .bind(key)
        .fetch_all(pool)
        .await
        .map_err(database)?;
    rows.iter()
        .map(|row| {
            Ok(PageRecognition {
                page: small(row, "recognitions", "page")?,
                confidence: get(row, "confidence")?,
                words: parsed(row, "recognitions", "words")?,
            })
        })
        .collect()
}

/// Pages of a document that were recognised, with their confidence.
pub async fn confidences(pool: &PgPool, document: DocumentId) -> Result<Vec<(u32, f32)>> {
    let rows = sqlx::query(
        "SELECT r.page, r.confidence FROM documents d JOIN recognitions r ON r.key = d.parse WHERE d.id = $1 ORDER BY r.page",
    )
    .bind(document.0)
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter().map(|row| Ok((small(row, "recognitions", "page")?, get(row, "confidence")?))).collect()
}

pub async fn page(pool: &PgPool, batch: BatchId, document: DocumentId, number: u32) -> Result<Option<PageView>> {
    let row = sqlx::query(
        "SELECT d.parse, p.page_starts, t.text FROM documents d JOIN parses p ON p.key = d.parse \
         JOIN texts t ON t.key = d.parse WHERE d.id = $1 AND d.batch = $2",
    )
    .bind(document.0)
    .bind(batch.0)
    .fetch_optional(pool)
    .await
    .map_err(database)?;
    let Some(row) = row else { return Ok(None) };
    let (key, text): (&str, String) = (get(&row, "parse")?, text(&row, "text")?);
    let starts: Vec<usize> = parsed(&row, "parses", "page_starts")?;
    let index = (number as usize).wrapping_sub(1);
    let Some(&start) = starts.get(index) else { return Ok(None) };
    let end = starts.get(index + 1).copied().unwrap_or(text.len());
    let text = text.get(start..end).unwrap_or_default().trim_end().to_owned();
    let recognition = recognised(pool, key).await?.into_iter().find(|found| found.page == number);
    Ok(Some(PageView { number, text, recognition }))
}
