//! What Sheaf remembers of runs of flows: their documents, which are also their queue, the values found, and the answers of
//! models. A document's new state and its values are one transaction; the attempt number fences it, as in the queue of batches.

use async_trait::async_trait;
use sheaf_domain::flow::{
    Answer, BatchUse, Exchange, FlowRun, FoundValue, RunChange, RunDocument, RunDocumentQuery, RunQuery, RunValue,
    ValueQuery, ValueReview,
};
use sheaf_domain::{
    BatchId, ClusterId, DocumentId, DocumentKind, Failure, FailureCode, FlowId, Page, Restart, RunId, RunPolicy,
};

use crate::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// A run that is about to begin.
#[derive(Clone, Debug, PartialEq)]
pub struct StartedRun {
    pub id: RunId,
    pub name: String,
    pub flow: FlowId,
    pub version: u32,
    pub policy: RunPolicy,
    pub budget_tokens: Option<u64>,
    /// Each document once.
    pub documents: Vec<RunInput>,
}

/// A document that a run works on, as it was called when the run began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunInput {
    pub document: DocumentId,
    pub batch: BatchId,
    pub path: String,
}

/// One lease of a document of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunClaim {
    pub run: RunId,
    pub document: DocumentId,
    pub batch: BatchId,
    /// The fencing token: a later claim of the same document has a higher one.
    pub attempt: u32,
    /// Attempts since a person last asked for it, this one included.
    pub tries: u32,
    pub flow: FlowId,
    pub version: u32,
}

/// What a run found in a document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunFound {
    pub values: Vec<FoundValue>,
    /// Whether a `select` step left the document out.
    pub left_out: bool,
}

/// A document as the steps of a flow see it.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentText {
    pub document: DocumentId,
    pub batch: BatchId,
    pub path: String,
    pub kind: DocumentKind,
    pub language: Option<String>,
    pub cluster: Option<ClusterId>,
    /// The text of each page, as the page itself has it.
    pub pages: Vec<String>,
}

impl DocumentText {
    /// Cuts a text where its pages begin, in bytes.
    pub fn cut(text: &str, starts: &[usize]) -> Vec<String> {
        let ends = starts.iter().skip(1).copied().chain([text.len()]);
        let pages = starts.iter().zip(ends);
        pages.map(|(&start, end)| text.get(start..end).unwrap_or_default().trim_end().to_owned()).collect()
    }
}

/// What a run may spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spending {
    pub tokens: u64,
    pub budget: Option<u64>,
}

/// Runs of flows. Every method is one transaction.
#[async_trait]
pub trait RunStore: Send + Sync + 'static {
    /// Begins a run; one without documents is completed at once.
    async fn start_run(&self, run: &StartedRun) -> Result<()>;
    async fn run(&self, run: RunId) -> Result<Option<FlowRun>>;
    /// Latest first.
    async fn runs(&self, query: &RunQuery) -> Result<Page<FlowRun>>;
    /// By id, which is the order of arrival.
    async fn run_documents(&self, run: RunId, query: &RunDocumentQuery) -> Result<Page<RunDocument>>;
    async fn run_document(&self, run: RunId, document: DocumentId) -> Result<Option<RunDocument>>;
    /// How many of its documents failed for each reason, the most frequent first.
    async fn run_failures(&self, run: RunId) -> Result<Vec<(FailureCode, u64)>>;
    /// By document, each document's in the order in which they were found.
    async fn run_values(&self, run: RunId, query: &ValueQuery) -> Result<Page<RunValue>>;
    /// Notes what a person thinks of a value; `false` when there is none.
    async fn review_value(&self, run: RunId, document: DocumentId, number: u32, review: &ValueReview) -> Result<bool>;
    /// Where documents are that somebody named by id alone.
    async fn find_documents(&self, documents: &[DocumentId]) -> Result<Vec<RunInput>>;
    /// What runs have to do with the documents of a batch. When it is deleted, what they found stays; what waits is cancelled, and
    /// what models were sent goes.
    async fn use_of_batch(&self, batch: BatchId) -> Result<BatchUse>;
    /// A document with the text of its pages; absent when there is none, or it has no text (yet).
    async fn document_text(&self, batch: BatchId, document: DocumentId) -> Result<Option<DocumentText>>;

    /// Stops a run; what is done stays. `false` when it does not go on.
    async fn cancel_run(&self, run: RunId) -> Result<bool>;
    /// Works on documents again, with new attempts; gives how many, `None` when there is nothing to start.
    async fn restart_run(&self, run: RunId, which: &Restart) -> Result<Option<u64>>;
    /// `false` when there is no such run.
    async fn change_run(&self, run: RunId, change: &RunChange) -> Result<bool>;
    /// Removes a run and what it found; `false` when there is none. Answers of models that no other run used go too.
    async fn delete_run(&self, run: RunId) -> Result<bool>;

    /// Leases documents that are ready: runs of the highest priority first, equals share the slots.
    async fn claim_run_documents(&self, worker: &str, slots: u32, lease_ms: u64) -> Result<Vec<RunClaim>>;
    /// Extends the leases of these claims and gives those that are still held.
    async fn keep_run_claims(&self, claims: &[RunClaim], lease_ms: u64) -> Result<Vec<RunClaim>>;
    /// Gives leases back unfinished, as if they had not been claimed.
    async fn release_run_claims(&self, claims: &[RunClaim]) -> Result<()>;
    /// Returns documents whose lease ran out (all that are leased, with `all`); one that was lost `max_crashes` times fails.
    async fn expire_run_claims(&self, max_crashes: u32, all: bool) -> Result<u64>;
    /// Keeps what was found in documents of one run and finishes them; the last one ends the run. For each `false`: its lease
    /// was lost.
    async fn complete_run_documents(&self, done: &[(RunClaim, RunFound)]) -> Result<Vec<bool>>;
    /// The same for one.
    async fn complete_run_document(&self, claim: &RunClaim, found: &RunFound) -> Result<bool> {
        Ok(self.complete_run_documents(&[(claim.clone(), found.clone())]).await? == [true])
    }
    /// Ends an attempt without success: ready again after about `retry_ms`, or failed, and the run with it if its policy says
    /// so. `false`: the lease was lost.
    async fn fail_run_document(&self, claim: &RunClaim, failure: &Failure, retry_ms: Option<u64>) -> Result<bool>;

    /// An answer that was given before to the same request; it is noted as one of this document's exchanges.
    async fn remembered_answer(&self, claim: &RunClaim, step: &str, key: &str) -> Result<Option<Answer>>;
    /// Remembers an answer, whoever holds the lease now, and counts its tokens.
    async fn remember_answer(&self, claim: &RunClaim, step: &str, key: &str, answer: &Answer) -> Result<()>;
    /// Keeps an answer for people to look at, but never uses it again: it did not fit.
    async fn disown_answer(&self, key: &str) -> Result<()>;
    /// What was sent to models for a document, in the order in which it was.
    async fn exchanges(&self, run: RunId, document: DocumentId) -> Result<Vec<Exchange>>;
    async fn spending(&self, run: RunId) -> Result<Option<Spending>>;
}
