//! The encoder in f32 on the mapped weights: the readable reference, and the path for any machine.

use super::layers::{Embeddings, Layer, Linear, Norm};
use super::{Encode, HEAD, HEADS, HIDDEN, INNER, LAYER_NORM_EPSILON, LAYERS};
use crate::embedding::checkpoint::Checkpoint;
use crate::embedding::models::ModelError;
use crate::matrix::{Matrix, MatrixMut, multiply};

pub(super) struct FloatEncoder {
    checkpoint: Checkpoint,
}

impl Encode for FloatEncoder {
    fn encode(&self, sequences: &[Vec<u32>]) -> Vec<[f32; HIDDEN]> {
        sequences.iter().map(|sequence| self.encode_one(sequence)).collect()
    }
}

impl FloatEncoder {
    /// Checks that all tensors are there.
    pub(super) fn new(checkpoint: Checkpoint) -> Result<Self, ModelError> {
        Embeddings::read(&checkpoint)?;
        for index in 0..LAYERS {
            Layer::read(&checkpoint, index)?;
        }
        Ok(Self { checkpoint })
    }

    fn encode_one(&self, ids: &[u32]) -> [f32; HIDDEN] {
        let n = ids.len();
        let mut states = self.embed(ids);
        for index in 0..LAYERS {
            let layer = Layer::read(&self.checkpoint, index).expect("checked when the model was opened");
            let [q, k, v] = [layer.query, layer.key, layer.value].map(|map| apply(map, &states, HIDDEN, HIDDEN));
            let context = attend(&q, &k, &v, n);
            let attended = apply(layer.attention_output, &context, HIDDEN, HIDDEN);
            add_norm(&mut states, &attended, layer.attention_norm);
            let mut inner = apply(layer.inner, &states, HIDDEN, INNER);
            inner.iter_mut().for_each(|x| *x = gelu(*x));
            let output = apply(layer.output, &inner, INNER, HIDDEN);
            add_norm(&mut states, &output, layer.output_norm);
        }
        let mut mean = [0.0; HIDDEN];
        for state in states.chunks_exact(HIDDEN) {
            mean.iter_mut().zip(state).for_each(|(mean, x)| *mean += x / n as f32);
        }
        mean
    }

    fn embed(&self, ids: &[u32]) -> Vec<f32> {
        let Embeddings { words, positions, kind, norm } =
            Embeddings::read(&self.checkpoint).expect("checked when the model was opened");
        let mut states = Vec::with_capacity(ids.len() * HIDDEN);
        for (position, &id) in ids.iter().enumerate() {
            let word = &words[id as usize * HIDDEN..][..HIDDEN];
            let place = &positions[position * HIDDEN..][..HIDDEN];
            states.extend(word.iter().zip(place).zip(kind).map(|((a, b), c)| a + b + c));
        }
        states.chunks_exact_mut(HIDDEN).for_each(|state| layer_norm(state, norm));
        states
    }
}

/// `W x + b` for each row `x` of `states`.
fn apply(map: Linear<'_>, states: &[f32], inputs: usize, outputs: usize) -> Vec<f32> {
    let rows = states.len() / inputs;
    let mut result: Vec<f32> = (0..rows).flat_map(|_| map.bias.iter().copied()).collect();
    multiply(
        &mut MatrixMut::new(&mut result, rows, outputs),
        1.0,
        Matrix::new(states, rows, inputs),
        Matrix::new(map.weight, outputs, inputs).transposed(),
        1.0,
    );
    result
}

/// Scaled dot-product attention of all heads over one sequence of `n` tokens; `n` rows of `HIDDEN`.
fn attend(q: &[f32], k: &[f32], v: &[f32], n: usize) -> Vec<f32> {
    let scale = 1.0 / (HEAD as f32).sqrt();
    let mut context = vec![0.0; n * HIDDEN];
    let mut scores = vec![0.0; n * n];
    for head in 0..HEADS {
        let part = |x| Matrix::new(x, n, HIDDEN).columns(head * HEAD, HEAD);
        multiply(&mut MatrixMut::new(&mut scores, n, n), 0.0, part(q), part(k).transposed(), scale);
        scores.chunks_exact_mut(n).for_each(softmax);
        let mut context = MatrixMut::new(&mut context, n, HIDDEN).into_columns(head * HEAD, HEAD);
        multiply(&mut context, 0.0, Matrix::new(&scores, n, n), part(v), 1.0);
    }
    context
}

fn softmax(row: &mut [f32]) {
    let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter_mut().for_each(|x| *x = (*x - max).exp());
    let sum: f32 = row.iter().sum();
    row.iter_mut().for_each(|x| *x /= sum);
}

/// `states = norm(states + added)`.
fn add_norm(states: &mut [f32], added: &[f32], norm: Norm<'_>) {
    states.iter_mut().zip(added).for_each(|(x, y)| *x += y);
    states.chunks_exact_mut(HIDDEN).for_each(|state| layer_norm(state, norm));
}

fn layer_norm(state: &mut [f32], norm: Norm<'_>) {
    let n = state.len() as f32;
    let mean = state.iter().sum::<f32>() / n;
    let variance = state.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / n;
    let scale = 1.0 / (variance + LAYER_NORM_EPSILON).sqrt();
    for ((x, weight), bias) in state.iter_mut().zip(norm.weight).zip(norm.bias) {
        *x = (*x - mean) * scale * weight + bias;
    }
}

/// The Gaussian error linear unit in its common form with tanh (Hendrycks and Gimpel 2016), within 0.0005 of the exact
/// one: `x / (1 + exp(-2 sqrt(2/pi) (x + 0.044715 x³)))`.
fn gelu(x: f32) -> f32 {
    x / (1.0 + (-1.595_769_2 * (x + 0.044_715 * x * x * x)).exp())
}
