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

use crate::again::{Patience, again};
use crate::{PostgresStore, Result};

#[async_trait]
impl RunStore for PostgresStore {
    async fn start_run(&self, run: &StartedRun) -> Result<()> {
        again(Patience::ASKED, || steer::start(&self.pool, run)).await
    }
    async fn run(&self, run: RunId) -> Result<Option<FlowRun>> {
        again(Patience::ASKED, || read::run(&self.pool, run)).await
    }
    async fn runs(&self, query: &RunQuery) -> Result<Page<FlowRun>> {
        again(Patience::ASKED, || read::runs(&self.pool, query)).await
    }
    async fn run_documents(&self, run: RunId, query: &RunDocumentQuery) -> Result<Page<RunDocument>> {
        again(Patience::ASKED, || read::documents(&self.pool, run, query)).await
    }
    async fn run_document(&self, run: RunId, document: DocumentId) -> Result<Option<RunDocument>> {
        again(Patience::ASKED, || read::document(&self.pool, run, document)).await
    }
    async fn run_failures(&self, run: RunId) -> Result<Vec<(FailureCode, u64)>> {
        again(Patience::ASKED, || read::failures(&self.pool, run)).await
    }
    async fn run_values(&self, run: RunId, query: &ValueQuery) -> Result<Page<RunValue>> {
        again(Patience::ASKED, || values::list(&self.pool, run, query)).await
    }
    async fn review_value(&self, run: RunId, document: DocumentId, number: u32, review: &ValueReview) -> Result<bool> {
        again(Patience::ASKED, || values::review(&self.pool, (run, document, number), review)).await
    }
    async fn find_documents(&self, documents: &[DocumentId]) -> Result<Vec<RunInput>> {
        again(Patience::ASKED, || read::find_documents(&self.pool, documents)).await
    }
    async fn use_of_batch(&self, batch: BatchId) -> Result<BatchUse> {
        again(Patience::ASKED, || leave::use_of(&self.pool, leave::Leaving::Batch(batch))).await
    }
    async fn document_text(&self, batch: BatchId, document: DocumentId) -> Result<Option<DocumentText>> {
        again(Patience::ASKED, || read::document_text(&self.pool, batch, document)).await
    }

    async fn cancel_run(&self, run: RunId) -> Result<bool> {
        again(Patience::ASKED, || steer::cancel(&self.pool, run)).await
    }
    async fn restart_run(&self, run: RunId, which: &Restart) -> Result<Option<u64>> {
        again(Patience::ASKED, || steer::restart(&self.pool, run, which)).await
    }
    async fn change_run(&self, run: RunId, change: &RunChange) -> Result<bool> {
        again(Patience::ASKED, || steer::change(&self.pool, run, change)).await
    }
    async fn delete_run(&self, run: RunId) -> Result<bool> {
        again(Patience::ASKED, || steer::delete(&self.pool, run)).await
    }

    async fn claim_run_documents(&self, worker: &str, slots: u32, lease_ms: u64) -> Result<Vec<RunClaim>> {
        again(Patience::ASKED, || queue::claim(&self.pool, worker, slots, lease_ms)).await
    }
    async fn keep_run_claims(&self, claims: &[RunClaim], lease_ms: u64) -> Result<Vec<RunClaim>> {
        again(Patience::lease(lease_ms), || queue::keep(&self.pool, claims, lease_ms)).await
    }
    async fn release_run_claims(&self, claims: &[RunClaim]) -> Result<()> {
        again(Patience::ASKED, || queue::release(&self.pool, claims)).await
    }
    async fn expire_run_claims(&self, max_crashes: u32, all: bool) -> Result<u64> {
        again(Patience::ASKED, || queue::expire(&self.pool, max_crashes, all)).await
    }
    async fn complete_run_documents(&self, done: &[(RunClaim, RunFound)]) -> Result<Vec<bool>> {
        again(Patience::WORK, || queue::complete(&self.pool, done)).await
    }
    async fn fail_run_document(&self, claim: &RunClaim, failure: &Failure, retry_ms: Option<u64>) -> Result<bool> {
        again(Patience::WORK, || queue::fail(&self.pool, claim, failure, retry_ms)).await
    }

    async fn remembered_answer(&self, claim: &RunClaim, step: &str, key: &str) -> Result<Option<Answer>> {
        again(Patience::WORK, || answers::remembered(&self.pool, claim, step, key)).await
    }
    async fn remember_answer(&self, claim: &RunClaim, step: &str, key: &str, answer: &Answer) -> Result<()> {
        again(Patience::WORK, || answers::remember(&self.pool, claim, step, key, answer)).await
    }
    async fn disown_answer(&self, key: &str) -> Result<()> {
        again(Patience::ASKED, || answers::disown(&self.pool, key)).await
    }
    async fn exchanges(&self, run: RunId, document: DocumentId) -> Result<Vec<Exchange>> {
        again(Patience::ASKED, || answers::exchanges(&self.pool, run, document)).await
    }
    async fn spending(&self, run: RunId) -> Result<Option<Spending>> {
        again(Patience::ASKED, || answers::spending(&self.pool, run)).await
    }
}
