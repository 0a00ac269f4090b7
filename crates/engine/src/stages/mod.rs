//! The stages of the walk: each is a plain function over its input, and a `run` that takes it from the queue and back.

pub mod analyse;
pub mod embed;
pub mod families;
pub mod parse;
pub mod past;

use sheaf_domain::{Failure, FailureCode, FailureKind};
use sheaf_store::Claim;

use crate::{Engine, metrics};

/// Attempts at a job whose trouble is not of its own making.
const SYSTEM_ATTEMPTS: u32 = 5;
/// Attempts at a job for which the database, the disk or the bucket was in trouble: an hour and a half at least.
const STORAGE_ATTEMPTS: u32 = 100;
/// Attempts at a document that killed its parser: the first time may have been bad luck.
const CRASH_ATTEMPTS: u32 = 2;
/// Waits after the first attempt; doubled with each further one, up to a minute.
const BACKOFF_MS: u64 = 500;
const MAX_BACKOFF_MS: u64 = 60_000;

/// After how long to try again, if at all. What is not installed does not install itself within seconds, and a document
/// that was too slow will be so again: those wait for a person.
fn retry_after(claim: &Claim, failure: &Failure) -> Option<u64> {
    let attempts = match (failure.code, failure.code.kind()) {
        (
            FailureCode::PdfiumMissing | FailureCode::OcrMissing | FailureCode::ModelMissing | FailureCode::WeakSandbox,
            _,
        ) => 1,
        (FailureCode::WorkerCrashed, _) => CRASH_ATTEMPTS,
        (FailureCode::Storage, _) => STORAGE_ATTEMPTS,
        (_, FailureKind::System) => SYSTEM_ATTEMPTS,
        (_, FailureKind::Document | FailureKind::Request) => 1,
    };
    (claim.tries < attempts).then(|| (BACKOFF_MS << claim.tries.min(7)).min(MAX_BACKOFF_MS))
}

/// For operators: the code only, for messages name documents.
fn note(claim: &Claim, failure: &Failure, retry_ms: Option<u64>) {
    let Claim { job, attempt, stage, .. } = claim;
    let code = failure.code.name();
    match retry_ms {
        Some(retry_ms) => {
            metrics::retried(*stage, failure);
            tracing::info!(%job, attempt, %stage, code, retry_ms, "an attempt failed and is repeated");
        }
        None => {
            metrics::failed(*stage, failure);
            tracing::info!(%job, attempt, %stage, code, "a job failed");
        }
    }
}

/// Ends these attempts with a failure, tried again later or for good.
pub async fn give_up(engine: &Engine, claims: &[Claim], failure: &Failure) {
    for claim in claims {
        let retry_ms = retry_after(claim, failure);
        match engine.store().fail(claim, failure, retry_ms).await {
            Ok(true) => note(claim, failure, retry_ms),
            Ok(false) => {} // The lease was lost: whoever has it now counts.
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(job = %claim.job, stage = %claim.stage, error, "a failure could not be recorded");
            }
        }
    }
}
