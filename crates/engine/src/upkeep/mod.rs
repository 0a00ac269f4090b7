//! What keeps the stored bytes and the rows in step: removing, sweeping, verifying, copying. It reads no document.

mod documents;
mod remove;
mod sweep;

mod backup;
mod verify;

#[cfg(test)]
mod tests;

pub use backup::{BackupTarget, Copied, Source, copy};
pub use sweep::Upkeep;
pub use verify::{Finding, Report, verify};

use std::path::Path;
use std::sync::Arc;

use sheaf_domain::Failure;

use crate::blobs::{BlobCache, BlobError, BlobLocation, BlobStore, LocalBlobs, RemoteBlobs, Staging};

/// Blobs that are looked at from outside of an engine.
pub struct Blobs {
    store: Arc<dyn BlobStore>,
    staging: Staging,
    /// Goes with what it holds.
    _scratch: tempfile::TempDir,
}

impl Blobs {
    /// The blobs at `location`, which is not changed. Nothing is locked: a server may be at work with them.
    ///
    /// # Errors
    /// `storage` when they cannot be reached, or no folder for what is on the way can be made in `scratch`.
    pub async fn open(location: &BlobLocation, scratch: &Path) -> Result<Self, Failure> {
        let scratch = tempfile::Builder::new().prefix(".upkeep-").tempdir_in(scratch).map_err(BlobError::from)?;
        let staging = Staging::open(scratch.path()).map_err(BlobError::from)?;
        let store: Arc<dyn BlobStore> = match location {
            BlobLocation::Folder(folder) => Arc::new(LocalBlobs::at(folder)),
            BlobLocation::Bucket { bucket, prefix } => {
                let cache = BlobCache::open(scratch.path(), 0).map_err(BlobError::from)?;
                Arc::new(RemoteBlobs::open(bucket, prefix, staging.clone(), cache)?)
            }
        };
        store.check().await?;
        Ok(Self { store, staging, _scratch: scratch })
    }
}
