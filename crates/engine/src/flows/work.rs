//! Carries documents of runs through their flows: leases them, keeps the leases, and writes down how each ended.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use sheaf_domain::{DocumentId, Failure, FailureCode, FailureKind, RunId};
use sheaf_store::RunClaim;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::execute;
use crate::Engine;

/// Longest wait before the queue is looked at again.
const POLL: Duration = Duration::from_secs(1);
/// A document whose worker vanished this many times is not tried again.
const MAX_CRASHES: u32 = 5;
/// Attempts at what is not the document's fault: the server of a model, the database.
const ATTEMPTS: u32 = 5;
/// Waits after the first attempt; doubled with each further one, up to a minute.
const BACKOFF_MS: u64 = 1000;
const MAX_BACKOFF_MS: u64 = 60_000;

/// What is under way, by document.
type UnderWay = HashMap<(RunId, DocumentId), (RunClaim, AbortHandle)>;

/// Works until `closing`, lets what is running end until `stop`, then gives it back.
pub(crate) async fn work(engine: Engine, worker: String, (closing, stop): (CancellationToken, CancellationToken)) {
    let mut running: JoinSet<(RunId, DocumentId)> = JoinSet::new();
    let mut under_way = UnderWay::new();
    let lease = engine.config().lease;
    let lease_ms = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
    // Questions to a model wait most of the time; what computes shares the cores anyway.
    let slots = std::thread::available_parallelism().map_or(2, usize::from) * 2;
    if let Err(error) = engine.store().expire_run_claims(MAX_CRASHES, !engine.store().is_shared()).await {
        tracing::error!(error = &error as &dyn std::error::Error, "leases of runs could not be taken back");
    }
    let mut next_beat = Instant::now() + lease / 3;
    while !stop.is_cancelled() {
        let free = slots.saturating_sub(running.len());
        // Registered before the claim: a wake-up between claim and wait must not be missed.
        let woken = engine.woken();
        let claims = match free {
            _ if closing.is_cancelled() => Vec::new(),
            0 => Vec::new(),
            free => claim(&engine, &worker, free, lease_ms).await,
        };
        let idle = claims.is_empty();
        for claim in claims {
            let key = (claim.run, claim.document);
            let (engine, of) = (engine.clone(), claim.clone());
            let task = running.spawn(async move {
                document(&engine, &of).await;
                key
            });
            under_way.insert(key, (claim, task));
        }
        if Instant::now() >= next_beat {
            next_beat = Instant::now() + lease / 3;
            if let Err(error) = engine.store().expire_run_claims(MAX_CRASHES, false).await {
                tracing::error!(error = &error as &dyn std::error::Error, "leases of runs could not be looked at");
            }
        }
        if !under_way.is_empty() {
            drop_lost(&engine, &mut under_way, lease_ms).await;
        }
        if closing.is_cancelled() && running.is_empty() {
            break;
        }
        if idle {
            tokio::select! {
                () = stop.cancelled() => {}
                Some(ended) = running.join_next(), if !running.is_empty() => forget(&mut under_way, ended.ok()),
                () = woken => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
        while let Some(ended) = running.try_join_next() {
            forget(&mut under_way, ended.ok());
        }
    }
    running.shutdown().await;
    let left: Vec<RunClaim> = under_way.into_values().map(|(claim, _)| claim).collect();
    if let Err(error) = engine.store().release_run_claims(&left).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "leases of runs could not be given back; they run out"
        );
    }
}

fn forget(under_way: &mut UnderWay, ended: Option<(RunId, DocumentId)>) {
    if let Some(ended) = ended {
        under_way.remove(&ended);
    }
}

async fn claim(engine: &Engine, worker: &str, free: usize, lease_ms: u64) -> Vec<RunClaim> {
    let slots = u32::try_from(free).unwrap_or(u32::MAX);
    match engine.store().claim_run_documents(worker, slots, lease_ms).await {
        Ok(claims) => claims,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "no documents of runs could be claimed");
            Vec::new()
        }
    }
}

/// Extends the leases and drops what was cancelled or lost.
async fn drop_lost(engine: &Engine, under_way: &mut UnderWay, lease_ms: u64) {
    let claims: Vec<RunClaim> = under_way.values().map(|(claim, _)| claim.clone()).collect();
    let kept = match engine.store().keep_run_claims(&claims, lease_ms).await {
        Ok(kept) => kept,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "leases of runs could not be extended");
            return;
        }
    };
    let kept: Vec<_> = kept.iter().map(|claim| (claim.run, claim.document, claim.attempt)).collect();
    under_way.retain(|_, (claim, task)| {
        let held = kept.contains(&(claim.run, claim.document, claim.attempt));
        if !held {
            // It may just have ended by itself.
            task.abort();
        }
        held
    });
}

/// One document from its text to its values.
async fn document(engine: &Engine, claim: &RunClaim) {
    let done = async {
        let prepared = engine.prepared().get(engine, claim).await?;
        let document = engine.flow_document(claim.batch, claim.document).await?;
        let found = execute::execute(engine, &prepared, document, claim).await?;
        Ok::<_, Failure>(engine.store().complete_run_document(claim, &found).await?)
    };
    let failure = match done.await {
        Ok(_) => return, // Whether the lease still held or not: somebody has written its end.
        Err(failure) => failure,
    };
    let retry_ms = retry_after(claim, &failure);
    let RunClaim { run, document, attempt, .. } = claim;
    tracing::info!(%run, %document, attempt, code = failure.code.name(), retry_ms, "a document of a run failed");
    if let Err(error) = engine.store().fail_run_document(claim, &failure, retry_ms).await {
        tracing::error!(%run, %document, error = &error as &dyn std::error::Error, "a failure could not be recorded");
    }
}

/// After how long to try again, if at all.
fn retry_after(claim: &RunClaim, failure: &Failure) -> Option<u64> {
    let attempts = match (failure.code, failure.code.kind()) {
        (FailureCode::NoModelServer | FailureCode::ModelMissing, _) => 1,
        (_, FailureKind::System) => ATTEMPTS,
        (_, FailureKind::Document | FailureKind::Request) => 1,
    };
    (claim.tries < attempts).then(|| (BACKOFF_MS << claim.tries.min(7)).min(MAX_BACKOFF_MS))
}
