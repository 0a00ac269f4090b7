//! Carries documents of runs through their flows: leases them, keeps the leases, and writes down how each ended.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sheaf_domain::{DocumentId, Failure, FailureCode, FailureKind, RunId};
use sheaf_store::{RunClaim, RunFound};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::execute;
use super::finish::{Finisher, finisher};
use crate::Engine;
use crate::queue::MAX_CRASHES;

/// Longest wait before the queue is looked at again.
const POLL: Duration = Duration::from_secs(1);
/// Attempts at what is not the document's fault: the server of a model, the database.
const ATTEMPTS: u32 = 5;
/// Waits after the first attempt; doubled with each further one, up to a minute.
const BACKOFF_MS: u64 = 1000;
const MAX_BACKOFF_MS: u64 = 60_000;

/// For how long what is not held any more may still end by itself: mostly it has just been finished.
const ENDING: Duration = Duration::from_millis(500);

/// What is under way, by document.
type UnderWay = HashMap<(RunId, DocumentId), OnIt>;

/// Work on one document.
struct OnIt {
    claim: RunClaim,
    task: AbortHandle,
    /// Since when its lease is not held any more.
    lost: Option<Instant>,
}

/// Is told how an attempt ended.
pub(crate) type Hears = Arc<dyn Fn(&Ended<'_>) + Send + Sync>;

/// What one worker does.
#[derive(Clone)]
pub(crate) struct Shift {
    /// The only run whose documents it takes; those of all when absent.
    pub run: Option<RunId>,
    /// Documents that it holds.
    pub leased: usize,
    /// Of those, the ones that are worked on.
    pub at_once: usize,
    /// Hears how each attempt ended.
    pub ended: Option<Hears>,
}

/// How an attempt at a document ended.
pub(crate) struct Ended<'a> {
    pub claim: &'a RunClaim,
    pub found: Result<&'a RunFound, &'a Failure>,
    /// Whether it is tried again.
    pub again: bool,
    pub took: Duration,
}

impl Shift {
    /// Of a worker for all runs. Questions to a model wait most of the time; what computes shares the cores anyway.
    pub fn for_all() -> Self {
        let slots = std::thread::available_parallelism().map_or(2, usize::from) * 2;
        Self { run: None, leased: slots, at_once: slots, ended: None }
    }
}

/// Works until `closing`, lets what is running end until `stop`, then gives it back.
pub(crate) async fn work(
    engine: Engine,
    worker: String,
    shift: Shift,
    (closing, stop): (CancellationToken, CancellationToken),
) {
    let at_once = Arc::new(Semaphore::new(shift.at_once.max(1)));
    let (finisher, finishing) = finisher(engine.clone());
    let mut finishing = tokio::spawn(finishing);
    let mut running: JoinSet<(RunId, DocumentId)> = JoinSet::new();
    let mut under_way = UnderWay::new();
    let lease = engine.config().lease;
    let lease_ms = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
    if let Err(error) = engine.store().expire_run_claims(MAX_CRASHES, !engine.store().is_shared()).await {
        tracing::error!(error = &error as &dyn std::error::Error, "leases of runs could not be taken back");
    }
    let mut next_beat = Instant::now() + lease / 3;
    while !stop.is_cancelled() {
        let free = shift.leased.saturating_sub(running.len());
        // Where more may be held than are worked on, many are taken at a time.
        let free = if shift.leased > shift.at_once && free * 2 < shift.leased { 0 } else { free };
        // Registered before the claim: a wake-up between claim and wait must not be missed.
        let woken = engine.woken();
        let claims = match free {
            _ if closing.is_cancelled() => Vec::new(),
            0 => Vec::new(),
            free => claim(&engine, (&worker, shift.run), free, lease_ms).await,
        };
        let idle = claims.is_empty();
        for claim in claims {
            let key = (claim.run, claim.document);
            let (engine, of, shift) = (engine.clone(), claim.clone(), shift.clone());
            let (at_once, finisher) = (Arc::clone(&at_once), finisher.clone());
            let task = running.spawn(async move {
                let _piece = engine.effort().begin();
                document(&engine, &of, &shift, (at_once, finisher)).await;
                key
            });
            under_way.insert(key, OnIt { claim, task, lost: None });
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
                () = closing.cancelled(), if !closing.is_cancelled() => {}
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
    drop(finisher);
    // What was handed in already is kept, if the database answers; else it is given back with the rest.
    if tokio::time::timeout(ENDING, &mut finishing).await.is_err() {
        finishing.abort();
    }
    let left: Vec<RunClaim> = under_way.into_values().map(|on_it| on_it.claim).collect();
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

async fn claim(engine: &Engine, (worker, run): (&str, Option<RunId>), free: usize, lease_ms: u64) -> Vec<RunClaim> {
    let slots = u32::try_from(free).unwrap_or(u32::MAX);
    let claimed = match run {
        Some(run) => engine.store().claim_of_run(run, worker, slots, lease_ms).await,
        None => engine.store().claim_run_documents(worker, slots, lease_ms).await,
    };
    match claimed {
        Ok(claims) => claims,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "no documents of runs could be claimed");
            Vec::new()
        }
    }
}

/// Extends the leases and drops what was cancelled or lost.
async fn drop_lost(engine: &Engine, under_way: &mut UnderWay, lease_ms: u64) {
    let claims: Vec<RunClaim> = under_way.values().map(|on_it| on_it.claim.clone()).collect();
    let kept = match engine.store().keep_run_claims(&claims, lease_ms).await {
        Ok(kept) => kept,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "leases of runs could not be extended");
            return;
        }
    };
    let kept: Vec<_> = kept.iter().map(|claim| (claim.run, claim.document, claim.attempt)).collect();
    under_way.retain(|_, OnIt { claim, task, lost }| {
        if kept.contains(&(claim.run, claim.document, claim.attempt)) {
            return true;
        }
        let is_over = lost.get_or_insert_with(Instant::now).elapsed() >= ENDING;
        if is_over {
            task.abort();
        }
        !is_over
    });
}

/// One document from its text to its values.
async fn document(engine: &Engine, claim: &RunClaim, shift: &Shift, (at_once, finisher): (Arc<Semaphore>, Finisher)) {
    let turn = at_once.acquire_owned().await;
    let since = Instant::now();
    let tell = |found, again| {
        if let Some(ended) = &shift.ended {
            ended(&Ended { claim, found, again, took: since.elapsed() });
        }
    };
    let done = async {
        let prepared = engine.prepared().get(engine, (claim.flow, claim.version)).await?;
        let document = engine.flow_document(claim.batch, claim.document).await?;
        let found = execute::execute(engine, &prepared, document, claim).await?;
        // The next one may begin while this is written down.
        drop(turn);
        Ok::<_, Failure>((finisher.keep(claim.clone(), found.clone()).await?, found))
    };
    let failure = match done.await {
        Ok((true, found)) => return tell(Ok(&found), false),
        Ok((false, _)) => return, // The lease was lost: somebody else has written its end, or will.
        Err(failure) => failure,
    };
    let retry_ms = retry_after(claim, &failure);
    let RunClaim { run, document, attempt, .. } = claim;
    tracing::info!(%run, %document, attempt, code = failure.code.name(), retry_ms, "a document of a run failed");
    match engine.store().fail_run_document(claim, &failure, retry_ms).await {
        Ok(true) => tell(Err(&failure), retry_ms.is_some()),
        Ok(false) => {}
        Err(error) => {
            tracing::error!(%run, %document, error = &error as &dyn std::error::Error, "a failure could not be recorded");
        }
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
