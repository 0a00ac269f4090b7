//! Records that changed since they were imported: the new text takes the place of the old one, wherever that was used.

use std::collections::HashMap;

use sheaf_domain::{BatchId, DocumentId, JobId, Restart, Stage};
use sheaf_store::{HeldRecord, NewRecord, ParseRecord};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::finish::remember_parse;
use crate::rows::{get, id, json, signed};
use crate::{Result, changed, database, now, steer};

/// What the batch has under the ids of these records.
pub async fn held(
    tx: &mut SqliteConnection,
    batch: BatchId,
    records: &[NewRecord],
) -> Result<HashMap<String, Vec<HeldRecord>>> {
    let rows = sqlx::query(
        "SELECT c.id, c.document, d.sha256, c.fields FROM records c JOIN documents d ON d.id = c.document \
         WHERE c.id IN (SELECT value FROM json_each(?)) AND d.batch = ? ORDER BY d.id",
    )
    .bind(json(&records.iter().map(|record| &record.id).collect::<Vec<_>>()))
    .bind(batch.to_string())
    .fetch_all(tx)
    .await
    .map_err(database)?;
    let mut held: HashMap<String, Vec<HeldRecord>> = HashMap::new();
    for row in &rows {
        held.entry(get(row, "id")?).or_default().push(HeldRecord {
            document: DocumentId(id(row, "records", "document")?),
            sha256: get(row, "sha256")?,
            fields: get(row, "fields")?,
        });
    }
    Ok(held)
}

pub async fn set_fields(tx: &mut SqliteConnection, document: DocumentId, fields: &str) -> Result<()> {
    sqlx::query("UPDATE records SET fields = ? WHERE document = ?")
        .bind(fields)
        .bind(document.to_string())
        .execute(tx)
        .await
        .map_err(database)?;
    Ok(())
}

/// The batch goes on, because something in it changed.
pub async fn go_on(tx: &mut SqliteConnection, batch: BatchId) -> Result<()> {
    steer::restart_documents(tx, batch, &Restart::Cancelled).await?;
    steer::set_going(tx, batch).await
}

/// The document gets the record's text, and is embedded anew.
pub async fn set_text(
    tx: &mut SqliteConnection,
    batch: BatchId,
    document: DocumentId,
    record: &NewRecord,
) -> Result<()> {
    let NewRecord { document: new, id: _, fields, replaces: _, parsed } = record;
    let key = document.to_string();
    let old = sqlx::query("SELECT sha256, parse, vector FROM documents WHERE id = ?")
        .bind(&key)
        .fetch_one(&mut *tx)
        .await
        .map_err(database)?;
    remember_parse(tx, parsed).await?;
    // Back to the first stage with the size that was counted, and on with the new one: so the tallies stay true.
    sqlx::query("UPDATE documents SET stage = 'parse', status = 'pending', failure = NULL WHERE id = ?")
        .bind(&key)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    sqlx::query(concat!(
        "UPDATE documents SET stage = 'embed', sha256 = ?, bytes = ?, parse = ?, vector = NULL, ",
        changed!(),
        " WHERE id = ?"
    ))
    .bind(&new.sha256)
    .bind(signed(new.bytes))
    .bind(&parsed.key)
    .bind(&key)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    set_fields(tx, document, fields).await?;
    queue(tx, batch, &key, parsed).await?;
    forget(tx, get(&old, "sha256")?, get(&old, "parse")?, get(&old, "vector")?).await?;
    for sql in [
        "UPDATE run_documents SET outdated = 1 WHERE document = ? AND state IN ('completed', 'failed')",
        "UPDATE run_documents SET state = 'pending', worker = NULL, lease_until = NULL \
         WHERE document = ? AND state = 'processing'",
    ] {
        sqlx::query(sql).bind(&key).execute(&mut *tx).await.map_err(database)?;
    }
    Ok(())
}

/// The job that embeds it begins anew; whoever has it has lost it.
async fn queue(tx: &mut SqliteConnection, batch: BatchId, document: &str, parsed: &ParseRecord) -> Result<()> {
    sqlx::query(concat!(
        "INSERT INTO jobs (id, batch, document, stage, weight, run_at) VALUES (?, ?, ?, ?, ?, ",
        now!(),
        ") ON CONFLICT DO UPDATE SET state = 'pending', tries = 0, crashes = 0, weight = excluded.weight, ",
        "run_at = excluded.run_at, worker = NULL, lease_until = NULL"
    ))
    .bind(JobId(Uuid::now_v7()).to_string())
    .bind(batch.to_string())
    .bind(document)
    .bind(Stage::Embed.name())
    .bind(signed(parsed.text.len() as u64))
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

/// What only this document referred to goes: a text that was replaced is nowhere any more.
async fn forget(tx: &mut SqliteConnection, sha256: &str, parse: Option<&str>, vector: Option<&str>) -> Result<()> {
    for (table, column, key) in [("texts", "parse", parse), ("parses", "parse", parse), ("vectors", "vector", vector)] {
        let sql = format!(
            "DELETE FROM {table} WHERE key = ?1 \
             AND NOT EXISTS (SELECT 1 FROM documents o WHERE o.sha256 = ?2 AND o.{column} = ?1)"
        );
        if let Some(key) = key {
            let sql = sqlx::AssertSqlSafe(sql);
            sqlx::query(sql).bind(key).bind(sha256).execute(&mut *tx).await.map_err(database)?;
        }
    }
    Ok(())
}
