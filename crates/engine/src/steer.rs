//! What people do to batches that run or have run.

use sheaf_domain::{Attempt, Batch, BatchChange, BatchId, DocumentId, Failure, FailureCode, Restart};

use crate::read::{no_batch, no_document};
use crate::{Engine, intake};

impl Engine {
    /// Stops a batch: what is done stays, everything else is cancelled at once, also in the middle of a document.
    ///
    /// # Errors
    /// `not_found`; `not_running`; `storage`.
    pub async fn cancel_batch(&self, batch: BatchId) -> Result<Batch, Failure> {
        let found = self.batch(batch).await?;
        if !self.store().cancel_batch(batch).await? {
            let message = format!("batch `{}` is {} already", found.name, found.status);
            return Err(Failure::new(FailureCode::NotRunning, message));
        }
        self.announce_stop(batch);
        self.batch(batch).await
    }

    /// Works again on documents that were cancelled or failed; gives how many.
    ///
    /// # Errors
    /// `not_found`; `nothing_to_restart`; `storage`.
    pub async fn restart(&self, batch: BatchId, which: &Restart) -> Result<u64, Failure> {
        self.batch(batch).await?;
        let restarted = self.store().restart(batch, which).await?.ok_or_else(|| {
            let message = match which {
                Restart::Cancelled => "nothing of this batch was cancelled".to_owned(),
                Restart::Failed => "nothing of this batch has failed that could be tried again".to_owned(),
                Restart::FailedWith(code) => {
                    format!("no document of this batch failed with `{code}` and can be tried again")
                }
                Restart::Document(document) => {
                    format!("document `{document}` neither failed nor was cancelled, or its bytes were not kept")
                }
            };
            Failure::new(FailureCode::NothingToRestart, message)
        })?;
        self.wake();
        Ok(restarted)
    }

    /// Renames a batch, or gives it another priority.
    ///
    /// # Errors
    /// `invalid_request` for an empty name, `not_found`, `storage`.
    pub async fn change_batch(&self, batch: BatchId, change: BatchChange) -> Result<Batch, Failure> {
        let name = change.name.map(|name| {
            intake::clean_name(&name).ok_or_else(|| {
                Failure::new(FailureCode::InvalidRequest, "a batch needs a name")
                    .with_hint("Give it one of at least one character.")
            })
        });
        let change = BatchChange { name: name.transpose()?, ..change };
        if !self.store().change_batch(batch, &change).await? {
            return Err(no_batch(batch));
        }
        self.batch(batch).await
    }

    /// Attempts at a document that did not succeed, the earliest first.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn attempts(&self, batch: BatchId, document: DocumentId) -> Result<Vec<Attempt>, Failure> {
        if self.store().document(batch, document).await?.is_none() {
            return Err(no_document(document));
        }
        Ok(self.store().attempts(batch, document).await?)
    }
}
