//! Results and their job's new state, in one transaction, fenced by the attempt.

use std::collections::BTreeMap;

use sheaf_domain::{BatchId, DocumentId, Failure, JobId, Stage, Status};
use sheaf_store::{
    Claim, EmbedInput, EmbedOutcome, EmbedResult, Keeping, ParseInput, ParseRecord, StoreError, Vectored,
};
use sqlx::{SqliteConnection, SqlitePool};

use crate::arrive::{add_job, queue_analysis_when_ready};
use crate::progress::note_pace;
use crate::rows::{count, get, id, json, name, parsed, signed};
use crate::steer::{end, note_attempt, stop_if_failing};
use crate::work::mark_pending;
use crate::{Result, begin, changed, database, now, pages, search};

/// Moves the job from `processing` to its last state; `false` when this attempt no longer holds it.
pub(crate) async fn finish_job(tx: &mut SqliteConnection, claim: &Claim, state: Status) -> Result<bool> {
    let result = sqlx::query(
        "UPDATE jobs SET state = ?, worker = NULL, lease_until = NULL \
         WHERE id = ? AND attempts = ? AND state = 'processing'",
    )
    .bind(state.name())
    .bind(claim.job.to_string())
    .bind(claim.attempt)
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(result.rows_affected() == 1)
}

/// Documents that a transaction finished, by their batch.
type Done = BTreeMap<BatchId, Vec<String>>;

pub async fn parse_inputs(readers: &SqlitePool, claims: &[Claim]) -> Result<Vec<ParseInput>> {
    let mut inputs = Vec::with_capacity(claims.len());
    for claim in claims {
        let row = sqlx::query(
            "SELECT d.id, d.path, d.sha256, b.passwords FROM documents d JOIN batches b ON b.id = d.batch WHERE d.id = ?",
        )
        .bind(document_of(claim)?)
        .fetch_optional(readers)
        .await
        .map_err(database)?;
        // Deleted meanwhile: its completion would be refused anyhow.
        let Some(row) = row else { continue };
        inputs.push(ParseInput {
            claim: claim.clone(),
            document: DocumentId(id(&row, "documents", "id")?),
            path: get(&row, "path")?,
            sha256: get(&row, "sha256")?,
            passwords: parsed(&row, "batches", "passwords")?,
        });
    }
    Ok(inputs)
}

pub async fn remembered_parse(readers: &SqlitePool, key: &str) -> Result<Option<ParseRecord>> {
    let row = sqlx::query("SELECT p.*, t.text FROM parses p JOIN texts t ON t.key = p.key WHERE p.key = ?")
        .bind(key)
        .fetch_optional(readers)
        .await
        .map_err(database)?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(ParseRecord {
        key: get(&row, "key")?,
        kind: name(&row, "parses", "kind")?,
        pages: get(&row, "pages")?,
        words: count(&row, "words")?,
        language: get(&row, "language")?,
        metadata: parsed(&row, "parses", "metadata")?,
        problems: parsed(&row, "parses", "problems")?,
        text: get(&row, "text")?,
        page_starts: parsed(&row, "parses", "page_starts")?,
        recognised: pages::recognised(readers, key).await?,
    }))
}

pub async fn complete_parses(writer: &SqlitePool, results: &[(Claim, ParseRecord)]) -> Result<Vec<JobId>> {
    let mut keeping = Keeping::begin(Stage::Parse);
    let mut tx = begin(writer).await?;
    keeping.admitted();
    let mut finished = Vec::with_capacity(results.len());
    let mut done = Done::default();
    for (claim, record) in results {
        let document = document_of(claim)?;
        if !finish_job(&mut tx, claim, Status::Completed).await? {
            continue;
        }
        keeping.result(remember_parse(&mut tx, record)).await?;
        sqlx::query(concat!(
            "UPDATE documents SET status = 'pending', stage = 'embed', pages_done = NULL, pages_total = NULL, parse = ?, ",
            changed!(),
            " WHERE id = ?"
        ))
        .bind(&record.key)
        .bind(&document)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
        let weight = record.text.len() as u64;
        add_job(&mut tx, claim.batch, &document, Stage::Embed, weight, Status::Pending).await?;
        finished.push(claim.job);
        done.entry(claim.batch).or_default().push(document);
    }
    for (batch, documents) in &done {
        note_pace(&mut tx, *batch, Stage::Parse, documents).await?;
    }
    tx.commit().await.map_err(database)?;
    keeping.committed();
    Ok(finished)
}

pub(crate) async fn remember_parse(tx: &mut SqliteConnection, record: &ParseRecord) -> Result<()> {
    sqlx::query(
        "INSERT INTO parses (key, kind, pages, words, language, metadata, problems, page_starts) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(&record.key)
    .bind(record.kind.name())
    .bind(record.pages)
    .bind(signed(record.words))
    .bind(&record.language)
    .bind(json(&record.metadata))
    .bind(json(&record.problems))
    .bind(json(&record.page_starts))
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    pages::remember(tx, &record.key, &record.recognised).await?;
    sqlx::query("INSERT INTO texts (key, text) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(&record.key)
        .bind(&record.text)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    search::index(tx, &record.key, &record.text).await
}

pub async fn embed_inputs(readers: &SqlitePool, claims: &[Claim]) -> Result<Vec<EmbedInput>> {
    let mut inputs = Vec::with_capacity(claims.len());
    for claim in claims {
        let row = sqlx::query(
            "SELECT d.id, d.parse, p.language, t.text, b.params FROM documents d \
             JOIN parses p ON p.key = d.parse JOIN texts t ON t.key = d.parse JOIN batches b ON b.id = d.batch \
             WHERE d.id = ?",
        )
        .bind(document_of(claim)?)
        .fetch_optional(readers)
        .await
        .map_err(database)?;
        // Deleted meanwhile: its completion would be refused anyhow.
        let Some(row) = row else { continue };
        inputs.push(EmbedInput {
            claim: claim.clone(),
            document: DocumentId(id(&row, "documents", "id")?),
            parse_key: get(&row, "parse")?,
            language: get(&row, "language")?,
            text: get(&row, "text")?,
            params: parsed(&row, "batches", "params")?,
        });
    }
    Ok(inputs)
}

pub async fn remembered_vectors(readers: &SqlitePool, keys: &[String]) -> Result<Vec<String>> {
    sqlx::query_scalar("SELECT key FROM vectors WHERE key IN (SELECT value FROM json_each(?))")
        .bind(json(&keys))
        .fetch_all(readers)
        .await
        .map_err(database)
}

pub async fn complete_embed(writer: &SqlitePool, results: &[EmbedResult]) -> Result<Vec<JobId>> {
    let mut keeping = Keeping::begin(Stage::Embed);
    let mut tx = begin(writer).await?;
    keeping.admitted();
    let mut finished = Vec::with_capacity(results.len());
    let mut done = Done::default();
    for result in results {
        let claim = &result.claim;
        let document = document_of(claim)?;
        match &result.outcome {
            EmbedOutcome::Failed(failure) => {
                if !still_held(&mut tx, claim).await? {
                    continue;
                }
                fail_for_good(&mut tx, claim, failure).await?;
                done.entry(claim.batch).or_default();
            }
            EmbedOutcome::Vectored(_) | EmbedOutcome::Remembered => {
                if !finish_job(&mut tx, claim, Status::Completed).await? {
                    continue;
                }
                if let EmbedOutcome::Vectored(vectored) = &result.outcome {
                    keeping.result(insert_vector(&mut tx, &result.key, vectored)).await?;
                }
                sqlx::query(concat!(
                    "UPDATE documents SET status = 'completed', vector = ?, ",
                    changed!(),
                    " WHERE id = ?"
                ))
                .bind(&result.key)
                .bind(&document)
                .execute(&mut *tx)
                .await
                .map_err(database)?;
                done.entry(claim.batch).or_default().push(document);
            }
        }
        finished.push(claim.job);
    }
    for (batch, documents) in &done {
        note_pace(&mut tx, *batch, Stage::Embed, documents).await?;
        queue_analysis_when_ready(&mut tx, *batch).await?;
    }
    tx.commit().await.map_err(database)?;
    keeping.committed();
    Ok(finished)
}

pub(crate) async fn insert_vector(tx: &mut SqliteConnection, key: &str, vectored: &Vectored) -> Result<()> {
    let bytes: Vec<u8> = vectored.vector.iter().flat_map(|v| v.to_le_bytes()).collect();
    sqlx::query("INSERT INTO vectors (key, vector, terms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
        .bind(key)
        .bind(bytes)
        .bind(&vectored.terms)
        .execute(tx)
        .await
        .map_err(database)?;
    Ok(())
}

async fn still_held(tx: &mut SqliteConnection, claim: &Claim) -> Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM jobs WHERE id = ? AND attempts = ? AND state = 'processing')")
        .bind(claim.job.to_string())
        .bind(claim.attempt)
        .fetch_one(tx)
        .await
        .map_err(database)
}

pub async fn fail(writer: &SqlitePool, claim: &Claim, failure: &Failure, retry_ms: Option<u64>) -> Result<bool> {
    let mut tx = begin(writer).await?;
    if !still_held(&mut tx, claim).await? {
        return Ok(false);
    }
    match retry_ms {
        Some(wait) => {
            note_attempt(&mut tx, claim, failure).await?;
            sqlx::query(concat!(
                "UPDATE jobs SET state = 'pending', worker = NULL, lease_until = NULL, run_at = ",
                now!(),
                " + ?1 + abs(random() % (?1 / 4 + 1)) WHERE id = ?2"
            ))
            .bind(signed(wait))
            .bind(claim.job.to_string())
            .execute(&mut *tx)
            .await
            .map_err(database)?;
            mark_pending(&mut tx, claim).await?;
        }
        None => fail_for_good(&mut tx, claim, failure).await?,
    }
    tx.commit().await.map_err(database)?;
    Ok(true)
}

/// The job and its document (or its batch) have failed; a batch that waited for this document only is analysed next.
pub(crate) async fn fail_for_good(tx: &mut SqliteConnection, claim: &Claim, failure: &Failure) -> Result<()> {
    note_attempt(tx, claim, failure).await?;
    sqlx::query("UPDATE jobs SET state = 'failed', worker = NULL, lease_until = NULL WHERE id = ?")
        .bind(claim.job.to_string())
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    let Some(document) = claim.document else {
        return end(tx, claim.batch, Status::Failed, Some(failure)).await.map(drop);
    };
    let path: String = sqlx::query_scalar(concat!(
        "UPDATE documents SET status = 'failed', failure = ?, stage = ?, ",
        changed!(),
        " WHERE id = ? RETURNING path"
    ))
    .bind(json(failure))
    .bind(claim.stage.name())
    .bind(document.to_string())
    .fetch_one(&mut *tx)
    .await
    .map_err(database)?;
    stop_if_failing(tx, claim.batch, &path, failure).await?;
    queue_analysis_when_ready(tx, claim.batch).await
}

/// The document of a claim of a document's stage.
fn document_of(claim: &Claim) -> Result<String> {
    claim.document.map(|d| d.to_string()).ok_or_else(|| StoreError::Row {
        table: "jobs",
        reason: format!("job `{}` of stage `{}` has no document", claim.job, claim.stage),
    })
}
