//! What parsing needs and what it found, remembered by content, with the jobs' new state: one transaction, fenced by the
//! attempts.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use sheaf_domain::{BatchId, DocumentId, JobId, Stage, Status};
use sheaf_store::{Claim, Keeping, ParseInput, ParseRecord};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::arrive::add_jobs;
use crate::progress::note_pace;
use crate::rows::{count, get, id, json, name, parsed, signed, small, text};
use crate::work::{complete_jobs, document_of, lock_held};
use crate::{Result, changed, database, nul, pages, search};

pub async fn parse_inputs(pool: &PgPool, claims: &[Claim]) -> Result<Vec<ParseInput>> {
    let documents = claims.iter().map(document_of).collect::<Result<Vec<_>>>()?;
    let rows = sqlx::query(
        "SELECT d.id, d.path, d.sha256, b.passwords FROM documents d JOIN batches b ON b.id = d.batch WHERE d.id = ANY($1)",
    )
    .bind(&documents)
    .fetch_all(pool)
    .await
    .map_err(database)?;
    let by_document = rows.iter().map(|row| Ok((id(row, "id")?, row))).collect::<Result<HashMap<_, _>>>()?;
    let mut inputs = Vec::with_capacity(claims.len());
    for (claim, document) in claims.iter().zip(documents) {
        // Deleted meanwhile: its completion would be refused anyhow.
        let Some(&row) = by_document.get(&document) else { continue };
        inputs.push(ParseInput {
            claim: claim.clone(),
            document: DocumentId(document),
            path: text(row, "path")?,
            sha256: get(row, "sha256")?,
            passwords: parsed(row, "batches", "passwords")?,
        });
    }
    Ok(inputs)
}

pub async fn remembered_parse(pool: &PgPool, key: &str) -> Result<Option<ParseRecord>> {
    let row = sqlx::query(
        "SELECT p.key, p.kind, p.pages, p.words, p.language, p.metadata, p.problems, p.page_starts, t.text \
         FROM parses p JOIN texts t ON t.key = p.key WHERE p.key = $1",
    )
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

pub async fn complete_parses(pool: &PgPool, results: &[(Claim, ParseRecord)]) -> Result<Vec<JobId>> {
    let mut keeping = Keeping::begin(Stage::Parse);
    let mut tx = pool.begin().await.map_err(database)?;
    let claims: Vec<Claim> = results.iter().map(|(claim, _)| claim.clone()).collect();
    let held: BTreeSet<JobId> = lock_held(&mut tx, &claims).await?.iter().map(|claim| claim.job).collect();
    keeping.admitted();
    let results: Vec<&(Claim, ParseRecord)> = results.iter().filter(|(claim, _)| held.contains(&claim.job)).collect();
    complete_jobs(&mut tx, held.iter().map(|job| job.0).collect()).await?;
    keeping.result(remember(&mut tx, results.iter().map(|(_, record)| record))).await?;
    move_on(&mut tx, &results).await?;
    let mut done: BTreeMap<BatchId, Vec<(Uuid, u64)>> = BTreeMap::new();
    for (claim, record) in &results {
        done.entry(claim.batch).or_default().push((document_of(claim)?, record.text.len() as u64));
    }
    for (batch, documents) in &done {
        add_jobs(&mut tx, *batch, documents, Stage::Embed, Status::Pending).await?;
        note_pace(&mut tx, *batch, Stage::Parse, documents.iter().map(|d| d.0).collect()).await?;
    }
    tx.commit().await.map_err(database)?;
    keeping.committed();
    Ok(results.iter().map(|(claim, _)| claim.job).collect())
}

/// The documents wait to be embedded.
async fn move_on(tx: &mut PgConnection, results: &[&(Claim, ParseRecord)]) -> Result<()> {
    sqlx::query(concat!(
        "UPDATE documents d SET status = 'pending', stage = 'embed', pages_done = NULL, pages_total = NULL, parse = r.key, ",
        changed!(),
        " FROM unnest($1::uuid[], $2::text[]) AS r (id, key) WHERE d.id = r.id"
    ))
    .bind(results.iter().map(|(claim, _)| document_of(claim)).collect::<Result<Vec<_>>>()?)
    .bind(results.iter().map(|(_, record)| nul::hide(&record.key)).collect::<Vec<_>>())
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

/// Makes sure that the results are there, and stay there until the transaction ends.
pub(crate) async fn remember(tx: &mut PgConnection, records: impl Iterator<Item = &ParseRecord>) -> Result<()> {
    // Each key once, in the order in which everybody takes them.
    let mut new: BTreeMap<Cow<'_, str>, &ParseRecord> =
        records.map(|record| (nul::hide(&record.key), record)).collect();
    let known: Vec<String> =
        sqlx::query_scalar("SELECT key FROM parses WHERE key = ANY($1) ORDER BY key FOR KEY SHARE")
            .bind(new.keys().collect::<Vec<_>>())
            .fetch_all(&mut *tx)
            .await
            .map_err(database)?;
    // Nothing of a text that is there already has to cross the network again.
    new.retain(|key, _| !known.iter().any(|known| known == key));
    for (key, record) in new {
        insert(tx, &key, record).await?;
    }
    Ok(())
}

async fn insert(tx: &mut PgConnection, key: &str, record: &ParseRecord) -> Result<()> {
    // On a conflict nothing is written, but the row is locked as if it were: a batch that is deleted at the same moment
    // cannot take it along.
    let inserted = sqlx::query(
        "INSERT INTO parses (key, kind, pages, words, language, metadata, problems, page_starts) \
         VALUES ($1, $2, $3, $4, $5, $6::json, $7::json, $8::json) \
         ON CONFLICT (key) DO UPDATE SET pages = parses.pages WHERE false",
    )
    .bind(key)
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
    if !record.recognised.is_empty() {
        pages::remember(tx, key, &record.recognised).await?;
    }
    sqlx::query("INSERT INTO texts (key, text) VALUES ($1, $2)")
        .bind(key)
        .bind(nul::hide(&record.text))
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    search::index(tx, key, &record.text).await
}
