//! The seam behind which the embedding models live.

use sheaf_domain::ModelName;
use thiserror::Error;

use super::chunk::Chunk;

/// A model that turns chunks of text into vectors. Its results depend on a chunk's ids alone: neither on the other
/// chunks of the call nor on threads.
pub trait Embedder: Send + Sync {
    /// Which of the two models it is.
    fn name(&self) -> ModelName;

    /// Model, fingerprint of its files, arithmetic and version: whenever this is the same, so are the vectors.
    fn id(&self) -> &str;

    /// The length of its vectors.
    fn dimensions(&self) -> usize;

    /// Cuts a text into the chunks that this model reads; none when the text has no usable token.
    fn chunk(&self, text: &str) -> Vec<Chunk>;

    /// One vector of [`Self::dimensions`] for each chunk, in their order. A document's vector is the weighted sum of
    /// its chunks' vectors, normalised.
    ///
    /// # Errors
    /// When a chunk has ids outside the vocabulary, no ids or too many; or a vector is not finite.
    fn embed_chunks(&self, chunks: &[&Chunk]) -> Result<Vec<Vec<f32>>, EmbedError>;
}

/// Why chunks could not be embedded. All of these are mistakes of ours, not of a document.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum EmbedError {
    /// The chunk was not made by this model.
    #[error("token id {id} is outside the vocabulary of {vocabulary}")]
    UnknownToken { id: u32, vocabulary: usize },
    /// The chunk is empty or longer than the model can read.
    #[error("a chunk has {tokens} tokens; this model reads 1 to {most}")]
    ChunkLength { tokens: usize, most: usize },
    /// The arithmetic went wrong.
    #[error("a vector came out with values that are not finite")]
    NotFinite,
}

/// Scales `vector` to length 1; false when it has no direction.
pub(crate) fn normalise(vector: &mut [f32]) -> bool {
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    let usable = norm.is_finite() && norm > 1e-12;
    if usable {
        vector.iter_mut().for_each(|x| *x /= norm);
    }
    usable
}
