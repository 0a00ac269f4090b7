//! Runs of flows: their rows, their documents as a queue, what was found, and what models answered.

mod answers;
mod backlog;
pub(crate) mod leave;
mod queue;
pub(crate) mod read;
mod replace;
mod steer;
mod values;

use async_trait::async_trait;
use sheaf_domain::flow::{
    Answer, BatchUse, Exchange, FlowRun, RunChange, RunDocument, RunDocumentQuery, RunQuery, RunValue, ValueQuery,
    ValueReview,
};
use sheaf_domain::{BatchId, DocumentId, Failure, FailureCode, Page, Restart, RunId};
use sheaf_store::{DocumentText, RunClaim, RunFound, RunInput, RunStore, Spending, StartedRun};

use crate::{Result, SqliteStore};

#[async_trait]
impl RunStore for SqliteStore {
    async fn start_run(&self, run: &StartedRun) -> Result<()> {
        steer::start(&self.writer, run).await
    }
    async fn run(&self, run: RunId) -> Result<Option<FlowRun>> {
        read::run(&self.readers, run).await
    }
    async fn runs(&self, query: &RunQuery) -> Result<Page<FlowRun>> {
        read::runs(&self.readers, query).await
    }
    async fn run_documents(&self, run: RunId, query: &RunDocumentQuery) -> Result<Page<RunDocument>> {
        read::documents(&self.readers, run, query).await
    }
    async fn run_document(&self, run: RunId, document: DocumentId) -> Result<Option<RunDocument>> {
        read::document(&self.readers, run, document).await
    }
    async fn run_failures(&self, run: RunId) -> Result<Vec<(FailureCode, u64)>> {
        read::failures(&self.readers, run).await
    }
    async fn run_values(&self, run: RunId, query: &ValueQuery) -> Result<Page<RunValue>> {
        values::list(&self.readers, run, query).await
    }
    async fn review_value(&self, run: RunId, document: DocumentId, number: u32, review: &ValueReview) -> Result<bool> {
        values::review(&self.writer, (run, document, number), review).await
    }
    async fn find_documents(&self, documents: &[DocumentId]) -> Result<Vec<RunInput>> {
        read::find_documents(&self.readers, documents).await
    }
    async fn use_of_batch(&self, batch: BatchId) -> Result<BatchUse> {
        leave::use_of(&self.readers, leave::OF_BATCH, &batch.to_string()).await
    }
    async fn document_text(&self, batch: BatchId, document: DocumentId) -> Result<Option<DocumentText>> {
        read::document_text(&self.readers, batch, document).await
    }

    async fn cancel_run(&self, run: RunId) -> Result<bool> {
        steer::cancel(&self.writer, run).await
    }
    async fn restart_run(&self, run: RunId, which: &Restart) -> Result<Option<u64>> {
        steer::restart(&self.writer, run, which).await
    }
    async fn change_run(&self, run: RunId, change: &RunChange) -> Result<bool> {
        steer::change(&self.writer, run, change).await
    }
    async fn delete_run(&self, run: RunId) -> Result<bool> {
        steer::delete(&self.writer, run).await
    }

    async fn claim_run_documents(&self, worker: &str, slots: u32, lease_ms: u64) -> Result<Vec<RunClaim>> {
        queue::claim(&self.readers, &self.writer, worker, slots, lease_ms).await
    }
    async fn keep_run_claims(&self, claims: &[RunClaim], lease_ms: u64) -> Result<Vec<RunClaim>> {
        queue::keep(&self.writer, claims, lease_ms).await
    }
    async fn release_run_claims(&self, claims: &[RunClaim]) -> Result<()> {
        queue::release(&self.writer, claims).await
    }
    async fn expire_run_claims(&self, max_crashes: u32, all: bool) -> Result<u64> {
        queue::expire(&self.writer, max_crashes, all).await
    }
    async fn complete_run_documents(&self, done: &[(RunClaim, RunFound)]) -> Result<Vec<bool>> {
        queue::complete(&self.writer, done).await
    }
    async fn fail_run_document(&self, claim: &RunClaim, failure: &Failure, retry_ms: Option<u64>) -> Result<bool> {
        queue::fail(&self.writer, claim, failure, retry_ms).await
    }

    async fn remembered_answer(&self, claim: &RunClaim, step: &str, key: &str) -> Result<Option<Answer>> {
        answers::remembered(&self.readers, &self.writer, claim, step, key).await
    }
    async fn remember_answer(&self, claim: &RunClaim, step: &str, key: &str, answer: &Answer) -> Result<()> {
        answers::remember(&self.writer, claim, step, key, answer).await
    }
    async fn disown_answer(&self, key: &str) -> Result<()> {
        answers::disown(&self.writer, key).await
    }
    async fn exchanges(&self, run: RunId, document: DocumentId) -> Result<Vec<Exchange>> {
        answers::exchanges(&self.readers, run, document).await
    }
    async fn spending(&self, run: RunId) -> Result<Option<Spending>> {
        answers::spending(&self.readers, run).await
    }
}
