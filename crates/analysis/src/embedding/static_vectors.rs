//! One fixed vector for each token of the vocabulary, a text being the mean of its tokens: thousands of documents a
//! second. The layout is that of model2vec (`tokenizer.json`, `model.safetensors` with a tensor `embeddings`).

use std::path::Path;

use sheaf_domain::ModelName;

use super::checkpoint::Checkpoint;
use super::chunk::{CHUNKING_VERSION, Chunk, chunk_whole};
use super::embedder::{EmbedError, Embedder};
use super::models::ModelError;
use super::wordpiece::WordPiece;

/// Raised whenever a text's vector may differ from before.
const STATIC_VERSION: u32 = 1;
/// Tokens of a chunk: few chunks for long texts, and all cores find work in very long ones.
const STATIC_CHUNK_TOKENS: usize = 8192;
/// The tensor's name.
pub(super) const TENSOR: &str = "embeddings";

/// The model and its tokenizer.
pub struct StaticVectors {
    tokenizer: WordPiece,
    checkpoint: Checkpoint,
    dimensions: usize,
    id: String,
}

impl StaticVectors {
    /// Opens `model.safetensors` and `tokenizer.json` in `folder`.
    ///
    /// # Errors
    /// When a file is missing or not of this kind.
    pub fn open(folder: &Path) -> Result<Self, ModelError> {
        let tokenizer = WordPiece::open(&folder.join("tokenizer.json"))?;
        let path = folder.join("model.safetensors");
        let checkpoint = Checkpoint::open(&path)?;
        let shape = checkpoint.shape(TENSOR)?;
        let vocabulary = tokenizer.tokens().len();
        let &[rows, dimensions] = shape else {
            return Err(ModelError::format(&path, format!("`{TENSOR}` has {} axes instead of 2", shape.len())));
        };
        if rows != vocabulary {
            return Err(ModelError::format(&path, format!("{rows} vectors for {vocabulary} tokens")));
        }
        checkpoint.tensor(TENSOR, &[rows, dimensions])?;
        let fingerprint = checkpoint.fingerprint();
        let id = format!("static-{dimensions}/{fingerprint}/{STATIC_VERSION}.{CHUNKING_VERSION}");
        Ok(Self { tokenizer, checkpoint, dimensions, id })
    }

    fn vectors(&self) -> &[f32] {
        self.checkpoint
            .tensor(TENSOR, &[self.tokenizer.tokens().len(), self.dimensions])
            .expect("checked when the model was opened")
    }
}

impl Embedder for StaticVectors {
    fn name(&self) -> ModelName {
        ModelName::Fast
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn chunk(&self, text: &str) -> Vec<Chunk> {
        let mut chunks = chunk_whole(&self.tokenizer, text, STATIC_CHUNK_TOKENS);
        // A text of nothing but unknown tokens says nothing.
        let unknown = self.tokenizer.unknown();
        chunks.retain_mut(|chunk| {
            chunk.ids.retain(|&id| id != unknown);
            chunk.weight = chunk.ids.len() as f32;
            !chunk.ids.is_empty()
        });
        chunks
    }

    fn embed_chunks(&self, chunks: &[&Chunk]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let (vectors, vocabulary) = (self.vectors(), self.tokenizer.tokens().len());
        chunks
            .iter()
            .map(|chunk| {
                if chunk.ids.is_empty() {
                    return Err(EmbedError::ChunkLength { tokens: 0, most: usize::MAX });
                }
                let mut mean = vec![0.0; self.dimensions];
                for &id in &chunk.ids {
                    let vector = vectors
                        .get(id as usize * self.dimensions..(id as usize + 1) * self.dimensions)
                        .ok_or(EmbedError::UnknownToken { id, vocabulary })?;
                    mean.iter_mut().zip(vector).for_each(|(mean, x)| *mean += x);
                }
                let count = chunk.ids.len() as f32;
                mean.iter_mut().for_each(|x| *x /= count);
                Ok(mean)
            })
            .collect()
    }
}
