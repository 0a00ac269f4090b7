//! What belongs to single rows: the table of word embeddings, and the parameters of layer norms.

use crate::embedding::minilm::{HIDDEN, layers};

/// Word embeddings in int8 with a scale for each word: a quarter of the memory of f32.
pub(super) struct WordTable {
    values: Vec<i8>,
    scales: Vec<f32>,
}

impl WordTable {
    pub(super) fn new(words: &[f32]) -> Self {
        let mut values = Vec::with_capacity(words.len());
        let mut scales = Vec::with_capacity(words.len() / HIDDEN);
        for word in words.chunks_exact(HIDDEN) {
            let scale = word.iter().fold(0.0_f32, |most, x| most.max(x.abs())).max(f32::MIN_POSITIVE) / 127.0;
            values.extend(word.iter().map(|x| (x / scale).round().clamp(-127.0, 127.0) as i8));
            scales.push(scale);
        }
        Self { values, scales }
    }

    /// Appends the embedding of word `id` plus `place`.
    pub(super) fn extend(&self, id: u32, place: &[f32], states: &mut Vec<f32>) {
        let id = id as usize;
        let (word, scale) = (&self.values[id * HIDDEN..][..HIDDEN], self.scales[id]);
        states.extend(word.iter().zip(place).map(|(&q, place)| f32::from(q).mul_add(scale, *place)));
    }
}

/// A layer norm's parameters.
pub(super) struct Norm {
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
}

impl Norm {
    pub(super) fn new(norm: layers::Norm<'_>) -> Self {
        Self { weight: norm.weight.to_vec(), bias: norm.bias.to_vec() }
    }
}
