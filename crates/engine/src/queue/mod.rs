//! Claims jobs and carries them through their stages, never more than there are free slots. Leases are kept by a
//! heartbeat of their own; what was lost is dropped at once.

mod leases;
mod vitals;

use std::sync::Arc;
use std::time::{Duration, Instant};

use sheaf_domain::{BatchId, Stage};
use sheaf_store::{Claim, Room};
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use crate::{Engine, Trace, flows, gallery, metrics, stages, thumbnails};
use leases::Leases;

/// Longest wait before the queue is looked at again, whatever was or was not announced.
const POLL: Duration = Duration::from_secs(1);

/// A job, or a document of a run, whose worker vanished this many times is not tried again: it may be what kills them. From the second
/// time on a job runs alone, so that a power cut hardly ever counts against the same job again. Documents are read in children, whose deaths are
/// counted apart and end sooner; so what makes a worker vanish is nearly always something else, and may come in rows.
pub(crate) const MAX_CRASHES: u32 = 20;

/// How long giving leases back may take.
const GIVING_BACK: Duration = Duration::from_secs(4);

/// The workers of one process. End them with [`Workers::drain`] or [`Workers::stop`], or their leases run out by themselves.
pub struct Workers {
    /// Nothing more is claimed.
    closing: CancellationToken,
    /// What is running is dropped.
    stop: CancellationToken,
    /// One for each stage; they end when nothing of it runs any more.
    stages: JoinSet<()>,
    heartbeat: JoinSet<()>,
    leases: Arc<Leases>,
    engine: Engine,
}

impl Engine {
    /// Starts to claim jobs of the configured stages, and documents of runs where these are wanted. Call it once in a process.
    ///
    /// # Errors
    /// `storage` when leases that a crash left behind cannot be taken back.
    pub async fn start_workers(&self) -> Result<Workers, sheaf_domain::Failure> {
        // Where others may be at work, only time tells whose leases are lost.
        let freed = self.store().expire_leases(MAX_CRASHES, !self.store().is_shared()).await?;
        metrics::leases_expired(freed);
        if freed > 0 {
            tracing::info!(jobs = freed, "jobs of an earlier run go on");
        }
        let (closing, stop) = (CancellationToken::new(), CancellationToken::new());
        let leases = Arc::new(Leases::new(self.clone()));
        let (mut stages, mut heartbeat) = (JoinSet::new(), JoinSet::new());
        if !self.config().stages.is_empty() {
            heartbeat.spawn(Arc::clone(&leases).keep(MAX_CRASHES));
            heartbeat.spawn(vitals::tell(self.clone(), leases.worker().to_owned()));
        }
        if self.config().serves_pages {
            heartbeat.spawn(thumbnails::draw(self.clone(), closing.clone()));
        }
        if self.config().flows {
            let tokens = (closing.clone(), stop.clone());
            stages.spawn(flows::work(self.clone(), leases.worker().to_owned(), flows::Shift::for_all(), tokens));
        }
        if self.config().stages.contains(&Stage::Analyse) {
            stages.spawn(gallery::work(self.clone(), (closing.clone(), stop.clone())));
        }
        for &stage in &self.config().stages {
            let tokens = (closing.clone(), stop.clone());
            stages.spawn(run(self.clone(), Arc::clone(&leases), stage, self.slots(stage), tokens));
        }
        Ok(Workers { closing, stop, stages, heartbeat, leases, engine: self.clone() })
    }

    /// Groups of jobs of a stage that are worked on at the same time.
    fn slots(&self, stage: Stage) -> usize {
        match stage {
            Stage::Parse => self.config().processing.concurrent_documents.max(1),
            Stage::Embed | Stage::Analyse => 1,
        }
    }
}

impl Workers {
    /// Claims nothing more and lets what is running end, for `grace` at most or until `hurry` resolves; what is unfinished
    /// then is given back. At the end there are no parsers any more.
    pub async fn drain(mut self, grace: Duration, hurry: impl Future<Output = ()>) {
        self.closing.cancel();
        if !grace.is_zero() {
            tracing::info!(seconds = grace.as_secs(), "nothing more is begun; what is running may end");
        }
        tokio::select! {
            () = all_ended(&mut self.stages) => {}
            () = tokio::time::sleep(grace) => {}
            () = hurry => {}
        }
        self.stop.cancel();
        // A database that does not answer must not keep the process: then the leases run out by themselves.
        let given_back = tokio::time::timeout(GIVING_BACK, async {
            all_ended(&mut self.stages).await;
            self.heartbeat.shutdown().await;
            self.leases.release_all().await;
        });
        if given_back.await.is_err() {
            tracing::warn!("the database does not answer; jobs that were not finished go on when their leases run out");
        }
        self.engine.reader().pool().shutdown().await;
    }

    /// Claims nothing more, gives unfinished jobs back and ends the parsers.
    pub async fn stop(self) {
        self.drain(Duration::ZERO, std::future::pending()).await;
    }
}

async fn all_ended(tasks: &mut JoinSet<()>) {
    while tasks.join_next().await.is_some() {}
}

/// Jobs that one slot of a stage takes at a time, and the bytes of their documents. A transaction for each of many small
/// documents would cost more than the work on it; embedding works on many at once, so that its microbatches are full.
const fn per_slot(stage: Stage) -> (u32, u64) {
    match stage {
        Stage::Parse => (16, 64 << 10),
        Stage::Embed => (128, 4 << 20),
        Stage::Analyse => (1, 0),
    }
}

async fn run(
    engine: Engine,
    leases: Arc<Leases>,
    stage: Stage,
    slots: usize,
    (closing, stop): (CancellationToken, CancellationToken),
) {
    let mut running = JoinSet::new();
    while !closing.is_cancelled() {
        while running.try_join_next().is_some() {}
        let free = slots.saturating_sub(running.len());
        // Registered before the claim: a wake-up between claim and wait must not be missed.
        let woken = engine.woken();
        let claims = if free == 0 { Vec::new() } else { claim(&engine, &leases, stage, free).await };
        if claims.is_empty() {
            tokio::select! {
                () = closing.cancelled() => break,
                Some(_) = running.join_next(), if !running.is_empty() => {}
                () = woken => {}
                () = tokio::time::sleep(POLL) => {}
            }
            continue;
        }
        for group in claims {
            let span = span(&engine, stage, &group);
            // Held before the task first runs: it may be dropped before that.
            let lost = leases.hold(&group);
            let work = work(engine.clone(), Arc::clone(&leases), stage, group, (lost, stop.clone()));
            running.spawn(work.instrument(span));
        }
    }
    tokio::select! {
        () = stop.cancelled() => {}
        () = all_ended(&mut running) => {}
    }
    // Dropped tasks kill their parsers; the leases are given back by `drain`.
    running.shutdown().await;
}

/// What is logged of the work on a group is found by its batch, and by the trace of the request that made that.
fn span(engine: &Engine, stage: Stage, group: &[Claim]) -> Span {
    let trace = group[0].trace.as_deref().and_then(|trace| trace.parse::<Trace>().ok());
    let id = trace.map(|trace| tracing::field::display(trace.id()));
    let span = tracing::info_span!("work", %stage, batch = %group[0].batch, job = %group[0].job, jobs = group.len(), trace = id);
    if let Some(trace) = trace {
        (engine.config().follow)(&span, trace);
    }
    span
}

/// Resolves when this batch is stopped.
async fn stopped(mut stops: broadcast::Receiver<BatchId>, batch: BatchId) {
    loop {
        match stops.recv().await {
            Ok(stopped) if stopped == batch => return,
            // What was missed is found out by asking for the leases.
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
        }
    }
}

async fn claim(engine: &Engine, leases: &Leases, stage: Stage, free: usize) -> Vec<Vec<Claim>> {
    let (jobs_per_slot, bytes_per_slot) = per_slot(stage);
    let slots = u32::try_from(free).unwrap_or(u32::MAX);
    let room =
        Room { stage, worker: leases.worker(), slots, jobs_per_slot, bytes_per_slot, lease_ms: leases.lease_ms() };
    let since = Instant::now();
    match engine.store().claim(&room).await {
        Ok(claims) => {
            let operation = if claims.is_empty() { "look" } else { "claim" };
            metrics::took_of_queue(stage, operation, since.elapsed());
            claims
        }
        Err(error) => {
            tracing::error!(%stage, error = &error as &dyn std::error::Error, "no jobs could be claimed");
            Vec::new()
        }
    }
}

/// Runs a group of claims of one stage and one batch to its end, unless all of their leases are lost first.
async fn work(
    engine: Engine,
    leases: Arc<Leases>,
    stage: Stage,
    claims: Vec<Claim>,
    (lost, stop): (CancellationToken, CancellationToken),
) {
    let stopped = stopped(engine.stopped(), claims[0].batch);
    let _piece = engine.effort().begin();
    let work = async {
        match stage {
            Stage::Parse => stages::parse::run(&engine, &claims).await,
            Stage::Embed => stages::embed::run(&engine, &claims).await,
            Stage::Analyse => stages::analyse::run(&engine, &claims[0]).await,
        }
    };
    let since = Instant::now();
    let ended = tokio::select! {
        ended = work => ended,
        () = lost.cancelled() => Ok(()),
        () = stopped => Ok(()), // There is nothing left that could be finished or fail.
        () = stop.cancelled() => return, // Kept in `leases`, to be given back.
    };
    metrics::took(stage, since.elapsed());
    if let Err(failure) = ended {
        stages::give_up(&engine, &claims, &failure).await;
    }
    leases.let_go(&claims);
    engine.wake();
}
