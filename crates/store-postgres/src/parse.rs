//! What parsing found, remembered by content, and the job's new state: one transaction, fenced by the attempt.

use sheaf_domain::{Stage, Status};
use sheaf_store::{Claim, ParseRecord};
use sqlx::{PgConnection, PgPool};

use crate::arrive::add_jobs;
use crate::rows::{count, get, json, name, parsed, signed, small, text};
use crate::work::{document_of, finish_job};
use crate::{Result, database, now, nul, pages};

pub async fn remembered_parse(pool: &PgPool, key: &str) -> Result<Option<ParseRecord>> {
    let row = sqlx::query("SELECT p.*, t.text FROM parses p JOIN texts t ON t.key = p.key WHERE p.key = $1")
        .bind(nul::hide(key))
        .fetch_optional(pool)
        .await
        .map_err(database)?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(ParseRecord {
        key: text(&row, "key")?,
        kind: name(&row, "parses", "kind")?,
        pages: small(&row, "parses", "pages")?,
        words: count(&row, "words")?,
        language: get(&row, "language")?,
        metadata: parsed(&row, "parses", "metadata")?,
        problems: parsed(&row, "parses", "problems")?,
        text: text(&row, "text")?,
        page_starts: parsed(&row, "parses", "page_starts")?,
        recognised: pages::recognised(pool, get(&row, "key")?).await?,
    }))
}

pub async fn complete_parse(pool: &PgPool, claim: &Claim, record: &ParseRecord) -> Result<bool> {
    let document = document_of(claim)?;
    let mut tx = pool.begin().await.map_err(database)?;
    if !finish_job(&mut tx, claim, Status::Completed).await? {
        return Ok(false);
    }
    remember(&mut tx, record).await?;
    sqlx::query(concat!(
        "UPDATE documents SET status = 'pending', stage = 'embed', pages_done = NULL, pages_total = NULL, parse = $1, ",
        "updated_at = ",
        now!(),
        " WHERE id = $2"
    ))
    .bind(nul::hide(&record.key))
    .bind(document)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    add_jobs(&mut tx, claim.batch, &[document], Stage::Embed).await?;
    tx.commit().await.map_err(database)?;
    Ok(true)
}

/// Makes sure that the result is there, and stays there until the transaction ends.
async fn remember(tx: &mut PgConnection, record: &ParseRecord) -> Result<()> {
    let key = nul::hide(&record.key);
    let known = sqlx::query("SELECT FROM parses WHERE key = $1 FOR KEY SHARE")
        .bind(&*key)
        .fetch_optional(&mut *tx)
        .await
        .map_err(database)?;
    // Nothing of a text that is there already has to cross the network again.
    if known.is_some() {
        return Ok(());
    }
    // On a conflict nothing is written, but the row is locked as if it were: a batch that is deleted at the same moment
    // cannot take it along.
    let inserted = sqlx::query(
        "INSERT INTO parses (key, kind, pages, words, language, metadata, problems, page_starts) \
         VALUES ($1, $2, $3, $4, $5, $6::json, $7::json, $8::json) \
         ON CONFLICT (key) DO UPDATE SET pages = parses.pages WHERE false",
    )
    .bind(&*key)
    .bind(record.kind.name())
    .bind(i64::from(record.pages))
    .bind(signed(record.words))
    .bind(&record.language)
    .bind(json(&record.metadata))
    .bind(json(&record.problems))
    .bind(json(&record.page_starts))
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    if inserted.rows_affected() == 0 {
        return Ok(());
    }
    pages::remember(tx, &key, &record.recognised).await?;
    sqlx::query("INSERT INTO texts (key, text) VALUES ($1, $2)")
        .bind(&*key)
        .bind(nul::hide(&record.text))
        .execute(tx)
        .await
        .map_err(database)?;
    Ok(())
}
