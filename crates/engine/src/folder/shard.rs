//! The run of one shard: reading and comparing as always, but no grouping; that waits for all shards to be together.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sheaf_domain::Failure;
use sheaf_store::Found;

use super::reading::Read;
use super::run::{Gathered, gather, unwritable};
use super::{Outcome, Request, Tally};
use crate::shards::{self, Shard, ShardHead, ShardRow};
use crate::stages::embed;

/// Reads what belongs to a shard and writes it into the folder of results. Written again it is the same file.
///
/// # Errors
/// As [`super::analyze`].
pub async fn analyze_shard(request: Request, shard: Shard, tally: Arc<Tally>) -> Result<Outcome, Failure> {
    let params = request.params.clone().check()?;
    fs::create_dir_all(&request.out).map_err(|error| unwritable(&request.out, &error))?;
    let Gathered { model, read, _scratch } = gather(&request, Some(shard), &tally, |_| {}).await?;
    tally.enter("Writing");
    let Read { rows, vectors, prints: _, records } = read;
    let dimensions = vectors.iter().flatten().next().map_or(0, |vectored| vectored.vector.len());
    let dimensions = u32::try_from(dimensions).unwrap_or(u32::MAX);
    let head = ShardHead::new(shard, params, model.id().to_owned(), dimensions);
    let found = vectors.into_iter().zip(records).map(|(vectored, record)| {
        let (vectored, parsed) = (vectored?, Arc::unwrap_or_clone(record?));
        Some(Found { key: embed::key(&parsed.key, &*model), parsed, vectored })
    });
    let rows: Vec<ShardRow> = rows
        .into_iter()
        .zip(found)
        .map(|(row, found)| ShardRow {
            id: row.id.unwrap_or_else(|| row.document.to_string()),
            path: row.path,
            sha256: row.sha256,
            bytes: row.bytes,
            kind: row.kind,
            pages: row.pages,
            words: row.words,
            language: row.language,
            failure: row.failure,
            found,
        })
        .collect();
    shards::write(&request.out.join(shard.file()), &head, &rows)?;
    let failures: Vec<(String, Failure)> = rows.into_iter().filter_map(|row| Some((row.path, row.failure?))).collect();
    let documents = tally.total.load(Ordering::Relaxed);
    Ok(Outcome { documents, completed: documents - failures.len() as u64, failures, ..Outcome::default() })
}
