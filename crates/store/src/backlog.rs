//! A backlog: records of files that are documents, what of it a flow has not done yet, and all of it again with its results.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use sheaf_domain::flow::RunDocument;
use sheaf_domain::{Added, BatchId, DocumentId, Failure, FlowId, RunId};

use crate::{NewDocument, ParseRecord, RunClaim, RunInput, StoreError};

type Result<T> = std::result::Result<T, StoreError>;

/// A record that becomes a document, read already.
#[derive(Clone, Debug)]
pub struct NewRecord {
    /// Its path is made from the record's id.
    pub document: NewDocument,
    /// The record's own id.
    pub id: String,
    /// All its fields, as JSON.
    pub fields: String,
    /// Whether it takes the place of the one record of its batch that has its id, where their texts differ. Otherwise it is kept
    /// beside that.
    pub replaces: bool,
    pub parsed: ParseRecord,
}

/// What became of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeptRecords {
    /// Those that are in the place of nothing.
    pub added: Added,
    /// Those with another text than before, or with other fields.
    pub changed: u64,
}

/// A record that a batch has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRecord {
    pub document: DocumentId,
    pub sha256: String,
    pub fields: String,
}

/// What a record that comes is to those that a batch has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As it was, or new.
    Own,
    /// This document has its text, with other fields.
    OtherFields(DocumentId),
    /// This document has its id, and another text.
    OtherText(DocumentId),
}

impl Standing {
    /// Of records that come together, by what the batch has under their ids.
    pub fn of(records: &[NewRecord], held: &HashMap<String, Vec<HeldRecord>>) -> Vec<Self> {
        let under = |record: &NewRecord| held.get(&record.id).map(Vec::as_slice).unwrap_or_default();
        let same = |record: &NewRecord| under(record).iter().find(|held| held.sha256 == record.document.sha256);
        // What another of them stands for stays: only what none of them holds any more can be replaced.
        let stay: HashSet<DocumentId> = records.iter().filter_map(same).map(|held| held.document).collect();
        let of = |record: &NewRecord| match (same(record), under(record)) {
            (Some(held), _) if held.fields == record.fields => Self::Own,
            (Some(held), _) => Self::OtherFields(held.document),
            (None, [one]) if record.replaces && !stay.contains(&one.document) => Self::OtherText(one.document),
            (None, _) => Self::Own,
        };
        records.iter().map(of).collect()
    }
}

/// Which part of the backlog.
#[derive(Clone, Copy, Debug)]
pub enum BacklogScope<'a> {
    /// These batches; all when there is none.
    Batches(&'a [BatchId]),
    Run(RunId),
}

/// A document of the backlog and what the latest run that had it made of its text. Of a run, that may have been an earlier text.
#[derive(Clone, Debug, PartialEq)]
pub struct BacklogRow {
    pub document: DocumentId,
    pub path: String,
    /// The record's own id and its fields as JSON, where it was one.
    pub record: Option<(String, String)>,
    /// Absent before it was read, and when the document is gone.
    pub text: Option<String>,
    /// Why the document itself cannot be used.
    pub failure: Option<Failure>,
    pub result: Option<(RunId, RunDocument)>,
    /// In the order in which they were found; a correction stands in the place of what was found, what was rejected is left out.
    pub values: Vec<BacklogValue>,
}

/// A value that a run found.
#[derive(Clone, Debug, PartialEq)]
pub struct BacklogValue {
    pub step: String,
    pub field: String,
    pub value: String,
    pub probability: Option<f32>,
}

/// What a backlog is worked off by. Every method is one transaction.
#[async_trait]
pub trait BacklogStore: Send + Sync + 'static {
    /// Adds records to a batch, which goes on if it was there before: by the rules of `extend_batch`, but each is read already
    /// and waits to be embedded. Their originals are not here. A batch that is still open must be the caller's own.
    ///
    /// A document whose text is replaced keeps its id and path, and is embedded anew. What runs found in it is marked as
    /// outdated, and what they have under way with it begins again. Other fields with the same text change nothing else.
    async fn import_records(&self, batch: BatchId, records: &[NewRecord]) -> Result<KeptRecords>;
    /// The texts of records with these ids, each with its id.
    async fn record_texts(&self, batches: &[BatchId], ids: &[String]) -> Result<Vec<(String, String)>>;
    /// Documents that have a text and are in no run of this version, unless it is outdated there, by id. Batches: all when there is
    /// none.
    async fn unprocessed(
        &self,
        version: (FlowId, u32),
        batches: &[BatchId],
        after: Option<DocumentId>,
        limit: u32,
    ) -> Result<Vec<RunInput>>;
    /// Adds documents to a run, which goes on if it had ended; those that it has stay as they are, but what is outdated is done
    /// again. Gives how many there are to do for it.
    async fn extend_run(&self, run: RunId, documents: &[RunInput]) -> Result<u64>;
    /// Leases documents of one run.
    async fn claim_of_run(&self, run: RunId, worker: &str, slots: u32, lease_ms: u64) -> Result<Vec<RunClaim>>;
    /// By document.
    async fn backlog_rows(
        &self,
        scope: BacklogScope<'_>,
        after: Option<DocumentId>,
        limit: u32,
    ) -> Result<Vec<BacklogRow>>;
}
