//! The matrix of cosine similarities as CSV: a row and a column for each clustered document, in the heatmap's order.

use std::sync::Arc;

use sheaf_domain::export::neutralise_cell;
use sheaf_domain::{BatchId, Failure, FailureCode};
use tokio::task::spawn_blocking;

use super::Sink;
use super::record::write_csv;
use crate::heatmap::Vectors;
use crate::{Engine, internal};

/// The most documents whose matrix can be downloaded: 20,000 squared are some 3 GB of CSV.
pub const SIMILARITY_LIMIT: u32 = 20_000;

/// Rows that are sent together.
const ROWS: usize = 16;

/// The vectors of the matrix, checked against the limit.
pub(super) async fn open(engine: &Engine, batch: BatchId) -> Result<Vectors, Failure> {
    let vectors = engine.vectors(batch).await?;
    if vectors.rows() > SIMILARITY_LIMIT as usize {
        let message = format!("the matrix of {} documents is too large; at most {SIMILARITY_LIMIT}", vectors.rows());
        return Err(Failure::new(FailureCode::InvalidRequest, message)
            .with_hint("Use the neighbours on each document's page, or analyse a part of the batch."));
    }
    Ok(vectors)
}

pub(super) async fn write(engine: Engine, batch: BatchId, vectors: Vectors, sink: Sink) -> Result<(), Failure> {
    let rows = engine.store().documents_by_position(batch, 0, SIMILARITY_LIMIT).await?;
    let paths: Arc<Vec<String>> = Arc::new(rows.into_iter().map(|row| row.path).collect());
    let vectors = Arc::new(vectors);
    let mut header = Vec::new();
    matrix_header(&mut header, &paths)?;
    if sink.send(Ok(header.into())).await.is_err() {
        return Ok(());
    }
    for start in (0..paths.len()).step_by(ROWS) {
        let (paths, vectors) = (Arc::clone(&paths), Arc::clone(&vectors));
        let chunk = spawn_blocking(move || -> Result<Vec<u8>, Failure> {
            let mut buffer = Vec::new();
            for row in start..(start + ROWS).min(paths.len()) {
                matrix_row(&mut buffer, &paths[row], &vectors, row)?;
            }
            Ok(buffer)
        });
        let chunk = chunk.await.map_err(internal)??;
        if sink.send(Ok(chunk.into())).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// The first line: `path`, then every path.
///
/// # Errors
/// `internal`, which does not happen when writing to memory.
pub fn matrix_header(buffer: &mut Vec<u8>, paths: &[String]) -> Result<(), Failure> {
    let cells = paths.iter().map(|path| neutralise_cell(path).into_owned());
    write_csv(buffer, std::iter::once("path".to_owned()).chain(cells))
}

/// One line: a path, then its similarity to every document, with four decimals.
///
/// # Errors
/// `internal`, which does not happen when writing to memory.
pub fn matrix_row(buffer: &mut Vec<u8>, path: &str, vectors: &Vectors, row: usize) -> Result<(), Failure> {
    let cells = vectors.similarities(row).map(|s| format!("{s:.4}"));
    write_csv(buffer, std::iter::once(neutralise_cell(path).into_owned()).chain(cells))
}
