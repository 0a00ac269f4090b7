//! Two batches side by side.

use sheaf_domain::{BatchId, CompareQuery, ComparedBatch, Comparison, Failure, FailureCode, Page};

use crate::Engine;

impl Engine {
    /// The figures of two batches, and a page of what is in both or in one of them.
    ///
    /// # Errors
    /// `invalid_request` for a batch and itself, `not_found`, `storage`.
    pub async fn compare(&self, query: &CompareQuery) -> Result<Comparison, Failure> {
        if query.first == query.second {
            return Err(Failure::new(FailureCode::InvalidRequest, "a batch cannot be compared with itself")
                .with_hint("Choose two batches."));
        }
        let (first, second) = futures::try_join!(self.compared(query.first), self.compared(query.second))?;
        let (counts, items) = self.store().compare(query).await?;
        let total = counts.of(query.part);
        let next = u64::from(query.offset) + items.len() as u64;
        let next_cursor = (next < total && !items.is_empty()).then(|| next.to_string());
        Ok(Comparison { first, second, counts, documents: Page { items, total, next_cursor } })
    }

    async fn compared(&self, batch: BatchId) -> Result<ComparedBatch, Failure> {
        let batch = self.batch(batch).await?;
        Ok(ComparedBatch { summary: self.summary(&batch).await?, batch })
    }
}
