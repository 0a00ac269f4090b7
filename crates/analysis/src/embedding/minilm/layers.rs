//! The tensors of the checkpoint by name, with their shapes checked.

use super::{HIDDEN, INNER, POSITIONS, VOCABULARY};
use crate::embedding::checkpoint::Checkpoint;
use crate::embedding::models::ModelError;

/// The embeddings of tokens and positions, and the norm over their sum.
#[derive(Clone, Copy)]
pub(super) struct Embeddings<'a> {
    /// `VOCABULARY` rows of `HIDDEN`.
    pub words: &'a [f32],
    /// `POSITIONS` rows of `HIDDEN`.
    pub positions: &'a [f32],
    /// The one row of `HIDDEN` that every token of a single text gets.
    pub kind: &'a [f32],
    pub norm: Norm<'a>,
}

/// A layer norm.
#[derive(Clone, Copy)]
pub(super) struct Norm<'a> {
    pub weight: &'a [f32],
    pub bias: &'a [f32],
}

/// A linear map `y = W x + b`.
#[derive(Clone, Copy)]
pub(super) struct Linear<'a> {
    /// One row of inputs for each output.
    pub weight: &'a [f32],
    pub bias: &'a [f32],
}

/// One layer of the encoder.
#[derive(Clone, Copy)]
pub(super) struct Layer<'a> {
    pub query: Linear<'a>,
    pub key: Linear<'a>,
    pub value: Linear<'a>,
    pub attention_output: Linear<'a>,
    pub attention_norm: Norm<'a>,
    pub inner: Linear<'a>,
    pub output: Linear<'a>,
    pub output_norm: Norm<'a>,
}

impl<'a> Embeddings<'a> {
    pub(super) fn read(checkpoint: &'a Checkpoint) -> Result<Self, ModelError> {
        Ok(Self {
            words: checkpoint.tensor("embeddings.word_embeddings.weight", &[VOCABULARY, HIDDEN])?,
            positions: checkpoint.tensor("embeddings.position_embeddings.weight", &[POSITIONS, HIDDEN])?,
            kind: &checkpoint.tensor("embeddings.token_type_embeddings.weight", &[2, HIDDEN])?[..HIDDEN],
            norm: Norm::read(checkpoint, "embeddings.LayerNorm")?,
        })
    }
}

impl<'a> Norm<'a> {
    fn read(checkpoint: &'a Checkpoint, name: &str) -> Result<Self, ModelError> {
        Ok(Self {
            weight: checkpoint.tensor(&format!("{name}.weight"), &[HIDDEN])?,
            bias: checkpoint.tensor(&format!("{name}.bias"), &[HIDDEN])?,
        })
    }
}

impl<'a> Linear<'a> {
    fn read(checkpoint: &'a Checkpoint, name: &str, outputs: usize, inputs: usize) -> Result<Self, ModelError> {
        Ok(Self {
            weight: checkpoint.tensor(&format!("{name}.weight"), &[outputs, inputs])?,
            bias: checkpoint.tensor(&format!("{name}.bias"), &[outputs])?,
        })
    }
}

impl<'a> Layer<'a> {
    pub(super) fn read(checkpoint: &'a Checkpoint, index: usize) -> Result<Self, ModelError> {
        let linear = |part: &str, outputs, inputs| {
            Linear::read(checkpoint, &format!("encoder.layer.{index}.{part}"), outputs, inputs)
        };
        let norm = |part: &str| Norm::read(checkpoint, &format!("encoder.layer.{index}.{part}.LayerNorm"));
        Ok(Self {
            query: linear("attention.self.query", HIDDEN, HIDDEN)?,
            key: linear("attention.self.key", HIDDEN, HIDDEN)?,
            value: linear("attention.self.value", HIDDEN, HIDDEN)?,
            attention_output: linear("attention.output.dense", HIDDEN, HIDDEN)?,
            attention_norm: norm("attention.output")?,
            inner: linear("intermediate.dense", INNER, HIDDEN)?,
            output: linear("output.dense", HIDDEN, INNER)?,
            output_norm: norm("output")?,
        })
    }
}
