//! Answers of models, remembered by what they depend on, and which documents they were used for.

use sheaf_domain::flow::{Answer, Exchange};
use sheaf_domain::{DocumentId, RunId};
use sheaf_store::{RunClaim, Spending};
use sqlx::{SqliteConnection, SqlitePool};

use crate::rows::{count, get, signed};
use crate::{Result, database, now};

pub async fn remembered(
    readers: &SqlitePool,
    writer: &SqlitePool,
    claim: &RunClaim,
    step: &str,
    key: &str,
) -> Result<Option<Answer>> {
    let row = sqlx::query("SELECT request, response, tokens FROM answers WHERE key = ?")
        .bind(key)
        .fetch_optional(readers)
        .await
        .map_err(database)?;
    let Some(row) = row else { return Ok(None) };
    let answer =
        Answer { request: get(&row, "request")?, response: get(&row, "response")?, tokens: count(&row, "tokens")? };
    let mut tx = writer.begin().await.map_err(database)?;
    note(&mut tx, claim, step, key).await?;
    tx.commit().await.map_err(database)?;
    Ok(Some(answer))
}

/// Notes that an answer was used; `false` when that was noted before, or the run or the answer is gone.
async fn note(tx: &mut SqliteConnection, claim: &RunClaim, step: &str, key: &str) -> Result<bool> {
    let noted = sqlx::query(concat!(
        "INSERT INTO exchanges (run, document, step, key, noted_at) SELECT ?1, ?2, ?3, ?4, ",
        now!(),
        " WHERE EXISTS (SELECT 1 FROM run_documents WHERE run = ?1 AND document = ?2) ",
        // What is deleted leaves no text behind.
        "AND EXISTS (SELECT 1 FROM documents WHERE id = ?2) ",
        "AND EXISTS (SELECT 1 FROM answers WHERE key = ?4) ON CONFLICT DO NOTHING"
    ))
    .bind(claim.run.to_string())
    .bind(claim.document.to_string())
    .bind(step)
    .bind(key)
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(noted.rows_affected() > 0)
}

pub async fn remember(writer: &SqlitePool, claim: &RunClaim, step: &str, key: &str, answer: &Answer) -> Result<()> {
    let Answer { request, response, tokens } = answer;
    let mut tx = writer.begin().await.map_err(database)?;
    sqlx::query(concat!(
        "INSERT INTO answers (key, request, response, tokens, given_at) SELECT ?, ?, ?, ?, ",
        now!(),
        " WHERE EXISTS (SELECT 1 FROM run_documents x JOIN documents d ON d.id = x.document ",
        "WHERE x.run = ? AND x.document = ?) ON CONFLICT DO NOTHING"
    ))
    .bind(key)
    .bind(request)
    .bind(response)
    .bind(signed(*tokens))
    .bind(claim.run.to_string())
    .bind(claim.document.to_string())
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    if note(&mut tx, claim, step, key).await? {
        sqlx::query("UPDATE runs SET tokens = tokens + ? WHERE id = ?")
            .bind(signed(*tokens))
            .bind(claim.run.to_string())
            .execute(&mut *tx)
            .await
            .map_err(database)?;
        sqlx::query("UPDATE run_documents SET tokens = tokens + ? WHERE run = ? AND document = ?")
            .bind(signed(*tokens))
            .bind(claim.run.to_string())
            .bind(claim.document.to_string())
            .execute(&mut *tx)
            .await
            .map_err(database)?;
    }
    tx.commit().await.map_err(database)
}

pub async fn disown(writer: &SqlitePool, key: &str) -> Result<()> {
    sqlx::query(concat!("UPDATE answers SET key = key || ':' || ", now!(), " WHERE key = ?"))
        .bind(key)
        .execute(writer)
        .await
        .map_err(database)?;
    Ok(())
}

pub async fn exchanges(readers: &SqlitePool, run: RunId, document: DocumentId) -> Result<Vec<Exchange>> {
    let rows = sqlx::query(
        "SELECT e.step, a.request, a.response, a.tokens FROM exchanges e JOIN answers a ON a.key = e.key \
         WHERE e.run = ? AND e.document = ? ORDER BY e.noted_at, e.step, e.key",
    )
    .bind(run.to_string())
    .bind(document.to_string())
    .fetch_all(readers)
    .await
    .map_err(database)?;
    rows.iter()
        .map(|row| {
            Ok(Exchange {
                step: get(row, "step")?,
                request: get(row, "request")?,
                response: get(row, "response")?,
                tokens: count(row, "tokens")?,
            })
        })
        .collect()
}

pub async fn spending(readers: &SqlitePool, run: RunId) -> Result<Option<Spending>> {
    let row = sqlx::query("SELECT tokens, budget_tokens FROM runs WHERE id = ?")
        .bind(run.to_string())
        .fetch_optional(readers)
        .await
        .map_err(database)?;
    row.map(|row| {
        let budget: Option<i64> = get(&row, "budget_tokens")?;
        Ok(Spending {
            tokens: count(&row, "tokens")?,
            budget: budget.map(|budget| u64::try_from(budget).unwrap_or_default()),
        })
    })
    .transpose()
}
