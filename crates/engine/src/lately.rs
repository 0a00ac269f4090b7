//! What was counted or drawn of batches that run a moment ago. For that, every document of a batch is looked at; so many people
//! who look at a large batch share one, and what it costs bounds how often that is done.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use sheaf_domain::{BatchId, BatchSummary, Failure, ProgressGrid};

/// It is shown for so many times as long as it took to make: making takes at most one part in that of a processor.
const SHOWN_FOR: u32 = 10;

/// Progress grids, by their number of fields at most.
pub type Grids = Lately<(BatchId, u32), ProgressGrid>;

/// The figures of the cards.
pub type Summaries = Lately<BatchId, BatchSummary>;

/// Something and until when it is shown. Locked while it is made, so that nobody makes it as well.
type Slot<V> = Arc<tokio::sync::Mutex<Option<(Instant, V)>>>;

/// What was made a moment ago.
pub struct Lately<K, V>(Mutex<HashMap<K, Slot<V>>>);

impl<K, V> Default for Lately<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Clone> Lately<K, V> {
    /// What was made, or is made anew by `make` if that was too long ago.
    ///
    /// # Errors
    /// Those of `make`.
    pub async fn get(&self, key: K, make: impl Future<Output = Result<V, Failure>>) -> Result<V, Failure> {
        let slot = self.slot(key);
        let mut shown = slot.lock().await;
        if let Some((until, value)) = &*shown
            && Instant::now() < *until
        {
            return Ok(value.clone());
        }
        let started = Instant::now();
        let value = make.await?;
        let until = Instant::now() + started.elapsed() * SHOWN_FOR;
        *shown = Some((until, value.clone()));
        Ok(value)
    }

    fn slot(&self, key: K) -> Slot<V> {
        // No code panics while it holds the lock.
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What nobody looks at now and is out of date goes.
        slots.retain(|_, slot| {
            slot.try_lock().map_or(true, |shown| shown.as_ref().is_none_or(|(until, _)| Instant::now() < *until))
        });
        Arc::clone(slots.entry(key).or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_crowd_shares_one_drawing_and_the_next_moment_has_its_own() {
        let (grids, drawings) = (Grids::default(), AtomicU32::new(0));
        let draw = async || {
            drawings.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok(ProgressGrid { per_cell: 7, cells: Vec::new() })
        };
        let key = (BatchId(uuid::Uuid::now_v7()), 100);
        let crowd = futures::future::join_all((0..50).map(|_| grids.get(key, draw()))).await;
        assert!(crowd.iter().all(|grid| grid.as_ref().is_ok_and(|grid| grid.per_cell == 7)));
        assert_eq!(drawings.load(Ordering::Relaxed), 1);
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert!(grids.get(key, draw()).await.is_ok());
        assert_eq!(drawings.load(Ordering::Relaxed), 2, "it is not shown for ever");
    }
}
