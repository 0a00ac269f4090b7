//! A flow's version works off the backlog: whatever it has not done yet joins its one run, which any number of processes share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use sha2::{Digest, Sha256};
use sheaf_domain::flow::{Flow, FlowRun, FlowSpec};
use sheaf_domain::{
    BatchId, ConfidenceLevel, Counts as StatusCounts, Failure, FailureCode, FailureKind, FlowId, Restart, RunId,
    RunPolicy, Status,
};
use sheaf_store::{Saved, StartedRun};
use tokio_util::sync::CancellationToken;
use uuid::{Builder, Uuid};

use super::steps::classify::NONE;
use super::{Ended, Shift, work};
use crate::Engine;
use crate::backlog::{ClassifierStatistics, Counts, Row, Statistics};

/// Documents that join a run by one transaction.
const JOIN: u32 = 1000;
/// How often it is asked whether all is done.
const ASKED_EVERY: Duration = Duration::from_millis(200);
/// How often it is looked whether more has arrived.
const LOOKED_EVERY: Duration = Duration::from_secs(1);
/// How long the database may be away at a time.
const OUTAGE: Duration = Duration::from_secs(600);
/// Waits between tries; doubled with each, and then anything from half to one and a half of it.
const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(15);
/// Tries to keep a flow that others keep at the same time.
const SAVES: usize = 5;

/// What is to be worked off, and how.
#[derive(Clone, Debug)]
pub struct BacklogRequest {
    pub flow: Flow,
    /// All when there is none.
    pub batches: Vec<BatchId>,
    /// Documents that are held at a time.
    pub batch_size: usize,
    /// Of those, the ones that are worked on.
    pub max_concurrent: usize,
    /// Stays when all is done, for what arrives.
    pub watch: bool,
    /// Works again on what failed.
    pub retry: bool,
}

/// How far it is, for whoever shows it.
#[derive(Debug, Default)]
pub struct BacklogTally {
    /// Documents of the run, and those that have an end.
    pub total: AtomicU64,
    pub ended: AtomicU64,
}

/// What came out: of the whole run by status, all else of this process.
#[derive(Clone, Debug, Serialize)]
pub struct BacklogStatistics {
    pub run: RunId,
    pub flow: FlowId,
    pub version: u32,
    pub status: Status,
    pub run_by_status: StatusCounts,
    #[serde(flatten)]
    pub own: Statistics,
}

impl Engine {
    /// The flow of a file: kept if it was not, as a new version of the one of its name if it changed.
    ///
    /// # Errors
    /// `invalid_flow`, `storage`.
    pub async fn flow_of_file(&self, spec: &FlowSpec) -> Result<Flow, Failure> {
        super::refuse(spec, &Self::check_flow(spec))?;
        let mut ended = Err(Failure::new(FailureCode::NotReady, "the flow is being changed by somebody else"));
        for _ in 0..SAVES {
            let kept = self.flows().await?;
            if let Some(same) = kept.iter().find(|flow| flow.spec == *spec) {
                return Ok(same.clone());
            }
            let (id, based_on) = match kept.iter().find(|flow| flow.spec.name == spec.name) {
                Some(flow) => (flow.id, Some(flow.version)),
                // Always the same, so that two processes that begin at once keep one flow.
                None => (FlowId(uuid_of(0, &[b"flow", spec.name.as_bytes()])), None),
            };
            match self.store().save_flow(id, spec, based_on).await {
                Ok(Saved::Version(version)) => return self.flow(id, Some(version)).await,
                Ok(Saved::Missing | Saved::Outdated(_)) => {}
                // Somebody else kept it at the same time, or it was deleted once.
                Err(error) => ended = Err(error.into()),
            }
            tokio::time::sleep(SHORTEST.mul_f64(0.5 + fastrand::f64())).await;
        }
        ended
    }

    /// How many documents the version has not done.
    ///
    /// # Errors
    /// `storage`.
    pub async fn waiting(&self, wanted: &BacklogRequest) -> Result<u64, Failure> {
        self.not_done(version(&wanted.flow), &wanted.batches).await
    }

    /// How many documents a new flow would have to do.
    ///
    /// # Errors
    /// `storage`.
    pub async fn documents_with_text(&self, batches: &[BatchId]) -> Result<u64, Failure> {
        // No flow has this version.
        self.not_done((FlowId(Uuid::nil()), 0), batches).await
    }

    async fn not_done(&self, version: (FlowId, u32), batches: &[BatchId]) -> Result<u64, Failure> {
        let (mut waiting, mut after) = (0, None);
        loop {
            let page = self.store().unprocessed(version, batches, after, JOIN).await?;
            waiting += page.len() as u64;
            match page.last() {
                Some(last) if page.len() == JOIN as usize => after = Some(last.document),
                Some(_) | None => return Ok(waiting),
            }
        }
    }

    /// How the flow tells its labels apart, if it does: the classifier is made for that, and kept for the work.
    ///
    /// # Errors
    /// `model_missing`, `internal`, `storage`.
    pub async fn classifier_of(&self, flow: &Flow) -> Result<Option<ClassifierStatistics>, Failure> {
        let prepared = self.prepared().get(self, version(flow)).await?;
        let found = prepared.accuracy(self).await?;
        Ok(found.map(|(model, known)| ClassifierStatistics::known(model, &known)))
    }

    /// Works off the backlog until all is done, or, while it watches, until `closing`; what is running then may end until
    /// `stop`. Others may do the same at the same time: each document is done once.
    ///
    /// # Errors
    /// `no_model_server`, `storage` when the database was away for ten minutes.
    pub async fn process_backlog(
        &self,
        wanted: &BacklogRequest,
        classifier: Option<ClassifierStatistics>,
        tally: &BacklogTally,
        (closing, stop): (CancellationToken, CancellationToken),
    ) -> Result<BacklogStatistics, Failure> {
        let start = Instant::now();
        if wanted.flow.spec.asks() && !self.has_model() {
            let message = "the flow asks a language model, and none was allowed";
            return Err(Failure::new(FailureCode::NoModelServer, message));
        }
        let run = run_of(wanted);
        patient(&closing, async || self.begin_backlog(wanted, run).await).await?;
        self.join(wanted, run, &closing).await?;
        let counts = Arc::new(Mutex::new(Counts::default()));
        let shift = Shift {
            run: Some(run),
            leased: wanted.batch_size.max(1),
            at_once: wanted.max_concurrent.max(1),
            ended: Some(Arc::new({
                let counts = Arc::clone(&counts);
                move |ended: &Ended<'_>| note(&mut counts.lock().unwrap_or_else(PoisonError::into_inner), ended)
            })),
        };
        let prepare = start.elapsed();
        let worker = Uuid::new_v4().to_string();
        let drained = CancellationToken::new();
        let working = tokio::spawn(work(self.clone(), worker, shift, (drained.clone(), stop.clone())));
        let watched = self.until_done(wanted, run, tally, &closing).await;
        drained.cancel();
        working.await.map_err(crate::internal)?;
        watched?;
        let ended = self.run(run).await?;
        let counts = std::mem::take(&mut *counts.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(BacklogStatistics {
            run,
            flow: wanted.flow.id,
            version: wanted.flow.version,
            status: ended.status,
            run_by_status: ended.counts,
            own: counts.finish(start.elapsed(), prepare, classifier),
        })
    }

    /// Makes sure that there is a run, and that it goes on where it was stopped.
    async fn begin_backlog(&self, wanted: &BacklogRequest, run: RunId) -> Result<(), Failure> {
        if self.store().run(run).await?.is_none() {
            let started = StartedRun {
                id: run,
                name: format!("Backlog: {}", wanted.flow.spec.name),
                flow: wanted.flow.id,
                version: wanted.flow.version,
                policy: RunPolicy::default(),
                budget_tokens: None,
                documents: Vec::new(),
            };
            self.store().start_run(&started).await?;
        }
        self.store().restart_run(run, &Restart::Cancelled).await?;
        if wanted.retry {
            self.store().restart_run(run, &Restart::Failed).await?;
        }
        Ok(())
    }

    /// What was not done yet joins the run; gives how much that was.
    async fn join(&self, wanted: &BacklogRequest, run: RunId, closing: &CancellationToken) -> Result<u64, Failure> {
        let (mut joined, mut after) = (0, None);
        while !closing.is_cancelled() {
            let next = async || {
                let page = self.store().unprocessed(version(&wanted.flow), &wanted.batches, after, JOIN).await?;
                let added = if page.is_empty() { 0 } else { self.store().extend_run(run, &page).await? };
                Ok((added, page.len(), page.last().map(|input| input.document)))
            };
            let (added, read, last) = patient(closing, next).await?;
            joined += added;
            after = last.or(after);
            if read < JOIN as usize {
                break;
            }
        }
        Ok(joined)
    }

    /// Watches the run to its end, and lets what arrives meanwhile join it.
    async fn until_done(
        &self,
        wanted: &BacklogRequest,
        run: RunId,
        tally: &BacklogTally,
        closing: &CancellationToken,
    ) -> Result<(), Failure> {
        let mut looked = Instant::now();
        while !closing.is_cancelled() {
            let found: FlowRun = patient(closing, async || self.run(run).await).await?;
            tally.total.store(found.counts.total, Ordering::Relaxed);
            let ended = found.counts.completed + found.counts.failed + found.counts.cancelled;
            tally.ended.store(ended, Ordering::Relaxed);
            let done = found.finished_at.is_some();
            if done && found.counts.cancelled > 0 {
                return Err(Failure::new(FailureCode::NotRunning, format!("run `{}` was stopped", found.name))
                    .with_hint("Start `sheaf process` again to go on with it."));
            }
            if done || looked.elapsed() >= LOOKED_EVERY {
                looked = Instant::now();
                let joined = self.join(wanted, run, closing).await?;
                if joined > 0 {
                    self.wake();
                } else if done && !wanted.watch {
                    return Ok(());
                }
            }
            let pause = if done { LOOKED_EVERY } else { ASKED_EVERY };
            tokio::select! {
                () = closing.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        Ok(())
    }
}

const fn version(flow: &Flow) -> (FlowId, u32) {
    (flow.id, flow.version)
}

/// The run of a version over these batches: always the same, so that whoever works on them meets there.
fn run_of(wanted: &BacklogRequest) -> RunId {
    let mut batches: Vec<[u8; 16]> = wanted.batches.iter().map(|batch| batch.0.into_bytes()).collect();
    batches.sort_unstable();
    batches.dedup();
    let Flow { id, version, saved_at, spec: _ } = &wanted.flow;
    let id = id.0.into_bytes();
    let version = version.to_be_bytes();
    let parts: Vec<&[u8]> =
        [b"run".as_slice(), &id, &version].into_iter().chain(batches.iter().map(<[u8; 16]>::as_slice)).collect();
    RunId(uuid_of(*saved_at, &parts))
}

/// An id that is made from its parts; among other ids it stands where that time does.
fn uuid_of(seconds: i64, parts: &[&[u8]]) -> Uuid {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let hash = hasher.finalize();
    let milliseconds = u64::try_from(seconds).unwrap_or_default() * 1000;
    let mut bytes: [u8; 16] = std::array::from_fn(|i| hash[i]);
    bytes[..6].copy_from_slice(&milliseconds.to_be_bytes()[2..]);
    Builder::from_custom_bytes(bytes).into_uuid()
}

/// Does it until it succeeds, as long as what fails is the system's trouble and somebody wants it.
async fn patient<T>(closing: &CancellationToken, work: impl AsyncFn() -> Result<T, Failure>) -> Result<T, Failure> {
    let since = tokio::time::Instant::now();
    let mut wait = SHORTEST;
    loop {
        let failure = match work().await {
            Ok(value) => return Ok(value),
            Err(failure) => failure,
        };
        let passes = failure.code.kind() == FailureKind::System && failure.code == FailureCode::Storage;
        if !passes || closing.is_cancelled() || since.elapsed() > OUTAGE {
            return Err(failure);
        }
        tracing::warn!(%failure.code, "the database does not answer; trying again");
        tokio::select! {
            () = closing.cancelled() => {}
            () = tokio::time::sleep(wait.mul_f64(0.5 + fastrand::f64())) => {}
        }
        wait = (wait * 2).min(LONGEST);
    }
}

/// Counts how an attempt ended; one that is made again is not yet a record's end.
fn note(counts: &mut Counts, ended: &Ended<'_>) {
    let Ended { claim, found, again, took } = ended;
    if *again {
        return;
    }
    let row = Row {
        id: claim.document.to_string(),
        label: None,
        probability: None,
        confidence: None,
        status: Status::Failed,
        attempts: claim.attempt,
        error: None,
    };
    let row = match found {
        Ok(found) => {
            let label = found.values.iter().find(|value| value.field == "label" && value.probability.is_some());
            let probability = label.and_then(|label| label.probability);
            Row {
                label: label.map(|label| label.value.clone()).filter(|label| label != NONE),
                probability: probability.map(f64::from),
                confidence: probability.map(|probability| ConfidenceLevel::of(probability).name()),
                status: Status::Completed,
                ..row
            }
        }
        Err(failure) => Row { error: Some(failure.code.name().to_owned()), ..row },
    };
    counts.microbatch(*took, 1);
    counts.row(&row);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(batches: Vec<BatchId>) -> BacklogRequest {
        let spec = FlowSpec { name: "Topics".to_owned(), ..FlowSpec::default() };
        let flow = Flow { id: FlowId(Uuid::nil()), version: 1, saved_at: 1_700_000_000, spec };
        BacklogRequest { flow, batches, batch_size: 1, max_concurrent: 1, watch: false, retry: false }
    }

    #[test]
    fn who_wants_the_same_meets_in_one_run() {
        let [a, b] = [1, 2].map(|n| BatchId(Uuid::from_u128(n)));
        let all = run_of(&request(vec![]));
        assert_eq!(all, run_of(&request(vec![])));
        assert_eq!(run_of(&request(vec![a, b])), run_of(&request(vec![b, a, b])));
        assert_ne!(run_of(&request(vec![a])), all);
        let mut later = request(vec![]);
        later.flow.version = 2;
        assert_ne!(run_of(&later), all);
        later.flow.saved_at += 1;
        assert!(run_of(&later).0 > all.0, "ids are in the order of time");
    }

    #[tokio::test(start_paused = true)]
    async fn trouble_of_the_database_is_waited_for_and_other_trouble_told() {
        let tries = std::cell::Cell::new(0);
        let closing = CancellationToken::new();
        let work = async || {
            tries.set(tries.get() + 1);
            if tries.get() < 4 { Err(Failure::new(FailureCode::Storage, "away")) } else { Ok(()) }
        };
        assert_eq!((patient(&closing, work).await, tries.get()), (Ok(()), 4));
        let wrong = async || Err::<(), _>(Failure::new(FailureCode::NotFound, "gone"));
        assert_eq!(patient(&closing, wrong).await.map_err(|f| f.code), Err(FailureCode::NotFound));
        let away = async || Err::<(), _>(Failure::new(FailureCode::Storage, "away"));
        assert!(patient(&closing, away).await.is_err(), "not for ever");
        closing.cancel();
        assert!(patient(&closing, away).await.is_err(), "nobody wants it any more");
    }
}
