//! The similarity heatmap: documents in display order are gathered into bands, and the mean similarity of two bands
//! follows from their mean vectors, so that all documents are seen at a cost linear in their number.

mod strongest;

use std::cmp::Ordering;
use std::ops::Range;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use sheaf_domain::heatmap::{BLOCKS_PER_SIDE, MAX_CELLS_PER_SIDE};

use crate::matrix::{Matrix, MatrixMut, multiply};
use strongest::Sample;

/// A run of neighbours in display order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// First position that it covers.
    pub start: usize,
    /// How many documents it covers, at least 1.
    pub len: usize,
    /// The cluster of all of them; absent for outliers, and when a band has to cover several clusters.
    pub cluster: Option<u32>,
}

/// Bands and the mean similarities between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grid {
    pub bands: Vec<Band>,
    /// `bands.len()` squared values, row by row: the mean cosine similarity of pairs of different documents; 1 where a
    /// band of one document meets itself.
    pub values: Vec<f32>,
    /// The 5th and 95th percentile of the values off the diagonal; of all values when there is but one band.
    pub scale: (f32, f32),
    /// The strongest pair in place of the mean; none where each band is one document.
    pub strongest: Vec<f32>,
    /// As `scale`.
    pub strongest_scale: (f32, f32),
}

/// Cuts the positions `range` into at most `most` bands. Each cluster's run gets bands in proportion to its length, at
/// least one; only when there are more runs than bands does a band cover several.
pub fn bands(clusters: &[Option<u32>], range: Range<usize>, most: usize) -> Vec<Band> {
    let range = range.start.min(clusters.len())..range.end.min(clusters.len());
    let most = most.clamp(1, MAX_CELLS_PER_SIDE);
    let runs = runs(clusters, range.clone());
    if runs.len() > most {
        let len = range.len();
        let bound = |i: usize| range.start + i * len / most;
        return (0..most).map(|i| band(clusters, bound(i), bound(i + 1))).filter(|band| band.len > 0).collect();
    }
    let shares = shares(&runs.iter().map(ExactSizeIterator::len).collect::<Vec<_>>(), most);
    let pieces = runs.into_iter().zip(shares).flat_map(|(run, share)| {
        let len = run.len();
        (0..share).map(move |i| (run.start + i * len / share, run.start + (i + 1) * len / share))
    });
    pieces.map(|(start, end)| band(clusters, start, end)).collect()
}

/// The heatmap of documents in display order, given the vector (unit length, `dimensions` values) of each and its cluster. A
/// few have a row each; many share [`BLOCKS_PER_SIDE`]. `known` are pairs of places with their similarity, among which the
/// strongest ones of many documents are looked for. Costs `O(n d + b² d)` and as much again for the strongest pairs.
pub fn grid<'a>(
    row: impl Fn(usize) -> &'a [f32] + Sync,
    dimensions: usize,
    clusters: &[Option<u32>],
    mut known: impl Iterator<Item = (usize, usize, f32)>,
) -> Grid {
    let most = if clusters.len() <= MAX_CELLS_PER_SIDE { MAX_CELLS_PER_SIDE } else { BLOCKS_PER_SIDE };
    let bands = bands(clusters, 0..clusters.len(), most);
    let means: Vec<Vec<f32>> =
        bands.par_iter().map(|band| mean((band.start..band.start + band.len).map(&row), dimensions)).collect();
    let values = values_of(&bands, &means.concat(), dimensions);
    let b = bands.len();
    let strongest = match bands.iter().any(|band| band.len > 1) {
        true => strongest::strongest(&Sample::new(row, dimensions, &bands), &bands, &mut known),
        false => Vec::new(),
    };
    let strongest_scale = if strongest.is_empty() { (0.0, 0.0) } else { scale(&strongest, b) };
    Grid { scale: scale(&values, b), values, strongest, strongest_scale, bands }
}

/// Mean similarities from the mean vector of each band (rows of `dimensions` values, not normalised).
fn values_of(bands: &[Band], means: &[f32], dimensions: usize) -> Vec<f32> {
    let b = bands.len();
    let mut values = vec![0.0; b * b];
    let matrix = Matrix::new(means, b, dimensions);
    multiply(&mut MatrixMut::new(&mut values, b, b), 0.0, matrix, matrix.transposed(), 1.0);
    for i in 0..b {
        for j in 0..i {
            values[i * b + j] = values[j * b + i];
        }
        // Pairs of a document with itself have similarity 1 and are taken out again.
        let n = bands[i].len as f32;
        let own = &mut values[i * b + i];
        *own = if bands[i].len == 1 { 1.0 } else { (n * n * *own - n) / (n * (n - 1.0)) };
    }
    values.iter_mut().for_each(|value| *value = value.clamp(-1.0, 1.0));
    values
}

/// Pairs that are looked at together.
const TOGETHER: usize = 4096;

/// The most similar of these pairs of places, each once, at most `most`, most similar first: places `a < b` and their
/// similarity. A document is no pair with itself.
pub fn similar_pairs(pairs: impl Iterator<Item = (usize, usize, f32)>, most: usize) -> Vec<(usize, usize, f32)> {
    let mut best: Vec<(usize, usize, f32)> = Vec::new();
    // Once there are enough, what comes behind the last of them is passed over.
    let mut last = None;
    for (a, b, similarity) in pairs.filter(|(a, b, _)| a != b) {
        let pair = (a.min(b), a.max(b), similarity);
        if last.is_none_or(|last| before(&pair, &last).is_lt()) {
            best.push(pair);
        }
        if best.len() == most + TOGETHER {
            keep_best(&mut best, most);
            last = best.last().copied().filter(|_| best.len() == most);
        }
    }
    keep_best(&mut best, most);
    best
}

fn before(x: &(usize, usize, f32), y: &(usize, usize, f32)) -> Ordering {
    y.2.total_cmp(&x.2).then((x.0, x.1).cmp(&(y.0, y.1)))
}

fn keep_best(pairs: &mut Vec<(usize, usize, f32)>, most: usize) {
    // Both documents may name the pair, with similarities that differ in the last bit.
    pairs.sort_unstable_by(|x, y| (x.0, x.1).cmp(&(y.0, y.1)).then(y.2.total_cmp(&x.2)));
    pairs.dedup_by_key(|&mut (a, b, _)| (a, b));
    pairs.sort_unstable_by(before);
    pairs.truncate(most);
}

/// The maximal runs of positions with the same cluster.
fn runs(clusters: &[Option<u32>], range: Range<usize>) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for position in range {
        match runs.last_mut() {
            Some(run) if clusters[run.start] == clusters[position] => run.end = position + 1,
            Some(_) | None => runs.push(position..position + 1),
        }
    }
    runs
}

/// How many bands each run gets: one, and the rest one by one to the run whose bands are longest.
fn shares(lengths: &[usize], most: usize) -> Vec<usize> {
    let mut shares = vec![1; lengths.len()];
    let total: usize = lengths.iter().sum();
    for _ in lengths.len()..most.min(total) {
        let longest =
            (0..lengths.len()).max_by(|&a, &b| (lengths[a] * shares[b]).cmp(&(lengths[b] * shares[a])).then(b.cmp(&a)));
        if let Some(longest) = longest {
            shares[longest] += 1;
        }
    }
    shares
}

fn band(clusters: &[Option<u32>], start: usize, end: usize) -> Band {
    let first = clusters.get(start).copied().flatten();
    let one = clusters[start..end].iter().all(|&cluster| cluster == first);
    Band { start, len: end - start, cluster: first.filter(|_| one) }
}

/// The mean of rows of `dimensions` values.
fn mean<'a>(rows: impl ExactSizeIterator<Item = &'a [f32]>, dimensions: usize) -> Vec<f32> {
    let mut sum = vec![0.0_f64; dimensions];
    let n = rows.len() as f64;
    for row in rows {
        sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
    }
    sum.into_iter().map(|sum| (sum / n) as f32).collect()
}

fn scale(values: &[f32], b: usize) -> (f32, f32) {
    let mut off: Vec<f32> =
        values.iter().enumerate().filter(|&(i, _)| b == 1 || i / b != i % b).map(|(_, &value)| value).collect();
    if off.is_empty() {
        return (0.0, 1.0);
    }
    off.sort_by(f32::total_cmp);
    let at = |share: f64| off[((off.len() - 1) as f64 * share).round() as usize];
    (at(0.05), at(0.95))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(angle: f32) -> [f32; 2] {
        [angle.cos(), angle.sin()]
    }

    fn none() -> impl Iterator<Item = (usize, usize, f32)> {
        std::iter::empty()
    }

    #[test]
    fn values_are_the_means_over_pairs() {
        let n = 200;
        let rows: Vec<[f32; 2]> = (0..n).map(|i| unit(i as f32 * 0.03)).collect();
        let clusters: Vec<Option<u32>> = (0..n).map(|i| (i < 180).then_some(i as u32 / 60)).collect();
        let grid = grid(|row| &rows[row][..], 2, &clusters, none());
        let b = grid.bands.len();
        assert_eq!(b, BLOCKS_PER_SIDE);
        for (i, x) in grid.bands.iter().enumerate() {
            for (j, y) in grid.bands.iter().enumerate() {
                let pairs: Vec<f32> = (x.start..x.start + x.len)
                    .flat_map(|p| (y.start..y.start + y.len).map(move |q| (p, q)))
                    .filter(|(p, q)| p != q)
                    .map(|(p, q)| rows[p][0] * rows[q][0] + rows[p][1] * rows[q][1])
                    .collect();
                let expect = if pairs.is_empty() { 1.0 } else { pairs.iter().sum::<f32>() / pairs.len() as f32 };
                assert!((grid.values[i * b + j] - expect).abs() < 1e-4, "{i} {j}");
            }
        }
    }

    #[test]
    fn bands_cover_the_range_and_respect_clusters() {
        let check = |lengths: &[usize], most: usize, expect: usize| {
            let clusters: Vec<Option<u32>> =
                lengths.iter().enumerate().flat_map(|(i, &n)| std::iter::repeat_n(Some(i as u32), n)).collect();
            let bands = bands(&clusters, 0..clusters.len(), most);
            assert_eq!(bands.len(), expect, "{lengths:?}");
            let mut next = 0;
            for band in &bands {
                assert!(band.start == next && band.len > 0);
                next += band.len;
                assert!(lengths.len() > most || band.cluster.is_some());
            }
            assert_eq!(next, clusters.len());
        };
        check(&[5, 3, 2], 60, 10);
        check(&[500, 3, 2], 60, 60);
        check(&[1; 200], 60, 60);
        check(&[1], 60, 1);
        check(&[], 60, 0);
    }

    #[test]
    fn one_document_and_none_are_pictures_too() {
        assert_eq!(grid(|_| &[1.0, 0.0], 2, &[Some(0)], none()).values, [1.0]);
        assert_eq!(grid(|_| &[], 2, &[], none()), Grid { scale: (0.0, 1.0), ..Grid::default() });
    }

    #[test]
    fn a_few_documents_have_a_row_each() {
        let check = |n: usize, expect: usize| {
            assert_eq!(grid(|_| &[1.0, 0.0], 2, &vec![Some(0); n], none()).bands.len(), expect, "{n}");
        };
        check(MAX_CELLS_PER_SIDE, MAX_CELLS_PER_SIDE);
        check(MAX_CELLS_PER_SIDE + 1, BLOCKS_PER_SIDE);
    }

    #[test]
    fn pairs_come_once_and_most_similar_first() {
        let pairs = [(0, 1, 0.9), (0, 2, 0.5), (1, 0, 0.9), (1, 1, 1.0), (2, 0, 0.5), (2, 1, 0.7)];
        assert_eq!(similar_pairs(pairs.into_iter(), 10), [(0, 1, 0.9), (1, 2, 0.7), (0, 2, 0.5)]);
        assert_eq!(similar_pairs(pairs.into_iter(), 1), [(0, 1, 0.9)]);
    }

    #[test]
    fn many_pairs_are_as_few() {
        // Every similarity a thousand times, each pair from both sides.
        let pairs =
            || (0..20_000_usize).flat_map(|i| [(i, i + 1, (i * 7 % 20) as f32), (i + 1, i, (i * 7 % 20) as f32)]);
        let mut expect: Vec<_> = (0..20_000_usize).map(|i| (i, i + 1, (i * 7 % 20) as f32)).collect();
        expect.sort_by(before);
        assert_eq!(similar_pairs(pairs(), 10), expect[..10]);
    }
}
