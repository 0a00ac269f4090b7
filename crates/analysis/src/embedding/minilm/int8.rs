//! The encoder in int8: weights are quantised and packed once, tokens of several sequences go through the linear maps
//! together, attention runs sequence by sequence in f32. It is generic over the instructions that it calculates with.
//!
//! Every row (token) is quantised by itself and every sum has one order, so a sequence's result does not depend on what
//! else is in the microbatch.

mod attention;
mod avx2;
mod avx512;
mod kernel;
mod linear;
mod rows;

use std::sync::Mutex;

use super::layers::{Embeddings, Layer, Linear};
use super::{Arithmetic, Encode, HIDDEN, INNER, LAYERS};
use crate::embedding::checkpoint::Checkpoint;
use crate::embedding::models::ModelError;
use attention::attention;
use avx2::{Avx2, AvxVnni};
use avx512::Avx512Vnni;
use kernel::{Kernel, Packing};
use linear::{Layout, PackedLinear, Quantised};
use rows::{Norm, WordTable};

/// Rows that pass the feed-forward network at a time, so that its inner states stay in the core's cache.
const INNER_ROWS: usize = 96;

/// Whether this processor has the instructions for one of the arithmetics in int8.
pub(super) fn is_available(arithmetic: Arithmetic) -> bool {
    match arithmetic {
        Arithmetic::Float => false,
        Arithmetic::Avx2 => Avx2::detect().is_some(),
        Arithmetic::AvxVnni => AvxVnni::detect().is_some(),
        Arithmetic::Avx512Vnni => Avx512Vnni::detect().is_some(),
    }
}

/// The encoder in one of the arithmetics in int8, where the processor has it.
pub(super) fn encoder(arithmetic: Arithmetic, checkpoint: &Checkpoint) -> Result<Option<Box<dyn Encode>>, ModelError> {
    fn of<K: Kernel + 'static>(checkpoint: &Checkpoint) -> Result<Option<Box<dyn Encode>>, ModelError> {
        let Some(kernel) = K::detect() else { return Ok(None) };
        Ok(Some(Box::new(Int8Encoder::new(kernel, checkpoint)?)))
    }
    match arithmetic {
        Arithmetic::Float => Ok(None),
        Arithmetic::Avx2 => of::<Avx2>(checkpoint),
        Arithmetic::AvxVnni => of::<AvxVnni>(checkpoint),
        Arithmetic::Avx512Vnni => of::<Avx512Vnni>(checkpoint),
    }
}

/// The encoder on one family of processors.
struct Int8Encoder<K: Kernel> {
    kernel: K,
    words: WordTable,
    /// Position and kind embeddings added up, a row of `HIDDEN` for each position.
    places: Vec<f32>,
    norm: Norm,
    layers: Vec<PackedLayer>,
    /// Working memory of calls that are over, for the next ones.
    scratch: Mutex<Vec<Scratch<K>>>,
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
struct Scratch<K: Kernel> {
    states: Vec<f32>,
    query_key_value: Vec<f32>,
    context: Vec<f32>,
    inner: Vec<f32>,
    quantised: Quantised<K>,
    attention: attention::Scratch,
}

impl<K: Kernel> Default for Scratch<K> {
    fn default() -> Self {
        Self {
            states: Vec::new(),
            query_key_value: Vec::new(),
            context: Vec::new(),
            inner: Vec::new(),
            quantised: Quantised::default(),
            attention: attention::Scratch::default(),
        }
    }
}

impl<K: Kernel> Encode for Int8Encoder<K> {
    fn encode(&self, sequences: &[Vec<u32>]) -> Vec<[f32; HIDDEN]> {
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
}

impl<K: Kernel> Int8Encoder<K> {
    /// Quantises and packs the weights; the checkpoint is not needed afterwards.
    fn new(kernel: K, checkpoint: &Checkpoint) -> Result<Self, ModelError> {
        let Embeddings { words, positions, kind, norm } = Embeddings::read(checkpoint)?;
        let places =
            positions.chunks_exact(HIDDEN).flat_map(|position| position.iter().zip(kind).map(|(a, b)| a + b)).collect();
        let layers = (0..LAYERS)
            .map(|index| Ok(PackedLayer::new(Layer::read(checkpoint, index)?, K::PACKING)))
            .collect::<Result<_, _>>()?;
        let (words, norm) = (WordTable::new(words), Norm::new(norm));
        Ok(Self { kernel, words, places, norm, layers, scratch: Mutex::default() })
    }

    fn embed(&self, sequences: &[Vec<u32>], states: &mut Vec<f32>) {
        states.clear();
        for sequence in sequences {
            for (&id, place) in sequence.iter().zip(self.places.chunks_exact(HIDDEN)) {
                self.words.extend(id, place, states);
            }
        }
        self.kernel.layer_norm(states, &self.norm);
    }

    fn attend(&self, layer: &PackedLayer, sequences: &[Vec<u32>], scratch: &mut Scratch<K>) {
        let Scratch { states, query_key_value, context, inner: _, quantised, attention: working_memory } = scratch;
        let rows = states.len() / HIDDEN;
        quantised.fill(self.kernel, states, HIDDEN);
        self.kernel.linear(quantised, &layer.query_key_value, Layout::Panels, query_key_value);
        context.resize(rows * HIDDEN, 0.0);
        let mut first = 0;
        for sequence in sequences {
            attention(self.kernel, query_key_value, (first, sequence.len()), context, working_memory);
            first += sequence.len();
        }
        quantised.fill(self.kernel, context, HIDDEN);
        self.kernel.linear(quantised, &layer.attention_output, Layout::Rows, context);
        self.kernel.add_norm(states, &context[..rows * HIDDEN], &layer.attention_norm);
    }

    fn feed_forward(&self, layer: &PackedLayer, scratch: &mut Scratch<K>) {
        let Scratch { states, query_key_value: _, context, inner, quantised, attention: _ } = scratch;
        for block in states.chunks_mut(INNER_ROWS * HIDDEN) {
            let rows = block.len() / HIDDEN;
            quantised.fill(self.kernel, block, HIDDEN);
            self.kernel.linear(quantised, &layer.inner, Layout::RowsWithGelu, inner);
            quantised.fill(self.kernel, &inner[..rows * INNER], INNER);
            self.kernel.linear(quantised, &layer.output, Layout::Rows, context);
            self.kernel.add_norm(block, &context[..rows * HIDDEN], &layer.output_norm);
        }
    }
}

impl PackedLayer {
    fn new(layer: Layer<'_>, packing: Packing) -> Self {
        let Layer { query, key, value, attention_output, attention_norm, inner, output, output_norm } = layer;
        let joined = |part: fn(&Linear<'_>) -> Vec<f32>| [query, key, value].iter().flat_map(part).collect::<Vec<_>>();
        let (weight, bias) = (joined(|map| map.weight.to_vec()), joined(|map| map.bias.to_vec()));
        Self {
            query_key_value: PackedLinear::new(Linear { weight: &weight, bias: &bias }, HIDDEN, packing),
            attention_output: PackedLinear::new(attention_output, HIDDEN, packing),
            attention_norm: Norm::new(attention_norm),
            inner: PackedLinear::new(inner, HIDDEN, packing),
            output: PackedLinear::new(output, INNER, packing),
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
