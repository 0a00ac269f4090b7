//! Records that come read already, what a flow has not done yet, and all of it again with its results.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use sheaf_domain::flow::Review;
use sheaf_domain::{BatchId, DocumentId, FlowId, RunId, Stage, Status};
use sheaf_store::{
    BacklogRow, BacklogScope, BacklogStore, BacklogValue, KeptRecords, NewDocument, NewRecord, RunClaim, RunInput,
    Standing,
};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{queue, read, replace, steer};
use crate::again::{Patience, again};
use crate::arrive::{Destination, add_jobs, list, queue_analysis_when_ready, takes_more};
use crate::parse::remember;
use crate::rows::{get, id, name, parsed_opt, text};
use crate::{PostgresStore, Result, changed, database, now, nul};

#[async_trait]
impl BacklogStore for PostgresStore {
    async fn import_records(&self, batch: BatchId, records: &[NewRecord]) -> Result<KeptRecords> {
        again(Patience::WORK, || import(&self.pool, batch, records)).await
    }
    async fn record_texts(&self, batches: &[BatchId], ids: &[String]) -> Result<Vec<(String, String)>> {
        again(Patience::ASKED, || texts(&self.pool, batches, ids)).await
    }
    async fn unprocessed(
        &self,
        version: (FlowId, u32),
        batches: &[BatchId],
        after: Option<DocumentId>,
        limit: u32,
    ) -> Result<Vec<RunInput>> {
        again(Patience::ASKED, || unprocessed(&self.pool, version, batches, (after, limit))).await
    }
    async fn extend_run(&self, run: RunId, documents: &[RunInput]) -> Result<u64> {
        again(Patience::ASKED, || extend(&self.pool, run, documents)).await
    }
    async fn claim_of_run(&self, run: RunId, worker: &str, slots: u32, lease_ms: u64) -> Result<Vec<RunClaim>> {
        again(Patience::ASKED, || queue::claim_of(&self.pool, run, worker, slots, lease_ms)).await
    }
    async fn backlog_rows(
        &self,
        scope: BacklogScope<'_>,
        after: Option<DocumentId>,
        limit: u32,
    ) -> Result<Vec<BacklogRow>> {
        again(Patience::ASKED, || rows(&self.pool, scope, after, limit)).await
    }
}

fn ids(batches: &[BatchId]) -> Vec<Uuid> {
    batches.iter().map(|batch| batch.0).collect()
}

async fn texts(pool: &PgPool, batches: &[BatchId], wanted: &[String]) -> Result<Vec<(String, String)>> {
    let rows = sqlx::query(
        "SELECT c.id, t.text FROM records c JOIN documents d ON d.id = c.document JOIN texts t ON t.key = d.parse \
         WHERE c.id = ANY($1) AND (cardinality($2::uuid[]) = 0 OR d.batch = ANY($2))",
    )
    .bind(wanted.iter().map(|id| nul::hide(id).into_owned()).collect::<Vec<_>>())
    .bind(ids(batches))
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter().map(|row| Ok((text(row, "id")?, text(row, "text")?))).collect()
}

async fn unprocessed(
    pool: &PgPool,
    (flow, version): (FlowId, u32),
    batches: &[BatchId],
    (after, limit): (Option<DocumentId>, u32),
) -> Result<Vec<RunInput>> {
    let rows = sqlx::query(
        "SELECT d.id, d.batch, d.path FROM documents d WHERE d.id > $1 AND d.parse IS NOT NULL \
         AND d.status <> 'cancelled' AND (cardinality($2::uuid[]) = 0 OR d.batch = ANY($2)) \
         AND NOT EXISTS (SELECT FROM run_documents x JOIN runs r ON r.id = x.run \
         WHERE x.document = d.id AND NOT x.outdated AND r.flow = $3 AND r.version = $4) ORDER BY d.id LIMIT $5",
    )
    .bind(after.map_or(Uuid::nil(), |after| after.0))
    .bind(ids(batches))
    .bind(flow.0)
    .bind(i64::from(version))
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter()
        .map(|row| {
            Ok(RunInput {
                document: DocumentId(id(row, "id")?),
                batch: BatchId(id(row, "batch")?),
                path: text(row, "path")?,
            })
        })
        .collect()
}

async fn import(pool: &PgPool, batch: BatchId, records: &[NewRecord]) -> Result<KeptRecords> {
    let mut tx = pool.begin().await.map_err(database)?;
    let goes_on = takes_more(&mut tx, batch).await?;
    let standings = Standing::of(records, &replace::held(&mut tx, batch, records).await?);
    let is_own = |(_, standing): &(&NewRecord, Standing)| *standing == Standing::Own;
    let (own, changed): (Vec<_>, Vec<_>) = records.iter().zip(standings).partition(is_own);
    let replaced = changed.iter().filter_map(|(_, standing)| match standing {
        Standing::OtherText(document) => Some(document.0),
        Standing::Own | Standing::OtherFields(_) => None,
    });
    replace::lock(&mut tx, &replaced.collect::<Vec<_>>()).await?;
    let own: Vec<&NewRecord> = own.into_iter().map(|(record, _)| record).collect();
    let documents: Vec<NewDocument> = own.iter().map(|record| record.document.clone()).collect();
    let mut listed = list(&mut tx, Destination { batch, upload: None, goes_on }, &documents).await?;
    keep(&mut tx, batch, &own).await?;
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

/// Records whose documents are listed need no reading any more. Without a row of its own one is a double of what is there; one
/// that has been kept already was so by this same transaction, whose answer was lost.
async fn keep(tx: &mut PgConnection, batch: BatchId, records: &[&NewRecord]) -> Result<()> {
    let rows = sqlx::query(
        "SELECT d.id, d.status FROM documents d WHERE d.id = ANY($1) \
         AND NOT EXISTS (SELECT FROM records c WHERE c.document = d.id)",
    )
    .bind(records.iter().map(|record| record.document.id.0).collect::<Vec<_>>())
    .fetch_all(&mut *tx)
    .await
    .map_err(database)?;
    let mut status = Status::Pending;
    let mut listed: HashSet<Uuid> = HashSet::new();
    for row in &rows {
        status = name(row, "documents", "status")?;
        listed.insert(id(row, "id")?);
    }
    let new: Vec<&NewRecord> =
        records.iter().copied().filter(|record| listed.contains(&record.document.id.0)).collect();
    remember(tx, new.iter().map(|record| &record.parsed)).await?;
    let documents: Vec<Uuid> = new.iter().map(|record| record.document.id.0).collect();
    sqlx::query("UPDATE jobs SET state = 'completed' WHERE document = ANY($1)")
        .bind(&documents)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    sqlx::query(concat!(
        "UPDATE documents d SET stage = 'embed', parse = r.parse, ",
        changed!(),
        " FROM unnest($1::uuid[], $2::text[]) AS r (id, parse) WHERE d.id = r.id"
    ))
    .bind(&documents)
    .bind(new.iter().map(|record| nul::hide(&record.parsed.key)).collect::<Vec<_>>())
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    let weights: Vec<(Uuid, u64)> =
        new.iter().map(|record| (record.document.id.0, record.parsed.text.len() as u64)).collect();
    // All of them came by one transaction into one batch: it was stopped for all or for none.
    add_jobs(tx, batch, &weights, Stage::Embed, status).await?;
    sqlx::query("INSERT INTO imported (document) SELECT * FROM unnest($1::uuid[])")
        .bind(&documents)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    sqlx::query("INSERT INTO records (document, id, fields) SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[])")
        .bind(documents)
        .bind(new.iter().map(|record| nul::hide(&record.id)).collect::<Vec<_>>())
        .bind(new.iter().map(|record| nul::hide(&record.fields)).collect::<Vec<_>>())
        .execute(tx)
        .await
        .map_err(database)?;
    Ok(())
}

async fn extend(pool: &PgPool, run: RunId, documents: &[RunInput]) -> Result<u64> {
    let mut tx = pool.begin().await.map_err(database)?;
    steer::lock(&mut tx, run).await?;
    let ids: Vec<Uuid> = documents.iter().map(|input| input.document.0).collect();
    for table in ["run_values", "exchanges"] {
        let sql = format!(
            "DELETE FROM {table} WHERE run = $1 AND document IN (SELECT x.document FROM run_documents x \
             WHERE x.run = $1 AND x.outdated AND x.document = ANY($2))"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(run.0).bind(&ids).execute(&mut *tx).await.map_err(database)?;
    }
    let added = sqlx::query(concat!(
        "INSERT INTO run_documents (run, document, batch, path, run_at) SELECT r.id, d.document, d.batch, d.path, ",
        now!(),
        " FROM runs r, unnest($2::uuid[], $3::uuid[], $4::text[]) AS d (document, batch, path) WHERE r.id = $1 ",
        "ORDER BY d.document ON CONFLICT (run, document) DO UPDATE SET state = 'pending', outdated = false, found = 0, ",
        "left_out = false, tries = 0, crashes = 0, failure = NULL, run_at = excluded.run_at WHERE run_documents.outdated"
    ))
    .bind(run.0)
    .bind(ids)
    .bind(documents.iter().map(|input| input.batch.0).collect::<Vec<_>>())
    .bind(documents.iter().map(|input| nul::hide(&input.path)).collect::<Vec<_>>())
    .execute(&mut *tx)
    .await
    .map_err(database)?
    .rows_affected();
    if added > 0 {
        sqlx::query(concat!(
            "UPDATE runs SET status = 'pending', failure = NULL, finished_at = NULL, started_at = ",
            now!(),
            " WHERE id = $1 AND finished_at IS NOT NULL"
        ))
        .bind(run.0)
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
     coalesce(x.found, 0) AS found, coalesce(x.left_out, false) AS left_out, coalesce(x.attempts, 0) AS attempts, \
     coalesce(x.tokens, 0) AS tokens, x.failure, coalesce(x.outdated, false) AS outdated, d.id IS NULL AS deleted";

const JOINED: &str = " LEFT JOIN records c ON c.document = d.id LEFT JOIN texts t ON t.key = d.parse";

async fn rows(
    pool: &PgPool,
    scope: BacklogScope<'_>,
    after: Option<DocumentId>,
    limit: u32,
) -> Result<Vec<BacklogRow>> {
    let after = after.map_or(Uuid::nil(), |after| after.0);
    let mut sql = QueryBuilder::<Postgres>::new("SELECT ");
    sql.push(COLUMNS);
    match scope {
        BacklogScope::Run(run) => {
            sql.push(" FROM run_documents x LEFT JOIN documents d ON d.id = x.document").push(JOINED);
            sql.push(" WHERE x.run = ").push_bind(run.0);
            sql.push(" AND x.document > ").push_bind(after).push(" ORDER BY x.document");
        }
        BacklogScope::Batches(batches) => {
            sql.push(" FROM documents d").push(JOINED).push(
                " LEFT JOIN run_documents x ON x.document = d.id AND x.run = \
                 (SELECT y.run FROM run_documents y WHERE y.document = d.id AND NOT y.outdated ORDER BY y.run DESC LIMIT 1) WHERE d.id > ",
            );
            sql.push_bind(after);
            if !batches.is_empty() {
                sql.push(" AND d.batch = ANY(").push_bind(ids(batches)).push(")");
            }
            sql.push(" ORDER BY d.id");
        }
    }
    let found = sql.push(" LIMIT ").push_bind(i64::from(limit)).build().fetch_all(pool).await.map_err(database)?;
    let mut rows = found.iter().map(row).collect::<Result<Vec<_>>>()?;
    add_values(pool, &mut rows).await?;
    Ok(rows)
}

fn row(row: &PgRow) -> Result<BacklogRow> {
    let run: Option<Uuid> = get(row, "run")?;
    let result = match run {
        Some(run) => Some((RunId(run), read::read_document(row)?)),
        None => None,
    };
    let shown = |column| Ok(get::<Option<String>>(row, column)?.map(nul::show));
    Ok(BacklogRow {
        document: DocumentId(id(row, "document")?),
        path: text(row, "path")?,
        record: shown("record")?.zip(shown("fields")?),
        text: shown("text")?,
        failure: parsed_opt(row, "documents", "broken")?,
        result,
        values: Vec::new(),
    })
}

async fn add_values(pool: &PgPool, rows: &mut [BacklogRow]) -> Result<()> {
    let of: (Vec<Uuid>, Vec<Uuid>) =
        rows.iter().filter_map(|row| Some((row.result.as_ref()?.0.0, row.document.0))).unzip();
    let found = sqlx::query(
        "SELECT v.document, v.step, v.field, coalesce(v.corrected, v.value) AS value, v.probability, v.review \
         FROM run_values v WHERE (v.run, v.document) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[])) \
         ORDER BY v.document, v.number",
    )
    .bind(of.0)
    .bind(of.1)
    .fetch_all(pool)
    .await
    .map_err(database)?;
    let places: HashMap<DocumentId, usize> =
        rows.iter().enumerate().map(|(place, row)| (row.document, place)).collect();
    for value in &found {
        let review: Review = name(value, "run_values", "review")?;
        if review == Review::Rejected {
            continue;
        }
        if let Some(&place) = places.get(&DocumentId(id(value, "document")?)) {
            rows[place].values.push(BacklogValue {
                step: text(value, "step")?,
                field: text(value, "field")?,
                value: text(value, "value")?,
                probability: get(value, "probability")?,
            });
        }
    }
    Ok(())
}
