//! Documents arrive: bytes are staged and hashed, archives are walked, then documents and their first jobs are listed.

mod archive;
mod group;
mod import;
mod paths;
mod records;
mod uploads;

use std::io::{self, Read};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use sheaf_domain::{
    BatchId, BatchParams, DocumentKind, Failure, FailureCode, Passwords, Received, RunPolicy, UploadFile, UploadId,
};
use sheaf_parsing::detect_kind;
use sheaf_store::NewBatch;
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};
use uuid::Uuid;

use crate::blobs::Staged;
use crate::{Engine, Trace, internal};

use group::Group;

pub use paths::clean_path;
pub(crate) use paths::unique;
pub use records::{ImportedRecords, RecordsRequest, name_of};
pub use uploads::{Announced, ArrivedFiles, KNOWN_PATHS};

/// Files that become durable and listed together; one sync of a folder and one transaction serve them all.
const GROUP: usize = 256;

/// The longest name of a batch in characters.
const NAME_CHARS: usize = 200;

/// Documents on their way into a batch.
pub struct Intake {
    engine: Engine,
    batch: BatchId,
    piece: Piece,
    /// Of which the last may belong to a file that is still being opened.
    waiting: Vec<Arrival>,
    /// Whole files that are not noted yet.
    files: Vec<UploadFile>,
    /// Of those that are being kept: it goes on even if the request that sent them ends.
    on_its_way: Option<JoinHandle<Result<Received, Failure>>>,
    /// Documents of the batch, these included.
    documents: u64,
    /// Bytes received, archives counted as they come.
    bytes: u64,
    passwords: Passwords,
    received: Received,
}

/// What is kept as a whole or not at all.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// A new batch: work starts while it is being sent, but unless it is finished it is removed.
    Batch { finished: bool },
    /// All that is added to a batch by one request.
    Addition,
    /// Each file of an upload, with all that is in it.
    File(UploadId),
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
    pub async fn begin_batch(&self, new: BatchRequest) -> Result<Intake, Failure> {
        let new = new.check()?;
        self.store().create_batch(&new).await?;
        Ok(Intake::new(self, new.id, Piece::Batch { finished: false }, new.passwords))
    }

    /// Starts to add documents to a batch. Nothing is added before [`Intake::finish`].
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn begin_addition(&self, batch: BatchId) -> Result<Intake, Failure> {
        let found = self.batch(batch).await?;
        let passwords = self.store().passwords(batch).await?;
        let mut intake = Intake::new(self, batch, Piece::Addition, passwords);
        intake.documents = found.counts.total;
        Ok(intake)
    }

    /// Starts to take files of an upload.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn begin_files(&self, upload: UploadId) -> Result<Intake, Failure> {
        let found = self.upload(upload).await?;
        let batch = self.batch(found.batch).await?;
        let passwords = self.store().passwords(found.batch).await?;
        let mut intake = Intake::new(self, found.batch, Piece::File(upload), passwords);
        (intake.documents, intake.bytes) = (batch.counts.total, found.arrived_bytes);
        Ok(intake)
    }
}

/// What is said about a batch before its files.
#[derive(Clone, Debug, Default)]
pub struct BatchRequest {
    pub name: String,
    pub params: BatchParams,
    pub policy: RunPolicy,
    /// Tried on documents that ask for one.
    pub passwords: Passwords,
}

impl BatchRequest {
    pub(crate) fn check(self) -> Result<NewBatch, Failure> {
        let Self { name, params, policy, passwords } = self;
        let params = params.check()?;
        let trace = Trace::current().map(|trace| trace.to_string());
        Ok(NewBatch { id: BatchId(Uuid::now_v7()), name: batch_name(&name), params, policy, passwords, trace })
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
    fn new(engine: &Engine, batch: BatchId, piece: Piece, passwords: Passwords) -> Self {
        Self {
            engine: engine.clone(),
            batch,
            piece,
            waiting: Vec::new(),
            files: Vec::new(),
            on_its_way: None,
            documents: 0,
            bytes: 0,
            passwords,
            received: Received::default(),
        }
    }

    /// The batch that is being filled.
    pub const fn batch(&self) -> BatchId {
        self.batch
    }

    /// Takes one file, or all that is in an archive. `name` is the path that the sender gave; it is only ever shown.
    ///
    /// # Errors
    /// `invalid_request` when `body` breaks off, `too_large` when the batch would hold too many documents or bytes, and
    /// `storage`. A file that cannot be used is no error: it is listed as failed. Of a file that ends in an error nothing is
    /// kept; what was taken before can still be finished.
    pub async fn add<E>(
        &mut self,
        name: &str,
        body: impl Stream<Item = Result<Bytes, E>> + Send + Unpin,
    ) -> Result<(), Failure>
    where
        E: std::fmt::Display,
    {
        let staged = self.receive(body).await?;
        self.bytes += staged.bytes;
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
        let file = UploadFile { path: path.clone(), bytes: staged.bytes, sha256: staged.sha256.clone() };
        let before = self.waiting.len();
        let taken = match kind {
            Some(kind) => self.open(path, kind, staged).await,
            None => self.list(Arrival { path, kind, content: Ok(staged) }).await,
        };
        if let Err(failure) = taken {
            self.waiting.truncate(before);
            return Err(failure);
        }
        self.files.push(file);
        match self.piece {
            Piece::File(_) if self.waiting.len() >= GROUP => self.flush().await,
            Piece::File(_) | Piece::Addition | Piece::Batch { .. } => Ok(()),
        }
    }

    /// Hashes and stages a body on a thread of its own, so that the disk never holds up other requests.
    async fn receive<E: std::fmt::Display>(
        &self,
        mut body: impl Stream<Item = Result<Bytes, E>> + Send + Unpin,
    ) -> Result<Staged, Failure> {
        let limit = self.engine.config().intake.bytes.saturating_sub(self.bytes);
        let incoming = self.engine.staging().clone();
        let kept = match self.piece {
            Piece::Batch { .. } | Piece::Addition => "Send it again. Nothing of it was kept.",
            Piece::File(_) => "Send this file again. What arrived before it is kept.",
        };
        let (sender, receiver) = mpsc::channel::<Bytes>(8);
        let staging = spawn_blocking(move || incoming.stage(&mut ChunkReader { receiver, chunk: Bytes::new() }));
        let mut bytes = 0;
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| {
                Failure::new(FailureCode::InvalidRequest, format!("the upload broke off: {error}")).with_hint(kept)
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

    /// Lists the document, by groups where a part may be listed before the whole.
    pub(crate) async fn list(&mut self, arrival: Arrival) -> Result<(), Failure> {
        let limit = self.engine.config().intake.documents;
        if self.documents >= limit {
            let message = format!("a batch holds at most {limit} documents");
            return Err(Failure::new(FailureCode::TooLarge, message));
        }
        self.documents += 1;
        self.waiting.push(arrival);
        match self.piece {
            Piece::Batch { .. } if self.waiting.len() >= GROUP => self.flush().await,
            Piece::Batch { .. } | Piece::Addition | Piece::File(_) => Ok(()),
        }
    }

    /// Lets the waiting files become durable and listed while more arrive. There is never more than one group on its way.
    async fn flush(&mut self) -> Result<(), Failure> {
        self.settle().await?;
        if self.waiting.is_empty() && self.files.is_empty() {
            return Ok(());
        }
        let group = Group::new(std::mem::take(&mut self.files), std::mem::take(&mut self.waiting));
        self.on_its_way = Some(tokio::spawn(group.keep(self.engine.clone(), self.batch, self.piece)));
        Ok(())
    }

    /// Waits for the group that is on its way.
    async fn settle(&mut self) -> Result<(), Failure> {
        if let Some(group) = self.on_its_way.take() {
            let received = group.await.map_err(internal)??;
            self.received.files.extend(received.files);
            self.received.added += received.added;
        }
        Ok(())
    }

    /// Says that all is there. A new batch will be analysed when its documents are done.
    ///
    /// # Errors
    /// `invalid_request` when nothing was sent; then there is no batch. `not_ready` when the batch that was to be added to is
    /// itself still being sent in one piece; `not_found` when the upload was finished or stopped meanwhile.
    pub async fn finish(mut self) -> Result<Received, Failure> {
        self.flush().await?;
        self.settle().await?;
        if self.received.files.is_empty() {
            return Err(Failure::new(FailureCode::InvalidRequest, "no file was sent")
                .with_hint("Choose at least one file, then send the form again."));
        }
        if let Piece::Batch { finished } = &mut self.piece {
            self.engine.store().seal_batch(self.batch).await?;
            *finished = true;
            self.engine.wake();
        }
        Ok(std::mem::take(&mut self.received))
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        if self.piece == (Piece::Batch { finished: false }) {
            let (engine, batch, on_its_way) = (self.engine.clone(), self.batch, self.on_its_way.take());
            // The request that fed this intake is gone; nobody waits for the answer.
            tokio::spawn(async move {
                if let Some(group) = on_its_way {
                    let _ = group.await; // Whatever came of it goes with the batch.
                }
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
