//! Small pictures of first pages, made before anybody asks: one at a time, and only while no document is being read.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sheaf_domain::{BatchId, DocumentId, FailureCode};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::Engine;

/// The width of the pictures in a strip of pages.
const WIDTH: u32 = 160;
/// Documents that may wait. Those beyond are drawn when somebody looks.
const WAITING: usize = 10_000;
/// Reading counts as over when nothing was read for so long: between two documents there is a moment.
const SETTLED: Duration = Duration::from_millis(150);

/// Which documents wait for their picture, and whether they have to.
#[derive(Debug)]
pub struct Thumbnails {
    waiting: Mutex<VecDeque<(BatchId, DocumentId)>>,
    /// How many groups of documents are being read.
    reading: watch::Sender<usize>,
    /// Counts the documents that were ever wanted, so that whoever draws them is woken.
    wanted: watch::Sender<u64>,
}

/// Holds the pictures back as long as it exists.
pub struct Reading<'a>(&'a Thumbnails);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.reading.send_modify(|reading| *reading -= 1);
    }
}

impl Thumbnails {
    /// None wait.
    pub fn new() -> Self {
        Self { waiting: Mutex::default(), reading: watch::Sender::new(0), wanted: watch::Sender::new(0) }
    }

    /// Says that documents are being read.
    pub fn hold_back(&self) -> Reading<'_> {
        self.reading.send_modify(|reading| *reading += 1);
        Reading(self)
    }

    /// Wants the pictures of these documents, which were read.
    pub fn want(&self, documents: impl IntoIterator<Item = (BatchId, DocumentId)>) {
        let mut waiting = self.waiting();
        let room = WAITING.saturating_sub(waiting.len());
        waiting.extend(documents.into_iter().take(room));
        drop(waiting);
        self.wanted.send_modify(|wanted| *wanted += 1);
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<(BatchId, DocumentId)>> {
        // No code panics while it holds the lock, and the queue is whole between its operations.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next document whose picture may be drawn now.
    async fn next(&self) -> (BatchId, DocumentId) {
        let (mut reading, mut wanted) = (self.reading.subscribe(), self.wanted.subscribe());
        loop {
            wanted.mark_unchanged();
            if self.waiting().is_empty() {
                // The sender is `self`: it is not gone.
                let _ = wanted.changed().await;
                continue;
            }
            if *reading.borrow_and_update() > 0 {
                let _ = reading.wait_for(|&reading| reading == 0).await;
                reading.mark_unchanged();
                if tokio::time::timeout(SETTLED, reading.changed()).await.is_ok() {
                    continue;
                }
            }
            let next = self.waiting().pop_front();
            if let Some(next) = next {
                return next;
            }
        }
    }
}

/// Draws them until it is stopped.
pub async fn draw(engine: Engine, stop: CancellationToken) {
    let drawing = async {
        loop {
            let (batch, document) = engine.thumbnails().next().await;
            match engine.picture(batch, document, 1, WIDTH).await {
                Ok(_) => {}
                // It was deleted, or its page cannot be drawn: whoever looks is told.
                Err(failure) if failure.code == FailureCode::NotFound => {}
                Err(failure) => tracing::debug!(%document, code = %failure.code, "the first page has no picture"),
            }
        }
    };
    tokio::select! {
        () = drawing => {}
        () = stop.cancelled() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(number: u8) -> (BatchId, DocumentId) {
        let id = format!("00000000-0000-7000-8000-0000000000{number:02x}");
        (id.parse().expect("an id"), id.parse().expect("an id"))
    }

    #[tokio::test(start_paused = true)]
    async fn pictures_wait_until_reading_is_over_and_come_in_turn() {
        let thumbnails = Thumbnails::new();
        thumbnails.want([document(1), document(2)]);
        assert_eq!(thumbnails.next().await, document(1));
        let one = thumbnails.hold_back();
        let other = thumbnails.hold_back();
        drop(one);
        let early = tokio::time::timeout(Duration::from_secs(60), thumbnails.next()).await;
        assert!(early.is_err(), "a document is still being read");
        drop(other);
        assert_eq!(thumbnails.next().await, document(2));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_is_woken_and_the_queue_is_bounded() {
        let thumbnails = Thumbnails::new();
        let (next, ()) = tokio::join!(thumbnails.next(), async {
            tokio::task::yield_now().await;
            thumbnails.want([document(7)]);
        });
        assert_eq!(next, document(7));
        thumbnails.want(std::iter::repeat_n(document(1), WAITING + 5));
        assert_eq!(thumbnails.waiting().len(), WAITING);
    }
}
