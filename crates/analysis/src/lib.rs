//! Text to chunks, embeddings, similarity, clusters and their names. Pure compute: no clock, no network, no files but
//! the models'; results depend neither on the order of the input nor on the number of threads.

pub mod embedding;

pub mod classification;
pub mod clustering;
pub mod extraction;
pub mod naming;

pub mod families;

pub mod layout;

mod analysis;
mod history;
mod params;

pub mod edits;
pub mod identity;

pub mod diff;
pub mod heatmap;

mod lists;
mod matrix;
pub mod metrics;

pub use analysis::{
    AnalyseInput, Analysis, CLUSTERING_VERSION, FoundCluster, FoundMerge, NEIGHBOURS, Placement, Step, analyse,
    analyse_after,
};
pub use clustering::GroupError;
pub use edits::Edit;
pub use embedding::{
    CHUNKING_VERSION, Chunk, EmbedError, Embedder, ModelError, embed_documents, find_models, load_model,
};
pub use families::{
    Alike, AlikeDocument, FAMILIES_VERSION, Family, FamilyInput, Fingerprint, LEAST_JACCARD, Likeness, Member, Sketch,
    SketchedInput, families,
};
pub use history::{History, Known, NEAR};
pub use matrix::similarities;
pub use naming::Terms;
pub use params::{AnalyseParams, ParamsError, ValidParams};
