//! The texts of two documents side by side, word by word.

use sheaf_analysis::diff::compare;
use sheaf_domain::{BatchId, DiffQuery, DiffSide, Failure, FailureCode, Page, TextDiff};
use tokio::task::spawn_blocking;

use crate::{Engine, internal};

impl Engine {
    /// What the texts of two documents of a batch have in common and what not. Computed anew each time: some milliseconds
    /// for a few pages.
    ///
    /// # Errors
    /// `invalid_request` for a document and itself, `not_found` (also for a document without text), `storage`.
    pub async fn diff(&self, batch: BatchId, query: &DiffQuery) -> Result<TextDiff, Failure> {
        if query.a == query.b {
            return Err(Failure::new(FailureCode::InvalidRequest, "a document cannot be compared with itself")
                .with_hint("Choose two documents."));
        }
        let batch_name = self.batch(batch).await?.name;
        let ((a_path, a), (b_path, b)) = futures::try_join!(self.text(batch, query.a), self.text(batch, query.b))?;
        let (counts, rows) = spawn_blocking(move || compare(&a, &b)).await.map_err(internal)?;
        let total = rows.len() as u64;
        let limit = query.effective_limit() as usize;
        let items: Vec<_> = rows.into_iter().skip(query.offset as usize).take(limit).collect();
        let next = u64::from(query.offset) + items.len() as u64;
        let next_cursor = (next < total && !items.is_empty()).then(|| next.to_string());
        Ok(TextDiff {
            batch,
            batch_name,
            a: DiffSide { id: query.a, path: a_path },
            b: DiffSide { id: query.b, path: b_path },
            counts,
            rows: Page { items, total, next_cursor },
        })
    }
}
