//! The matrix of cosine similarities as CSV: a row and a column for each document that is looked at, in the heatmap's order.

use std::ops::Range;
use std::sync::Arc;

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use sheaf_domain::export::neutralise_cell;
use sheaf_domain::{BatchId, Failure, FailureCode, HeatmapView};
use tokio::task::spawn_blocking;

use super::Sink;
use super::record::{LINE_END, write_csv};
use crate::heatmap::{Selected, Vectors};
use crate::{Engine, internal};

/// The most documents whose matrix can be downloaded: 20,000 squared are some 3 GB of CSV.
pub const SIMILARITY_LIMIT: u32 = 20_000;

/// Rows that are made together on one core: their product with all others takes longer than laying those out for it.
const ROWS: usize = 64;
/// Groups of rows that are made at a time, on all cores.
const GROUPS: usize = 8;

/// What the matrix is made of: names and vectors of the documents that a view names, checked against the limit.
pub(super) async fn open(
    engine: &Engine,
    batch: BatchId,
    view: &HeatmapView,
) -> Result<(Vec<String>, Vectors), Failure> {
    engine.batch(batch).await?;
    let Selected { columns, vectors, lines, positions } = engine.selected(batch, view).await?;
    if positions.len() > SIMILARITY_LIMIT as usize {
        let message = format!("the matrix of {} documents is too large; at most {SIMILARITY_LIMIT}", positions.len());
        return Err(Failure::new(FailureCode::InvalidRequest, message)
            .with_hint("Use the neighbours on each document's page, or filter."));
    }
    let paths = lines.iter().map(|&line| columns.path(line).to_owned()).collect();
    let values = positions.iter().flat_map(|&position| vectors.row(position as usize)).copied().collect();
    Ok((paths, Vectors::new(values, vectors.dimensions())))
}

pub(super) async fn write((paths, vectors): (Vec<String>, Vectors), sink: Sink) -> Result<(), Failure> {
    let (paths, vectors) = (Arc::new(paths), Arc::new(vectors));
    let mut header = Vec::new();
    matrix_header(&mut header, &paths)?;
    if sink.send(Ok(header.into())).await.is_err() {
        return Ok(());
    }
    for start in (0..paths.len()).step_by(GROUPS * ROWS) {
        let (paths, vectors) = (Arc::clone(&paths), Arc::clone(&vectors));
        let groups = spawn_blocking(move || matrix_groups(&paths, &vectors, start)).await.map_err(internal)??;
        for group in groups {
            if sink.send(Ok(group.into())).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The whole matrix, a group of lines at a time; the next are made while one is put.
///
/// # Errors
/// Those of `put`.
pub fn matrix(
    paths: &[String],
    vectors: &Vectors,
    mut put: impl FnMut(&[u8]) -> Result<(), Failure> + Send,
) -> Result<(), Failure> {
    let mut header = Vec::new();
    matrix_header(&mut header, paths)?;
    let mut made = vec![header];
    for start in (0..paths.len()).step_by(GROUPS * ROWS) {
        let (written, next) =
            rayon::join(|| made.iter().try_for_each(|lines| put(lines)), || matrix_groups(paths, vectors, start));
        written?;
        made = next?;
    }
    made.iter().try_for_each(|lines| put(lines))
}

/// The first line: `path`, then every path.
fn matrix_header(buffer: &mut Vec<u8>, paths: &[String]) -> Result<(), Failure> {
    let cells = paths.iter().map(|path| neutralise_cell(path).into_owned());
    write_csv(buffer, std::iter::once("path".to_owned()).chain(cells))
}

/// The lines of up to [`GROUPS`] times [`ROWS`] documents from `start` on, in groups.
fn matrix_groups(paths: &[String], vectors: &Vectors, start: usize) -> Result<Vec<Vec<u8>>, Failure> {
    let end = (start + GROUPS * ROWS).min(paths.len());
    let starts: Vec<usize> = (start..end).step_by(ROWS).collect();
    starts.into_par_iter().map(|start| matrix_rows(paths, vectors, start..(start + ROWS).min(end))).collect()
}

/// The lines of some documents: a path, then its similarity to every document, with four decimals.
fn matrix_rows(paths: &[String], vectors: &Vectors, rows: Range<usize>) -> Result<Vec<u8>, Failure> {
    let count = vectors.rows();
    let similarities = vectors.similarities(rows.clone());
    let mut lines = Vec::with_capacity(similarities.len() * 8);
    for (path, similarities) in paths[rows].iter().zip(similarities.chunks_exact(count)) {
        write_csv(&mut lines, std::iter::once(neutralise_cell(path).into_owned()))?;
        lines.truncate(lines.len() - LINE_END.len());
        similarities.iter().for_each(|&similarity| push_similarity(&mut lines, similarity));
        lines.extend_from_slice(LINE_END);
    }
    Ok(lines)
}

/// A comma, and a number between -1 and 1 with four decimals. There are as many as documents squared: the formatter of the
/// standard library, which is right for any number and precision, would take most of the time of a run.
fn push_similarity(lines: &mut Vec<u8>, similarity: f32) {
    // Half away from zero, as `round` does, which without SSE4 is a call.
    let scaled = f64::from(similarity * 1e4);
    let ten_thousandths = (scaled.abs() + 0.5) as u32;
    let digit = |place: u32| b'0' + (ten_thousandths / place % 10) as u8;
    let digits = [b'.', digit(1000), digit(100), digit(10), digit(1)];
    let [point, a, b, c, d] = digits;
    match scaled < 0.0 && ten_thousandths > 0 {
        true => lines.extend_from_slice(&[b',', b'-', digit(10_000), point, a, b, c, d]),
        false => lines.extend_from_slice(&[b',', digit(10_000), point, a, b, c, d]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarities_have_four_decimals() {
        for (similarity, expect) in [
            (0.0, ",0.0000"),
            (1.0, ",1.0000"),
            (-1.0, ",-1.0000"),
            (0.123_46, ",0.1235"),
            (0.123_44, ",0.1234"),
            (-0.05, ",-0.0500"),
            (-1e-6, ",0.0000"),
        ] {
            let mut line = Vec::new();
            push_similarity(&mut line, similarity);
            assert_eq!(String::from_utf8_lossy(&line), expect);
        }
    }
}
