//! all-MiniLM-L6-v2: a BERT encoder of six layers (Wang et al. 2020), mean-pooled, unit vectors of 384.
//! The same network in two arithmetics: f32 on any machine, and int8 where the processor has instructions for it.

mod float;
mod layers;

#[cfg(target_arch = "x86_64")]
mod int8;

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

/// How the encoder calculates. But for `Float` these are one arithmetic in the instructions of several families of x86-64
/// processors: weights in int8 (a scale for each output), activations in u8 (scale and zero for each token), sums in i32,
/// everything else in f32. Products are the same to the last bit; what is in f32 may be rounded otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// f32 throughout: the reference, and the path for machines that have none of the others.
    Float,
    /// int8 by AVX2 and FMA.
    Avx2,
    /// int8 by AVX-VNNI; the results are those of [`Self::Avx2`].
    AvxVnni,
    /// int8 by AVX-512 VNNI.
    Avx512Vnni,
}

impl Arithmetic {
    /// All of them, the fastest last.
    pub const ALL: [Self; 4] = [Self::Float, Self::Avx2, Self::AvxVnni, Self::Avx512Vnni];

    /// Whether this machine has it.
    pub fn is_available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        if int8::is_available(self) {
            return true;
        }
        self == Self::Float
    }

    /// The fastest that this machine has.
    pub fn detect() -> Self {
        Self::ALL.into_iter().rev().find(|arithmetic| arithmetic.is_available()).unwrap_or(Self::Float)
    }

    /// As it stands in a model's id: the same for those whose vectors are the same.
    const fn name(self) -> &'static str {
        match self {
            Self::Float => "f32",
            Self::Avx2 | Self::AvxVnni => "int8-avx2",
            Self::Avx512Vnni => "int8",
        }
    }
}

/// The model and its tokenizer.
pub struct MiniLm {
    tokenizer: WordPiece,
    encoder: Box<dyn Encode>,
    id: String,
}

/// One of the encoders.
trait Encode: Send + Sync {
    /// See [`MiniLm::encode`].
    fn encode(&self, sequences: &[Vec<u32>]) -> Vec<[f32; HIDDEN]>;
}

impl MiniLm {
    /// Opens `model.safetensors` and `tokenizer.json` in `folder`, for the fastest arithmetic.
    ///
    /// # Errors
    /// When a file is missing or not of this model.
    pub fn open(folder: &Path) -> Result<Self, ModelError> {
        Self::open_as(folder, Arithmetic::detect())
    }

    /// The same for a given arithmetic; one that this machine does not have becomes [`Arithmetic::Float`].
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
        let arithmetic = if arithmetic.is_available() { arithmetic } else { Arithmetic::Float };
        let encoder = encoder(checkpoint, arithmetic)?;
        let arithmetic = arithmetic.name();
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
        self.encoder.encode(sequences)
    }
}

fn encoder(checkpoint: Checkpoint, arithmetic: Arithmetic) -> Result<Box<dyn Encode>, ModelError> {
    #[cfg(target_arch = "x86_64")]
    if let Some(encoder) = int8::encoder(arithmetic, &checkpoint)? {
        return Ok(encoder);
    }
    Ok(Box::new(FloatEncoder::new(checkpoint)?))
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
