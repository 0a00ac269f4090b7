//! Looking at a batch from several sides at once: facets, selections, and what comes before and after a document.

use async_trait::async_trait;
use sheaf_domain::{Around, BatchId, DocumentId, DocumentQuery, DocumentRow, FacetRow};

use crate::StoreError;

/// Reading documents by what they have in common.
#[async_trait]
pub trait ExploreStore: Send + Sync {
    /// The documents of a batch (of all without one) that the query's search and ids let through, grouped by all that its
    /// other filters look at: one query, however many facets are made of it.
    async fn facets(&self, batch: Option<BatchId>, query: &DocumentQuery) -> Result<Vec<FacetRow>, StoreError>;
    /// Rows that match in the order of (path, id) after the given one, for exports; the query's order and page do not count.
    async fn matching_after(
        &self,
        batch: BatchId,
        query: &DocumentQuery,
        after: Option<(&str, DocumentId)>,
        limit: u32,
    ) -> Result<Vec<DocumentRow>, StoreError>;
    /// What comes before and after a document in a query's order; absent when it does not match.
    async fn around(
        &self,
        batch: BatchId,
        query: &DocumentQuery,
        document: DocumentId,
    ) -> Result<Option<Around>, StoreError>;
}
