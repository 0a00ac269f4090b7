//! The encoder in int8 by AVX-512 VNNI: weights are quantised and packed once, tokens of several sequences go through
//! the linear maps together, attention runs sequence by sequence in f32.
//!
//! Every row (token) is quantised by itself and every sum has one order, so a sequence's result does not depend on what
//! else is in the microbatch.

mod attention;
mod kernel;
mod linear;
mod rows;

use std::sync::Mutex;

use super::layers::{Embeddings, Layer, Linear};
use super::{HIDDEN, INNER, LAYERS};
use crate::embedding::checkpoint::Checkpoint;
use crate::embedding::models::ModelError;
use kernel::Avx512;
use linear::{Layout, PackedLinear, Quantised};
use rows::{Norm, WordTable};

/// Rows that pass the feed-forward network at a time, so that its inner states stay in the core's cache.
const INNER_ROWS: usize = 96;

/// Whether this processor has the instructions.
pub(super) fn is_available() -> bool {
    Avx512::detect().is_some()
}

pub(super) struct VnniEncoder {
    cpu: Avx512,
    words: WordTable,
    /// Position and kind embeddings added up, a row of `HIDDEN` for each position.
    places: Vec<f32>,
    norm: Norm,
    layers: Vec<PackedLayer>,
    /// Working memory of calls that are over, for the next ones.
    scratch: Mutex<Vec<Scratch>>,
}

struct PackedLayer {
    query_key_value: PackedLinear,
    attention_output: PackedLinear,
    attention_norm: Norm,
    inner: PackedLinear,
    output: PackedLinear,
    output_norm: Norm,
}

/// Working memory for one microbatch.
#[derive(Default)]
struct Scratch {
    states: Vec<f32>,
    query_key_value: Vec<f32>,
    context: Vec<f32>,
    inner: Vec<f32>,
    quantised: Quantised,
    attention: attention::Scratch,
}

impl VnniEncoder {
    /// Quantises and packs the weights; the checkpoint is not needed afterwards.
    pub(super) fn new(checkpoint: &Checkpoint) -> Result<Self, ModelError> {
        let cpu = Avx512::detect().expect("the caller asked is_available");
        let Embeddings { words, positions, kind, norm } = Embeddings::read(checkpoint)?;
        let places =
            positions.chunks_exact(HIDDEN).flat_map(|position| position.iter().zip(kind).map(|(a, b)| a + b)).collect();
        let layers =
            (0..LAYERS).map(|index| Ok(PackedLayer::new(Layer::read(checkpoint, index)?))).collect::<Result<_, _>>()?;
        let (words, norm) = (WordTable::new(words), Norm::new(norm));
        Ok(Self { cpu, words, places, norm, layers, scratch: Mutex::default() })
    }

    /// See [`super::MiniLm::encode`].
    pub(super) fn encode(&self, sequences: &[Vec<u32>]) -> Vec<[f32; HIDDEN]> {
        let mut scratch = self.scratch.lock().ok().and_then(|mut idle| idle.pop()).unwrap_or_default();
        self.embed(sequences, &mut scratch.states);
        for layer in &self.layers {
            self.attend(layer, sequences, &mut scratch);
            self.feed_forward(layer, &mut scratch);
        }
        let means = mean_states(sequences, &scratch.states);
        if let Ok(mut idle) = self.scratch.lock() {
            idle.push(scratch);
        }
        means
    }

    fn embed(&self, sequences: &[Vec<u32>], states: &mut Vec<f32>) {
        states.clear();
        for sequence in sequences {
            for (&id, place) in sequence.iter().zip(self.places.chunks_exact(HIDDEN)) {
                self.words.extend(id, place, states);
            }
        }
        self.cpu.layer_norm(states, &self.norm);
    }

    fn attend(&self, layer: &PackedLayer, sequences: &[Vec<u32>], scratch: &mut Scratch) {
        let Scratch { states, query_key_value, context, inner: _, quantised, attention } = scratch;
        let rows = states.len() / HIDDEN;
        quantised.fill(self.cpu, states, HIDDEN);
        self.cpu.linear(quantised, &layer.query_key_value, Layout::Panels, query_key_value);
        context.resize(rows * HIDDEN, 0.0);
        let mut first = 0;
        for sequence in sequences {
            self.cpu.attention(query_key_value, first, sequence.len(), context, attention);
            first += sequence.len();
        }
        quantised.fill(self.cpu, context, HIDDEN);
        self.cpu.linear(quantised, &layer.attention_output, Layout::Rows, context);
        self.cpu.add_norm(states, &context[..rows * HIDDEN], &layer.attention_norm);
    }

    fn feed_forward(&self, layer: &PackedLayer, scratch: &mut Scratch) {
        let Scratch { states, query_key_value: _, context, inner, quantised, attention: _ } = scratch;
        for block in states.chunks_mut(INNER_ROWS * HIDDEN) {
            let rows = block.len() / HIDDEN;
            quantised.fill(self.cpu, block, HIDDEN);
            self.cpu.linear(quantised, &layer.inner, Layout::RowsWithGelu, inner);
            quantised.fill(self.cpu, &inner[..rows * INNER], INNER);
            self.cpu.linear(quantised, &layer.output, Layout::Rows, context);
            self.cpu.add_norm(block, &context[..rows * HIDDEN], &layer.output_norm);
        }
    }
}

impl PackedLayer {
    fn new(layer: Layer<'_>) -> Self {
        let Layer { query, key, value, attention_output, attention_norm, inner, output, output_norm } = layer;
        let joined = |part: fn(&Linear<'_>) -> Vec<f32>| [query, key, value].iter().flat_map(part).collect::<Vec<_>>();
        let (weight, bias) = (joined(|map| map.weight.to_vec()), joined(|map| map.bias.to_vec()));
        Self {
            query_key_value: PackedLinear::new(Linear { weight: &weight, bias: &bias }, HIDDEN),
            attention_output: PackedLinear::new(attention_output, HIDDEN),
            attention_norm: Norm::new(attention_norm),
            inner: PackedLinear::new(inner, HIDDEN),
            output: PackedLinear::new(output, INNER),
            output_norm: Norm::new(output_norm),
        }
    }
}

fn mean_states(sequences: &[Vec<u32>], states: &[f32]) -> Vec<[f32; HIDDEN]> {
    let mut states = states.chunks_exact(HIDDEN);
    sequences
        .iter()
        .map(|sequence| {
            let mut mean = [0.0; HIDDEN];
            for state in states.by_ref().take(sequence.len()) {
                mean.iter_mut().zip(state).for_each(|(mean, x)| *mean += x);
            }
            mean.iter_mut().for_each(|x| *x /= sequence.len() as f32);
            mean
        })
        .collect()
}
