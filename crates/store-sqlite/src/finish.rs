//! Results and their job's new state, in one transaction, fenced by the attempt.

use sheaf_domain::{Failure, JobId, Stage, Status};
use sheaf_store::{
    AnalysedDocument, AnalysisResult, Claim, EmbedInput, EmbedOutcome, EmbedResult, ParseRecord, StoreError, Vectored,
};
use sqlx::{SqliteConnection, SqlitePool};

use crate::arrive::{add_job, queue_analysis_when_ready};
use crate::rows::{count, get, id, json, name, parsed};
use crate::work::{mark_pending, signed};
use crate::{Result, database, now, pages};

/// Moves the job from `processing` to its last state; `false` when this attempt no longer holds it.
async fn finish_job(tx: &mut SqliteConnection, claim: &Claim, state: Status) -> Result<bool> {
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

pub async fn complete_parse(writer: &SqlitePool, claim: &Claim, record: &ParseRecord) -> Result<bool> {
    let document = document_of(claim)?;
    let mut tx = writer.begin().await.map_err(database)?;
    if !finish_job(&mut tx, claim, Status::Completed).await? {
        return Ok(false);
    }
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
    pages::remember(&mut tx, &record.key, &record.recognised).await?;
    sqlx::query("INSERT INTO texts (key, text) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(&record.key)
        .bind(&record.text)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    sqlx::query(concat!(
        "UPDATE documents SET status = 'pending', stage = 'embed', pages_done = NULL, pages_total = NULL, parse = ?, updated_at = ",
        now!(),
        " WHERE id = ?"
    ))
    .bind(&record.key)
    .bind(&document)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    add_job(&mut tx, claim.batch, Some(&document), Stage::Embed).await?;
    tx.commit().await.map_err(database)?;
    Ok(true)
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
            document: sheaf_domain::DocumentId(id(&row, "documents", "id")?),
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
    let mut tx = writer.begin().await.map_err(database)?;
    let mut finished = Vec::with_capacity(results.len());
    let mut batches = Vec::new();
    for result in results {
        let claim = &result.claim;
        let document = document_of(claim)?;
        match &result.outcome {
            EmbedOutcome::Failed(failure) => {
                if !still_held(&mut tx, claim).await? {
                    continue;
                }
                fail_for_good(&mut tx, claim, failure).await?;
            }
            EmbedOutcome::Vectored(_) | EmbedOutcome::Remembered => {
                if !finish_job(&mut tx, claim, Status::Completed).await? {
                    continue;
                }
                if let EmbedOutcome::Vectored(vectored) = &result.outcome {
                    insert_vector(&mut tx, &result.key, vectored).await?;
                }
                sqlx::query(concat!(
                    "UPDATE documents SET status = 'completed', vector = ?, updated_at = ",
                    now!(),
                    " WHERE id = ?"
                ))
                .bind(&result.key)
                .bind(document)
                .execute(&mut *tx)
                .await
                .map_err(database)?;
            }
        }
        finished.push(claim.job);
        if !batches.contains(&claim.batch) {
            batches.push(claim.batch);
        }
    }
    for batch in batches {
        queue_analysis_when_ready(&mut tx, batch).await?;
    }
    tx.commit().await.map_err(database)?;
    Ok(finished)
}

async fn insert_vector(tx: &mut SqliteConnection, key: &str, vectored: &Vectored) -> Result<()> {
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

pub async fn analysed_documents(readers: &SqlitePool, batch: sheaf_domain::BatchId) -> Result<Vec<AnalysedDocument>> {
    let rows = sqlx::query(
        "SELECT d.id, d.path, d.sha256, p.language, v.vector, v.terms FROM documents d \
         JOIN parses p ON p.key = d.parse JOIN vectors v ON v.key = d.vector \
         WHERE d.batch = ? AND d.status = 'completed' ORDER BY d.sha256, d.path, d.id",
    )
    .bind(batch.to_string())
    .fetch_all(readers)
    .await
    .map_err(database)?;
    rows.iter()
        .map(|row| {
            let bytes: &[u8] = get(row, "vector")?;
            Ok(AnalysedDocument {
                id: sheaf_domain::DocumentId(id(row, "documents", "id")?),
                path: get(row, "path")?,
                sha256: get(row, "sha256")?,
                language: get(row, "language")?,
                vectored: Vectored {
                    vector: bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
                    terms: get(row, "terms")?,
                },
            })
        })
        .collect()
}

pub async fn complete_analysis(writer: &SqlitePool, result: &AnalysisResult) -> Result<bool> {
    let claim = &result.claim;
    let batch = claim.batch.to_string();
    let mut tx = writer.begin().await.map_err(database)?;
    if !finish_job(&mut tx, claim, Status::Completed).await? {
        return Ok(false);
    }
    for sql in [
        "DELETE FROM placements WHERE batch = ?",
        "DELETE FROM clusters WHERE batch = ?",
        "DELETE FROM clusterings WHERE batch = ?",
    ] {
        sqlx::query(sql).bind(&batch).execute(&mut *tx).await.map_err(database)?;
    }
    sqlx::query(
        "INSERT INTO clusterings (batch, vectors, rows, dimensions, silhouette, heatmap, manifest) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&batch)
    .bind(result.vectors.as_ref().map(|v| v.name.as_str()))
    .bind(result.vectors.as_ref().map_or(0, |v| v.rows))
    .bind(result.vectors.as_ref().map_or(0, |v| v.dimensions))
    .bind(result.silhouette)
    .bind(json(&result.heatmap))
    .bind(&result.manifest)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    for cluster in &result.clusters {
        sqlx::query(
            "INSERT INTO clusters (batch, id, name, keywords, size, cohesion, average_probability, representative) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&batch)
        .bind(cluster.id.0)
        .bind(&cluster.name)
        .bind(json(&cluster.keywords))
        .bind(signed(cluster.size))
        .bind(cluster.cohesion)
        .bind(cluster.average_probability)
        .bind(cluster.representative.to_string())
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    }
    for placement in &result.placements {
        sqlx::query(
            "INSERT INTO placements (document, batch, cluster, probability, position, neighbours) \
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(placement.document.to_string())
        .bind(&batch)
        .bind(placement.cluster.map(|c| c.0))
        .bind(placement.probability)
        .bind(placement.position)
        .bind(json(&placement.neighbours))
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    }
    // A batch of which no document could be read has failed; one of which some could has not.
    sqlx::query(concat!(
        "UPDATE batches SET finished_at = ",
        now!(),
        ", status = CASE WHEN EXISTS (SELECT 1 FROM documents WHERE batch = ?1 AND status = 'completed') ",
        "OR NOT EXISTS (SELECT 1 FROM documents WHERE batch = ?1) THEN 'completed' ELSE 'failed' END WHERE id = ?1"
    ))
    .bind(&batch)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    tx.commit().await.map_err(database)?;
    Ok(true)
}

pub async fn fail(writer: &SqlitePool, claim: &Claim, failure: &Failure, retry_ms: Option<u64>) -> Result<bool> {
    let mut tx = writer.begin().await.map_err(database)?;
    if !still_held(&mut tx, claim).await? {
        return Ok(false);
    }
    match retry_ms {
        Some(wait) => {
            sqlx::query(concat!(
                "UPDATE jobs SET state = 'pending', worker = NULL, lease_until = NULL, run_at = ",
                now!(),
                " + ? WHERE id = ?"
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
    sqlx::query("UPDATE jobs SET state = 'failed', worker = NULL, lease_until = NULL WHERE id = ?")
        .bind(claim.job.to_string())
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    let (sql, key) = match claim.document {
        Some(document) => (
            concat!(
                "UPDATE documents SET status = 'failed', failure = ?, stage = ?, updated_at = ",
                now!(),
                " WHERE id = ?"
            ),
            document.to_string(),
        ),
        None => (
            concat!(
                "UPDATE batches SET status = 'failed', failure = ?1, finished_at = ",
                now!(),
                " WHERE id = ?3 AND ?2 IS NOT NULL"
            ),
            claim.batch.to_string(),
        ),
    };
    sqlx::query(sql)
        .bind(json(failure))
        .bind(claim.stage.name())
        .bind(key)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    if claim.document.is_some() { queue_analysis_when_ready(tx, claim.batch).await } else { Ok(()) }
}

/// The document of a claim of a document's stage.
fn document_of(claim: &Claim) -> Result<String> {
    claim.document.map(|d| d.to_string()).ok_or_else(|| StoreError::Row {
        table: "jobs",
        reason: format!("job `{}` of stage `{}` has no document", claim.job, claim.stage),
    })
}
