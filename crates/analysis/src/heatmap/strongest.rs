//! The most similar pair between two blocks. The mean of two blocks hides it: one pair of copies among thousands of pairs.

use rayon::prelude::*;

use super::Band;
use crate::matrix::{Matrix, MatrixMut, multiply};

/// Up to so many documents every pair is compared.
const COMPARED: usize = 1_000;

/// Documents of each band that are compared when there are more; spread evenly over it.
const OF_BAND: usize = 16;

/// The documents that are compared.
pub(super) struct Sample {
    /// Of each band their places.
    members: Vec<Vec<usize>>,
    /// Their vectors, one behind the other.
    data: Vec<f32>,
    dimensions: usize,
}

impl Sample {
    pub(super) fn new<'a>(row: impl Fn(usize) -> &'a [f32], dimensions: usize, bands: &[Band]) -> Self {
        let all = bands.iter().map(|band| band.len).sum::<usize>() <= COMPARED;
        let members: Vec<Vec<usize>> = bands.iter().map(|band| looked_at(band, all)).collect();
        let mut data = Vec::with_capacity(members.iter().map(Vec::len).sum::<usize>() * dimensions);
        members.iter().flatten().for_each(|&place| data.extend_from_slice(row(place)));
        Self { members, data, dimensions }
    }
}

/// For each two bands the largest cosine similarity between a document of the one and another document of the other, row by
/// row; 1 where a band of one document meets itself.
///
/// Up to [`COMPARED`] documents it is exact. Of more, the pairs that are looked at are `known` ones (places and similarity; give
/// each document's nearest, which have every pair that is among the nearest of either) and those of [`OF_BAND`] documents of each
/// band: what is found is a lower bound, below the truth only where that is weaker than the nearest of both its documents. Costs
/// `O(min(n, 16 b)² d)` and the known pairs.
///
/// Not generic, so that it is optimised with this crate.
pub(super) fn strongest(
    sample: &Sample,
    bands: &[Band],
    known: &mut dyn Iterator<Item = (usize, usize, f32)>,
) -> Vec<f32> {
    let Sample { members, data, dimensions } = sample;
    let dimensions = *dimensions;
    let b = bands.len();
    let n = bands.iter().map(|band| band.len).sum::<usize>();
    let start = bands.first().map_or(0, |band| band.start);
    let mut ends = vec![0];
    members.iter().for_each(|members| ends.push(ends[ends.len() - 1] + members.len()));
    let rows = |from: usize, to: usize| Matrix::new(&data[from * dimensions..to * dimensions], to - from, dimensions);
    // Of each band with itself and those after it.
    let compare = |i: usize| -> Vec<f32> {
        let (height, width) = (members[i].len(), ends[b] - ends[i]);
        let mut similarities = vec![0.0; height * width];
        multiply(
            &mut MatrixMut::new(&mut similarities, height, width),
            0.0,
            rows(ends[i], ends[i + 1]),
            rows(ends[i], ends[b]).transposed(),
            1.0,
        );
        let mut best = vec![f32::NEG_INFINITY; b - i];
        for (own, similarities) in similarities.chunks_exact(width).enumerate() {
            for (best, j) in best.iter_mut().zip(i..) {
                let from = ends[j] - ends[i];
                for (other, &similarity) in similarities[from..ends[j + 1] - ends[i]].iter().enumerate() {
                    if from + other != own {
                        *best = best.max(similarity);
                    }
                }
            }
        }
        best
    };
    let compared: Vec<Vec<f32>> = (0..b).into_par_iter().map(compare).collect();
    let mut values = vec![f32::NEG_INFINITY; b * b];
    for (i, best) in compared.into_iter().enumerate() {
        values[i * b + i..][..b - i].copy_from_slice(&best);
    }
    let mut band_of = vec![0; n];
    for (number, band) in bands.iter().enumerate() {
        band_of[band.start - start..][..band.len].fill(number);
    }
    let band = |place: usize| place.checked_sub(start).and_then(|place| band_of.get(place)).copied();
    for (x, y, similarity) in known.filter(|(x, y, _)| x != y) {
        if let (Some(i), Some(j)) = (band(x), band(y)) {
            let value = &mut values[i.min(j) * b + i.max(j)];
            *value = value.max(similarity);
        }
    }
    for i in 0..b {
        if bands[i].len == 1 {
            values[i * b + i] = 1.0;
        }
        for j in 0..i {
            values[i * b + j] = values[j * b + i];
        }
    }
    values.iter_mut().for_each(|value| *value = value.clamp(-1.0, 1.0));
    values
}

/// The places of a band that are compared.
fn looked_at(band: &Band, all: bool) -> Vec<usize> {
    let count = if all { band.len } else { band.len.min(OF_BAND) };
    (0..count).map(|i| band.start + i * band.len / count).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{bands, grid};
    use super::*;

    fn rows(n: usize) -> Vec<[f32; 2]> {
        (0..n).map(|i| (i as f32 * 0.7).sin() * 2.0).map(|angle: f32| [angle.cos(), angle.sin()]).collect()
    }

    fn by_hand(rows: &[[f32; 2]], x: &Band, y: &Band) -> f32 {
        let pairs = (x.start..x.start + x.len).flat_map(|p| (y.start..y.start + y.len).map(move |q| (p, q)));
        let similarity = |(p, q): (usize, usize)| rows[p][0] * rows[q][0] + rows[p][1] * rows[q][1];
        pairs.filter(|(p, q)| p != q).map(similarity).fold(f32::NEG_INFINITY, f32::max)
    }

    #[test]
    fn the_strongest_pair_of_two_blocks_is_found() {
        let n = 400;
        let rows = rows(n);
        let clusters: Vec<Option<u32>> = (0..n).map(|i| (i < 300).then_some(i as u32 / 150)).collect();
        let drawn = grid(|row| &rows[row][..], 2, &clusters, std::iter::empty());
        let b = drawn.bands.len();
        for (i, x) in drawn.bands.iter().enumerate() {
            for (j, y) in drawn.bands.iter().enumerate() {
                let expect = by_hand(&rows, x, y).clamp(-1.0, 1.0);
                assert!((drawn.strongest[i * b + j] - expect).abs() < 1e-5, "{i} {j}");
                assert!(drawn.strongest[i * b + j] >= drawn.values[i * b + j] - 1e-5, "no mean is above it");
            }
        }
        assert!(drawn.strongest_scale.0 <= drawn.strongest_scale.1);
        let few = grid(|row| &rows[row][..], 2, &clusters[..100], std::iter::empty());
        assert!(few.strongest.is_empty(), "cells of two documents say it themselves");
    }

    #[test]
    fn of_many_documents_pairs_that_are_known_are_found() {
        let n = COMPARED + 500;
        // All alike but two, which no sample has.
        let (a, b) = (2, n - 1);
        let vector = |place: usize| if place == a || place == b { &[0.0, 1.0][..] } else { &[1.0, 0.0][..] };
        let bands = bands(&vec![None; n], 0..n, 60);
        let (first, last) = (0, bands.len() - 1);
        assert!(!looked_at(&bands[first], false).contains(&a) && !looked_at(&bands[last], false).contains(&b));
        let clusters = |known: Option<(usize, usize, f32)>| {
            strongest(&Sample::new(vector, 2, &bands), &bands, &mut known.into_iter())
        };
        assert!((clusters(None)[last] - 1.0).abs() < 1e-6, "others are alike");
        let weak = |place: usize| {
            if place == a || place == b || place < bands[1].start { &[0.0, 1.0][..] } else { &[1.0, 0.0] }
        };
        let found = |known: Option<(usize, usize, f32)>| {
            strongest(&Sample::new(weak, 2, &bands), &bands, &mut known.into_iter())[last]
        };
        assert_eq!((found(None), found(Some((a, b, 0.9))), found(Some((b, a, 0.9)))), (0.0, 0.9, 0.9));
        assert_eq!(found(Some((a, a, 1.0))), 0.0, "a document is no pair with itself");
    }
}
