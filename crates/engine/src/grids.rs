//! Progress grids that were drawn a moment ago. To draw one, every document of its batch is looked at; so many people who look
//! at a large batch share one, and what it costs to draw bounds how often that is done.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use sheaf_domain::{BatchId, Failure, ProgressGrid};

/// A grid is shown for so many times as long as it took to draw: drawing takes at most one part in that of a processor.
const SHOWN_FOR: u32 = 10;

/// Which grid: of how many fields at most.
type Key = (BatchId, u32);

/// A grid and until when it is shown. Locked while it is drawn, so that nobody draws it as well.
type Slot = Arc<tokio::sync::Mutex<Option<(Instant, ProgressGrid)>>>;

/// What was drawn a moment ago.
#[derive(Default)]
pub struct Grids(Mutex<HashMap<Key, Slot>>);

impl Grids {
    /// The grid, drawn anew by `draw` if that was too long ago.
    ///
    /// # Errors
    /// Those of `draw`.
    pub async fn get(
        &self,
        key: Key,
        draw: impl Future<Output = Result<ProgressGrid, Failure>>,
    ) -> Result<ProgressGrid, Failure> {
        let slot = self.slot(key);
        let mut drawn = slot.lock().await;
        if let Some((until, grid)) = &*drawn
            && Instant::now() < *until
        {
            return Ok(grid.clone());
        }
        let started = Instant::now();
        let grid = draw.await?;
        let until = Instant::now() + started.elapsed() * SHOWN_FOR;
        *drawn = Some((until, grid.clone()));
        Ok(grid)
    }

    fn slot(&self, key: Key) -> Slot {
        // No code panics while it holds the lock.
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What nobody looks at now and is out of date goes.
        slots.retain(|_, slot| {
            slot.try_lock().map_or(true, |drawn| drawn.as_ref().is_none_or(|(until, _)| Instant::now() < *until))
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
