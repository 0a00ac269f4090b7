//! From text to vectors: the seam between the models and everything that uses them.

mod chunk;
mod documents;
mod embedder;

mod fold;
mod wordpiece;

mod checkpoint;
mod distil;
mod minilm;
mod models;
mod static_vectors;

pub use chunk::{CHUNK_TOKENS, CHUNKING_VERSION, Chunk, MAX_CHUNKS};
pub use distil::distil;
pub use documents::embed_documents;
pub(crate) use embedder::normalise;
pub use embedder::{EmbedError, Embedder};
pub use minilm::{Arithmetic, MiniLm};
pub use models::{ModelError, find_models, load_model, model_folder};
pub use static_vectors::StaticVectors;
pub use wordpiece::{Token, WordPiece};
