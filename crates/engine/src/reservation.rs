//! Memory for large documents, reserved from before they are read until they are kept, so that many large texts at once do not
//! fill it: each is there several times over while it goes from a child to the database or the model.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is smaller reserves nothing: there are never many at once.
const LARGE: u64 = 1 << 20;

/// As much as one document can fill, for each child that reads.
#[derive(Debug)]
pub struct Reservations {
    free: Arc<Semaphore>,
    most: u32,
}

/// The memory of a document, as long as it lives; none of a small one.
#[derive(Debug, Default)]
pub struct Reservation(Option<OwnedSemaphorePermit>);

impl Reservations {
    /// For texts of up to `text_bytes` each, by so many `readers`.
    pub fn new(readers: usize, text_bytes: usize) -> Self {
        let most = u32::try_from(text_bytes.div_ceil(1 << 20)).unwrap_or(u32::MAX).max(1);
        let free = readers.max(1).saturating_mul(most as usize).min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(free)), most }
    }

    /// Waits until there is memory for a file of so many `bytes`, which is taken for as much text, or for the most text that a
    /// document may have. Who holds some of a large document and waits for more may wait for ever.
    pub async fn reserve(&self, bytes: u64) -> Reservation {
        if bytes < LARGE {
            return Reservation(None);
        }
        let wanted = u32::try_from(bytes.div_ceil(1 << 20)).unwrap_or(u32::MAX).min(self.most);
        // It is never closed.
        Reservation(Arc::clone(&self.free).acquire_many_owned(wanted).await.ok())
    }
}

impl Reservation {
    /// Whether it is one of a large document.
    pub fn is_large(&self) -> bool {
        self.0.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn large_documents_wait_for_each_other_and_small_ones_for_none() {
        let all = Reservations::new(2, 32 << 20);
        let (one, two) = (all.reserve(31 << 20).await, all.reserve(500 << 20).await);
        assert!(one.is_large() && two.is_large());
        assert!(!all.reserve(LARGE - 1).await.is_large());
        let mut third = Box::pin(all.reserve(2 << 20));
        assert!(futures::poll!(&mut third).is_pending(), "31 + 32 of 64 are taken");
        drop(one);
        assert!(third.await.is_large());
    }
}
