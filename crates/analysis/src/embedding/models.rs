//! Finds and opens the two models on disk.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use sheaf_domain::ModelName;
use thiserror::Error;

use super::Embedder;
use super::minilm::MiniLm;
use super::static_vectors::StaticVectors;

/// Why a model could not be opened.
#[derive(Debug, Error)]
pub enum ModelError {
    /// A file is missing or unreadable.
    #[error("model file `{path}` cannot be read")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A file is there, but not what was expected.
    #[error("model file `{path}` cannot be used: {reason}")]
    Format { path: PathBuf, reason: String },
    /// A file could not be written (when a model is distilled).
    #[error("model file `{path}` cannot be written")]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl ModelError {
    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }

    pub(super) fn format(path: &Path, reason: String) -> Self {
        Self::Format { path: path.to_owned(), reason }
    }
}

/// The folder of a model inside the models' folder.
pub const fn model_folder(name: ModelName) -> &'static str {
    match name {
        ModelName::Accurate => "all-MiniLM-L6-v2",
        ModelName::Fast => "static-minilm-256",
    }
}

/// Opens the model `name` in the models' folder `dir`.
///
/// # Errors
/// When a file is missing or not of the expected kind.
pub fn load_model(name: ModelName, dir: &Path) -> Result<Box<dyn Embedder>, ModelError> {
    let folder = dir.join(model_folder(name));
    Ok(match name {
        ModelName::Accurate => Box::new(MiniLm::open(&folder)?),
        ModelName::Fast => Box::new(StaticVectors::open(&folder)?),
    })
}

/// Looks for the models' folder: `SHEAF_MODEL_DIR`, then `assets/models` beside the executable, then `models` in the
/// cache (`SHEAF_CACHE_DIR`, or `sheaf` in the user's cache folder). `None` when none of them exists.
pub fn find_models() -> Option<PathBuf> {
    let given = env::var_os("SHEAF_MODEL_DIR").map(PathBuf::from);
    let beside = env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join("assets/models")));
    let cache = env::var_os("SHEAF_CACHE_DIR").map(PathBuf::from).or_else(|| Some(dirs::cache_dir()?.join("sheaf")));
    [given, beside, cache.map(|dir| dir.join("models"))].into_iter().flatten().find(|dir| dir.is_dir())
}

/// The first twelve hex digits of the SHA-256 of `bytes`.
pub(super) fn fingerprint(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes)[..6])
}
