//! Records that changed since they were imported: the new text takes the place of the old one, wherever that was used.

use std::collections::HashMap;

use sheaf_domain::{BatchId, DocumentId, JobId, Restart, Stage};
use sheaf_store::{HeldRecord, NewRecord, ParseRecord};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::parse::remember;
use crate::rows::{get, id, signed, text};
use crate::{Result, changed, database, now, nul, steer};

/// What the batch, which the transaction has locked, has under the ids of these records.
pub async fn held(
    tx: &mut PgConnection,
    batch: BatchId,
    records: &[NewRecord],
) -> Result<HashMap<String, Vec<HeldRecord>>> {
    let rows = sqlx::query(
        "SELECT c.id, c.document, d.sha256, c.fields FROM records c JOIN documents d ON d.id = c.document \
         WHERE c.id = ANY($1) AND d.batch = $2 ORDER BY d.id",
    )
    .bind(records.iter().map(|record| nul::hide(&record.id).into_owned()).collect::<Vec<_>>())
    .bind(batch.0)
    .fetch_all(tx)
    .await
    .map_err(database)?;
    let mut held: HashMap<String, Vec<HeldRecord>> = HashMap::new();
    for row in &rows {
        held.entry(text(row, "id")?).or_default().push(HeldRecord {
            document: DocumentId(id(row, "document")?),
            sha256: get(row, "sha256")?,
            fields: text(row, "fields")?,
        });
    }
    Ok(held)
}

/// Locks what has these documents in its hands: the runs, then the jobs.
pub async fn lock(tx: &mut PgConnection, documents: &[Uuid]) -> Result<()> {
    for sql in [
        "SELECT FROM runs WHERE id IN (SELECT run FROM run_documents WHERE document = ANY($1)) ORDER BY id \
         FOR NO KEY UPDATE",
        "SELECT FROM jobs WHERE document = ANY($1) ORDER BY id FOR UPDATE",
    ] {
        sqlx::query(sql).bind(documents).execute(&mut *tx).await.map_err(database)?;
    }
    Ok(())
}

pub async fn set_fields(tx: &mut PgConnection, document: DocumentId, fields: &str) -> Result<()> {
    sqlx::query("UPDATE records SET fields = $1 WHERE document = $2")
        .bind(nul::hide(fields))
        .bind(document.0)
        .execute(tx)
        .await
        .map_err(database)?;
    Ok(())
}

/// The batch goes on, because something in it changed.
pub async fn go_on(tx: &mut PgConnection, batch: BatchId) -> Result<()> {
    steer::restart_documents(tx, batch, &Restart::Cancelled).await?;
    steer::set_going(tx, batch).await
}

/// The document gets the record's text, and is embedded anew.
pub async fn set_text(tx: &mut PgConnection, batch: BatchId, document: DocumentId, record: &NewRecord) -> Result<()> {
    let NewRecord { document: new, id: _, fields, replaces: _, parsed } = record;
    let old = sqlx::query("SELECT sha256, parse, vector FROM documents WHERE id = $1")
        .bind(document.0)
        .fetch_one(&mut *tx)
        .await
        .map_err(database)?;
    remember(tx, std::iter::once(parsed)).await?;
    // Back to the first stage with the size that was counted, and on with the new one: so the tallies stay true.
    sqlx::query(
        "UPDATE documents SET stage = 'parse', status = 'pending', failure = NULL, failure_code = NULL WHERE id = $1",
    )
    .bind(document.0)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    sqlx::query(concat!(
        "UPDATE documents SET stage = 'embed', sha256 = $1, bytes = $2, parse = $3, vector = NULL, ",
        changed!(),
        " WHERE id = $4"
    ))
    .bind(&new.sha256)
    .bind(signed(new.bytes))
    .bind(nul::hide(&parsed.key))
    .bind(document.0)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    set_fields(tx, document, fields).await?;
    queue(tx, batch, document, parsed).await?;
    forget(tx, get(&old, "sha256")?, get(&old, "parse")?, get(&old, "vector")?).await?;
    for sql in [
        "UPDATE run_documents SET outdated = true WHERE document = $1 AND state IN ('completed', 'failed')",
        "UPDATE run_documents SET state = 'pending', worker = NULL, lease_until = NULL \
         WHERE document = $1 AND state = 'processing'",
    ] {
        sqlx::query(sql).bind(document.0).execute(&mut *tx).await.map_err(database)?;
    }
    Ok(())
}

/// The job that embeds it begins anew; whoever has it has lost it.
async fn queue(tx: &mut PgConnection, batch: BatchId, document: DocumentId, parsed: &ParseRecord) -> Result<()> {
    sqlx::query(concat!(
        "INSERT INTO jobs (id, batch, document, stage, weight, run_at) VALUES ($1, $2, $3, $4, $5, ",
        now!(),
        ") ON CONFLICT (batch, stage, coalesce(document, '00000000-0000-0000-0000-000000000000')) ",
        "DO UPDATE SET state = 'pending', tries = 0, crashes = 0, weight = excluded.weight, ",
        "run_at = excluded.run_at, worker = NULL, lease_until = NULL"
    ))
    .bind(JobId(Uuid::now_v7()).0)
    .bind(batch.0)
    .bind(document.0)
    .bind(Stage::Embed.name())
    .bind(signed(parsed.text.len() as u64))
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

/// What only this document referred to goes: a text that was replaced is nowhere any more. Another batch may be about to refer
/// to the same content: it holds the row that it wants, and once it has let go the next statement sees what it did.
async fn forget(tx: &mut PgConnection, sha256: &str, parse: Option<&str>, vector: Option<&str>) -> Result<()> {
    for (table, column, key) in [("parses", "parse", parse), ("vectors", "vector", vector)] {
        let Some(key) = key else { continue };
        let lock = format!("SELECT FROM {table} WHERE key = $1 FOR UPDATE");
        sqlx::query(sqlx::AssertSqlSafe(lock)).bind(key).execute(&mut *tx).await.map_err(database)?;
        let sql = format!(
            "DELETE FROM {table} WHERE key = $1 \
             AND NOT EXISTS (SELECT FROM documents o WHERE o.sha256 = $2 AND o.{column} = $1)"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(key).bind(sha256).execute(&mut *tx).await.map_err(database)?;
    }
    Ok(())
}
