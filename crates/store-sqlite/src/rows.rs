//! Columns to domain types and back; what cannot be read names its table.

use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sheaf_domain::{
    Batch, BatchId, ClusterId, ConfidenceLevel, Counts, DocumentId, DocumentRow, Failure, FamilyPlace, Priority,
    RunPolicy,
};
use sheaf_store::StoreError;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Sqlite, Type};
use uuid::Uuid;

use crate::{Result, database};

/// A value as JSON text; our own types always can.
pub fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("domain types have string keys and no failing serialisers")
}

/// A plain column.
pub fn get<'r, T>(row: &'r SqliteRow, column: &str) -> Result<T>
where
    T: Decode<'r, Sqlite> + Type<Sqlite>,
{
    row.try_get(column).map_err(database)
}

/// A column that holds an id.
pub fn id(row: &SqliteRow, table: &'static str, column: &str) -> Result<Uuid> {
    let text: &str = get(row, column)?;
    Uuid::parse_str(text).map_err(|e| StoreError::Row { table, reason: format!("column `{column}`: {e}") })
}

/// A column that holds the name of an enum's variant.
pub fn name<T>(row: &SqliteRow, table: &'static str, column: &str) -> Result<T>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    let text: &str = get(row, column)?;
    text.parse().map_err(|e| StoreError::Row { table, reason: format!("column `{column}`: {e}") })
}

/// A column that holds JSON.
pub fn parsed<T: DeserializeOwned>(row: &SqliteRow, table: &'static str, column: &str) -> Result<T> {
    let text: &str = get(row, column)?;
    serde_json::from_str(text).map_err(|e| StoreError::Row { table, reason: format!("column `{column}`: {e}") })
}

/// A column that holds JSON or nothing.
pub fn parsed_opt<T: DeserializeOwned>(row: &SqliteRow, table: &'static str, column: &str) -> Result<Option<T>> {
    let text: Option<&str> = get(row, column)?;
    text.map(|t| {
        serde_json::from_str(t).map_err(|e| StoreError::Row { table, reason: format!("column `{column}`: {e}") })
    })
    .transpose()
}

/// A count; SQLite's integers are signed.
pub fn count(row: &SqliteRow, column: &str) -> Result<u64> {
    Ok(u64::try_from(get::<i64>(row, column)?).unwrap_or_default())
}

/// SQLite's integers are signed.
pub fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Seconds from a column of milliseconds.
pub fn seconds(milliseconds: i64) -> i64 {
    milliseconds.div_euclid(1000)
}

/// The columns of a batch with its counts.
macro_rules! batch_columns {
    () => {
        "b.id, b.name, b.status, b.params, b.failure, b.created_at, b.finished_at, b.open, b.on_error, b.priority, \
         b.ran_ms + CASE WHEN b.finished_at IS NULL THEN CAST(unixepoch('subsec') * 1000 AS INTEGER) - b.started_at ELSE 0 END \
         AS elapsed_ms, \
         coalesce(sum(t.documents), 0) AS total, \
         coalesce(sum(t.documents) FILTER (WHERE t.status = 'pending'), 0) AS pending, \
         coalesce(sum(t.documents) FILTER (WHERE t.status = 'processing'), 0) AS processing, \
         coalesce(sum(t.documents) FILTER (WHERE t.status = 'completed'), 0) AS completed, \
         coalesce(sum(t.documents) FILTER (WHERE t.status = 'failed'), 0) AS failed, \
         coalesce(sum(t.documents) FILTER (WHERE t.status = 'cancelled'), 0) AS cancelled"
    };
}
pub(crate) use batch_columns;

/// A row of [`batch_columns!`].
pub fn batch(row: &SqliteRow) -> Result<Batch> {
    Ok(Batch {
        id: BatchId(id(row, "batches", "id")?),
        name: get(row, "name")?,
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
pub fn document(row: &SqliteRow) -> Result<DocumentRow> {
    let kind: Option<&str> = get(row, "kind")?;
    let placed: Option<&str> = get(row, "placed")?;
    let cluster = get::<Option<u32>>(row, "cluster")?.map(ClusterId);
    let probability: Option<f32> = get::<Option<f64>>(row, "probability")?.map(|p| p as f32);
    Ok(DocumentRow {
        id: DocumentId(id(row, "documents", "id")?),
        path: get(row, "path")?,
        sha256: get(row, "sha256")?,
        bytes: count(row, "bytes")?,
        kind: kind
            .map(|k| k.parse().map_err(|e| StoreError::Row { table: "parses", reason: format!("column `kind`: {e}") }))
            .transpose()?,
        pages: get(row, "pages")?,
        words: get::<Option<i64>>(row, "words")?.map(|w| u64::try_from(w).unwrap_or_default()),
        language: get(row, "language")?,
        status: name(row, "documents", "status")?,
        stage: name(row, "documents", "stage")?,
        cluster,
        cluster_name: get(row, "cluster_name")?,
        probability,
        confidence: probability.map(ConfidenceLevel::of),
        outlier: placed.is_some() && cluster.is_none(),
        family: match get::<Option<u32>>(row, "family")? {
            Some(id) => Some(FamilyPlace { id, principal: get::<u32>(row, "family_place")? == 0 }),
            None => None,
        },
        failure: parsed_opt::<Failure>(row, "documents", "failure")?,
    })
}
