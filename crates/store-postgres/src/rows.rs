//! Columns to domain types and back; what cannot be read names its table.

use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sheaf_domain::{
    Batch, BatchId, ClusterId, ConfidenceLevel, Counts, DocumentId, DocumentRow, Failure, FamilyPlace, Priority,
    RunPolicy,
};
use sheaf_store::StoreError;
use sqlx::postgres::PgRow;
use sqlx::types::JsonRawValue;
use sqlx::{Decode, Postgres, Row, Type};
use uuid::Uuid;

use crate::{Result, database, nul};

/// A value as JSON text, for a column of `json` or `jsonb`; our own types always can.
pub fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("domain types have string keys and no failing serialisers")
}

/// PostgreSQL's integers are signed.
pub fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A plain column.
pub fn get<'r, T>(row: &'r PgRow, column: &str) -> Result<T>
where
    T: Decode<'r, Postgres> + Type<Postgres>,
{
    row.try_get(column).map_err(database)
}

/// A column that holds an id.
pub fn id(row: &PgRow, column: &str) -> Result<Uuid> {
    get(row, column)
}

/// A column that holds a text which others wrote.
pub fn text(row: &PgRow, column: &str) -> Result<String> {
    get(row, column).map(nul::show)
}

/// A column that holds the name of an enum's variant.
pub fn name<T>(row: &PgRow, table: &'static str, column: &str) -> Result<T>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    let text: &str = get(row, column)?;
    text.parse().map_err(|e| unreadable(table, column, &e))
}

/// A column that holds JSON.
pub fn parsed<T: DeserializeOwned>(row: &PgRow, table: &'static str, column: &str) -> Result<T> {
    let json: &JsonRawValue = get(row, column)?;
    serde_json::from_str(json.get()).map_err(|e| unreadable(table, column, &e))
}

/// A column that holds JSON or nothing.
pub fn parsed_opt<T: DeserializeOwned>(row: &PgRow, table: &'static str, column: &str) -> Result<Option<T>> {
    let json: Option<&JsonRawValue> = get(row, column)?;
    json.map(|json| serde_json::from_str(json.get()).map_err(|e| unreadable(table, column, &e))).transpose()
}

fn unreadable(table: &'static str, column: &str, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Row { table, reason: format!("column `{column}`: {error}") }
}

/// A count.
pub fn count(row: &PgRow, column: &str) -> Result<u64> {
    Ok(u64::try_from(get::<i64>(row, column)?).unwrap_or_default())
}

/// A small count or number.
pub fn small(row: &PgRow, table: &'static str, column: &str) -> Result<u32> {
    u32::try_from(get::<i64>(row, column)?).map_err(|e| unreadable(table, column, &e))
}

/// A small count or number, or nothing.
pub fn small_opt(row: &PgRow, table: &'static str, column: &str) -> Result<Option<u32>> {
    let number: Option<i64> = get(row, column)?;
    number.map(|number| u32::try_from(number).map_err(|e| unreadable(table, column, &e))).transpose()
}

/// Seconds from a column of milliseconds.
pub fn seconds(milliseconds: i64) -> i64 {
    milliseconds.div_euclid(1000)
}

/// The columns of a batch with its counts.
macro_rules! batch_columns {
    () => {
        "b.id, b.name, b.status, b.params, b.failure, b.created_at, b.finished_at, b.open, b.on_error, b.priority, \
         b.ran_ms + CASE WHEN b.finished_at IS NULL \
           THEN (extract(epoch FROM statement_timestamp()) * 1000)::bigint - b.started_at ELSE 0 END AS elapsed_ms, \
         coalesce(sum(t.documents), 0)::bigint AS total, \
         coalesce(sum(t.documents) FILTER (WHERE t.status = 'pending'), 0)::bigint AS pending, \
         coalesce(sum(t.documents) FILTER (WHERE t.status = 'processing'), 0)::bigint AS processing, \
         coalesce(sum(t.documents) FILTER (WHERE t.status = 'completed'), 0)::bigint AS completed, \
         coalesce(sum(t.documents) FILTER (WHERE t.status = 'failed'), 0)::bigint AS failed, \
         coalesce(sum(t.documents) FILTER (WHERE t.status = 'cancelled'), 0)::bigint AS cancelled"
    };
}
pub(crate) use batch_columns;

/// A row of [`batch_columns!`].
pub fn batch(row: &PgRow) -> Result<Batch> {
    Ok(Batch {
        id: BatchId(id(row, "id")?),
        name: text(row, "name")?,
        status: name(row, "batches", "status")?,
        created_at: seconds(get(row, "created_at")?),
        finished_at: get::<Option<i64>>(row, "finished_at")?.map(seconds),
        elapsed_seconds: count(row, "elapsed_ms")? / 1000,
        receiving: get(row, "open")?,
        params: parsed(row, "batches", "params")?,
        policy: RunPolicy {
            on_error: name(row, "batches", "on_error")?,
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
        failure: parsed_opt(row, "batches", "failure")?,
    })
}

/// What a row of the table of documents is selected from, and its columns.
macro_rules! document_columns {
    () => {
        "d.id, d.path, d.sha256, d.bytes, d.status, d.stage, d.failure, coalesce(p.kind, d.kind) AS kind, p.pages, p.words, p.language, \
         l.document AS placed, l.cluster, l.probability, c.name AS cluster_name, fm.family, fm.place AS family_place"
    };
}
macro_rules! document_tables {
    () => {
        "documents d LEFT JOIN parses p ON p.key = d.parse LEFT JOIN placements l ON l.document = d.id \
         LEFT JOIN clusters c ON c.batch = d.batch AND c.id = l.cluster LEFT JOIN family_members fm ON fm.document = d.id"
    };
}
pub(crate) use {document_columns, document_tables};

/// A row of [`document_columns!`].
pub fn document(row: &PgRow) -> Result<DocumentRow> {
    let kind: Option<&str> = get(row, "kind")?;
    let placed: Option<Uuid> = get(row, "placed")?;
    let cluster = small_opt(row, "placements", "cluster")?.map(ClusterId);
    let probability: Option<f32> = get(row, "probability")?;
    Ok(DocumentRow {
        id: DocumentId(id(row, "id")?),
        path: text(row, "path")?,
        sha256: get(row, "sha256")?,
        bytes: count(row, "bytes")?,
        kind: kind.map(|k| k.parse().map_err(|e| unreadable("parses", "kind", &e))).transpose()?,
        pages: small_opt(row, "parses", "pages")?,
        words: get::<Option<i64>>(row, "words")?.map(|w| u64::try_from(w).unwrap_or_default()),
        language: get(row, "language")?,
        status: name(row, "documents", "status")?,
        stage: name(row, "documents", "stage")?,
        cluster,
        cluster_name: get::<Option<String>>(row, "cluster_name")?.map(nul::show),
        probability,
        confidence: probability.map(ConfidenceLevel::of),
        outlier: placed.is_some() && cluster.is_none(),
        family: match small_opt(row, "family_members", "family")? {
            Some(id) => Some(FamilyPlace { id, principal: get::<i64>(row, "family_place")? == 0 }),
            None => None,
        },
        failure: parsed_opt::<Failure>(row, "documents", "failure")?,
    })
}
