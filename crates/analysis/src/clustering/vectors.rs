//! The distinct vectors of a batch, in one block of memory. Documents with the same vector are one row, so that copies
//! always share a cluster and never crowd out each other's neighbours.

use std::hash::Hash;

use linfa_linalg::eigh::{EigSort, EighInto};
use ndarray::{ArrayView2, s};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::matrix::{Matrix, MatrixMut, multiply};

/// Rows that directions are found on, at most, taken evenly.
const SAMPLE: usize = 4_096;
/// Rows that one job turns.
const ROWS: usize = 512;

/// Unit vectors, row by row, no two rows the same (but see [`Vectors::distinct_by`]).
#[derive(Clone)]
pub struct Vectors {
    data: Vec<f32>,
    dimensions: usize,
    /// For each row the documents that have it, ascending.
    documents: Vec<Vec<u32>>,
}

impl Vectors {
    /// Collects the distinct ones among `vectors`, in the order of their first appearance.
    ///
    /// # Panics
    /// When the vectors have different lengths.
    pub fn distinct<'a>(vectors: impl IntoIterator<Item = &'a [f32]>) -> Self {
        Self::distinct_by(vectors.into_iter().map(|vector| (vector, ())))
    }

    /// The same, where documents share a row only if they also have the same label.
    ///
    /// # Panics
    /// When the vectors have different lengths.
    pub fn distinct_by<'a, L: Eq + Hash>(vectors: impl IntoIterator<Item = (&'a [f32], L)>) -> Self {
        let mut distinct = Self { data: Vec::new(), dimensions: 0, documents: Vec::new() };
        let mut rows: FxHashMap<(&[u8], L), usize> = FxHashMap::default();
        for (document, (vector, label)) in vectors.into_iter().enumerate() {
            if document == 0 {
                distinct.dimensions = vector.len();
            }
            assert_eq!(vector.len(), distinct.dimensions, "vectors of one model have one length");
            let row = *rows.entry((bytemuck::cast_slice(vector), label)).or_insert_with(|| {
                distinct.data.extend(vector);
                distinct.documents.push(Vec::new());
                distinct.documents.len() - 1
            });
            distinct.documents[row].push(document as u32);
        }
        distinct
    }

    /// The same rows along the `count` orthogonal directions in which they reach farthest: inner products hardly change. The directions
    /// are eigenvectors of the second moments of a sample (the singular vectors of Eckart and Young 1936). As they are where there are no more dimensions than that.
    pub(super) fn reduced(&self, count: usize) -> Self {
        let (n, d) = (self.len(), self.dimensions);
        let directions = if count < d { self.directions(count) } else { None };
        let Some(directions) = directions else { return self.clone() };
        let mut data = vec![0.0; n * count];
        data.par_chunks_mut(ROWS * count).zip(self.data.par_chunks(ROWS * d)).for_each(|(to, from)| {
            let rows = from.len() / d;
            let (from, turn) = (Matrix::new(from, rows, d), Matrix::new(&directions, d, count));
            multiply(&mut MatrixMut::new(to, rows, count), 0.0, from, turn, 1.0);
        });
        Self { data, dimensions: count, documents: self.documents.clone() }
    }

    /// The directions, column by column of a matrix of `dimensions` rows.
    fn directions(&self, count: usize) -> Option<Vec<f32>> {
        let rows = self.len();
        let all = ArrayView2::from_shape((rows, self.dimensions), &self.data).ok()?;
        let sample = all.slice(s![..;rows.div_ceil(SAMPLE).max(1), ..]).mapv(f64::from);
        let (_, directions) = sample.t().dot(&sample).eigh_into().ok()?.sort_eig_desc();
        Some(directions.slice(s![.., ..count]).iter().map(|&x| x as f32).collect())
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// The length of a row.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// One row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.data[row * self.dimensions..][..self.dimensions]
    }

    /// The documents whose vector a row is.
    pub fn documents(&self, row: usize) -> &[u32] {
        &self.documents[row]
    }

    /// For each document its row.
    pub fn rows(&self) -> Vec<usize> {
        let mut rows = vec![0; self.documents.iter().map(Vec::len).sum()];
        for (row, documents) in self.documents.iter().enumerate() {
            documents.iter().for_each(|&document| rows[document as usize] = row);
        }
        rows
    }

    /// All values, row by row.
    pub(crate) fn data(&self) -> &[f32] {
        &self.data
    }

    /// Rows `start..end` as a matrix.
    pub(crate) fn matrix(&self, start: usize, end: usize) -> Matrix<'_> {
        Matrix::new(&self.data[start * self.dimensions..end * self.dimensions], end - start, self.dimensions)
    }
}

/// The inner product of two vectors.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    // Eight partial sums: one chain of additions would wait for itself.
    let mut sums = [0.0_f32; 8];
    let (a, b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a.zip(b) {
        for i in 0..8 {
            sums[i] += x[i] * y[i];
        }
    }
    sums.iter().sum::<f32>() + rest
}
