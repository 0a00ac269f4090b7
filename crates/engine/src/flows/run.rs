//! Runs: begun, watched, stopped, continued and judged by people.

use std::collections::HashSet;

use sheaf_domain::flow::{
    BatchUse, Exchange, FlowRun, NewRun, Review, RunChange, RunDocument, RunDocumentQuery, RunDocuments, RunFailures,
    RunQuery, RunValue, ValueQuery, ValueReview,
};
use sheaf_domain::{BatchId, DocumentId, DocumentQuery, Failure, FailureCode, Page, Restart, RunId, Status};
use sheaf_store::{RunInput, StartedRun};
use uuid::Uuid;

use crate::{Engine, intake};

/// The most documents of one run.
const MOST_DOCUMENTS: usize = 1_000_000;
/// Failed documents that are named for each reason.
const EXAMPLES: u32 = 5;
/// The longest correction, in characters.
const CORRECTION: usize = 10_000;

impl Engine {
    /// Begins a run.
    ///
    /// # Errors
    /// `not_found` for an unknown flow, batch or document; `no_model_server` when the flow asks a model and none was allowed;
    /// `invalid_request` when it would have no documents; `storage`.
    pub async fn start_run(&self, wanted: &NewRun) -> Result<FlowRun, Failure> {
        let flow = self.flow(wanted.flow, wanted.version).await?;
        if flow.spec.asks() && !self.has_model() {
            return Err(Failure::new(
                FailureCode::NoModelServer,
                "the flow asks a language model, and none was allowed",
            ));
        }
        let documents = self.run_inputs(&wanted.documents).await?;
        if documents.is_empty() {
            return Err(Failure::new(FailureCode::InvalidRequest, "no document was chosen that has been read")
                .with_hint("Choose a batch that is done, or documents that were read."));
        }
        let id = RunId(Uuid::now_v7());
        let name = intake::clean_name(&wanted.name).unwrap_or_else(|| generated(&flow.spec.name));
        self.store()
            .start_run(&StartedRun {
                id,
                name,
                flow: flow.id,
                version: flow.version,
                policy: wanted.policy,
                budget_tokens: self.budget(wanted)?,
                documents,
            })
            .await?;
        self.wake();
        self.run(id).await
    }

    /// The tokens that a run may use. Which of them go in and which come out is not known before, so that money is counted at
    /// the dearer of the two prices: it is never exceeded.
    fn budget(&self, wanted: &NewRun) -> Result<Option<u64>, Failure> {
        let Some(money) = wanted.budget_money else { return Ok(wanted.budget_tokens) };
        let wrong = |message: &str| Failure::new(FailureCode::InvalidRequest, message);
        let Some(prices) = self.model_prices() else {
            return Err(wrong("money cannot be limited, for it is not known what the model costs")
                .with_hint("Limit the tokens, or start Sheaf with --model-price-in and --model-price-out."));
        };
        if !(money.is_finite() && money >= 0.0) {
            return Err(wrong("the most money has to be a number that is not below 0"));
        }
        let tokens = prices.tokens_for(money);
        Ok(Some(wanted.budget_tokens.map_or(tokens, |budget| budget.min(tokens))))
    }

    /// The documents that a run would work on, each once, in the order of their ids.
    pub(crate) async fn run_inputs(&self, wanted: &RunDocuments) -> Result<Vec<RunInput>, Failure> {
        let RunDocuments { batches, documents, filter, selections } = wanted;
        let mut inputs = self.store().find_documents(documents).await?;
        if inputs.len() < documents.iter().collect::<HashSet<_>>().len() {
            let known: HashSet<DocumentId> = inputs.iter().map(|input| input.document).collect();
            let missing = documents.iter().find(|document| !known.contains(document));
            let missing = missing.map(ToString::to_string).unwrap_or_default();
            return Err(Failure::new(FailureCode::NotFound, format!("there is no document `{missing}`")));
        }
        let of_batches = batches.iter().map(|&batch| (batch, filter.as_ref()));
        let of_selections = selections.iter().map(|selection| (selection.batch, Some(&selection.filter)));
        for (batch, filter) in of_batches.chain(of_selections) {
            self.batch(batch).await?;
            self.add_inputs(batch, filter, &mut inputs).await?;
            if inputs.len() > MOST_DOCUMENTS {
                let message = format!("a run takes at most {MOST_DOCUMENTS} documents");
                return Err(Failure::new(FailureCode::InvalidRequest, message).with_hint("Choose fewer of them."));
            }
        }
        inputs.sort_by_key(|input| input.document);
        inputs.dedup_by_key(|input| input.document);
        Ok(inputs)
    }

    /// Documents of a batch that were read, all or those that a filter lets through.
    async fn add_inputs(
        &self,
        batch: BatchId,
        filter: Option<&DocumentQuery>,
        inputs: &mut Vec<RunInput>,
    ) -> Result<(), Failure> {
        let mut query =
            DocumentQuery { offset: 0, limit: DocumentQuery::MAX_LIMIT, ..filter.cloned().unwrap_or_default() };
        query.status = query.status.or(Some(Status::Completed));
        loop {
            let page = self.store().documents(batch, &query).await?;
            let read = page.items.len();
            inputs.extend(page.items.into_iter().map(|row| RunInput { document: row.id, batch, path: row.path }));
            query.offset = query.offset.saturating_add(DocumentQuery::MAX_LIMIT);
            if read < DocumentQuery::MAX_LIMIT as usize || inputs.len() > MOST_DOCUMENTS {
                return Ok(());
            }
        }
    }

    /// # Errors
    /// `not_found`, `storage`.
    pub async fn run(&self, run: RunId) -> Result<FlowRun, Failure> {
        self.store().run(run).await?.ok_or_else(|| no_run(run))
    }

    /// Latest first.
    ///
    /// # Errors
    /// `storage`.
    pub async fn runs(&self, query: &RunQuery) -> Result<Page<FlowRun>, Failure> {
        Ok(self.store().runs(query).await?)
    }

    /// # Errors
    /// `not_found`, `storage`.
    pub async fn run_documents(&self, run: RunId, query: &RunDocumentQuery) -> Result<Page<RunDocument>, Failure> {
        self.run(run).await?;
        Ok(self.store().run_documents(run, query).await?)
    }

    /// # Errors
    /// `not_found`, `storage`.
    pub async fn run_document(&self, run: RunId, document: DocumentId) -> Result<RunDocument, Failure> {
        let found = self.store().run_document(run, document).await?;
        found.ok_or_else(|| Failure::new(FailureCode::NotFound, format!("the run has no document `{document}`")))
    }

    /// # Errors
    /// `not_found`, `storage`.
    pub async fn run_values(&self, run: RunId, query: &ValueQuery) -> Result<Page<RunValue>, Failure> {
        self.run(run).await?;
        Ok(self.store().run_values(run, query).await?)
    }

    /// Why documents of a run failed, the most frequent reason first, with a few of each.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn run_failures(&self, run: RunId) -> Result<Vec<RunFailures>, Failure> {
        self.run(run).await?;
        let mut failures = Vec::new();
        for (code, documents) in self.store().run_failures(run).await? {
            let query = RunDocumentQuery { code: Some(code), limit: EXAMPLES, ..RunDocumentQuery::default() };
            let examples = self.store().run_documents(run, &query).await?.items;
            failures.push(RunFailures { code, documents, examples });
        }
        Ok(failures)
    }

    /// What was sent to models for a document, and what they said.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn exchanges(&self, run: RunId, document: DocumentId) -> Result<Vec<Exchange>, Failure> {
        self.run_document(run, document).await?;
        Ok(self.store().exchanges(run, document).await?)
    }

    /// Notes what a person thinks of a value.
    ///
    /// # Errors
    /// `invalid_request` for a correction without a value; `not_found`; `storage`.
    pub async fn review_value(
        &self,
        run: RunId,
        document: DocumentId,
        number: u32,
        review: ValueReview,
    ) -> Result<(), Failure> {
        let value = review.value.filter(|_| review.review == Review::Corrected);
        let refused = |message: &str| Err(Failure::new(FailureCode::InvalidRequest, message));
        match (review.review, &value) {
            (Review::Corrected, None) => return refused("a correction needs the value that is put in its place"),
            (_, Some(value)) if value.chars().count() > CORRECTION => return refused("the correction is too long"),
            (Review::None | Review::Accepted | Review::Corrected | Review::Rejected, _) => {}
        }
        let row = review.row && review.review != Review::Corrected;
        let review = ValueReview { review: review.review, value, row };
        match self.store().review_value(run, document, number, &review).await? {
            true => Ok(()),
            false => Err(Failure::new(FailureCode::NotFound, "the run has no such value")),
        }
    }

    /// Stops a run: what is done stays.
    ///
    /// # Errors
    /// `not_found`, `not_running`, `storage`.
    pub async fn cancel_run(&self, run: RunId) -> Result<FlowRun, Failure> {
        let found = self.run(run).await?;
        if !self.store().cancel_run(run).await? {
            let message = format!("run `{}` is {} already", found.name, found.status);
            return Err(Failure::new(FailureCode::NotRunning, message));
        }
        self.wake();
        self.run(run).await
    }

    /// Works again on documents that failed or were cancelled; gives how many.
    ///
    /// # Errors
    /// `not_found`, `nothing_to_restart`, `storage`.
    pub async fn restart_run(&self, run: RunId, which: &Restart) -> Result<u64, Failure> {
        self.run(run).await?;
        let restarted = self.store().restart_run(run, which).await?;
        self.wake();
        restarted.ok_or_else(|| {
            Failure::new(FailureCode::NothingToRestart, "nothing of this run is left that could be tried again")
        })
    }

    /// # Errors
    /// `invalid_request` for an empty name, `not_found`, `storage`.
    pub async fn change_run(&self, run: RunId, change: RunChange) -> Result<FlowRun, Failure> {
        let name = change.name.map(|name| {
            intake::clean_name(&name).ok_or_else(|| Failure::new(FailureCode::InvalidRequest, "a run needs a name"))
        });
        let change = RunChange { name: name.transpose()?, ..change };
        if self.store().change_run(run, &change).await? { self.run(run).await } else { Err(no_run(run)) }
    }

    /// What runs have to do with the documents of a batch, before it is deleted.
    ///
    /// # Errors
    /// `storage`.
    pub async fn use_of_batch(&self, batch: BatchId) -> Result<BatchUse, Failure> {
        Ok(self.store().use_of_batch(batch).await?)
    }

    /// Removes a run with all that it found.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn delete_run(&self, run: RunId) -> Result<(), Failure> {
        if self.store().delete_run(run).await? { Ok(()) } else { Err(no_run(run)) }
    }
}

fn no_run(run: RunId) -> Failure {
    Failure::new(FailureCode::NotFound, format!("there is no run `{run}`"))
        .with_hint("Go back to the list of runs; it may have been deleted.")
}

/// The flow's name and the minute.
fn generated(flow: &str) -> String {
    let now = time::OffsetDateTime::now_utc();
    let format = time::macros::format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");
    let when = now.format(&format).unwrap_or_default();
    format!("{flow}, {when}").chars().take(200).collect()
}
