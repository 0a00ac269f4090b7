//! What embedding needs, and its results with their jobs' new state: one transaction, fenced by the attempts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sheaf_domain::{BatchId, DocumentId, JobId, Stage, Status};
use sheaf_store::{Claim, EmbedInput, EmbedOutcome, EmbedResult, Keeping, Vectored};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::arrive::{lock_batches, queue_analysis_when_ready};
use crate::fail::fail_for_good;
use crate::progress::note_pace;
use crate::rows::{get, id, parsed, text};
use crate::work::{complete_jobs, document_of, finish_job, give_back, lock_held};
use crate::{Result, changed, database, nul};

pub async fn embed_inputs(pool: &PgPool, claims: &[Claim]) -> Result<Vec<EmbedInput>> {
    let documents = claims.iter().map(document_of).collect::<Result<Vec<_>>>()?;
    let rows = sqlx::query(
        "SELECT d.id, d.parse, p.language, t.text, b.params FROM documents d \
         JOIN parses p ON p.key = d.parse JOIN texts t ON t.key = d.parse JOIN batches b ON b.id = d.batch \
         WHERE d.id = ANY($1)",
    )
    .bind(&documents)
    .fetch_all(pool)
    .await
    .map_err(database)?;
    let mut by_document = rows.iter().map(|row| Ok((id(row, "id")?, row))).collect::<Result<HashMap<_, _>>>()?;
    let mut inputs = Vec::with_capacity(claims.len());
    for (claim, document) in claims.iter().zip(documents) {
        // Deleted meanwhile: its completion would be refused anyhow.
        let Some(row) = by_document.remove(&document) else { continue };
        inputs.push(EmbedInput {
            claim: claim.clone(),
            document: DocumentId(document),
            parse_key: text(row, "parse")?,
            language: get(row, "language")?,
            text: text(row, "text")?,
            params: parsed(row, "batches", "params")?,
        });
    }
    Ok(inputs)
}

pub async fn remembered_vectors(pool: &PgPool, keys: &[String]) -> Result<Vec<String>> {
    let keys: Vec<_> = keys.iter().map(|key| nul::hide(key)).collect();
    let found: Vec<String> = sqlx::query_scalar("SELECT key FROM vectors WHERE key = ANY($1)")
        .bind(keys)
        .fetch_all(pool)
        .await
        .map_err(database)?;
    Ok(found.into_iter().map(nul::show).collect())
}

pub async fn complete_embed(pool: &PgPool, results: &[EmbedResult]) -> Result<Vec<JobId>> {
    let mut keeping = Keeping::begin(Stage::Embed);
    let mut tx = pool.begin().await.map_err(database)?;
    let batches: BTreeSet<BatchId> = results.iter().map(|result| result.claim.batch).collect();
    lock_batches(&mut tx, batches.iter().copied()).await?;
    let claims: Vec<Claim> = results.iter().map(|result| result.claim.clone()).collect();
    let held: BTreeSet<JobId> = lock_held(&mut tx, &claims).await?.iter().map(|claim| claim.job).collect();
    keeping.admitted();
    let results: Vec<&EmbedResult> = results.iter().filter(|result| held.contains(&result.claim.job)).collect();
    let there = keeping.result(keep_vectors(&mut tx, &results)).await?;

    let (mut completed, mut failed, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for result in results {
        match &result.outcome {
            EmbedOutcome::Failed(failure) => failed.push((&result.claim, failure)),
            EmbedOutcome::Vectored(_) | EmbedOutcome::Remembered if there.contains(&*nul::hide(&result.key)) => {
                completed.push(result);
            }
            // The batch that had it was deleted since: the document is embedded like any other.
            EmbedOutcome::Vectored(_) | EmbedOutcome::Remembered => again.push(result.claim.clone()),
        }
    }
    give_back(&mut tx, &again).await?;
    complete(&mut tx, &completed).await?;
    let mut finished: Vec<JobId> = completed.iter().map(|result| result.claim.job).collect();
    for (claim, failure) in failed {
        // The one before may have stopped the batch.
        if finish_job(&mut tx, claim, Status::Failed).await? {
            fail_for_good(&mut tx, claim, failure).await?;
            finished.push(claim.job);
        }
    }
    for batch in batches {
        queue_analysis_when_ready(&mut tx, batch).await?;
    }
    tx.commit().await.map_err(database)?;
    keeping.committed();
    Ok(finished)
}

/// Keeps new vectors; gives the keys of all results whose vectors are there and stay there until the transaction ends.
async fn keep_vectors(tx: &mut PgConnection, results: &[&EmbedResult]) -> Result<BTreeSet<String>> {
    let mut new: BTreeMap<String, &Vectored> = BTreeMap::new();
    let mut keys = BTreeSet::new();
    for result in results {
        let key = nul::hide(&result.key).into_owned();
        match &result.outcome {
            EmbedOutcome::Vectored(vectored) => drop(new.insert(key.clone(), vectored)),
            EmbedOutcome::Remembered => {}
            EmbedOutcome::Failed(_) => continue,
        }
        keys.insert(key);
    }
    let bytes = |vectored: &Vectored| vectored.vector.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    sqlx::query(
        "INSERT INTO vectors (key, vector, terms) SELECT * FROM unnest($1::text[], $2::bytea[], $3::bytea[]) \
         ON CONFLICT (key) DO NOTHING",
    )
    .bind(new.keys().collect::<Vec<_>>())
    .bind(new.values().map(|v| bytes(v)).collect::<Vec<_>>())
    .bind(new.values().map(|v| v.terms.as_slice()).collect::<Vec<_>>())
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    let there: Vec<String> =
        sqlx::query_scalar("SELECT key FROM vectors WHERE key = ANY($1) ORDER BY key FOR KEY SHARE")
            .bind(keys.iter().collect::<Vec<_>>())
            .fetch_all(tx)
            .await
            .map_err(database)?;
    Ok(there.into_iter().collect())
}

/// The documents have these vectors, and their jobs are done.
async fn complete(tx: &mut PgConnection, results: &[&EmbedResult]) -> Result<()> {
    complete_jobs(tx, results.iter().map(|result| result.claim.job.0).collect()).await?;
    let mut documents: BTreeMap<BatchId, Vec<Uuid>> = BTreeMap::new();
    for result in results {
        documents.entry(result.claim.batch).or_default().push(document_of(&result.claim)?);
    }
    sqlx::query(concat!(
        "UPDATE documents d SET status = 'completed', vector = r.key, ",
        changed!(),
        " FROM unnest($1::uuid[], $2::text[]) AS r (id, key) WHERE d.id = r.id"
    ))
    .bind(results.iter().map(|result| document_of(&result.claim)).collect::<Result<Vec<_>>>()?)
    .bind(results.iter().map(|result| nul::hide(&result.key)).collect::<Vec<_>>())
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    for (batch, documents) in documents {
        note_pace(tx, batch, Stage::Embed, documents).await?;
    }
    Ok(())
}
