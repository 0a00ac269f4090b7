//! Runs and their documents, as pages ask for them.

use sheaf_domain::flow::{FlowRun, RunDocument, RunDocumentQuery, RunQuery};
use sheaf_domain::{BatchId, ClusterId, Counts, DocumentId, FailureCode, FlowId, Page, Priority, RunId, RunPolicy};
use sheaf_store::{DocumentText, RunInput};
use sqlx::postgres::PgRow;
use sqlx::{PgExecutor, PgPool, Postgres, QueryBuilder};

use crate::rows::{count, get, id, name, parsed, parsed_opt, seconds, small, small_opt, text};
use crate::{Result, database, nul};

/// The columns of runs `r` with their counts.
const RUN: &str = "SELECT r.id, r.name, r.flow, r.version, v.name AS flow_name, r.status, r.on_error, r.priority, \
     r.budget_tokens, r.tokens, r.failure, r.created_at, r.finished_at, \
     r.ran_ms + CASE WHEN r.finished_at IS NULL THEN (extract(epoch FROM statement_timestamp()) * 1000)::bigint - r.started_at ELSE 0 END \
       AS elapsed_ms, \
     c.total, c.found, c.pending, c.processing, c.completed, c.failed, c.cancelled \
     FROM runs r JOIN flow_versions v ON v.flow = r.flow AND v.version = r.version \
     CROSS JOIN LATERAL (SELECT count(*) AS total, coalesce(sum(d.found), 0)::bigint AS found, \
       count(*) FILTER (WHERE d.state = 'pending') AS pending, \
       count(*) FILTER (WHERE d.state = 'processing') AS processing, \
       count(*) FILTER (WHERE d.state = 'completed') AS completed, \
       count(*) FILTER (WHERE d.state = 'failed') AS failed, \
       count(*) FILTER (WHERE d.state = 'cancelled') AS cancelled \
       FROM run_documents d WHERE d.run = r.id) c WHERE r.id";

fn read_run(row: &PgRow) -> Result<FlowRun> {
    Ok(FlowRun {
        id: RunId(id(row, "id")?),
        name: text(row, "name")?,
        flow: FlowId(id(row, "flow")?),
        version: small(row, "runs", "version")?,
        flow_name: text(row, "flow_name")?,
        status: name(row, "runs", "status")?,
        policy: RunPolicy {
            on_error: name(row, "runs", "on_error")?,
            priority: Priority::of_rank(get(row, "priority")?),
        },
        counts: Counts {
            total: count(row, "total")?,
            pending: count(row, "pending")?,
            processing: count(row, "processing")?,
            completed: count(row, "completed")?,
            failed: count(row, "failed")?,
            cancelled: count(row, "cancelled")?,
        },
        values: count(row, "found")?,
        budget_tokens: get::<Option<i64>>(row, "budget_tokens")?
            .map(|tokens| u64::try_from(tokens).unwrap_or_default()),
        tokens: count(row, "tokens")?,
        created_at: seconds(get(row, "created_at")?),
        finished_at: get::<Option<i64>>(row, "finished_at")?.map(seconds),
        elapsed_seconds: count(row, "elapsed_ms")? / 1000,
        failure: parsed_opt(row, "runs", "failure")?,
    })
}

pub async fn run(pool: impl PgExecutor<'_>, run: RunId) -> Result<Option<FlowRun>> {
    let row = QueryBuilder::<Postgres>::new(RUN)
        .push(" = ")
        .push_bind(run.0)
        .build()
        .fetch_optional(pool)
        .await
        .map_err(database)?;
    row.as_ref().map(read_run).transpose()
}

pub async fn runs(pool: &PgPool, query: &RunQuery) -> Result<Page<FlowRun>> {
    let RunQuery { flow, search, status, cursor, limit: _ } = query;
    let limit = query.effective_limit();
    let filter = |sql: &mut QueryBuilder<Postgres>| {
        sql.push(" WHERE true");
        if let Some(flow) = flow {
            sql.push(" AND flow = ").push_bind(flow.0);
        }
        if let Some(search) = search {
            sql.push(" AND strpos(lower(name), lower(").push_bind(nul::hide(search).into_owned()).push(")) > 0");
        }
        if let Some(status) = status {
            sql.push(" AND status = ").push_bind(status.name());
        }
    };
    let mut counting = QueryBuilder::new("SELECT count(*) FROM runs");
    filter(&mut counting);
    let total: i64 = counting.build_query_scalar().fetch_one(pool).await.map_err(database)?;
    let mut select = QueryBuilder::new(RUN);
    select.push(" IN (SELECT id FROM runs");
    filter(&mut select);
    if let Some(cursor) = cursor {
        select.push(" AND id < ").push_bind(cursor.0);
    }
    select.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit + 1)).push(") ORDER BY r.id DESC");
    let rows = select.build().fetch_all(pool).await.map_err(database)?;
    let mut items = rows.iter().map(read_run).collect::<Result<Vec<_>>>()?;
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| more).map(|run| run.id.to_string());
    Ok(Page { items, total: u64::try_from(total).unwrap_or_default(), next_cursor })
}

const DOCUMENT: &str = "SELECT document, batch, path, state, found, left_out, attempts, tokens, failure, outdated, \
     NOT EXISTS (SELECT FROM documents d WHERE d.id = run_documents.document) AS deleted FROM run_documents WHERE run = ";

pub(crate) fn read_document(row: &PgRow) -> Result<RunDocument> {
    Ok(RunDocument {
        document: DocumentId(id(row, "document")?),
        batch: BatchId(id(row, "batch")?),
        path: text(row, "path")?,
        status: name(row, "run_documents", "state")?,
        values: small(row, "run_documents", "found")?,
        left_out: get(row, "left_out")?,
        attempts: small(row, "run_documents", "attempts")?,
        tokens: count(row, "tokens")?,
        failure: parsed_opt(row, "run_documents", "failure")?,
        outdated: get(row, "outdated")?,
        deleted: get(row, "deleted")?,
    })
}

pub async fn documents(pool: &PgPool, run: RunId, query: &RunDocumentQuery) -> Result<Page<RunDocument>> {
    let RunDocumentQuery { status, code, offset, limit: _ } = query;
    let limit = query.effective_limit();
    let filter = |sql: &mut QueryBuilder<Postgres>| {
        sql.push_bind(run.0);
        if let Some(status) = status {
            sql.push(" AND state = ").push_bind(status.name());
        }
        if let Some(code) = code {
            sql.push(" AND failure_code = ").push_bind(code.name());
        }
    };
    let mut counting = QueryBuilder::new("SELECT count(*) FROM run_documents WHERE run = ");
    filter(&mut counting);
    let total: i64 = counting.build_query_scalar().fetch_one(pool).await.map_err(database)?;
    let total = u64::try_from(total).unwrap_or_default();
    let mut select = QueryBuilder::new(DOCUMENT);
    filter(&mut select);
    select.push(" ORDER BY document LIMIT ").push_bind(i64::from(limit)).push(" OFFSET ").push_bind(i64::from(*offset));
    let rows = select.build().fetch_all(pool).await.map_err(database)?;
    let items = rows.iter().map(read_document).collect::<Result<Vec<_>>>()?;
    let next = u64::from(*offset) + items.len() as u64;
    Ok(Page { items, total, next_cursor: (next < total).then(|| next.to_string()) })
}

pub async fn document(pool: &PgPool, run: RunId, document: DocumentId) -> Result<Option<RunDocument>> {
    let row = QueryBuilder::<Postgres>::new(DOCUMENT)
        .push_bind(run.0)
        .push(" AND document = ")
        .push_bind(document.0)
        .build()
        .fetch_optional(pool)
        .await
        .map_err(database)?;
    row.as_ref().map(read_document).transpose()
}

pub async fn failures(pool: &PgPool, run: RunId) -> Result<Vec<(FailureCode, u64)>> {
    let rows = sqlx::query(
        "SELECT failure_code, count(*) AS number FROM run_documents WHERE run = $1 AND state = 'failed' \
         GROUP BY failure_code ORDER BY number DESC, failure_code",
    )
    .bind(run.0)
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter().map(|row| Ok((name(row, "run_documents", "failure_code")?, count(row, "number")?))).collect()
}

pub async fn find_documents(pool: &PgPool, documents: &[DocumentId]) -> Result<Vec<RunInput>> {
    let rows = sqlx::query("SELECT id, batch, path FROM documents WHERE id = ANY($1) ORDER BY id")
        .bind(documents.iter().map(|document| document.0).collect::<Vec<_>>())
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

pub async fn document_text(pool: &PgPool, batch: BatchId, document: DocumentId) -> Result<Option<DocumentText>> {
    let row = sqlx::query(
        "SELECT d.path, p.kind, p.language, p.page_starts, t.text, l.cluster FROM documents d \
         JOIN parses p ON p.key = d.parse JOIN texts t ON t.key = d.parse LEFT JOIN placements l ON l.document = d.id \
         WHERE d.id = $1 AND d.batch = $2",
    )
    .bind(document.0)
    .bind(batch.0)
    .fetch_optional(pool)
    .await
    .map_err(database)?;
    row.map(|row| {
        Ok(DocumentText {
            document,
            batch,
            path: text(&row, "path")?,
            kind: name(&row, "parses", "kind")?,
            language: get(&row, "language")?,
            cluster: small_opt(&row, "placements", "cluster")?.map(ClusterId),
            pages: DocumentText::cut(&text(&row, "text")?, &parsed::<Vec<usize>>(&row, "parses", "page_starts")?),
        })
    })
    .transpose()
}
