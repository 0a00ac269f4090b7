//! What is done with a selection of documents: their originals as a ZIP, or a batch of their own.

use std::io::{self, Write};

use bytes::Bytes;
use sheaf_domain::{BatchId, DocumentId, DocumentQuery, DocumentRow, Failure, FailureCode};
use sheaf_store::NewDocument;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use uuid::Uuid;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::exports::{Export, Sink, file_stem};
use crate::intake::BatchRequest;
use crate::{Engine, internal};

/// Rows that are read at a time.
const PAGE: u32 = 500;
/// Bytes of a ZIP that are sent at a time.
const PIECE: usize = 256 << 10;
/// What is noted in a ZIP of originals that are not there.
const MISSING: &str = "missing.txt";

impl Engine {
    /// The originals of the documents that match, as one ZIP that is written while it is sent. They are stored as they are,
    /// for most are compressed already. What has no original is named in `missing.txt`.
    ///
    /// # Errors
    /// `not_found`, `storage`. A failure in the middle cuts the download off.
    pub async fn export_originals(&self, batch: BatchId, which: &DocumentQuery) -> Result<Export, Failure> {
        let found = self.batch(batch).await?;
        let (sink, body) = mpsc::channel(4);
        let (engine, which, runtime) = (self.clone(), which.clone(), Handle::current());
        let stem = file_stem(&found.name);
        let folder = stem.clone();
        spawn_blocking(move || {
            let out = Out { sink: sink.clone(), waiting: Vec::new() };
            if let Err(failure) = originals(&engine, &runtime, batch, &which, out, &folder) {
                // Nobody may listen any more.
                drop(sink.blocking_send(Err(failure)));
            }
        });
        Ok(Export::new(format!("{stem}-originals.zip"), "application/zip", body))
    }

    /// Makes a batch of the documents of another one that match. The bytes are there, and what was read and compared of them is
    /// remembered by content, so that only the grouping is new.
    ///
    /// # Errors
    /// `not_found`; `invalid_request` when none matches whose bytes are there; `storage`. Then there is no batch.
    pub async fn batch_of(&self, batch: BatchId, which: &DocumentQuery, name: &str) -> Result<BatchId, Failure> {
        let source = self.batch(batch).await?;
        let name = if name.trim().is_empty() { format!("From {}", source.name) } else { name.to_owned() };
        let passwords = self.store().passwords(batch).await?;
        let new = BatchRequest { name, params: source.params, policy: source.policy, passwords }.check()?;
        self.store().create_batch(&new).await?;
        let filled = self.fill(batch, which, new.id).await;
        // Rows of both batches name the bytes now: if the first one is still there, nobody has removed them meanwhile.
        let is_there = self.store().batch(batch).await;
        let failure = match (filled, is_there) {
            (Ok(0), _) => Failure::new(FailureCode::InvalidRequest, "no document was chosen whose bytes are there")
                .with_hint("Choose at least one that was not refused on arrival."),
            (Ok(_), Ok(Some(_))) => {
                self.store().seal_batch(new.id).await?;
                self.wake();
                return Ok(new.id);
            }
            (Ok(_), Ok(None)) => crate::read::no_batch(batch),
            (Ok(_), Err(error)) => error.into(),
            (Err(failure), _) => failure,
        };
        self.delete_batch(new.id).await?;
        Err(failure)
    }

    /// Lists the documents in the new batch; how many those are.
    async fn fill(&self, batch: BatchId, which: &DocumentQuery, new: BatchId) -> Result<u64, Failure> {
        let mut after: Option<(String, DocumentId)> = None;
        let mut listed = 0;
        loop {
            let from = after.as_ref().map(|(path, id)| (path.as_str(), *id));
            let rows = self.store().matching_after(batch, which, from, PAGE).await?;
            let Some(last) = rows.last() else { return Ok(listed) };
            after = Some((last.path.clone(), last.id));
            let documents: Vec<NewDocument> = rows.into_iter().filter(|row| !row.sha256.is_empty()).map(anew).collect();
            listed += documents.len() as u64;
            self.store().add_documents(new, &documents).await?;
        }
    }
}

fn anew(row: DocumentRow) -> NewDocument {
    let DocumentRow { path, sha256, bytes, kind, .. } = row;
    NewDocument { id: DocumentId(Uuid::now_v7()), path, sha256, bytes, kind, failure: None }
}

fn originals(
    engine: &Engine,
    runtime: &Handle,
    batch: BatchId,
    which: &DocumentQuery,
    out: Out,
    folder: &str,
) -> Result<(), Failure> {
    let mut zip = ZipWriter::new_stream(out);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut missing = String::new();
    let mut after: Option<(String, DocumentId)> = None;
    loop {
        let from = after.as_ref().map(|(path, id)| (path.as_str(), *id));
        let rows = runtime.block_on(engine.store().matching_after(batch, which, from, PAGE))?;
        let Some(last) = rows.last() else { break };
        after = Some((last.path.clone(), last.id));
        for row in rows {
            let Ok((path, file)) = runtime.block_on(engine.original_file(batch, row.id)) else {
                missing.push_str(&row.path);
                missing.push('\n');
                continue;
            };
            let mut bytes = std::fs::File::open(file.path()).map_err(internal)?;
            zip.start_file(format!("{folder}/{path}"), options.large_file(true)).map_err(internal)?;
            io::copy(&mut bytes, &mut zip).map_err(internal)?;
        }
    }
    if !missing.is_empty() {
        zip.start_file(format!("{folder}/{MISSING}"), options).map_err(internal)?;
        zip.write_all(missing.as_bytes()).map_err(internal)?;
    }
    let mut out = zip.finish().map_err(internal)?.into_inner();
    out.flush().map_err(internal)
}

/// A download as something that can be written to.
struct Out {
    sink: Sink,
    waiting: Vec<u8>,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(&mut self.waiting));
        self.sink.blocking_send(Ok(piece)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}
