//! What is counted of the work of this process, under the names that operators watch (`docs/operating.md`). Labels are
//! taken from closed sets: never an id or the name of a file.

use std::time::{Duration, Instant};

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use sheaf_domain::{Failure, Stage};
use sheaf_store::DeliveryOutcome;

use crate::Engine;

/// Says what each name means. Call it once, when something collects.
pub fn describe() {
    describe_counter!("sheaf_jobs_completed_total", "Jobs that ended well");
    describe_counter!("sheaf_jobs_failed_total", "Jobs that failed for good, by the code of the failure");
    describe_counter!("sheaf_jobs_retried_total", "Attempts that failed and are repeated, by the code of the failure");
    describe_counter!("sheaf_leases_expired_total", "Leases that ran out: their worker vanished");
    describe_counter!(
        "sheaf_results_total",
        "Documents that were read or embedded (work), or whose result was there (memory)"
    );
    describe_histogram!("sheaf_stage_seconds", Unit::Seconds, "How long a group of jobs took");
    describe_histogram!(
        "sheaf_queue_seconds",
        Unit::Seconds,
        "How long the queue took to hand out a group of jobs (claim), to find none (look), or to keep results and end them (complete)"
    );
    describe_histogram!(
        "sheaf_keep_seconds",
        Unit::Seconds,
        "Of `complete`: until it may write (wait), texts, words and vectors (results), the queue's own rows and the commit (state)"
    );
    describe_gauge!("sheaf_queue_jobs", "Jobs of the whole installation: ready, delayed, processing, or dead");
    describe_gauge!("sheaf_queue_oldest_ready_seconds", Unit::Seconds, "How long the oldest ready job has waited");
    describe_gauge!("sheaf_database_up", "Whether the database could be asked");
    describe_counter!("sheaf_webhook_deliveries_total", "Attempts to tell a webhook: arrived, retry, or given_up");
    describe_counter!("sheaf_parser_deaths_total", "Parsers that ended before their document did, by the reason");
}

pub(crate) fn completed(stage: Stage, jobs: usize) {
    counter!("sheaf_jobs_completed_total", "stage" => stage.name()).increment(jobs as u64);
}

/// Documents that were worked on.
pub(crate) fn worked(stage: Stage, documents: usize) {
    counter!("sheaf_results_total", "stage" => stage.name(), "from" => "work").increment(documents as u64);
}

/// Documents whose result was there already, by their content.
pub(crate) fn remembered(stage: Stage, documents: usize) {
    counter!("sheaf_results_total", "stage" => stage.name(), "from" => "memory").increment(documents as u64);
}

pub(crate) fn failed(stage: Stage, failure: &Failure) {
    counter!("sheaf_jobs_failed_total", "stage" => stage.name(), "code" => failure.code.name()).increment(1);
}

pub(crate) fn retried(stage: Stage, failure: &Failure) {
    counter!("sheaf_jobs_retried_total", "stage" => stage.name(), "code" => failure.code.name()).increment(1);
}

pub(crate) fn leases_expired(jobs: u64) {
    counter!("sheaf_leases_expired_total").increment(jobs);
}

pub(crate) fn took(stage: Stage, time: Duration) {
    histogram!("sheaf_stage_seconds", "stage" => stage.name()).record(time);
}

/// Waits for a call of the queue, and counts how long that took.
pub(crate) async fn of_queue<T>(stage: Stage, operation: &'static str, call: impl Future<Output = T>) -> T {
    let since = Instant::now();
    let answer = call.await;
    took_of_queue(stage, operation, since.elapsed());
    answer
}

/// Counts how long a call of the queue took.
pub(crate) fn took_of_queue(stage: Stage, operation: &'static str, time: Duration) {
    histogram!("sheaf_queue_seconds", "stage" => stage.name(), "operation" => operation).record(time);
}

pub(crate) fn delivery(outcome: &DeliveryOutcome) {
    let outcome = match outcome {
        DeliveryOutcome::Arrived { .. } => "arrived",
        DeliveryOutcome::Retry { .. } => "retry",
        DeliveryOutcome::GivenUp { .. } => "given_up",
    };
    counter!("sheaf_webhook_deliveries_total", "outcome" => outcome).increment(1);
}

impl Engine {
    /// Brings the gauges of the queue up to date. Where the database does not answer, that is what they say.
    pub async fn gauge_queue(&self) {
        let depths = match self.store().queue_depths().await {
            Ok(depths) => depths,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the queue cannot be measured");
                gauge!("sheaf_database_up").set(0);
                return;
            }
        };
        gauge!("sheaf_database_up").set(1);
        for depth in depths {
            let stage = depth.stage.name();
            for (state, jobs) in [
                ("ready", depth.ready),
                ("delayed", depth.delayed),
                ("processing", depth.processing),
                ("dead", depth.dead),
            ] {
                gauge!("sheaf_queue_jobs", "stage" => stage, "state" => state).set(jobs as f64);
            }
            let oldest = depth.oldest_ready_ms as f64 / 1000.0;
            gauge!("sheaf_queue_oldest_ready_seconds", "stage" => stage).set(oldest);
        }
    }
}
