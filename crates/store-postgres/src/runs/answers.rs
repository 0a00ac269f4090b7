//! Answers of models, remembered by what they depend on, and which documents they were used for.

use sheaf_domain::flow::{Answer, Exchange};
use sheaf_domain::{DocumentId, RunId};
use sheaf_store::{RunClaim, Spending};
use sqlx::{PgConnection, PgPool};

use super::steer;
use crate::rows::{count, get, signed, text};
use crate::{Result, database, now, nul};

pub async fn remembered(pool: &PgPool, claim: &RunClaim, step: &str, key: &str) -> Result<Option<Answer>> {
    let row = sqlx::query("SELECT request, response, tokens FROM answers WHERE key = $1")
        .bind(key)
        .fetch_optional(pool)
        .await
        .map_err(database)?;
    let Some(row) = row else { return Ok(None) };
    let answer =
        Answer { request: text(&row, "request")?, response: text(&row, "response")?, tokens: count(&row, "tokens")? };
    let mut tx = pool.begin().await.map_err(database)?;
    steer::lock(&mut tx, claim.run).await?;
    note(&mut tx, claim, step, key).await?;
    tx.commit().await.map_err(database)?;
    Ok(Some(answer))
}

/// Notes that an answer was used; `false` when that was noted before, or the run or the answer is gone.
async fn note(tx: &mut PgConnection, claim: &RunClaim, step: &str, key: &str) -> Result<bool> {
    let noted = sqlx::query(concat!(
        "INSERT INTO exchanges (run, document, step, key, noted_at) SELECT $1, $2, $3, $4, ",
        now!(),
        " WHERE EXISTS (SELECT 1 FROM run_documents WHERE run = $1 AND document = $2) ",
        // What is deleted leaves no text behind.
        "AND EXISTS (SELECT 1 FROM documents WHERE id = $2) ",
        "AND EXISTS (SELECT 1 FROM answers WHERE key = $4) ON CONFLICT DO NOTHING"
    ))
    .bind(claim.run.0)
    .bind(claim.document.0)
    .bind(step)
    .bind(key)
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(noted.rows_affected() > 0)
}

pub async fn remember(pool: &PgPool, claim: &RunClaim, step: &str, key: &str, answer: &Answer) -> Result<()> {
    let Answer { request, response, tokens } = answer;
    let mut tx = pool.begin().await.map_err(database)?;
    steer::lock(&mut tx, claim.run).await?;
    sqlx::query(concat!(
        "INSERT INTO answers (key, request, response, tokens, given_at) SELECT $1, $2, $3, $4, ",
        now!(),
        " WHERE EXISTS (SELECT 1 FROM run_documents x JOIN documents d ON d.id = x.document ",
        "WHERE x.run = $5 AND x.document = $6) ON CONFLICT DO NOTHING"
    ))
    .bind(key)
    .bind(nul::hide(request))
    .bind(nul::hide(response))
    .bind(signed(*tokens))
    .bind(claim.run.0)
    .bind(claim.document.0)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    if note(&mut tx, claim, step, key).await? {
        sqlx::query("UPDATE runs SET tokens = tokens + $1 WHERE id = $2")
            .bind(signed(*tokens))
            .bind(claim.run.0)
            .execute(&mut *tx)
            .await
            .map_err(database)?;
        sqlx::query("UPDATE run_documents SET tokens = tokens + $1 WHERE run = $2 AND document = $3")
            .bind(signed(*tokens))
            .bind(claim.run.0)
            .bind(claim.document.0)
            .execute(&mut *tx)
            .await
            .map_err(database)?;
    }
    tx.commit().await.map_err(database)
}

pub async fn disown(pool: &PgPool, key: &str) -> Result<()> {
    sqlx::query(concat!("UPDATE answers SET key = key || ':' || ", now!(), " WHERE key = $1"))
        .bind(key)
        .execute(pool)
        .await
        .map_err(database)?;
    Ok(())
}

pub async fn exchanges(pool: &PgPool, run: RunId, document: DocumentId) -> Result<Vec<Exchange>> {
    let rows = sqlx::query(
        "SELECT e.step, a.request, a.response, a.tokens FROM exchanges e JOIN answers a ON a.key = e.key \
         WHERE e.run = $1 AND e.document = $2 ORDER BY e.noted_at, e.step, e.key",
    )
    .bind(run.0)
    .bind(document.0)
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter()
        .map(|row| {
            Ok(Exchange {
                step: get(row, "step")?,
                request: text(row, "request")?,
                response: text(row, "response")?,
                tokens: count(row, "tokens")?,
            })
        })
        .collect()
}

pub async fn spending(pool: &PgPool, run: RunId) -> Result<Option<Spending>> {
    let row = sqlx::query("SELECT tokens, budget_tokens FROM runs WHERE id = $1")
        .bind(run.0)
        .fetch_optional(pool)
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
