//! Batches that were looked at lately, as columns: each question about filters, facets and orders is answered from them, as long
//! as nothing changed in the batch. What they hold in memory is bounded.

use std::sync::{Arc, Mutex as Lock, PoisonError};

use sheaf_domain::{BatchId, DocumentId, DocumentQuery, Failure, TextQuery};
use sheaf_store::Columns;
use tokio::sync::{Mutex, OnceCell};
use tokio::task::spawn_blocking;

use crate::read::no_batch;
use crate::{Engine, internal};

/// Bytes of columns that are kept, besides those of the batch that was asked for last: about a million documents.
const KEPT: usize = 192 << 20;

/// Searches of a batch whose documents are kept.
const SEARCHES: usize = 4;

/// The most similar others that are known of each document.
const NEAREST: u32 = 10;

/// Of each position the positions of the most similar others.
pub type Nearest = Vec<Vec<(u32, f32)>>;

/// Documents whose texts have some words.
pub type Worded = Arc<Vec<DocumentId>>;

/// What is kept of a batch.
struct Kept {
    /// As long as the store gives the same, it is true.
    mark: String,
    columns: Arc<Columns>,
    nearest: OnceCell<Arc<Nearest>>,
    /// Of the latest searches the documents whose texts have the words: a page asks for each several times.
    worded: Mutex<Vec<(String, Worded)>>,
}

/// Locked while it is read, so that nobody reads it as well.
type Slot = Arc<Mutex<Option<Arc<Kept>>>>;

struct Entry {
    batch: BatchId,
    bytes: usize,
    slot: Slot,
}

/// Columns by batch; those that were asked for last are at the end.
#[derive(Default)]
pub struct ColumnCache(Lock<Vec<Entry>>);

impl ColumnCache {
    fn slot(&self, batch: BatchId) -> Slot {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = match entries.iter().position(|entry| entry.batch == batch) {
            Some(at) => entries.remove(at),
            None => Entry { batch, bytes: 0, slot: Slot::default() },
        };
        let slot = Arc::clone(&entry.slot);
        entries.push(entry);
        slot
    }

    /// Notes how much a batch takes; what was asked for longest ago goes.
    fn note(&self, batch: BatchId, bytes: usize) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.iter_mut().find(|entry| entry.batch == batch) {
            entry.bytes = bytes;
        }
        while entries.len() > 1 && entries.iter().map(|entry| entry.bytes).sum::<usize>() > KEPT {
            entries.remove(0);
        }
    }
}

impl Engine {
    /// The documents of a batch as they are now.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub(crate) async fn columns(&self, batch: BatchId) -> Result<Arc<Columns>, Failure> {
        Ok(Arc::clone(&self.kept(batch).await?.columns))
    }

    /// The most similar others of each document, as the analysis found them.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub(crate) async fn nearest(&self, batch: BatchId) -> Result<Arc<Nearest>, Failure> {
        let kept = self.kept(batch).await?;
        let read = || async {
            let nearest = self.store().nearest(batch, NEAREST).await?;
            let columns = Arc::clone(&kept.columns);
            let position = move |document: DocumentId| Some(columns.place(columns.line_of(document)?)?.position);
            let known = move |(document, similarity)| Some((position(document)?, similarity));
            let all = move || nearest.into_iter().map(|of| of.into_iter().filter_map(&known).collect()).collect();
            Ok::<_, Failure>(Arc::new(spawn_blocking(all).await.map_err(internal)?))
        };
        Ok(Arc::clone(kept.nearest.get_or_try_init(read).await?))
    }

    /// Documents whose texts have the words of a query's search.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub(crate) async fn worded(&self, batch: BatchId, query: &DocumentQuery) -> Result<Worded, Failure> {
        let search = query.search.as_deref().unwrap_or_default();
        let words = TextQuery::parse(search);
        if words.is_empty() {
            return Ok(Worded::default());
        }
        let kept = self.kept(batch).await?;
        let mut latest = kept.worded.lock().await;
        if let Some((_, documents)) = latest.iter().find(|(of, _)| of == search) {
            return Ok(Arc::clone(documents));
        }
        let documents = Arc::new(self.store().worded(batch, &words).await?);
        if latest.len() == SEARCHES {
            latest.remove(0);
        }
        latest.push((search.to_owned(), Arc::clone(&documents)));
        Ok(documents)
    }

    async fn kept(&self, batch: BatchId) -> Result<Arc<Kept>, Failure> {
        // Read before the columns: what changes meanwhile gives another one the next time.
        let mark = self.store().columns_mark(batch).await?.ok_or_else(|| no_batch(batch))?;
        let slot = self.column_cache().slot(batch);
        let mut kept = slot.lock().await;
        if let Some(kept) = &*kept
            && kept.mark == mark
        {
            return Ok(Arc::clone(kept));
        }
        let columns = Arc::new(self.store().columns(batch).await?);
        self.column_cache().note(batch, columns.bytes());
        let read = Arc::new(Kept { mark, columns, nearest: OnceCell::new(), worded: Mutex::default() });
        *kept = Some(Arc::clone(&read));
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_longest_ago_goes_first() {
        let cache = ColumnCache::default();
        let [a, b, c] = std::array::from_fn(|_| BatchId(uuid::Uuid::now_v7()));
        for batch in [a, b] {
            drop(cache.slot(batch));
            cache.note(batch, KEPT / 2);
        }
        drop(cache.slot(a));
        drop(cache.slot(c));
        cache.note(c, KEPT / 2);
        let left = |cache: &ColumnCache| cache.0.lock().expect("free").iter().map(|e| e.batch).collect::<Vec<_>>();
        assert_eq!(left(&cache), [a, c]);
        cache.note(c, KEPT * 2);
        assert_eq!(left(&cache), [c], "the last one stays, however large");
    }
}
