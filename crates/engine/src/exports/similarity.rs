//! The matrix of cosine similarities as CSV: a row and a column for each clustered document, in the heatmap's order.

use std::sync::Arc;

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use sheaf_domain::export::neutralise_cell;
use sheaf_domain::{BatchId, Failure, FailureCode};
use tokio::task::spawn_blocking;

use super::Sink;
use super::record::{LINE_END, write_csv};
use crate::heatmap::Vectors;
use crate::{Engine, internal};

/// The most documents whose matrix can be downloaded: 20,000 squared are some 3 GB of CSV.
pub const SIMILARITY_LIMIT: u32 = 20_000;

/// Rows that are made together, on all cores.
const ROWS: usize = 64;

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
        let chunk = spawn_blocking(move || matrix_rows(&paths, &vectors, start)).await.map_err(internal)??;
        if sink.send(Ok(chunk.into())).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// The whole matrix, a group of lines at a time.
///
/// # Errors
/// Those of `put`.
pub fn matrix(
    paths: &[String],
    vectors: &Vectors,
    mut put: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut header = Vec::new();
    matrix_header(&mut header, paths)?;
    put(&header)?;
    (0..paths.len()).step_by(ROWS).try_for_each(|start| put(&matrix_rows(paths, vectors, start)?))
}

/// The first line: `path`, then every path.
fn matrix_header(buffer: &mut Vec<u8>, paths: &[String]) -> Result<(), Failure> {
    let cells = paths.iter().map(|path| neutralise_cell(path).into_owned());
    write_csv(buffer, std::iter::once("path".to_owned()).chain(cells))
}

/// The lines of up to [`ROWS`] documents from `start` on.
fn matrix_rows(paths: &[String], vectors: &Vectors, start: usize) -> Result<Vec<u8>, Failure> {
    let rows = start..(start + ROWS).min(paths.len());
    let lines = rows.into_par_iter().map(|row| matrix_row(&paths[row], vectors, row)).collect::<Result<Vec<_>, _>>()?;
    Ok(lines.concat())
}

/// One line: a path, then its similarity to every document, with four decimals.
fn matrix_row(path: &str, vectors: &Vectors, row: usize) -> Result<Vec<u8>, Failure> {
    let mut line = Vec::with_capacity(path.len() + 8 * vectors.rows());
    write_csv(&mut line, std::iter::once(neutralise_cell(path).into_owned()))?;
    line.truncate(line.len() - LINE_END.len());
    for similarity in vectors.similarities(row) {
        line.push(b',');
        push_similarity(&mut line, similarity);
    }
    line.extend_from_slice(LINE_END);
    Ok(line)
}

/// A number between -1 and 1 with four decimals. There are as many as documents squared: the formatter of the standard
/// library, which is right for any number and precision, would take most of the time of a run.
fn push_similarity(line: &mut Vec<u8>, similarity: f32) {
    let ten_thousandths = (similarity * 1e4).round() as i32;
    if ten_thousandths < 0 {
        line.push(b'-');
    }
    let digits = ten_thousandths.unsigned_abs();
    let digit = |place: u32| b'0' + (digits / place % 10) as u8;
    line.extend_from_slice(&[digit(10_000), b'.', digit(1000), digit(100), digit(10), digit(1)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarities_have_four_decimals() {
        for (similarity, expect) in [
            (0.0, "0.0000"),
            (1.0, "1.0000"),
            (-1.0, "-1.0000"),
            (0.123_46, "0.1235"),
            (-0.05, "-0.0500"),
            (-1e-6, "0.0000"),
        ] {
            let mut line = Vec::new();
            push_similarity(&mut line, similarity);
            assert_eq!(String::from_utf8_lossy(&line), expect);
        }
    }
}
