//! What happens to a batch, told as it happens. One task for each batch that somebody listens to asks the store; listeners
//! that are in step with it share its answers, and one that is not (it was away, or slow) asks for what it missed. What is
//! told is therefore without a gap whichever process did the work, and a listener costs next to nothing.

mod missed;
mod told;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures::Stream;
use sheaf_domain::{BatchId, DocumentProgress, Failure, FailureCode, Progress, Status};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::Engine;
use missed::{Missed, MissedBefore};

pub use told::Told;

/// Other processes announce nothing here: the store is asked this often.
const ASKED_EVERY: Duration = Duration::from_secs(1);
/// A burst of changes is told together.
const AT_MOST_EVERY: Duration = Duration::from_millis(300);
/// After a burst of this many documents the next one is waited for longer: nobody reads so much, and of a document that
/// changed twice only the last change is told.
const BURST: usize = 100;
/// That longer wait.
const AFTER_A_BURST: Duration = Duration::from_secs(1);
/// Rates and estimates change though no document does.
const PROGRESS_EVERY: Duration = Duration::from_secs(2);
/// Events that a slow listener may leave waiting.
const WAITING: usize = 8;

/// Something that happened to a batch. The cursor is where to go on after it.
#[derive(Clone, Debug)]
pub enum Event {
    /// These documents changed.
    Documents(Arc<Told<Vec<DocumentProgress>>>, String),
    /// How far the batch is.
    Progress(Arc<Told<Progress>>, String),
    /// Nothing more will happen by itself.
    Ended(Status, String),
    /// The batch was deleted.
    Gone,
}

/// What one question to the store brought.
#[derive(Clone)]
struct Tick {
    /// What changed lies between these cursors.
    from: String,
    to: String,
    documents: Arc<Told<Vec<DocumentProgress>>>,
    /// Absent when the batch is gone.
    progress: Option<Arc<Told<Progress>>>,
}

/// The batches that somebody listens to.
#[derive(Default)]
pub struct Feeds {
    open: Mutex<HashMap<BatchId, Weak<watch::Receiver<Tick>>>>,
    missed: MissedBefore,
    /// Cancelled when the process is ending.
    closing: CancellationToken,
}

impl Feeds {
    fn open(&self) -> MutexGuard<'_, HashMap<BatchId, Weak<watch::Receiver<Tick>>>> {
        // No code panics while it holds the lock.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// What happens to a batch from now on, or since the event with this cursor; how far it is comes first. It ends with
    /// [`Event::Ended`] or [`Event::Gone`], or when the process is ending.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn events(
        &self,
        batch: BatchId,
        after: Option<String>,
    ) -> Result<impl Stream<Item = Event> + Send + use<>, Failure> {
        // One who comes back is told what it missed before how far it is now.
        let is_back = after.is_some();
        // The cursor first: what happens while the progress is read is told again, not lost.
        let cursor = match after {
            Some(cursor) => cursor,
            None => self.store().changes(batch, None, 1).await?.cursor,
        };
        let progress = Arc::new(Told::new(self.progress(batch).await?));
        let feed = self.feed(batch, &cursor, progress.clone());
        let (sender, mut receiver) = mpsc::channel(WAITING);
        let engine = self.clone();
        let closing = self.feeds().closing.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = tell(&engine, batch, (cursor, is_back), progress, feed, &sender) => {}
                () = closing.cancelled() => {}
                () = sender.closed() => {}
            }
        });
        Ok(futures::stream::poll_fn(move |cx| receiver.poll_recv(cx)))
    }

    /// Ends all streams of events, for they would go on for ever; their listeners come back with their cursors.
    pub fn end_events(&self) {
        self.feeds().closing.cancel();
    }

    /// How many batches are listened to.
    pub fn feeds_open(&self) -> usize {
        self.feeds().open().values().filter(|feed| feed.strong_count() > 0).count()
    }

    /// The feed of a batch; a new one goes on after this cursor.
    fn feed(&self, batch: BatchId, cursor: &str, progress: Arc<Told<Progress>>) -> Arc<watch::Receiver<Tick>> {
        let mut open = self.feeds().open();
        if let Some(feed) = open.get(&batch).and_then(Weak::upgrade) {
            return feed;
        }
        open.retain(|_, feed| feed.strong_count() > 0);
        let cursor = cursor.to_owned();
        let first = Tick { from: cursor.clone(), to: cursor, documents: nobody(), progress: Some(progress) };
        let (sender, receiver) = watch::channel(first);
        let receiver = Arc::new(receiver);
        open.insert(batch, Arc::downgrade(&receiver));
        tokio::spawn(ask(self.clone(), batch, sender));
        receiver
    }
}

fn nobody() -> Arc<Told<Vec<DocumentProgress>>> {
    Arc::new(Told::new(Vec::new()))
}

/// Asks the store about a batch as long as somebody listens and the batch is there.
async fn ask(engine: Engine, batch: BatchId, sender: watch::Sender<Tick>) {
    let mut told = Instant::now();
    while !sender.is_closed() {
        let woken = engine.woken();
        let is_burst = sender.borrow().documents.what().len() >= BURST;
        let wait = if is_burst { AFTER_A_BURST } else { AT_MOST_EVERY };
        tokio::select! {
            () = tokio::time::sleep(ASKED_EVERY) => {}
            () = async { tokio::join!(woken, tokio::time::sleep(wait)); } => {}
            () = sender.closed() => return,
        }
        let last = sender.borrow().clone();
        let tick = match next(&engine, batch, &last, told.elapsed() >= PROGRESS_EVERY).await {
            Ok(Some(tick)) => tick,
            Ok(None) => continue,
            Err(failure) if failure.code == FailureCode::NotFound => {
                Tick { from: last.to.clone(), to: last.to, documents: nobody(), progress: None }
            }
            Err(failure) => {
                // Listeners wait; the next question may be answered.
                tracing::warn!(%batch, code = %failure.code, "what happened to a batch could not be read");
                continue;
            }
        };
        told = Instant::now();
        let gone = tick.progress.is_none();
        sender.send_replace(tick);
        if gone {
            return;
        }
    }
}

/// What happened since the last tick; absent when nothing did and nothing is due.
async fn next(engine: &Engine, batch: BatchId, last: &Tick, due: bool) -> Result<Option<Tick>, Failure> {
    // All of it, however much: what the batch's last word says must have been told before that.
    let (mut documents, mut to) = (Vec::new(), last.to.clone());
    loop {
        let changes = engine.changes(batch, Some(&to)).await?;
        documents.extend(changes.documents);
        to = changes.cursor;
        if !changes.more {
            break;
        }
    }
    let status = engine.batch(batch).await?.status;
    let known = last.progress.as_ref().map(|progress| progress.what().status);
    if documents.is_empty() && known == Some(status) && (!due || status.is_final()) {
        return Ok(None);
    }
    let progress = Some(Arc::new(Told::new(engine.progress(batch).await?)));
    Ok(Some(Tick { from: last.to.clone(), to, documents: Arc::new(Told::new(documents)), progress }))
}

/// Tells one listener.
async fn tell(
    engine: &Engine,
    batch: BatchId,
    (mut cursor, is_back): (String, bool),
    progress: Arc<Told<Progress>>,
    feed: Arc<watch::Receiver<Tick>>,
    sender: &mpsc::Sender<Event>,
) {
    let mut ticks = (*feed).clone();
    let mut progress = Some(progress);
    let mut documents: Option<Arc<Told<Vec<DocumentProgress>>>> = None;
    let mut is_known = !is_back;
    loop {
        if std::mem::take(&mut is_known) {
            // How far it is comes first.
        } else if let Some(documents) = documents.take() {
            let told =
                documents.what().is_empty() || sender.send(Event::Documents(documents, cursor.clone())).await.is_ok();
            if !told {
                return;
            }
        } else if catch_up(engine, batch, &mut cursor, sender).await.is_none() {
            return;
        }
        let Some(now) = progress else {
            let _ = sender.send(Event::Gone).await;
            return;
        };
        let status = now.what().status;
        if sender.send(Event::Progress(now, cursor.clone())).await.is_err() {
            return;
        }
        if status.is_final() {
            let _ = sender.send(Event::Ended(status, cursor)).await;
            return;
        }
        if ticks.changed().await.is_err() {
            return;
        }
        let tick = ticks.borrow_and_update().clone();
        progress = tick.progress;
        // One who is in step takes what the tick brought; another asks for what it missed.
        documents = (tick.from == cursor).then_some(tick.documents);
        if documents.is_some() {
            cursor = tick.to;
        }
    }
}

/// Tells all that happened after the cursor and moves it on; nothing when there is nobody to tell it to, or the store
/// refuses: then the listener comes back.
async fn catch_up(engine: &Engine, batch: BatchId, cursor: &mut String, sender: &mpsc::Sender<Event>) -> Option<()> {
    loop {
        let read = async {
            let changes = engine.changes(batch, Some(cursor)).await?;
            let documents = Arc::new(Told::new(changes.documents));
            Ok(Missed { documents, cursor: changes.cursor, more: changes.more })
        };
        let missed = match engine.feeds().missed.get(batch, cursor, read).await {
            Ok(missed) => missed,
            // That it is gone is told by the tick.
            Err(failure) if failure.code == FailureCode::NotFound => return Some(()),
            Err(_) => return None,
        };
        *cursor = missed.cursor;
        if !missed.documents.what().is_empty() {
            sender.send(Event::Documents(missed.documents, cursor.clone())).await.ok()?;
        }
        if !missed.more {
            return Some(());
        }
    }
}
