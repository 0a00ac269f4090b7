//! The exact nearest neighbours of every vector, by matrix products of blocks: no n² matrix, all cores.

use rayon::prelude::*;

use super::vectors::Vectors;
use crate::matrix::{MatrixMut, multiply};

/// Rows whose neighbours one job looks for.
const ROWS: usize = 128;
/// Rows they are compared with at a time: a block of similarities stays in a core's cache.
const COLUMNS: usize = 1024;

/// For each row of a set of vectors, its nearest other rows.
#[derive(Clone, Debug, Default, PartialEq)]
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

    /// Neighbours as [`Self::all`] gave them, `count` for each row.
    pub fn kept(count: usize, nearest: Vec<(u32, f32)>) -> Self {
        Self { count, nearest }
    }

    /// Whether they can be those of so many rows, at least `least` of each or all others.
    pub fn are_of(&self, rows: usize, least: usize) -> bool {
        self.nearest.len() == rows * self.count
            && self.count >= least.min(rows.saturating_sub(1))
            && self.nearest.iter().all(|&(row, _)| (row as usize) < rows)
    }

    /// The nearest `count` of each row alone.
    pub fn first(&self, count: usize) -> Self {
        let count = count.min(self.count);
        let rows = self.nearest.chunks_exact(self.count.max(1));
        Self { count, nearest: rows.flat_map(|row| &row[..count]).copied().collect() }
    }

    /// The same where some rows are apart that were one before; `of` says of each row which one that was. As many for each
    /// as before, or as there are. Nothing is compared anew: parts of a row are as near to each other as can be, and to others
    /// as the row was.
    pub fn apart(&self, of: &[usize]) -> Self {
        let mut parts: Vec<Vec<u32>> = vec![Vec::new(); of.iter().max().map_or(0, |&most| most + 1)];
        (0_u32..).zip(of).for_each(|(row, &before)| parts[before].push(row));
        // Rows that had all others have all others again.
        let all = of.len().saturating_sub(1);
        let count = if self.count + 1 >= parts.len() { all } else { self.count.min(all) };
        let nearest = of.iter().enumerate().flat_map(|(row, &before)| {
            let same = parts[before].iter().filter(|&&other| other as usize != row).map(|&other| (other, 1.0));
            let others = self.of(before).iter();
            let others =
                others.flat_map(|&(other, similarity)| parts[other as usize].iter().map(move |&o| (o, similarity)));
            let mut near: Vec<(u32, f32)> = same.chain(others).collect();
            near.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            near.truncate(count);
            near
        });
        Self { count, nearest: nearest.collect() }
    }

    /// All of them, row by row.
    pub fn all(&self) -> &[(u32, f32)] {
        &self.nearest
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
    fn rows_that_come_apart_need_no_comparing() {
        let angles: Vec<f32> = (0..40).map(|i| i as f32 * 0.37).collect();
        let rows: Vec<[f32; 2]> = angles.iter().map(|angle| [angle.cos(), angle.sin()]).collect();
        // The seventh is there three times under labels of its own, the last twice.
        let copies = || (0..40).map(|row| (row, 0)).chain([(7, 1), (7, 2), (39, 1)]);
        let whole = Vectors::distinct(copies().map(|(row, _): (usize, u8)| &rows[row][..]));
        let apart = Vectors::distinct_by(copies().map(|(row, label): (usize, u8)| (&rows[row][..], label)));
        let of: Vec<usize> = (0..apart.len()).map(|row| whole.rows()[apart.documents(row)[0] as usize]).collect();
        for count in [6, 100] {
            let derived = Neighbours::exact(&whole, count).apart(&of);
            let found = Neighbours::exact(&apart, count);
            assert_eq!(derived.count(), found.count());
            for row in 0..apart.len() {
                let similarity = |list: &[(u32, f32)]| list.iter().map(|near| near.1).collect::<Vec<_>>();
                let (derived, found) = (similarity(derived.of(row)), similarity(found.of(row)));
                let differ = derived.iter().zip(&found).any(|(a, b)| (a - b).abs() > 1e-6);
                assert!(!differ && derived.len() == found.len(), "row {row}: {derived:?}, {found:?}");
            }
        }
    }

    #[test]
    fn what_was_kept_fits_or_is_not_used() {
        let rows: Vec<[f32; 2]> = (0..9).map(|i| [(i as f32).cos(), (i as f32).sin()]).collect();
        let vectors = Vectors::distinct(rows.iter().map(<[f32; 2]>::as_slice));
        let found = Neighbours::exact(&vectors, 6);
        let first = found.first(4);
        assert_eq!(first, Neighbours::exact(&vectors, 4));
        let kept = Neighbours::kept(first.count(), first.all().to_vec());
        assert_eq!(kept, first);
        assert!(kept.are_of(9, 4) && kept.are_of(9, 3));
        assert!(!kept.are_of(9, 5), "too few");
        assert!(!kept.are_of(10, 4) && !kept.are_of(8, 4), "of other rows");
        assert!(!Neighbours::kept(9, first.all().to_vec()).are_of(4, 4), "of other rows");
        assert!(Neighbours::exact(&vectors, 20).are_of(9, 15), "there are no more");
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
