//! Text to chunks, embeddings, similarity, clusters and their names. Pure compute: no clock, no network, no files but
//! the models'; results depend neither on the order of the input nor on the number of threads.

pub mod clustering;
pub mod embedding;

mod matrix;
pub mod metrics;

pub use embedding::{CHUNKING_VERSION, Chunk, EmbedError, Embedder, ModelError, embed_documents, find_models, load_model};
