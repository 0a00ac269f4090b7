//! Dense regions: DBSCAN (Ester, Kriegel, Sander and Xu 1996) by linfa, with the cosine. What is near what is found beforehand by
//! blocked matrix products, one bit for each pair, for no tree helps in hundreds of dimensions.

use std::sync::Arc;

use linfa::traits::Transformer;
use linfa::{Float, ParamGuard};
use linfa_clustering::Dbscan;
use linfa_nn::distance::{Distance, L2Dist};
use linfa_nn::{BuildError, NearestNeighbour, NearestNeighbourIndex, NnError};
use ndarray::{Array2, ArrayBase, ArrayView1, ArrayView2, Data, Ix2};
use rayon::prelude::*;

use super::vectors::Vectors;
use crate::matrix::{MatrixMut, multiply};

/// Rows that are compared with all others at a time.
const ROWS: usize = 64;

/// A group for each row, numbered without gaps; none for a row that no dense region reaches. A row of several documents counts as
/// many. Costs `n² d` multiplications and `n²` bits.
pub fn dbscan(vectors: &Vectors, similarity: f32, least: usize) -> Vec<Option<u32>> {
    let n = vectors.len();
    if n == 0 {
        return Vec::new();
    }
    // linfa is given the numbers of rows, and an index that knows which rows are near.
    let numbers = Array2::from_shape_fn((n, 1), |(row, _)| row as f64);
    let near = Near::new(vectors, similarity, least);
    let params = Dbscan::params_with(least.max(2), L2Dist, near).tolerance(1.0);
    let params = params.check().expect("at least 2 documents and a tolerance above 0");
    params.transform(&numbers).iter().map(|group| group.map(|group| group as u32)).collect()
}

/// Which rows are near which.
#[derive(Clone)]
struct Near {
    bits: Arc<[u64]>,
    /// Words of a row.
    words: usize,
    /// How often each row counts.
    weights: Arc<[usize]>,
}

impl std::fmt::Debug for Near {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Near").field("rows", &self.weights.len()).finish_non_exhaustive()
    }
}

impl Near {
    fn new(vectors: &Vectors, similarity: f32, least: usize) -> Self {
        let n = vectors.len();
        let words = n.div_ceil(64);
        let mut bits = vec![0_u64; n * words];
        bits.par_chunks_mut(words * ROWS).enumerate().for_each(|(block, bits)| {
            let start = block * ROWS;
            let end = (start + ROWS).min(n);
            let mut similarities = vec![0.0; (end - start) * n];
            let (rows, all) = (vectors.matrix(start, end), vectors.matrix(0, n).transposed());
            multiply(&mut MatrixMut::new(&mut similarities, end - start, n), 0.0, rows, all, 1.0);
            for (row, (bits, similarities)) in bits.chunks_mut(words).zip(similarities.chunks(n)).enumerate() {
                for (other, &value) in similarities.iter().enumerate() {
                    if value >= similarity || other == start + row {
                        bits[other / 64] |= 1 << (other % 64);
                    }
                }
            }
        });
        let weights = (0..n).map(|row| vectors.documents(row).len().min(least)).collect();
        Self { bits: bits.into(), words, weights }
    }

    /// The rows that are near one, each as often as it counts.
    fn of(&self, row: usize) -> impl Iterator<Item = usize> + '_ {
        let bits = &self.bits[row * self.words..][..self.words];
        let set = bits.iter().enumerate().flat_map(|(word, &bits)| {
            let places = std::iter::successors(Some(bits), |bits| Some(bits & bits.wrapping_sub(1)));
            places.take_while(|&bits| bits != 0).map(move |bits| word * 64 + bits.trailing_zeros() as usize)
        });
        set.flat_map(|other| std::iter::repeat_n(other, self.weights[other]))
    }
}

impl NearestNeighbour for Near {
    fn from_batch_with_leaf_size<'a, F: Float, DT: Data<Elem = F>, D: 'a + Distance<F>>(
        &self,
        batch: &'a ArrayBase<DT, Ix2>,
        _leaf_size: usize,
        _distance: D,
    ) -> Result<Box<dyn 'a + Send + Sync + NearestNeighbourIndex<F>>, BuildError> {
        Ok(Box::new(Index { numbers: batch.view(), near: self.clone() }))
    }
}

/// Answers for rows that are given by their number.
struct Index<'a, F> {
    numbers: ArrayView2<'a, F>,
    near: Near,
}

impl<F: Float> NearestNeighbourIndex<F> for Index<'_, F> {
    fn k_nearest(&self, point: ArrayView1<'_, F>, k: usize) -> Result<Vec<(ArrayView1<'_, F>, usize)>, NnError> {
        // DBSCAN asks for ranges only; any rows that are near are an answer to this.
        self.within_range(point, F::one()).map(|mut near| {
            near.truncate(k);
            near
        })
    }

    fn within_range(&self, point: ArrayView1<'_, F>, _: F) -> Result<Vec<(ArrayView1<'_, F>, usize)>, NnError> {
        let row = point.first().and_then(F::to_usize).filter(|&row| row < self.numbers.nrows());
        let row = row.ok_or(NnError::WrongDimension)?;
        Ok(self.near.of(row).map(|other| (self.numbers.row(other), other)).collect())
    }
}

#[cfg(test)]
mod tests {
    use linfa_nn::CommonNearestNeighbour;

    use super::*;

    #[test]
    fn it_finds_what_linfa_finds_by_looking_at_every_pair() {
        let rows: Vec<[f32; 3]> = (0..300)
            .map(|i| {
                let angle = (i % 37) as f32 * 0.17 + (i * 7 % 5) as f32 * 0.02;
                let tilt = (i / 37) as f32 * 0.05 + (i * 3 % 4) as f32 * 0.01;
                [angle.cos() * tilt.cos(), angle.sin() * tilt.cos(), tilt.sin()]
            })
            .collect();
        let vectors = Vectors::distinct(rows.iter().map(<[f32; 3]>::as_slice));
        assert_eq!(vectors.len(), 300, "no two are the same");
        let data = Array2::from_shape_fn((300, 3), |(row, column)| rows[row][column]);
        for (similarity, least) in [(0.998, 2), (0.995, 3), (0.99, 6)] {
            // On the unit sphere a cosine is a distance.
            let params = Dbscan::params_with(least, L2Dist, CommonNearestNeighbour::LinearSearch);
            let params = params.tolerance((2.0_f32 - 2.0 * similarity).sqrt()).check().expect("valid");
            let expect: Vec<Option<u32>> =
                params.transform(&data).iter().map(|group| group.map(|group| group as u32)).collect();
            assert_eq!(dbscan(&vectors, similarity, least), expect, "{similarity} {least}");
            assert!(expect.iter().any(Option::is_some), "{similarity} {least}");
        }
    }

    #[test]
    fn copies_count_as_documents_and_lonely_rows_fit_nowhere() {
        let (a, b) = ([1.0_f32, 0.0], [0.0_f32, 1.0]);
        let vectors = Vectors::distinct([&a, &a, &a, &b].map(<[f32; 2]>::as_slice));
        assert_eq!(dbscan(&vectors, 0.9, 3), [Some(0), None]);
        assert_eq!(dbscan(&vectors, 0.9, 4), [None, None]);
    }
}
