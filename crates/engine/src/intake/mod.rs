//! Documents arrive: bytes are staged and hashed, archives are walked, then documents and their first jobs are listed.

mod archive;
mod paths;

use std::collections::HashSet;
use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use sheaf_domain::{Batch, BatchId, BatchParams, DocumentId, DocumentKind, Failure, FailureCode, Passwords, RunPolicy};
use sheaf_parsing::detect_kind;
use sheaf_store::{NewBatch, NewDocument};
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use crate::blobs::Staged;
use crate::{Engine, Trace, internal};

pub use paths::clean_path;
pub(crate) use paths::unique;

/// Files that become durable and listed together; one sync of a folder and one transaction serve them all.
const GROUP: usize = 64;

/// The longest name of a batch in characters.
const NAME_CHARS: usize = 200;

/// A batch that is receiving its documents. Unless it is finished, it is removed again: an upload that broke off was never
/// acknowledged.
pub struct Intake {
    engine: Engine,
    batch: BatchId,
    waiting: Vec<Arrival>,
    paths: HashSet<String>,
    received: u64,
    open: bool,
    passwords: Passwords,
}

/// A file that was received but is not listed yet.
pub(crate) struct Arrival {
    path: String,
    kind: Option<DocumentKind>,
    content: Result<Staged, (Failure, u64)>,
}

impl Engine {
    /// Starts a batch. An empty name is replaced by the date; `passwords` are tried on what asks for one.
    ///
    /// # Errors
    /// `invalid_request` when a parameter is out of bounds, `storage` when the database refuses.
    pub async fn begin_batch(
        &self,
        name: &str,
        params: BatchParams,
        policy: RunPolicy,
        passwords: Passwords,
    ) -> Result<Intake, Failure> {
        let params = params.check()?;
        let batch = BatchId(Uuid::now_v7());
        self.store()
            .create_batch(&NewBatch {
                id: batch,
                name: batch_name(name),
                params,
                policy,
                passwords: passwords.clone(),
                trace: Trace::current().map(|trace| trace.to_string()),
            })
            .await?;
        Ok(Intake {
            engine: self.clone(),
            batch,
            waiting: Vec::new(),
            paths: HashSet::new(),
            received: 0,
            open: true,
            passwords,
        })
    }
}

/// The given name without control characters and within bounds; absent when nothing is left of it.
pub(crate) fn clean_name(given: &str) -> Option<String> {
    let name: String = given.trim().chars().filter(|c| !c.is_control()).take(NAME_CHARS).collect();
    (!name.is_empty()).then_some(name)
}

/// The given name, or the date.
fn batch_name(given: &str) -> String {
    if let Some(name) = clean_name(given) {
        return name;
    }
    let format = format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");
    OffsetDateTime::now_utc().format(format).map_or_else(|_| "Batch".to_owned(), |date| format!("Batch of {date}"))
}

impl Intake {
    /// The batch that is being filled.
    pub const fn batch(&self) -> BatchId {
        self.batch
    }

    /// Takes one file, or all that is in an archive. `name` is the path that the sender gave; it is only ever shown.
    ///
    /// # Errors
    /// `invalid_request` when `body` breaks off, `too_large` when the batch would hold too many documents or bytes, and
    /// `storage`. A file that cannot be used is no error: it is listed as failed.
    pub async fn add<E>(
        &mut self,
        name: &str,
        body: impl Stream<Item = Result<Bytes, E>> + Send + Unpin,
    ) -> Result<(), Failure>
    where
        E: std::fmt::Display,
    {
        let staged = self.receive(body).await?;
        self.received += staged.bytes;
        let path = clean_path(name);
        let (staged, kind) = spawn_blocking({
            let path = path.clone();
            move || {
                let kind = kind_of(&staged, &path);
                (staged, kind)
            }
        })
        .await
        .map_err(internal)?;
        match kind {
            Some(kind) => self.open(path, kind, staged).await,
            None => self.list(Arrival { path, kind, content: Ok(staged) }).await,
        }
    }

    /// Hashes and stages a body on a thread of its own, so that the disk never holds up other requests.
    async fn receive<E: std::fmt::Display>(
        &self,
        mut body: impl Stream<Item = Result<Bytes, E>> + Send + Unpin,
    ) -> Result<Staged, Failure> {
        let limit = self.engine.config().intake.bytes.saturating_sub(self.received);
        let incoming = self.engine.staging().clone();
        let (sender, receiver) = mpsc::channel::<Bytes>(8);
        let staging = spawn_blocking(move || incoming.stage(&mut ChunkReader { receiver, chunk: Bytes::new() }));
        let mut bytes = 0;
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| {
                Failure::new(FailureCode::InvalidRequest, format!("the upload broke off: {error}"))
                    .with_hint("Send it again. Nothing of it was kept.")
            })?;
            bytes += chunk.len() as u64;
            if bytes > limit {
                return Err(too_many_bytes(self.engine.config().intake.bytes));
            }
            if sender.send(chunk).await.is_err() {
                break; // The disk refused; staging says how.
            }
        }
        drop(sender);
        staging.await.map_err(internal)?.map_err(|error| disk(&error))
    }

    /// Gives the document a path of its own and lists it when a group is full.
    pub(crate) async fn list(&mut self, mut arrival: Arrival) -> Result<(), Failure> {
        let limit = self.engine.config().intake.documents;
        if self.paths.len() as u64 >= limit {
            let message = format!("a batch holds at most {limit} documents");
            return Err(Failure::new(FailureCode::TooLarge, message));
        }
        arrival.path = unique(arrival.path, &mut self.paths);
        self.waiting.push(arrival);
        if self.waiting.len() >= GROUP { self.flush().await } else { Ok(()) }
    }

    /// Makes the waiting files durable, then lists them: blob first, row second.
    async fn flush(&mut self) -> Result<(), Failure> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let arrivals = std::mem::take(&mut self.waiting);
        let mut documents = Vec::with_capacity(arrivals.len());
        let mut staged = Vec::with_capacity(arrivals.len());
        for arrival in arrivals {
            let (sha256, bytes, failure) = match arrival.content {
                Ok(blob) => {
                    let (sha256, bytes) = (blob.sha256.clone(), blob.bytes);
                    staged.push(blob);
                    (sha256, bytes, None)
                }
                Err((failure, bytes)) => (String::new(), bytes, Some(failure)),
            };
            documents.push(NewDocument {
                id: DocumentId(Uuid::now_v7()),
                path: arrival.path,
                sha256,
                bytes,
                kind: arrival.kind,
                failure,
            });
        }
        let staged: Arc<[Staged]> = staged.into();
        self.engine.blobs().keep(&staged).await?;
        self.engine.store().add_documents(self.batch, &documents).await?;
        // Once more: somebody may have removed the same bytes before these rows named them.
        self.engine.blobs().keep(&staged).await?;
        self.engine.wake();
        Ok(())
    }

    /// Says that all documents are there; the batch will be analysed when they are done.
    ///
    /// # Errors
    /// `invalid_request` when nothing was sent; then there is no batch.
    pub async fn finish(mut self) -> Result<Batch, Failure> {
        self.flush().await?;
        if self.paths.is_empty() {
            return Err(Failure::new(FailureCode::InvalidRequest, "no file was sent")
                .with_hint("Choose at least one file, then send the form again."));
        }
        self.engine.store().seal_batch(self.batch).await?;
        self.open = false;
        self.engine.wake();
        self.engine.batch(self.batch).await
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        if self.open {
            let (engine, batch) = (self.engine.clone(), self.batch);
            // The request that fed this intake is gone; nobody waits for the answer.
            tokio::spawn(async move {
                if let Err(failure) = engine.delete_batch(batch).await {
                    tracing::warn!(%batch, code = %failure.code, "a broken-off upload could not be removed");
                }
            });
        }
    }
}

/// What staged bytes look like; absent when they cannot be read.
fn kind_of(staged: &Staged, path: &str) -> Option<DocumentKind> {
    std::fs::File::open(staged.path()).and_then(|file| detect_kind(file, path)).ok()
}

pub(crate) fn disk(error: &io::Error) -> Failure {
    Failure::new(FailureCode::Storage, format!("files cannot be read or written: {error}"))
}

fn too_many_bytes(limit: u64) -> Failure {
    Failure::new(FailureCode::TooLarge, format!("a batch takes at most {} MiB", limit >> 20))
}

/// What the request sends, as something to read from on a blocking thread.
struct ChunkReader {
    receiver: mpsc::Receiver<Bytes>,
    chunk: Bytes,
}

impl Read for ChunkReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.receiver.blocking_recv() {
                Some(chunk) => self.chunk = chunk,
                None => return Ok(0),
            }
        }
        let n = buffer.len().min(self.chunk.len());
        buffer[..n].copy_from_slice(&self.chunk.split_to(n));
        Ok(n)
    }
}
