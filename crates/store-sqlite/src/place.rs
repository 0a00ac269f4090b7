//! Where in its batch a document belongs: whether it is there already, and if not, under which path.

use std::collections::HashSet;

use sheaf_domain::{BatchId, DocumentId, Numbered};
use sheaf_store::NewDocument;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::rows::{count, get, id};
use crate::{Result, database};

/// Where a document belongs.
pub enum Place {
    /// It is there.
    Taken,
    /// It is there, but failed or was cancelled, and can be worked on again.
    Stopped(DocumentId),
    /// It is new, under this path.
    Free(String),
}

/// Looks for the same bytes under the document's path, or that path with a number, and otherwise for a path that is free.
pub async fn place(tx: &mut SqliteConnection, batch: BatchId, document: &NewDocument) -> Result<Place> {
    let same_path =
        sqlx::query("SELECT id, path, sha256, bytes, status FROM documents WHERE batch = ? AND path = ? LIMIT 1")
            .bind(batch.to_string())
            .bind(&document.path)
            .fetch_optional(&mut *tx)
            .await
            .map_err(database)?;
    let Some(row) = same_path else { return Ok(Place::Free(document.path.clone())) };
    if let Some(place) = taken_by(&row, document)? {
        return Ok(place);
    }
    let numbered = Numbered::of(&document.path);
    let prefix = numbered.prefix();
    // All that begins with the prefix, by the index: `)` is what follows `(`.
    let end = format!("{})", prefix.trim_end_matches('('));
    let rows =
        sqlx::query("SELECT id, path, sha256, bytes, status FROM documents WHERE batch = ? AND path >= ? AND path < ?")
            .bind(batch.to_string())
            .bind(&prefix)
            .bind(end)
            .fetch_all(tx)
            .await
            .map_err(database)?;
    let mut numbers = HashSet::new();
    for row in &rows {
        let Some(number) = numbered.number(get(row, "path")?) else { continue };
        if let Some(place) = taken_by(row, document)? {
            return Ok(place);
        }
        numbers.insert(number);
    }
    let mut number = 2;
    while numbers.contains(&number) {
        number += 1;
    }
    Ok(Place::Free(numbered.path(number)))
}

/// The place, when the row has the same bytes. What was refused on arrival has no hash, and cannot be worked on again.
fn taken_by(row: &SqliteRow, document: &NewDocument) -> Result<Option<Place>> {
    let sha256: &str = get(row, "sha256")?;
    if sha256 != document.sha256 || count(row, "bytes")? != document.bytes {
        return Ok(None);
    }
    let status: &str = get(row, "status")?;
    let stopped = matches!(status, "failed" | "cancelled") && !sha256.is_empty();
    Ok(Some(if stopped { Place::Stopped(DocumentId(id(row, "documents", "id")?)) } else { Place::Taken }))
}
