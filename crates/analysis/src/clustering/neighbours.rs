//! The exact nearest neighbours of every vector, by matrix products of blocks: no n² matrix, all cores.

use rayon::prelude::*;

use super::vectors::Vectors;
use crate::matrix::{MatrixMut, multiply};

/// Rows whose neighbours one job looks for.
const ROWS: usize = 128;
/// Rows they are compared with at a time: a block of similarities stays in a core's cache.
const COLUMNS: usize = 1024;

/// For each row of a set of vectors, its nearest other rows.
pub struct Neighbours {
    /// Neighbours of each row: the number wanted, or all others when there are fewer.
    count: usize,
    /// `count` for each row: nearest first, ties by index.
    nearest: Vec<(u32, f32)>,
}

impl Neighbours {
    /// Finds the `count` nearest neighbours of each row by cosine similarity (rows are unit vectors).
    /// Costs `n² d` multiplications and `n * count` memory.
    pub fn exact(vectors: &Vectors, count: usize) -> Self {
        let n = vectors.len();
        let count = count.min(n.saturating_sub(1));
        let starts: Vec<usize> = (0..n).step_by(ROWS).collect();
        let nearest = starts.into_par_iter().flat_map_iter(|start| block(vectors, start, count)).collect();
        Self { count, nearest }
    }

    /// Neighbours that were found otherwise: `count` for each row, nearest first.
    pub(super) fn found(count: usize, nearest: impl Iterator<Item = (u32, f32)>) -> Self {
        let nearest = nearest.map(|(row, similarity)| (row, similarity.clamp(-1.0, 1.0))).collect();
        Self { count, nearest }
    }

    /// How many neighbours each row has.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The neighbours of `row` with their cosine similarities, nearest first.
    pub fn of(&self, row: usize) -> &[(u32, f32)] {
        &self.nearest[row * self.count..][..self.count]
    }
}

/// The neighbours of the rows of the block that begins with row `start`.
fn block(vectors: &Vectors, start: usize, count: usize) -> Vec<(u32, f32)> {
    let n = vectors.len();
    let end = (start + ROWS).min(n);
    let mut best: Vec<Best> = (start..end).map(|_| Best::new(count)).collect();
    let mut similarities = vec![0.0; (end - start) * COLUMNS.min(n)];
    for from in (0..n).step_by(COLUMNS) {
        let to = (from + COLUMNS).min(n);
        let similarities = &mut similarities[..(end - start) * (to - from)];
        multiply(
            &mut MatrixMut::new(similarities, end - start, to - from),
            0.0,
            vectors.matrix(start, end),
            vectors.matrix(from, to).transposed(),
            1.0,
        );
        for (i, (best, row)) in best.iter_mut().zip(similarities.chunks_exact(to - from)).enumerate() {
            for (j, &similarity) in row.iter().enumerate() {
                if similarity > best.least && from + j != start + i {
                    best.insert((from + j) as u32, similarity);
                }
            }
        }
    }
    best.into_iter().flat_map(|best| best.found).map(|(j, similarity)| (j, similarity.clamp(-1.0, 1.0))).collect()
}

/// The best candidates so far, best first; of equal ones the earlier stays in front.
pub(super) struct Best {
    found: Vec<(u32, f32)>,
    count: usize,
    /// What a candidate must surpass.
    least: f32,
}

impl Best {
    pub(super) fn new(count: usize) -> Self {
        let least = if count == 0 { f32::INFINITY } else { f32::NEG_INFINITY };
        Self { found: Vec::with_capacity(count + 1), count, least }
    }

    /// Takes the row in when it is nearer than what is there, or there is room.
    pub(super) fn offer(&mut self, row: u32, similarity: f32) {
        if similarity > self.least {
            self.insert(row, similarity);
        }
    }

    pub(super) fn into_found(self) -> Vec<(u32, f32)> {
        self.found
    }

    pub(super) fn insert(&mut self, row: u32, similarity: f32) {
        let place = self.found.partition_point(|&(_, other)| other >= similarity);
        self.found.insert(place, (row, similarity));
        self.found.truncate(self.count);
        if self.found.len() == self.count {
            self.least = self.found.last().map_or(f32::INFINITY, |&(_, similarity)| similarity);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clustering::vectors::dot;

    #[test]
    fn blocks_find_what_comparing_all_pairs_finds() {
        let n = 1500;
        let rows: Vec<Vec<f32>> = (0..n)
            .map(|i| {
                let angle = i as f32 * 0.618;
                vec![angle.cos() * 0.8, angle.sin() * 0.8, 0.6]
            })
            .collect();
        let vectors = Vectors::distinct(rows.iter().map(Vec::as_slice));
        let found = Neighbours::exact(&vectors, 5);
        for i in (0..n).step_by(97) {
            let mut all: Vec<f32> = (0..n).filter(|&j| j != i).map(|j| dot(&rows[i], &rows[j])).collect();
            all.sort_by(|a, b| b.total_cmp(a));
            for (&(j, similarity), expect) in found.of(i).iter().zip(&all) {
                assert!((similarity - expect).abs() < 1e-6 && j as usize != i, "row {i}");
            }
        }
    }

    #[test]
    fn fewer_rows_than_wanted_are_all_neighbours() {
        let rows = [[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]];
        let check = |n: usize, expect: usize| {
            let vectors = Vectors::distinct(rows[..n].iter().map(<[f32; 2]>::as_slice));
            assert_eq!(Neighbours::exact(&vectors, 10).count(), expect);
        };
        check(0, 0);
        check(1, 0);
        check(3, 2);
    }
}
