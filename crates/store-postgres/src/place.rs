//! Where in its batch a document belongs: whether it is there already, and if not, under which path.

use std::collections::HashMap;

use sheaf_domain::{BatchId, DocumentId, Numbered, Status};
use sheaf_store::NewDocument;
use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::rows::{count, get, id, name};
use crate::{Result, database, nul};

/// Where a document belongs.
pub enum Place {
    /// It is there.
    Taken,
    /// It was listed by this very call, whose answer was lost.
    Listed,
    /// It is there, but failed or was cancelled, and can be worked on again.
    Stopped(DocumentId),
    /// It is new, under this path.
    Free(String),
}

/// What has a path.
struct Holder {
    id: Uuid,
    sha256: String,
    bytes: u64,
    stopped: bool,
}

impl Holder {
    /// The place of a document that has the same bytes. What was refused on arrival has no hash, and cannot be worked on again.
    fn place(&self, document: &NewDocument) -> Option<Place> {
        if self.id == document.id.0 {
            return Some(Place::Listed);
        }
        let same = self.sha256 == document.sha256 && self.bytes == document.bytes;
        same.then_some(match self.stopped && !self.sha256.is_empty() {
            true => Place::Stopped(DocumentId(self.id)),
            false => Place::Taken,
        })
    }
}

/// Looks for the same bytes under each document's path, or that path with a number, and otherwise for a path that is free.
/// The transaction has locked the batch, so that nobody else takes it.
pub async fn places(tx: &mut PgConnection, batch: BatchId, documents: &[NewDocument]) -> Result<Vec<Place>> {
    let paths: Vec<String> = documents.iter().map(|document| nul::hide(&document.path).into_owned()).collect();
    let rows = sqlx::query("SELECT id, path, sha256, bytes, status FROM documents WHERE batch = $1 AND path = ANY($2)")
        .bind(batch.0)
        .bind(&paths)
        .fetch_all(&mut *tx)
        .await
        .map_err(database)?;
    let mut holders: HashMap<String, Holder> = rows.iter().map(holder).collect::<Result<_>>()?;
    let mut places = Vec::with_capacity(documents.len());
    for (document, path) in documents.iter().zip(paths) {
        let place = match holders.get(&path) {
            None => Place::Free(path),
            Some(holder) => match holder.place(document) {
                Some(place) => place,
                None => numbered(tx, batch, document, &path, &mut holders).await?,
            },
        };
        if let Place::Free(path) = &place {
            let holder =
                Holder { id: document.id.0, sha256: document.sha256.clone(), bytes: document.bytes, stopped: false };
            holders.insert(path.clone(), holder);
        }
        places.push(match place {
            Place::Free(path) => Place::Free(nul::show(path)),
            other => other,
        });
    }
    Ok(places)
}

/// The place among the numbered paths of one that other bytes have.
async fn numbered(
    tx: &mut PgConnection,
    batch: BatchId,
    document: &NewDocument,
    path: &str,
    holders: &mut HashMap<String, Holder>,
) -> Result<Place> {
    let numbered = Numbered::of(path);
    let prefix = numbered.prefix();
    // All that begins with the prefix, by the index: `)` is what follows `(`.
    let end = format!("{})", prefix.trim_end_matches('('));
    let rows = sqlx::query(
        "SELECT id, path, sha256, bytes, status FROM documents WHERE batch = $1 AND path >= $2 AND path < $3",
    )
    .bind(batch.0)
    .bind(&prefix)
    .bind(end)
    .fetch_all(tx)
    .await
    .map_err(database)?;
    for row in &rows {
        let (path, holder) = holder(row)?;
        if numbered.number(&path).is_none() {
            continue;
        }
        if let Some(place) = holder.place(document) {
            return Ok(place);
        }
        holders.entry(path).or_insert(holder);
    }
    // Those that this call has listed lie before the first free number.
    let mut number = 2;
    loop {
        let candidate = numbered.path(number);
        match holders.get(&candidate) {
            None => return Ok(Place::Free(candidate)),
            Some(holder) => {
                if let Some(place) = holder.place(document) {
                    return Ok(place);
                }
            }
        }
        number += 1;
    }
}

fn holder(row: &PgRow) -> Result<(String, Holder)> {
    let status: Status = name(row, "documents", "status")?;
    let stopped = matches!(status, Status::Failed | Status::Cancelled);
    let holder = Holder { id: id(row, "id")?, sha256: get(row, "sha256")?, bytes: count(row, "bytes")?, stopped };
    Ok((get(row, "path")?, holder))
}
