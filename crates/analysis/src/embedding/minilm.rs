//! all-MiniLM-L6-v2: a BERT encoder of six layers (Wang et al. 2020), mean-pooled, unit vectors of 384.
//! The same network in two arithmetics: f32 on any machine, and int8 where the processor has AVX-512 VNNI.

mod float;
mod layers;

#[cfg(target_arch = "x86_64")]
mod vnni;

use std::path::Path;

use sheaf_domain::ModelName;

use super::checkpoint::Checkpoint;
use super::chunk::{CHUNK_TOKENS, CHUNKING_VERSION, Chunk, chunk_evenly};
use super::embedder::{EmbedError, Embedder, normalise};
use super::models::ModelError;
use super::wordpiece::WordPiece;
use float::FloatEncoder;

/// Raised whenever a chunk's vector may differ from before.
const ENCODER_VERSION: u32 = 1;

/// Length of a token's state, and of the vectors.
const HIDDEN: usize = 384;
/// Attention heads.
const HEADS: usize = 12;
/// Length of a head's queries, keys and values.
const HEAD: usize = HIDDEN / HEADS;
/// Length of the feed-forward network's inner state.
const INNER: usize = 1536;
/// Layers.
const LAYERS: usize = 6;
/// Tokens in the vocabulary.
const VOCABULARY: usize = 30_522;
/// Positions that have an embedding.
const POSITIONS: usize = 512;
/// Added to variances before their root is taken.
const LAYER_NORM_EPSILON: f32 = 1e-12;

/// How the encoder calculates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// f32 throughout: the reference, and the path for machines without AVX-512 VNNI.
    Float,
    /// Weights in int8 (a scale for each output), activations in u8 (scale and zero for each token), sums in i32,
    /// everything else in f32. x86-64 with AVX-512 VNNI only.
    Int8,
}

impl Arithmetic {
    /// The fastest that this machine has.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if vnni::is_available() {
            return Self::Int8;
        }
        Self::Float
    }
}

/// The model and its tokenizer.
pub struct MiniLm {
    tokenizer: WordPiece,
    encoder: Encoder,
    id: String,
}

enum Encoder {
    Float(Box<FloatEncoder>),
    #[cfg(target_arch = "x86_64")]
    Int8(Box<vnni::VnniEncoder>),
}

impl MiniLm {
    /// Opens `model.safetensors` and `tokenizer.json` in `folder`, for the fastest arithmetic.
    ///
    /// # Errors
    /// When a file is missing or not of this model.
    pub fn open(folder: &Path) -> Result<Self, ModelError> {
        Self::open_as(folder, Arithmetic::detect())
    }

    /// The same for a given arithmetic; [`Arithmetic::Int8`] becomes [`Arithmetic::Float`] where it does not exist.
    ///
    /// # Errors
    /// When a file is missing or not of this model.
    pub fn open_as(folder: &Path, arithmetic: Arithmetic) -> Result<Self, ModelError> {
        let tokenizer_path = folder.join("tokenizer.json");
        let tokenizer = WordPiece::open(&tokenizer_path)?;
        if tokenizer.tokens().len() != VOCABULARY {
            let reason = format!("{} tokens instead of {VOCABULARY}", tokenizer.tokens().len());
            return Err(ModelError::format(&tokenizer_path, reason));
        }
        let checkpoint = Checkpoint::open(&folder.join("model.safetensors"))?;
        let fingerprint = checkpoint.fingerprint();
        let (encoder, arithmetic) = Encoder::new(checkpoint, arithmetic)?;
        let id = format!("all-MiniLM-L6-v2/{fingerprint}/{arithmetic}/{ENCODER_VERSION}.{CHUNKING_VERSION}");
        Ok(Self { tokenizer, encoder, id })
    }

    /// Its tokenizer.
    pub const fn tokenizer(&self) -> &WordPiece {
        &self.tokenizer
    }

    /// The mean of the final states of all tokens of each sequence (frame included), not normalised. Sequences have
    /// 1 to 512 ids of the vocabulary.
    pub(super) fn encode(&self, sequences: &[Vec<u32>]) -> Vec<[f32; HIDDEN]> {
        match &self.encoder {
            Encoder::Float(encoder) => encoder.encode(sequences),
            #[cfg(target_arch = "x86_64")]
            Encoder::Int8(encoder) => encoder.encode(sequences),
        }
    }
}

impl Encoder {
    fn new(checkpoint: Checkpoint, arithmetic: Arithmetic) -> Result<(Self, &'static str), ModelError> {
        #[cfg(target_arch = "x86_64")]
        if arithmetic == Arithmetic::Int8 && vnni::is_available() {
            return Ok((Self::Int8(Box::new(vnni::VnniEncoder::new(&checkpoint)?)), "int8"));
        }
        let _ = arithmetic;
        Ok((Self::Float(Box::new(FloatEncoder::new(checkpoint)?)), "f32"))
    }
}

impl Embedder for MiniLm {
    fn name(&self) -> ModelName {
        ModelName::Accurate
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn dimensions(&self) -> usize {
        HIDDEN
    }

    fn chunk(&self, text: &str) -> Vec<Chunk> {
        chunk_evenly(&self.tokenizer, text)
    }

    fn embed_chunks(&self, chunks: &[&Chunk]) -> Result<Vec<Vec<f32>>, EmbedError> {
        for chunk in chunks {
            if !(1..=CHUNK_TOKENS).contains(&chunk.ids.len()) {
                return Err(EmbedError::ChunkLength { tokens: chunk.ids.len(), most: CHUNK_TOKENS });
            }
            if let Some(&id) = chunk.ids.iter().find(|&&id| id as usize >= VOCABULARY) {
                return Err(EmbedError::UnknownToken { id, vocabulary: VOCABULARY });
            }
        }
        let (begin, end) = self.tokenizer.frame();
        let sequences: Vec<Vec<u32>> = chunks
            .iter()
            .map(|chunk| [begin].into_iter().chain(chunk.ids.iter().copied()).chain([end]).collect())
            .collect();
        self.encode(&sequences)
            .into_iter()
            .map(|mut vector| if normalise(&mut vector) { Ok(vector.to_vec()) } else { Err(EmbedError::NotFinite) })
            .collect()
    }
}
