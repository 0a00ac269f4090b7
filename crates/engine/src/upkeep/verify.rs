//! Is everything there, and is it what it should be? Every stored hash, every row's bytes, every batch's manifest and vectors.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use sheaf_domain::{BatchId, BatchQuery, DocumentId, DocumentRow, Failure, Status};
use sheaf_store::{Store, VectorFile};

use super::Blobs;
use crate::blobs::{BlobError, BlobStore, staging};
use crate::heatmap::Vectors;

/// Rows that are read at a time.
const PAGE: u32 = 500;
/// Blobs that are read at the same time.
const AT_ONCE: usize = 8;
/// How far a vector's length may be from 1.
const LENGTH_TOLERANCE: f32 = 1e-3;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Stored bytes that are not what their name says.
    Damaged { sha256: String },
    /// A document whose bytes are not there.
    Missing { batch: BatchId, document: DocumentId, path: String, sha256: String },
    /// A batch whose manifest cannot be read or is not that of its documents.
    Manifest { batch: BatchId, reason: String },
    /// A batch whose vectors are not there or are not what its rows say.
    Vectors { batch: BatchId, reason: String },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { sha256 } => write!(f, "blob {sha256}: damaged, its bytes have another hash"),
            Self::Missing { batch, document, path, sha256 } => {
                write!(f, "batch {batch}, document {document} ({path}): its blob {sha256} is missing")
            }
            Self::Manifest { batch, reason } => write!(f, "batch {batch}: manifest: {reason}"),
            Self::Vectors { batch, reason } => write!(f, "batch {batch}: vectors: {reason}"),
        }
    }
}

/// What was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub batches: u64,
    pub documents: u64,
    pub blobs: u64,
    /// Of all blobs.
    pub bytes: u64,
    /// Blobs that no row names; they are no fault, and a running server removes them.
    pub unnamed: u64,
    pub findings: Vec<Finding>,
}

/// Looks at everything; `on_blob` is told what was looked at after each blob. What changes meanwhile is no finding.
///
/// # Errors
/// `storage` when rows or bytes cannot be read at all.
pub async fn verify(store: &dyn Store, blobs: &Blobs, mut on_blob: impl FnMut(&Report)) -> Result<Report, Failure> {
    let blobs = &*blobs.store;
    let mut report = Report::default();
    let mut stored = HashSet::new();
    let mut listed = blobs
        .list()
        .map_ok(|listed| async move { Ok::<_, BlobError>((hash(blobs, &listed.name).await, listed.name)) })
        .try_buffer_unordered(AT_ONCE);
    while let Some((hashed, sha256)) = listed.try_next().await? {
        match hashed {
            Ok((bytes, whole)) => {
                report.blobs += 1;
                report.bytes += bytes;
                if !whole {
                    report.findings.push(Finding::Damaged { sha256: sha256.clone() });
                }
                stored.insert(sha256);
                on_blob(&report);
            }
            // It was removed after it was listed.
            Err(BlobError::Missing(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    drop(listed);
    let mut named = HashSet::new();
    let mut cursor = None;
    loop {
        let page = store.batches(&BatchQuery { limit: PAGE, cursor, ..BatchQuery::default() }).await?;
        for batch in page.items {
            report.batches += 1;
            verify_batch(store, blobs, batch.id, &stored, &mut named, &mut report).await?;
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    report.unnamed = stored.difference(&named).count() as u64;
    Ok(report)
}

/// How many bytes are under a hash, and whether they are of it.
async fn hash(blobs: &dyn BlobStore, sha256: &str) -> Result<(u64, bool), BlobError> {
    let (bytes, found) = staging::digest(blobs.read(sha256).await?).await?;
    Ok((bytes, found == sha256))
}

async fn verify_batch(
    store: &dyn Store,
    blobs: &dyn BlobStore,
    batch: BatchId,
    stored: &HashSet<String>,
    named: &mut HashSet<String>,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut files = BTreeMap::new();
    let without = store.without_originals(batch).await?;
    let mut after: Option<(String, DocumentId)> = None;
    loop {
        let from = after.as_ref().map(|(path, id)| (path.as_str(), *id));
        let rows = store.documents_after(batch, from, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = Some((last.path.clone(), last.id));
        report.documents += rows.len() as u64;
        let absent = rows
            .iter()
            .filter(|row| !row.sha256.is_empty() && !stored.contains(&row.sha256) && !without.contains(&row.id));
        let absent: Vec<Option<Finding>> =
            stream::iter(absent).map(|row| missing(store, blobs, batch, row)).buffered(AT_ONCE).try_collect().await?;
        report.findings.extend(absent.into_iter().flatten());
        for row in rows {
            if row.status == Status::Completed {
                files.insert(row.path, row.sha256.clone());
            }
            named.insert(row.sha256);
        }
    }
    if let Some(clustering) = store.clustering(batch).await? {
        report
            .findings
            .extend(wrong_manifest(&clustering.manifest, &files).map(|reason| Finding::Manifest { batch, reason }));
        if let Some(file) = &clustering.vectors {
            let reason = wrong_vectors(blobs, file).await?;
            report.findings.extend(reason.map(|reason| Finding::Vectors { batch, reason }));
        }
    }
    Ok(())
}

/// A document whose bytes were not listed: it may have come, or gone, since then.
async fn missing(
    store: &dyn Store,
    blobs: &dyn BlobStore,
    batch: BatchId,
    row: &DocumentRow,
) -> Result<Option<Finding>, Failure> {
    match blobs.read(&row.sha256).await {
        Ok(_) => return Ok(None),
        Err(BlobError::Missing(_) | BlobError::Name(_)) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(store.document(batch, row.id).await?.map(|_| Finding::Missing {
        batch,
        document: row.id,
        path: row.path.clone(),
        sha256: row.sha256.clone(),
    }))
}

/// Of a manifest what ties it to its documents.
#[derive(Deserialize)]
struct Manifest {
    documents: usize,
    documents_sha256: String,
    files: BTreeMap<String, String>,
}

/// What is wrong with a manifest; `completed` are the hashes of the batch's completed documents by path.
fn wrong_manifest(manifest: &str, completed: &BTreeMap<String, String>) -> Option<String> {
    let manifest: Manifest = match serde_json::from_str(manifest) {
        Ok(manifest) => manifest,
        Err(error) => return Some(format!("it cannot be read: {error}")),
    };
    let mut lines: Vec<String> = manifest.files.iter().map(|(path, sha256)| format!("{sha256}  {path}\n")).collect();
    lines.sort_unstable();
    if manifest.documents != manifest.files.len()
        || manifest.documents_sha256 != hex::encode(Sha256::digest(lines.concat()))
    {
        return Some("its documents are not those that it sums up".to_owned());
    }
    let strange = manifest.files.iter().find(|(path, sha256)| completed.get(*path) != Some(sha256));
    strange.map(|(path, _)| format!("it names `{path}`, and the batch has no such completed document"))
}

async fn wrong_vectors(blobs: &dyn BlobStore, file: &VectorFile) -> Result<Option<String>, Failure> {
    let VectorFile { name, rows, dimensions } = file;
    let bytes = match name.parse() {
        Ok(name) => blobs.read_derived(&name).await,
        Err(error) => Err(error),
    };
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(BlobError::Missing(_) | BlobError::Name(_)) => return Ok(Some(format!("the file {name} is missing"))),
        Err(error) => return Err(error.into()),
    };
    let expected = u64::from(*rows) * u64::from(*dimensions) * size_of::<f32>() as u64;
    if bytes.len() as u64 != expected {
        return Ok(Some(format!("the file {name} has {} bytes, not {expected}", bytes.len())));
    }
    let vectors = Vectors::from_bytes(&bytes, *dimensions as usize);
    let is_unit = |row: &[f32]| (row.iter().map(|v| v * v).sum::<f32>().sqrt() - 1.0).abs() < LENGTH_TOLERANCE;
    let strange = (0..vectors.rows()).find(|&row| !is_unit(vectors.row(row)));
    Ok(strange.map(|row| format!("the file {name} is damaged: row {row} is no unit vector")))
}

#[cfg(test)]
mod tests {
    use sheaf_domain::BatchParams;

    use super::*;
    use crate::stages::analyse;

    #[test]
    fn a_manifest_is_that_of_its_documents() {
        let files: BTreeMap<String, String> =
            [("a.txt", "aa"), ("b.txt", "bb")].map(|(path, sha256)| (path.to_owned(), sha256.to_owned())).into();
        let named = files.iter().map(|(path, sha256)| (path.as_str(), sha256.as_str()));
        let manifest = analyse::Manifest::new(&BatchParams::default(), "a model", named);
        let manifest = serde_json::to_string(&manifest).expect("JSON");
        let check = |manifest: &str, files: &BTreeMap<String, String>, expect: Option<&str>| {
            let found = wrong_manifest(manifest, files);
            assert_eq!(found.is_some(), expect.is_some(), "{found:?}");
            assert!(found.unwrap_or_default().contains(expect.unwrap_or_default()));
        };
        check(&manifest, &files, None);
        check(&manifest[1..], &files, Some("cannot be read"));
        check(&manifest.replace("\"bb\"", "\"cc\""), &files, Some("sums up"));
        let mut others = files.clone();
        others.insert("b.txt".to_owned(), "cc".to_owned());
        check(&manifest, &others, Some("`b.txt`"));
        others.insert("c.txt".to_owned(), "dd".to_owned());
        others.insert("b.txt".to_owned(), "bb".to_owned());
        check(&manifest, &others, None);
    }
}
