//! Documents of all batches, or of one: what a person chooses from.

use sheaf_domain::{BatchId, BatchQuery, DocumentId, DocumentQuery, Failure, LibraryQuery, LibraryRow, Page};

use crate::Engine;

impl Engine {
    /// Documents of the library, those of the latest batch first. Cost: a question for each of the latest
    /// [`BatchQuery::MAX_LIMIT`] batches; older ones are reached by naming them.
    ///
    /// # Errors
    /// `not_found` for an unknown batch; `storage`.
    pub async fn library(&self, query: &LibraryQuery) -> Result<Page<LibraryRow>, Failure> {
        let LibraryQuery { batch, filter } = query;
        let batches = match batch {
            Some(batch) => vec![self.batch(*batch).await?],
            None => {
                let all = BatchQuery { limit: BatchQuery::MAX_LIMIT, ..BatchQuery::default() };
                self.batches(&all).await?.items
            }
        };
        let limit = filter.effective_limit();
        let (mut skip, mut total, mut items) = (u64::from(filter.offset), 0, Vec::new());
        for batch in batches {
            let wanted = limit.saturating_sub(u32::try_from(items.len()).unwrap_or(u32::MAX));
            // A page of one, where nothing is wanted any more: only the number counts.
            let of = DocumentQuery {
                offset: u32::try_from(skip).unwrap_or(u32::MAX),
                limit: wanted.max(1),
                ..filter.clone()
            };
            let page = self.store().documents(batch.id, &of).await?;
            let row = |document| LibraryRow { batch: batch.id, batch_name: batch.name.clone(), document };
            items.extend(page.items.into_iter().take(wanted as usize).map(row));
            skip = skip.saturating_sub(page.total);
            total += page.total;
        }
        let next = u64::from(filter.offset) + items.len() as u64;
        Ok(Page { items, total, next_cursor: (next < total).then(|| next.to_string()) })
    }

    /// Which documents these are: their batch and path. Those that are not there are left out.
    ///
    /// # Errors
    /// `storage`.
    pub async fn named(&self, documents: &[DocumentId]) -> Result<Vec<(BatchId, DocumentId, String)>, Failure> {
        let found = self.store().find_documents(documents).await?;
        Ok(found.into_iter().map(|input| (input.batch, input.document, input.path)).collect())
    }
}
