//! The similarity heatmap: documents in display order are gathered into bands, and the mean similarity of two bands
//! follows from their mean vectors, so that all documents are seen at a cost linear in their number.

use std::ops::Range;

use sheaf_domain::heatmap::MAX_CELLS_PER_SIDE;

use crate::matrix::{Matrix, MatrixMut, multiply};

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

/// The heatmap of the positions `range`, given all vectors in display order (`clusters.len()` rows of `dimensions`
/// values, unit length) and the cluster at each position. Costs `O(n d + b² d)`.
///
/// # Panics
/// When the vectors do not have the length that was said.
pub fn grid(vectors: &[f32], dimensions: usize, clusters: &[Option<u32>], range: Range<usize>) -> Grid {
    assert_eq!(vectors.len(), clusters.len() * dimensions, "one vector for each position");
    let bands = bands(clusters, range, MAX_CELLS_PER_SIDE);
    let means: Vec<f32> = bands
        .iter()
        .flat_map(|band| mean(&vectors[band.start * dimensions..][..band.len * dimensions], dimensions))
        .collect();
    values_of(bands, &means, dimensions)
}

/// The same from the mean vector of each band (rows of `dimensions` values, not normalised), for whoever streams vectors.
///
/// # Panics
/// When there is not one mean for each band.
pub fn values_of(bands: Vec<Band>, means: &[f32], dimensions: usize) -> Grid {
    let b = bands.len();
    assert_eq!(means.len(), b * dimensions, "one mean for each band");
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
    let scale = scale(&values, b);
    Grid { bands, values, scale }
}

/// The pairs of different documents among the positions `range` that are most similar, at most `most`, most similar
/// first: positions `a < b` and their similarity. Taken from each document's nearest neighbours (positions).
pub fn similar_pairs(neighbours: &[Vec<(usize, f32)>], range: Range<usize>, most: usize) -> Vec<(usize, usize, f32)> {
    let range = range.start.min(neighbours.len())..range.end.min(neighbours.len());
    let mut pairs: Vec<(usize, usize, f32)> = range
        .clone()
        .flat_map(|a| neighbours[a].iter().map(move |&(b, similarity)| (a.min(b), a.max(b), similarity)))
        .filter(|&(a, b, _)| a != b && range.contains(&a) && range.contains(&b))
        .collect();
    // Both documents may name the pair, with similarities that differ in the last bit.
    pairs.sort_by(|x, y| (x.0, x.1).cmp(&(y.0, y.1)).then(y.2.total_cmp(&x.2)));
    pairs.dedup_by_key(|&mut (a, b, _)| (a, b));
    pairs.sort_by(|x, y| y.2.total_cmp(&x.2).then((x.0, x.1).cmp(&(y.0, y.1))));
    pairs.truncate(most);
    pairs
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
fn mean(rows: &[f32], dimensions: usize) -> Vec<f32> {
    let mut sum = vec![0.0_f64; dimensions];
    for row in rows.chunks_exact(dimensions) {
        sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
    }
    let n = (rows.len() / dimensions) as f64;
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

    #[test]
    fn values_are_the_means_over_pairs() {
        let n = 100;
        let rows: Vec<[f32; 2]> = (0..n).map(|i| unit(i as f32 * 0.03)).collect();
        let clusters: Vec<Option<u32>> = (0..n).map(|i| (i < 90).then_some(i as u32 / 30)).collect();
        let grid = grid(rows.as_flattened(), 2, &clusters, 0..n);
        let b = grid.bands.len();
        assert_eq!(b, MAX_CELLS_PER_SIDE);
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
        assert_eq!(grid(&[1.0, 0.0], 2, &[Some(0)], 0..1).values, [1.0]);
        assert_eq!(grid(&[], 2, &[], 0..0), Grid { scale: (0.0, 1.0), ..Grid::default() });
    }

    #[test]
    fn pairs_come_once_and_most_similar_first() {
        let neighbours = vec![vec![(1, 0.9), (2, 0.5)], vec![(0, 0.9)], vec![(0, 0.5), (1, 0.7)]];
        assert_eq!(similar_pairs(&neighbours, 0..3, 10), [(0, 1, 0.9), (1, 2, 0.7), (0, 2, 0.5)]);
        assert_eq!(similar_pairs(&neighbours, 1..3, 10), [(1, 2, 0.7)]);
    }
}
