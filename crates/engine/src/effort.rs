//! Whether this process is at work on documents, so that others can make room for that.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Work counts as being under way for so long after its last piece: there are pauses between two.
const PAUSE: Duration = Duration::from_secs(1);

/// How many pieces of work are under way, and when the last one ended.
#[derive(Default)]
pub struct Effort {
    pieces: AtomicUsize,
    ended: Mutex<Option<Instant>>,
}

/// A piece of work, as long as it lives.
pub struct Piece(Arc<Effort>);

impl Effort {
    pub fn begin(self: &Arc<Self>) -> Piece {
        self.pieces.fetch_add(1, Ordering::Relaxed);
        Piece(Arc::clone(self))
    }

    pub fn is_under_way(&self) -> bool {
        let ended = || *self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        self.pieces.load(Ordering::Relaxed) > 0 || ended().is_some_and(|ended| ended.elapsed() < PAUSE)
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        *self.0.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.0.pieces.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_under_way_between_two_pieces() {
        let effort = Arc::new(Effort::default());
        assert!(!effort.is_under_way());
        let (one, two) = (effort.begin(), effort.begin());
        drop(one);
        assert!(effort.is_under_way());
        drop(two);
        assert!(effort.is_under_way());
        *effort.ended.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now().checked_sub(PAUSE);
        assert!(!effort.is_under_way());
    }
}
