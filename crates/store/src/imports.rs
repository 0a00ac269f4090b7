//! Documents whose results were found elsewhere: they come with them, and nothing is read or compared again.

use std::collections::HashSet;

use async_trait::async_trait;
use sheaf_domain::{BatchId, DocumentId};

use crate::{NewDocument, ParseRecord, StoreError, Vectored};

/// A document and what was found in it.
#[derive(Clone, Debug)]
pub struct ImportedDocument {
    /// With its failure where nothing was found.
    pub document: NewDocument,
    pub found: Option<Found>,
}

/// What was found in a document.
#[derive(Clone, Debug)]
pub struct Found {
    pub parsed: ParseRecord,
    /// Under which its vector is remembered.
    pub key: String,
    pub vectored: Vectored,
}

/// What an import writes and what it leaves out. Every method is one transaction.
#[async_trait]
pub trait ImportStore: Send + Sync + 'static {
    /// Lists documents in an open batch, finished as they come: no job of theirs waits for anybody. Their originals are not
    /// here. What is remembered of the same content already stays.
    async fn import_documents(&self, batch: BatchId, documents: &[ImportedDocument]) -> Result<(), StoreError>;
    /// The documents of a batch whose originals were never here.
    async fn without_originals(&self, batch: BatchId) -> Result<HashSet<DocumentId>, StoreError>;
}
