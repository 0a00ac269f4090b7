//! What listeners missed, read once for all that missed the same: when a server restarts, everybody comes back at once, many of
//! them with the same cursor.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sheaf_domain::{BatchId, DocumentProgress, Failure};

use super::told::Told;

/// An answer that is not the last one is given again for so long: what changes meanwhile has a later place in the order of
/// changes. The last one is read by each listener, for how far the batch was may have been read after another's.
const FRESH: Duration = Duration::from_secs(2);

/// What followed a cursor.
#[derive(Clone)]
pub struct Missed {
    pub documents: Arc<Told<Vec<DocumentProgress>>>,
    /// Where to go on.
    pub cursor: String,
    /// Whether more is known already.
    pub more: bool,
}

/// Locked while it is read, so that nobody reads it as well.
type Slot = Arc<tokio::sync::Mutex<Option<(Instant, Missed)>>>;

/// The answers of the last moments.
#[derive(Default)]
pub struct MissedBefore(Mutex<HashMap<(BatchId, String), Slot>>);

impl MissedBefore {
    /// What followed the cursor, read by `read` unless that was done a moment ago.
    ///
    /// # Errors
    /// Those of `read`.
    pub async fn get(
        &self,
        batch: BatchId,
        cursor: &str,
        read: impl Future<Output = Result<Missed, Failure>>,
    ) -> Result<Missed, Failure> {
        let slot = self.slot(batch, cursor);
        let mut answer = slot.lock().await;
        if let Some((since, missed)) = &*answer
            && since.elapsed() < FRESH
        {
            return Ok(missed.clone());
        }
        let missed = read.await?;
        *answer = missed.more.then(|| (Instant::now(), missed.clone()));
        Ok(missed)
    }

    fn slot(&self, batch: BatchId, cursor: &str) -> Slot {
        // No code panics while it holds the lock.
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A slot that is locked is being read, or about to be given to somebody.
        slots.retain(|_, slot| {
            slot.try_lock().map_or(true, |answer| {
                answer.as_ref().map_or(Arc::strong_count(slot) > 1, |(since, _)| since.elapsed() < FRESH)
            })
        });
        Arc::clone(slots.entry((batch, cursor.to_owned())).or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn who_missed_the_same_shares_one_reading() {
        let (missed, readings) = (MissedBefore::default(), AtomicU32::new(0));
        let batch = BatchId(uuid::Uuid::now_v7());
        let read = async |more| {
            readings.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok(Missed { documents: Arc::new(Told::new(Vec::new())), cursor: "2.b".to_owned(), more })
        };
        let crowd = futures::future::join_all((0..50).map(|_| missed.get(batch, "1.a", read(true)))).await;
        assert!(crowd.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.cursor == "2.b")));
        assert_eq!(readings.load(Ordering::Relaxed), 1);
        assert!(missed.get(batch, "2.b", read(false)).await.is_ok());
        assert_eq!(readings.load(Ordering::Relaxed), 2, "another cursor is another question");
        assert!(missed.get(batch, "2.b", read(false)).await.is_ok());
        assert_eq!(readings.load(Ordering::Relaxed), 3, "what may be followed by more at any time is read anew");
        assert!(missed.get(BatchId(uuid::Uuid::now_v7()), "1.a", read(true)).await.is_ok());
        assert_eq!(readings.load(Ordering::Relaxed), 4, "another batch is another question");
    }
}
