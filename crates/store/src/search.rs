//! What a search needs of a store: an index of words, and where documents stand in their batch's vectors.

use async_trait::async_trait;
use sheaf_domain::{BatchId, DocumentId, DocumentQuery, DocumentRow, ModelName, TextQuery};

use crate::{StoreError, VectorFile};

/// Which documents a search may give.
#[derive(Clone, Copy, Debug)]
pub struct SearchScope<'a> {
    /// All batches when absent.
    pub batch: Option<BatchId>,
    /// Its order and page do not count.
    pub filter: &'a DocumentQuery,
}

/// A document that was found, with what a result shows of it.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundDocument {
    pub batch: BatchId,
    pub batch_name: String,
    pub row: DocumentRow,
    pub text: Option<String>,
    /// Where each page begins in the text, in bytes.
    pub page_starts: Vec<u64>,
}

/// The vectors of an analysed batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchVectors {
    pub batch: BatchId,
    pub model: ModelName,
    pub file: VectorFile,
}

/// Finding documents. The index is filled in the transaction that remembers a text, and emptied in the one that forgets it.
#[async_trait]
pub trait SearchStore: Send + Sync {
    /// Documents whose texts have the words, the best first; among equals by id.
    async fn search_texts(
        &self,
        query: &TextQuery,
        scope: SearchScope<'_>,
        limit: u32,
    ) -> Result<Vec<DocumentId>, StoreError>;
    /// Documents with `part` in their path, case-insensitive, by path.
    async fn search_names(&self, part: &str, scope: SearchScope<'_>, limit: u32)
    -> Result<Vec<DocumentId>, StoreError>;
    /// What results show, in no order; the ids of documents that are gone are left out.
    async fn found(&self, documents: &[DocumentId]) -> Result<Vec<FoundDocument>, StoreError>;
    /// The vectors of one batch or of all, the latest first.
    async fn batch_vectors(&self, batch: Option<BatchId>, limit: u32) -> Result<Vec<BatchVectors>, StoreError>;
    /// Positions in a batch's vectors of the documents that match, and these documents, by position.
    async fn positions(&self, batch: BatchId, filter: &DocumentQuery) -> Result<Vec<(u32, DocumentId)>, StoreError>;
    /// Of these positions in a batch's vectors, which document stands there; in no order.
    async fn placed_at(&self, batch: BatchId, positions: &[u32]) -> Result<Vec<(u32, DocumentId)>, StoreError>;
    /// Indexes texts that an earlier version remembered without an index, at most `limit`; how many those were.
    async fn index_texts(&self, limit: u32) -> Result<u64, StoreError>;
}
