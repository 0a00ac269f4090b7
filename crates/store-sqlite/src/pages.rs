//! Pages of documents: their text, what was recognised on them, and how many are read.

use sheaf_domain::{BatchId, DocumentId, PageRecognition, PageView};
use sheaf_store::Claim;
use sqlx::{SqliteConnection, SqlitePool};

use crate::rows::{get, json, parsed};
use crate::{Result, begin, changed, database};

pub async fn note(writer: &SqlitePool, claim: &Claim, done: u32, total: u32) -> Result<()> {
    let mut tx = begin(writer).await?;
    sqlx::query(concat!(
        "UPDATE documents SET pages_done = ?, pages_total = ?, ",
        changed!(),
        " WHERE id = (SELECT document FROM jobs WHERE id = ? AND attempts = ? AND state = 'processing')"
    ))
    .bind(done)
    .bind(total)
    .bind(claim.job.to_string())
    .bind(claim.attempt)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    tx.commit().await.map_err(database)
}

pub async fn remember(tx: &mut SqliteConnection, key: &str, recognised: &[PageRecognition]) -> Result<()> {
    for PageRecognition { page, confidence, words } in recognised {
        sqlx::query(
            "INSERT INTO recognitions (key, page, confidence, words) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(key)
        .bind(page)
        .bind(f64::from(*confidence))
        .bind(json(words))
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    }
    Ok(())
}

pub async fn recognised(readers: &SqlitePool, key: &str) -> Result<Vec<PageRecognition>> {
    let rows = sqlx::query("SELECT page, confidence, words FROM recognitions WHERE key = ? ORDER BY page")
        .bind(key)
        .fetch_all(readers)
        .await
        .map_err(database)?;
    rows.iter()
        .map(|row| {
            Ok(PageRecognition {
                page: get(row, "page")?,
                confidence: get::<f64>(row, "confidence")? as f32,
                words: parsed(row, "recognitions", "words")?,
            })
        })
        .collect()
}

/// Pages of a document that were recognised, with their confidence.
pub async fn confidences(readers: &SqlitePool, document: DocumentId) -> Result<Vec<(u32, f32)>> {
    let rows: Vec<(u32, f64)> = sqlx::query_as(
        "SELECT r.page, r.confidence FROM documents d JOIN recognitions r ON r.key = d.parse WHERE d.id = ? ORDER BY r.page",
    )
    .bind(document.to_string())
    .fetch_all(readers)
    .await
    .map_err(database)?;
    Ok(rows.into_iter().map(|(page, confidence)| (page, confidence as f32)).collect())
}

pub async fn page(readers: &SqlitePool, batch: BatchId, document: DocumentId, number: u32) -> Result<Option<PageView>> {
    let row = sqlx::query(
        "SELECT d.parse, p.page_starts, t.text FROM documents d JOIN parses p ON p.key = d.parse \
         JOIN texts t ON t.key = d.parse WHERE d.id = ? AND d.batch = ?",
    )
    .bind(document.to_string())
    .bind(batch.to_string())
    .fetch_optional(readers)
    .await
    .map_err(database)?;
    let Some(row) = row else { return Ok(None) };
    let (key, text): (String, String) = (get(&row, "parse")?, get(&row, "text")?);
    let starts: Vec<usize> = parsed(&row, "parses", "page_starts")?;
    let index = (number as usize).wrapping_sub(1);
    let Some(&start) = starts.get(index) else { return Ok(None) };
    let end = starts.get(index + 1).copied().unwrap_or(text.len());
    let text = text.get(start..end).unwrap_or_default().trim_end().to_owned();
    let recognition = recognised(readers, &key).await?.into_iter().find(|found| found.page == number);
    Ok(Some(PageView { number, text, recognition }))
}
