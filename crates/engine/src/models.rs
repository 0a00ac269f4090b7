//! The embedding models, each loaded when it is first wanted and then kept.

use std::path::PathBuf;
use std::sync::Arc;

use sheaf_analysis::{Embedder, load_model};
use sheaf_domain::{Failure, FailureCode, ModelName};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use crate::internal;

/// The models of one process.
pub struct Models {
    folder: Option<PathBuf>,
    accurate: OnceCell<Arc<dyn Embedder>>,
    fast: OnceCell<Arc<dyn Embedder>>,
}

impl Models {
    /// Loads nothing yet. Without a folder every model is missing.
    pub const fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, accurate: OnceCell::const_new(), fast: OnceCell::const_new() }
    }

    /// The model of that name.
    ///
    /// # Errors
    /// `model_missing` when its files are absent or not what they should be; the next call tries again.
    pub async fn get(&self, name: ModelName) -> Result<Arc<dyn Embedder>, Failure> {
        let cell = match name {
            ModelName::Accurate => &self.accurate,
            ModelName::Fast => &self.fast,
        };
        cell.get_or_try_init(|| self.load(name)).await.cloned()
    }

    async fn load(&self, name: ModelName) -> Result<Arc<dyn Embedder>, Failure> {
        let Some(folder) = self.folder.clone() else {
            return Err(Failure::new(FailureCode::ModelMissing, format!("the {name} model is not installed")));
        };
        let loaded = spawn_blocking(move || load_model(name, &folder)).await.map_err(internal)?;
        loaded.map(Arc::from).map_err(|error| {
            Failure::new(FailureCode::ModelMissing, format!("the {name} model cannot be loaded: {error}"))
        })
    }
}
