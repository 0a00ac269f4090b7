//! Single documents leave a batch that is at rest.

use async_trait::async_trait;
use sheaf_domain::flow::BatchUse;
use sheaf_domain::{BatchId, DocumentId};

use crate::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// Documents that were removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// How many.
    pub documents: u64,
    /// Their distinct content hashes, for the caller to sweep.
    pub sha256: Vec<String>,
}

/// What removes documents one by one; whole batches go by [`Store::delete_batch`].
///
/// [`Store::delete_batch`]: crate::Store::delete_batch
#[async_trait]
pub trait RemovalStore: Send + Sync {
    /// What runs have to do with these documents of a batch, by the rules of [`RunStore::use_of_batch`].
    ///
    /// [`RunStore::use_of_batch`]: crate::RunStore::use_of_batch
    async fn use_of_documents(&self, batch: BatchId, documents: &[DocumentId]) -> Result<BatchUse>;
    /// Removes documents of a batch with all that only they refer to; what is not of it is passed over. A batch that was
    /// completed goes on and is analysed anew; one that failed or was stopped stays so. Absent when there is no such batch,
    /// or it is at work.
    async fn remove_documents(&self, batch: BatchId, documents: &[DocumentId]) -> Result<Option<Removed>>;
}
