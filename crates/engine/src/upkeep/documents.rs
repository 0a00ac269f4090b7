//! Single documents leave a batch that is at rest: what goes with them, and what is made anew.

use std::collections::HashSet;

use sheaf_domain::flow::BatchUse;
use sheaf_domain::{BatchId, DocumentId, DocumentQuery, DocumentRow, Failure, FailureCode};

use crate::Engine;

/// Rows that are read at a time.
const PAGE: u32 = 500;

impl Engine {
    /// The documents of a batch that match, by path.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn matching_documents(&self, batch: BatchId, which: &DocumentQuery) -> Result<Vec<DocumentId>, Failure> {
        self.matching(batch, which, |_| true).await
    }

    /// Those that match and are to be kept, by path.
    pub(crate) async fn matching(
        &self,
        batch: BatchId,
        which: &DocumentQuery,
        keep: impl Fn(&DocumentRow) -> bool + Send,
    ) -> Result<Vec<DocumentId>, Failure> {
        self.batch(batch).await?;
        let mut found = Vec::new();
        let mut after: Option<(String, DocumentId)> = None;
        loop {
            let from = after.as_ref().map(|(path, id)| (path.as_str(), *id));
            let rows = self.store().matching_after(batch, which, from, PAGE).await?;
            let Some(last) = rows.last() else { return Ok(found) };
            after = Some((last.path.clone(), last.id));
            found.extend(rows.iter().filter(|row| keep(row)).map(|row| row.id));
        }
    }

    /// What runs have to do with these documents of a batch.
    ///
    /// # Errors
    /// `storage`.
    pub async fn use_of_documents(&self, batch: BatchId, documents: &[DocumentId]) -> Result<BatchUse, Failure> {
        Ok(self.store().use_of_documents(batch, documents).await?)
    }

    /// Removes documents of a batch, their results, and the originals that no other document has; gives how many. A batch that
    /// was completed is grouped anew.
    ///
    /// # Errors
    /// `not_found`; `invalid_request` when they are all of the batch; `not_ready` while it is at work; `storage`.
    pub async fn remove_documents(&self, batch: BatchId, documents: &[DocumentId]) -> Result<u64, Failure> {
        let found = self.batch(batch).await?;
        let distinct: HashSet<&DocumentId> = documents.iter().collect();
        if distinct.len() as u64 >= found.counts.total {
            return Err(Failure::new(FailureCode::InvalidRequest, "these are all documents of the batch")
                .with_hint("Delete the batch instead."));
        }
        let Some(removed) = self.store().remove_documents(batch, documents).await? else {
            return Err(Failure::new(FailureCode::NotReady, format!("batch `{batch}` is at work")));
        };
        if removed.documents == 0 {
            return Err(Failure::new(FailureCode::NotFound, "none of these documents is in the batch"));
        }
        if let Err(failure) = self.remove_bytes(removed.sha256).await {
            tracing::warn!(%batch, code = %failure.code, "not all files of removed documents could be removed; they are swept later");
        }
        self.wake();
        Ok(removed.documents)
    }
}
