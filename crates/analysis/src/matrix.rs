//! Row-major f32 matrices by reference, and their product by the `gemm` crate on the calling thread.

use gemm::Parallelism;

/// A matrix that is read.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

/// A matrix that is written, its columns adjacent.
pub(crate) struct MatrixMut<'a> {
    data: &'a mut [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
}

impl<'a> Matrix<'a> {
    /// `rows` times `columns` values, row by row.
    pub(crate) fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(data.len(), rows * columns, "the shape must fit the data");
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The same values with rows and columns exchanged.
    pub(crate) const fn transposed(self) -> Self {
        let Self { data, rows, columns, row_stride, column_stride } = self;
        Self { data, rows: columns, columns: rows, row_stride: column_stride, column_stride: row_stride }
    }

    /// Columns `start..start + len`; not of an empty or transposed matrix.
    pub(crate) fn columns(self, start: usize, len: usize) -> Self {
        assert!(start + len <= self.columns && self.column_stride == 1, "the columns must exist");
        Self { data: &self.data[start..], columns: len, ..self }
    }
}

impl<'a> MatrixMut<'a> {
    /// `rows` times `columns` values, row by row.
    pub(crate) fn new(data: &'a mut [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(data.len(), rows * columns, "the shape must fit the data");
        Self { data, rows, columns, row_stride: columns }
    }

    /// Columns `start..start + len`.
    pub(crate) fn into_columns(self, start: usize, len: usize) -> Self {
        assert!(start + len <= self.columns, "the columns must exist");
        Self { data: &mut self.data[start..], columns: len, ..self }
    }
}

/// `c = beta c + alpha a b`, on the calling thread alone.
///
/// # Panics
/// When the shapes do not fit together.
pub(crate) fn multiply(c: &mut MatrixMut<'_>, beta: f32, a: Matrix<'_>, b: Matrix<'_>, alpha: f32) {
    assert_eq!((a.rows, b.columns, a.columns), (c.rows, c.columns, b.rows), "shapes must fit");
    if c.rows == 0 || c.columns == 0 {
        return;
    }
    #[expect(unsafe_code, reason = "the gemm crate takes pointers and strides")]
    // SAFETY: each matrix was made from a slice that covers all its rows and columns, the shapes fit together (asserted),
    // and `c` is borrowed exclusively, so it does not overlap `a` or `b`.
    unsafe {
        gemm::gemm(
            c.rows,
            c.columns,
            a.columns,
            c.data.as_mut_ptr(),
            1,
            c.row_stride as isize,
            beta != 0.0,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            beta,
            alpha,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// The cosine similarity of every one of `rows` to every one of `all` (both row-major, unit vectors of `dimensions`), row by
/// row, -1 to 1. On the calling thread alone. What else is asked for changes a value by the rounding of f32 at most, for another
/// number of rows may be summed in another order.
///
/// # Panics
/// When a slice does not hold whole vectors.
pub fn similarities(rows: &[f32], all: &[f32], dimensions: usize) -> Vec<f32> {
    let mut values = products(rows, all, dimensions);
    values.iter_mut().for_each(|value| *value = value.clamp(-1.0, 1.0));
    values
}

/// The scalar product of every one of `rows` and every one of `all`, row by row. On the calling thread alone.
///
/// # Panics
/// When a slice does not hold whole vectors.
pub(crate) fn products(rows: &[f32], all: &[f32], dimensions: usize) -> Vec<f32> {
    let (count, of) = (rows.len() / dimensions, all.len() / dimensions);
    let mut values = vec![0.0; count * of];
    let (rows, all) = (Matrix::new(rows, count, dimensions), Matrix::new(all, of, dimensions).transposed());
    multiply(&mut MatrixMut::new(&mut values, count, of), 0.0, rows, all, 1.0);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn company_changes_a_similarity_by_rounding_only() {
        let (n, d) = (70, 256);
        let vectors: Vec<f32> = (0..n * d).map(|i| ((i * 7919) % 2003) as f32 / 1001.5 - 1.0).collect();
        let scaled: Vec<f32> = vectors
            .chunks_exact(d)
            .flat_map(|row| {
                let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
                row.iter().map(move |x| x / norm)
            })
            .collect();
        let together = similarities(&scaled, &scaled, d);
        for row in [0, 33, 69] {
            let alone = similarities(&scaled[row * d..(row + 1) * d], &scaled, d);
            for (alone, together) in alone.iter().zip(&together[row * n..]) {
                assert!((alone - together).abs() < 1e-6, "{alone} {together}");
            }
            let exact: f32 = scaled[row * d..][..d].iter().zip(&scaled[5 * d..]).map(|(x, y)| x * y).sum();
            assert!((alone[5] - exact).abs() < 1e-5 && alone[row] > 0.9999, "{row}");
        }
    }

    #[test]
    fn products_equal_the_definition() {
        let a: Vec<f32> = (0..6).map(|x| x as f32).collect();
        let b: Vec<f32> = (0..6).map(|x| (x * x) as f32).collect();
        let mut c = vec![1.0; 4];
        let (x, y) = (Matrix::new(&a, 2, 3), Matrix::new(&b, 2, 3).transposed());
        multiply(&mut MatrixMut::new(&mut c, 2, 2), 1.0, x, y, 2.0);
        let entry = |i: usize, j: usize| 1.0 + 2.0 * (0..3).map(|k| a[i * 3 + k] * b[j * 3 + k]).sum::<f32>();
        assert_eq!(c, [entry(0, 0), entry(0, 1), entry(1, 0), entry(1, 1)]);
    }
}
