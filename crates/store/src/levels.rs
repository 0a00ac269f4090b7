//! The levels of a clustering.

use async_trait::async_trait;
use sheaf_domain::{BatchId, Merge};

use crate::StoreError;

/// Clusters joined step by step. They are written with the clustering, by [`Store::complete_analysis`].
///
/// [`Store::complete_analysis`]: crate::Store::complete_analysis
#[async_trait]
pub trait LevelStore: Send + Sync {
    /// In the order in which they happen, the most similar first; none of a batch that was analysed before there were any.
    async fn merges(&self, batch: BatchId) -> Result<Vec<Merge>, StoreError>;
}
