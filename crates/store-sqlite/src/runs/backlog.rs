//! Records that come read already, what a flow has not done yet, and all of it again with its results.

use std::collections::HashMap;

use async_trait::async_trait;
use sheaf_domain::flow::Review;
use sheaf_domain::{BatchId, DocumentId, FlowId, RunId, Stage, Status};
use sheaf_store::{
    BacklogRow, BacklogScope, BacklogStore, BacklogValue, KeptRecords, NewDocument, NewRecord, RunClaim, RunInput,
    Standing,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, SqlitePool};

use super::{queue, read, replace};
use crate::arrive::{Destination, add_job, list, queue_analysis_when_ready, takes_more};
use crate::finish::remember_parse;
use crate::rows::{get, id, json, name, parsed_opt};
use crate::{Result, SqliteStore, begin, changed, database, now};

#[async_trait]
impl BacklogStore for SqliteStore {
    async fn import_records(&self, batch: BatchId, records: &[NewRecord]) -> Result<KeptRecords> {
        import(&self.writer, batch, records).await
    }

    async fn record_texts(&self, batches: &[BatchId], ids: &[String]) -> Result<Vec<(String, String)>> {
        sqlx::query_as(
            "SELECT c.id, t.text FROM records c JOIN documents d ON d.id = c.document JOIN texts t ON t.key = d.parse \
             WHERE c.id IN (SELECT value FROM json_each(?1)) \
             AND (?2 = '[]' OR d.batch IN (SELECT value FROM json_each(?2)))",
        )
        .bind(json(&ids))
        .bind(json(&batches))
        .fetch_all(&self.readers)
        .await
        .map_err(database)
    }

    async fn unprocessed(
        &self,
        (flow, version): (FlowId, u32),
        batches: &[BatchId],
        after: Option<DocumentId>,
        limit: u32,
    ) -> Result<Vec<RunInput>> {
        let rows = sqlx::query(
            "SELECT d.id, d.batch, d.path FROM documents d WHERE d.id > ?1 AND d.parse IS NOT NULL \
             AND d.status <> 'cancelled' AND (?2 = '[]' OR d.batch IN (SELECT value FROM json_each(?2))) \
             AND NOT EXISTS (SELECT 1 FROM run_documents x JOIN runs r ON r.id = x.run \
             WHERE x.document = d.id AND NOT x.outdated AND r.flow = ?3 AND r.version = ?4) ORDER BY d.id LIMIT ?5",
        )
        .bind(after.map(|after| after.to_string()).unwrap_or_default())
        .bind(json(&batches))
        .bind(flow.to_string())
        .bind(version)
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(database)?;
        rows.iter()
            .map(|row| {
                Ok(RunInput {
                    document: DocumentId(id(row, "documents", "id")?),
                    batch: BatchId(id(row, "documents", "batch")?),
                    path: get(row, "path")?,
                })
            })
            .collect()
    }

    async fn extend_run(&self, run: RunId, documents: &[RunInput]) -> Result<u64> {
        extend(&self.writer, run, documents).await
    }

    async fn claim_of_run(&self, run: RunId, worker: &str, slots: u32, lease_ms: u64) -> Result<Vec<RunClaim>> {
        queue::claim_of(&self.writer, run, worker, slots, lease_ms).await
    }

    async fn backlog_rows(
        &self,
        scope: BacklogScope<'_>,
        after: Option<DocumentId>,
        limit: u32,
    ) -> Result<Vec<BacklogRow>> {
        rows(&self.readers, scope, after, limit).await
    }
}

async fn import(writer: &SqlitePool, batch: BatchId, records: &[NewRecord]) -> Result<KeptRecords> {
    let mut tx = begin(writer).await?;
    let goes_on = takes_more(&mut tx, batch).await?;
    let standings = Standing::of(records, &replace::held(&mut tx, batch, records).await?);
    let is_own = |(_, standing): &(&NewRecord, Standing)| *standing == Standing::Own;
    let (own, changed): (Vec<_>, Vec<_>) = records.iter().zip(standings).partition(is_own);
    let documents: Vec<NewDocument> = own.iter().map(|(record, _)| record.document.clone()).collect();
    let mut listed = list(&mut tx, Destination { batch, upload: None, goes_on }, &documents).await?;
    for (record, _) in own {
        keep(&mut tx, batch, record).await?;
    }
    for (record, standing) in &changed {
        match *standing {
            Standing::Own => {}
            Standing::OtherFields(document) => replace::set_fields(&mut tx, document, &record.fields).await?,
            Standing::OtherText(document) => {
                if goes_on && !listed.went_on {
                    replace::go_on(&mut tx, batch).await?;
                    listed.went_on = true;
                }
                replace::set_text(&mut tx, batch, document, record).await?;
            }
        }
    }
    if listed.went_on {
        queue_analysis_when_ready(&mut tx, batch).await?;
    }
    tx.commit().await.map_err(database)?;
    Ok(KeptRecords { added: listed.added, changed: changed.len() as u64 })
}

/// A record whose document is listed needs no reading any more. Without a row of its own it is a double of one that is there.
async fn keep(tx: &mut SqliteConnection, batch: BatchId, record: &NewRecord) -> Result<()> {
    let NewRecord { document, id, fields, replaces: _, parsed } = record;
    let document = document.id.to_string();
    let row = sqlx::query("SELECT status FROM documents WHERE id = ?")
        .bind(&document)
        .fetch_optional(&mut *tx)
        .await
        .map_err(database)?;
    let Some(row) = row else { return Ok(()) };
    let status: Status = name(&row, "documents", "status")?;
    remember_parse(tx, parsed).await?;
    sqlx::query(concat!("UPDATE documents SET stage = 'embed', parse = ?, ", changed!(), " WHERE id = ?"))
        .bind(&parsed.key)
        .bind(&document)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    sqlx::query("UPDATE jobs SET state = 'completed' WHERE document = ?")
        .bind(&document)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    add_job(tx, batch, &document, Stage::Embed, parsed.text.len() as u64, status).await?;
    sqlx::query("INSERT INTO imported (document) VALUES (?)")
        .bind(&document)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    sqlx::query("INSERT INTO records (document, id, fields) VALUES (?, ?, ?)")
        .bind(&document)
        .bind(id)
        .bind(fields)
        .execute(tx)
        .await
        .map_err(database)?;
    Ok(())
}

async fn extend(writer: &SqlitePool, run: RunId, documents: &[RunInput]) -> Result<u64> {
    let mut tx = writer.begin().await.map_err(database)?;
    for table in ["run_values", "exchanges"] {
        let sql = format!(
            "DELETE FROM {table} WHERE run = ?1 AND document IN (SELECT x.document FROM run_documents x \
             WHERE x.run = ?1 AND x.outdated AND x.document IN (SELECT value FROM json_each(?2)))"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(run.to_string())
            .bind(json(&documents.iter().map(|input| input.document).collect::<Vec<_>>()))
            .execute(&mut *tx)
            .await
            .map_err(database)?;
    }
    let rows: Vec<_> = documents.iter().map(|input| (input.document, input.batch, &input.path)).collect();
    let added = sqlx::query(concat!(
        "INSERT INTO run_documents (run, document, batch, path, run_at) SELECT r.id, json_extract(value, '$[0]'), ",
        "json_extract(value, '$[1]'), json_extract(value, '$[2]'), ",
        now!(),
        " FROM runs r, json_each(?2) WHERE r.id = ?1 ON CONFLICT DO UPDATE SET state = 'pending', outdated = 0, found = 0, ",
        "left_out = 0, tries = 0, crashes = 0, failure = NULL, run_at = excluded.run_at WHERE outdated"
    ))
    .bind(run.to_string())
    .bind(json(&rows))
    .execute(&mut *tx)
    .await
    .map_err(database)?
    .rows_affected();
    if added > 0 {
        sqlx::query(concat!(
            "UPDATE runs SET status = 'pending', failure = NULL, finished_at = NULL, started_at = ",
            now!(),
            " WHERE id = ? AND finished_at IS NOT NULL"
        ))
        .bind(run.to_string())
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    }
    tx.commit().await.map_err(database)?;
    Ok(added)
}

/// The columns of a row, the result's as those of `run_documents`.
const COLUMNS: &str = "x.run, coalesce(d.id, x.document) AS document, coalesce(d.batch, x.batch) AS batch, \
     coalesce(d.path, x.path) AS path, c.id AS record, c.fields, t.text, d.failure AS broken, x.state, \
     coalesce(x.found, 0) AS found, coalesce(x.left_out, 0) AS left_out, coalesce(x.attempts, 0) AS attempts, \
     coalesce(x.tokens, 0) AS tokens, x.failure, coalesce(x.outdated, 0) AS outdated, d.id IS NULL AS deleted";

const JOINED: &str = " LEFT JOIN records c ON c.document = d.id LEFT JOIN texts t ON t.key = d.parse";

async fn rows(
    readers: &SqlitePool,
    scope: BacklogScope<'_>,
    after: Option<DocumentId>,
    limit: u32,
) -> Result<Vec<BacklogRow>> {
    let after = after.map(|after| after.to_string()).unwrap_or_default();
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT ");
    sql.push(COLUMNS);
    match scope {
        BacklogScope::Run(run) => {
            sql.push(" FROM run_documents x LEFT JOIN documents d ON d.id = x.document").push(JOINED);
            sql.push(" WHERE x.run = ").push_bind(run.to_string());
            sql.push(" AND x.document > ").push_bind(after).push(" ORDER BY x.document");
        }
        BacklogScope::Batches(batches) => {
            sql.push(" FROM documents d").push(JOINED).push(
                " LEFT JOIN run_documents x ON x.document = d.id AND x.run = \
                 (SELECT y.run FROM run_documents y WHERE y.document = d.id AND NOT y.outdated ORDER BY y.run DESC LIMIT 1) WHERE d.id > ",
            );
            sql.push_bind(after);
            if !batches.is_empty() {
                sql.push(" AND d.batch IN (SELECT value FROM json_each(").push_bind(json(&batches)).push("))");
            }
            sql.push(" ORDER BY d.id");
        }
    }
    let found = sql.push(" LIMIT ").push_bind(limit).build().fetch_all(readers).await.map_err(database)?;
    let mut rows = found.iter().map(row).collect::<Result<Vec<_>>>()?;
    add_values(readers, &mut rows).await?;
    Ok(rows)
}

fn row(row: &SqliteRow) -> Result<BacklogRow> {
    let run: Option<&str> = get(row, "run")?;
    let result = match run {
        Some(_) => Some((RunId(id(row, "run_documents", "run")?), read::read_document(row)?)),
        None => None,
    };
    let record: Option<String> = get(row, "record")?;
    Ok(BacklogRow {
        document: DocumentId(id(row, "documents", "document")?),
        path: get(row, "path")?,
        record: record.zip(get(row, "fields")?),
        text: get(row, "text")?,
        failure: parsed_opt(row, "documents", "broken")?,
        result,
        values: Vec::new(),
    })
}

async fn add_values(readers: &SqlitePool, rows: &mut [BacklogRow]) -> Result<()> {
    let of: Vec<(RunId, DocumentId)> =
        rows.iter().filter_map(|row| Some((row.result.as_ref()?.0, row.document))).collect();
    let found = sqlx::query(
        "SELECT v.document, v.step, v.field, coalesce(v.corrected, v.value) AS value, v.probability, v.review \
         FROM json_each(?) j CROSS JOIN run_values v ON v.run = json_extract(j.value, '$[0]') \
         AND v.document = json_extract(j.value, '$[1]') ORDER BY v.document, v.number",
    )
    .bind(json(&of))
    .fetch_all(readers)
    .await
    .map_err(database)?;
    let places: HashMap<DocumentId, usize> =
        rows.iter().enumerate().map(|(place, row)| (row.document, place)).collect();
    for value in &found {
        let review: Review = name(value, "run_values", "review")?;
        if review == Review::Rejected {
            continue;
        }
        let document = DocumentId(id(value, "run_values", "document")?);
        if let Some(&place) = places.get(&document) {
            rows[place].values.push(BacklogValue {
                step: get(value, "step")?,
                field: get(value, "field")?,
                value: get(value, "value")?,
                probability: get::<Option<f64>>(value, "probability")?.map(|probability| probability as f32),
            });
        }
    }
    Ok(())
}
