//! Records of a file become documents of a batch: read as they come, each once, however often the file is imported.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use sheaf_domain::{Added, BatchId, BatchParams, BatchQuery, DocumentId, DocumentKind, Failure, ModelName};
use sheaf_parsing::{PARSER_VERSION, read_plain};
use sheaf_store::{BacklogScope, KeptRecords, NewDocument, NewRecord};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::{BatchRequest, GROUP, clean_path};
use crate::backlog::{Columns, Record, Records, Tally, look, number_id};
use crate::{Engine, internal, stages};

/// What to import, and under which name.
#[derive(Clone, Debug)]
pub struct RecordsRequest {
    /// A `.json`, `.jsonl`, `.csv` or `.tsv` file of records.
    pub file: PathBuf,
    /// The batch that they go into; made if there is none of this name.
    pub name: String,
    /// The names of the fields, where they are not to be found by themselves.
    pub id_field: Option<String>,
    pub text_field: Option<String>,
    /// By which model a new batch is grouped.
    pub model: ModelName,
}

/// What became of the records of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportedRecords {
    /// Absent when the file held none that could be used, and there was no batch of this name.
    pub batch: Option<BatchId>,
    pub added: Added,
    /// Records that had the same id and other fields or another text before: what they hold now is in the place of that.
    pub changed: u64,
    /// Records that could not be used.
    pub broken: u64,
    /// Records of the batch that the file does not have, or not in a form that can be used. They stay.
    pub gone: u64,
    /// The ids of some of them.
    pub gone_ids: Vec<String>,
}

/// Ids of records that are gone, of which it is said.
const GONE_SAID: usize = 5;
/// Records of a batch that are looked at in one go.
const LOOKED_AT: u32 = 1000;

/// What is read of a file, in its order.
enum Piece {
    Columns(Columns),
    Records(Vec<NewRecord>, u64),
    Broken(String),
}

impl Engine {
    /// Adds the records of a file to the batch of that name. What is there already, as it is in the file, stays as it is; what has
    /// changed takes the place of what was there under its id.
    /// `broken` hears of each record that cannot be used, `found` of the fields. It goes on where it was interrupted when it is done
    /// again.
    ///
    /// # Errors
    /// `invalid_request` when the file cannot be understood at all, `too_large`, `storage`.
    pub async fn import_records(
        &self,
        request: &RecordsRequest,
        tally: &Tally,
        mut found: impl FnMut(&Columns),
        mut broken: impl FnMut(&str),
    ) -> Result<ImportedRecords, Failure> {
        let known = self.batch_called(&request.name).await?;
        let mut imported = ImportedRecords { batch: known, ..Default::default() };
        let mut room = self.config().intake.documents;
        if let Some(batch) = imported.batch {
            room = room.saturating_sub(self.batch(batch).await?.counts.total);
        }
        let length = std::fs::metadata(&request.file).map_or(0, |about| about.len());
        tally.bytes.store(length, Ordering::Relaxed);
        let (sender, mut receiver) = mpsc::channel(2);
        let from = request.clone();
        let reading = spawn_blocking(move || read(&from, &sender));
        while let Some(piece) = receiver.recv().await {
            match piece {
                Piece::Columns(columns) => found(&columns),
                Piece::Broken(error) => {
                    imported.broken += 1;
                    broken(&error);
                }
                Piece::Records(records, bytes) => {
                    self.keep_records(request, &mut imported, &records).await?;
                    if imported.added.documents > room {
                        let limit = self.config().intake.documents;
                        let message = format!("a batch holds at most {limit} documents");
                        return Err(Failure::new(sheaf_domain::FailureCode::TooLarge, message));
                    }
                    tally.records.fetch_add(records.len() as u64, Ordering::Relaxed);
                    tally.done_bytes.fetch_add(bytes, Ordering::Relaxed);
                }
            }
        }
        let had = reading.await.map_err(internal)??;
        if let Some(batch) = known {
            self.note_gone(batch, &had, &mut imported).await?;
        }
        self.wake();
        Ok(imported)
    }

    /// Counts the records of a batch that a file did not have.
    async fn note_gone(&self, batch: BatchId, had: &Ids, imported: &mut ImportedRecords) -> Result<(), Failure> {
        let mut after = None;
        loop {
            let rows = self.store().backlog_rows(BacklogScope::Batches(&[batch]), after, LOOKED_AT).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(last.document);
            for (id, _) in rows.into_iter().filter_map(|row| row.record).filter(|(id, _)| !had.have(id)) {
                imported.gone += 1;
                if imported.gone_ids.len() < GONE_SAID {
                    imported.gone_ids.push(id);
                }
            }
        }
    }

    async fn keep_records(
        &self,
        request: &RecordsRequest,
        imported: &mut ImportedRecords,
        records: &[NewRecord],
    ) -> Result<(), Failure> {
        let KeptRecords { added, changed } = match imported.batch {
            Some(batch) => self.store().import_records(batch, records).await?,
            None => {
                // It is never empty: with the first records in it, it is like any other batch.
                let params = BatchParams { model: request.model, ..BatchParams::default() };
                let new = BatchRequest { name: request.name.clone(), params, ..BatchRequest::default() }.check()?;
                self.store().create_batch(&new).await?;
                let kept = self.store().import_records(new.id, records).await?;
                self.store().seal_batch(new.id).await?;
                imported.batch = Some(new.id);
                kept
            }
        };
        imported.added += added;
        imported.changed += changed;
        Ok(())
    }

    /// The latest batch that is called exactly so.
    ///
    /// # Errors
    /// `storage`.
    pub async fn batch_called(&self, name: &str) -> Result<Option<BatchId>, Failure> {
        let mut query =
            BatchQuery { search: Some(name.to_owned()), limit: BatchQuery::MAX_LIMIT, ..BatchQuery::default() };
        loop {
            let page = self.store().batches(&query).await?;
            if let Some(batch) = page.items.iter().find(|batch| batch.name == name) {
                return Ok(Some(batch.id));
            }
            match page.next_cursor {
                Some(cursor) => query.cursor = Some(cursor),
                None => return Ok(None),
            }
        }
    }
}

/// Reads the whole file, a few records ahead of who listens; gives the ids that it has.
fn read(request: &RecordsRequest, sender: &mpsc::Sender<Piece>) -> Result<Ids, Failure> {
    let send = |piece| sender.blocking_send(piece).is_ok();
    let columns = look(&request.file, request.id_field.as_deref(), request.text_field.as_deref())?;
    send(Piece::Columns(columns.clone()));
    let mut records = Records::open(&request.file)?;
    let (mut number, mut group, mut bytes) = (0, Vec::new(), 0);
    let mut ids = Ids::default();
    while let Some((record, took)) = records.next().map_err(|error| super::disk(&error))? {
        number += 1;
        bytes += took;
        let placed = |error: String| format!("{}: {error}", records.place());
        match record.and_then(|record| usable(&columns, &record, number).map_err(placed)) {
            Ok(record) => {
                let replaces = ids.are_new(&record.id) && record.replaces;
                group.push(Usable { place: records.place(), replaces, ..record });
            }
            Err(error) => {
                send(Piece::Broken(error));
            }
        }
        // When nobody listens any more, keeping the others failed; that says why.
        if group.len() >= GROUP && !send_group(sender, std::mem::take(&mut group), std::mem::take(&mut bytes)) {
            return Ok(ids);
        }
    }
    send_group(sender, group, bytes);
    Ok(ids)
}

/// Reads the texts of a group on all cores; `false` when nobody listens.
fn send_group(sender: &mpsc::Sender<Piece>, group: Vec<Usable>, bytes: u64) -> bool {
    let read: Vec<Result<NewRecord, String>> = group.into_par_iter().map(new_record).collect();
    let mut records = Vec::with_capacity(read.len());
    for record in read {
        match record {
            Ok(mut record) => {
                // Ids are in the order of the file, and so is what is listed by them.
                record.document.id = DocumentId(Uuid::now_v7());
                records.push(record);
            }
            Err(error) => {
                if sender.blocking_send(Piece::Broken(error)).is_err() {
                    return false;
                }
            }
        }
    }
    records.is_empty() || sender.blocking_send(Piece::Records(records, bytes)).is_ok()
}

/// Ids of records that were read, by their hashes: what shares one by chance is kept beside the other, which loses nothing.
#[derive(Default)]
struct Ids {
    hasher: RandomState,
    seen: HashSet<u64>,
}

impl Ids {
    /// Whether this id was not there yet; it is from now on.
    fn are_new(&mut self, id: &str) -> bool {
        self.seen.insert(self.hasher.hash_one(id))
    }

    /// Whether this id was there; what shares its hash with one that was is taken for it.
    fn have(&self, id: &str) -> bool {
        self.seen.contains(&self.hasher.hash_one(id))
    }
}

/// A record with an id and a text.
struct Usable {
    id: String,
    text: String,
    fields: String,
    place: String,
    replaces: bool,
}

/// A number in the file is no id by which a record is known again: what has no other never replaces anything.
fn usable(columns: &Columns, record: &Record, number: u64) -> Result<Usable, String> {
    let own = columns.id(record);
    let replaces = own.is_some();
    let text = columns.text(record)?;
    let fields = record.json().to_owned();
    Ok(Usable { id: own.unwrap_or_else(|| number_id(number)), text, fields, place: String::new(), replaces })
}

/// # Errors
/// When the text holds no word or is too long.
fn new_record(Usable { id, text, fields, place, replaces }: Usable) -> Result<NewRecord, String> {
    let sha256 = hex::encode(Sha256::digest(&text));
    // Apart from what a file of the same bytes gives: that may be read otherwise.
    let key = format!("{sha256}:{PARSER_VERSION}:record");
    let parsed = read_plain(&text).map_err(|failure| format!("{place}: {}", failure.message))?;
    let document = NewDocument {
        id: DocumentId(Uuid::nil()),
        path: clean_path(&id),
        sha256,
        bytes: text.len() as u64,
        kind: Some(DocumentKind::Text),
        failure: None,
    };
    Ok(NewRecord { document, id, fields, replaces, parsed: stages::parse::record(parsed, key) })
}

/// The name of a batch for a file: its own, without the suffix.
pub fn name_of(file: &Path) -> String {
    file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
