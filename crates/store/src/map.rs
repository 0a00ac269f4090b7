//! What the map shows: all placed documents of a batch at once.

use async_trait::async_trait;
use sheaf_domain::{BatchId, ClusterId, DocumentId};

use crate::StoreError;

/// A document that has a place in the order of the heatmap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedDocument {
    pub id: DocumentId,
    pub path: String,
    /// Absent for an outlier.
    pub cluster: Option<ClusterId>,
}

/// Reading placed documents in one go.
#[async_trait]
pub trait MapStore: Send + Sync {
    /// All of them, in the order of positions.
    async fn placed(&self, batch: BatchId) -> Result<Vec<PlacedDocument>, StoreError>;
}
