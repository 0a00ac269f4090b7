//! Claims jobs and carries them through their stages, never more than there are free slots. Leases are kept by a
//! heartbeat of their own; what was lost is dropped at once.

mod leases;
mod vitals;

use std::sync::Arc;
use std::time::Duration;

use sheaf_domain::{BatchId, Stage};
use sheaf_store::{Claim, Room};
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::intake::end_idle;
use crate::{Engine, stages, thumbnails};
use leases::Leases;

/// Longest wait before the queue is looked at again, whatever was or was not announced.
const POLL: Duration = Duration::from_secs(1);

/// A job whose worker vanished this many times is not tried again: it may be what kills them. From the second time on it
/// runs alone, so that a power cut hardly ever counts against the same job again.
const MAX_CRASHES: u32 = 5;

/// The workers of one process. Stop them with [`Workers::stop`], or their leases run out by themselves.
pub struct Workers {
    stop: CancellationToken,
    tasks: JoinSet<()>,
    leases: Arc<Leases>,
    engine: Engine,
}

impl Engine {
    /// Starts to claim jobs. Call it once in a process.
    ///
    /// # Errors
    /// `storage` when leases that a crash left behind cannot be taken back.
    pub async fn start_workers(&self) -> Result<Workers, sheaf_domain::Failure> {
        // Where others may be at work, only time tells whose leases are lost.
        let freed = self.store().expire_leases(MAX_CRASHES, !self.store().is_shared()).await?;
        if freed > 0 {
            tracing::info!(jobs = freed, "jobs of an earlier run go on");
        }
        let stop = CancellationToken::new();
        let leases = Arc::new(Leases::new(self.clone()));
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(&leases).keep(stop.clone(), MAX_CRASHES));
        tasks.spawn(vitals::tell(self.clone(), leases.worker().to_owned(), stop.clone()));
        tasks.spawn(end_idle(self.clone(), stop.clone()));
        tasks.spawn(thumbnails::draw(self.clone(), stop.clone()));
        let parsers = self.config().processing.concurrent_documents.max(1);
        tasks.spawn(run(self.clone(), Arc::clone(&leases), Stage::Parse, parsers, stop.clone()));
        tasks.spawn(run(self.clone(), Arc::clone(&leases), Stage::Embed, 1, stop.clone()));
        tasks.spawn(run(self.clone(), Arc::clone(&leases), Stage::Analyse, 1, stop.clone()));
        Ok(Workers { stop, tasks, leases, engine: self.clone() })
    }
}

impl Workers {
    /// Claims nothing more, gives unfinished jobs back and ends the parsers.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        self.leases.release_all().await;
        self.engine.reader().pool().shutdown().await;
    }
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

async fn run(engine: Engine, leases: Arc<Leases>, stage: Stage, slots: usize, stop: CancellationToken) {
    let mut running = JoinSet::new();
    while !stop.is_cancelled() {
        while running.try_join_next().is_some() {}
        let free = slots.saturating_sub(running.len());
        // Registered before the claim: a wake-up between claim and wait must not be missed.
        let woken = engine.woken();
        let claims = if free == 0 { Vec::new() } else { claim(&engine, &leases, stage, free).await };
        if claims.is_empty() {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(_) = running.join_next(), if !running.is_empty() => {}
                () = woken => {}
                () = tokio::time::sleep(POLL) => {}
            }
            continue;
        }
        for group in claims {
            running.spawn(work(engine.clone(), Arc::clone(&leases), stage, group, stop.clone()));
        }
    }
    // Dropped tasks kill their parsers; the leases are given back by `stop`.
    running.shutdown().await;
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
    match engine.store().claim(&room).await {
        Ok(claims) => claims,
        Err(error) => {
            tracing::error!(%stage, error = &error as &dyn std::error::Error, "no jobs could be claimed");
            Vec::new()
        }
    }
}

/// Runs a group of claims of one stage and one batch to its end, unless all of their leases are lost first.
async fn work(engine: Engine, leases: Arc<Leases>, stage: Stage, claims: Vec<Claim>, stop: CancellationToken) {
    let lost = leases.hold(&claims);
    let stopped = stopped(engine.stopped(), claims[0].batch);
    let work = async {
        match stage {
            Stage::Parse => stages::parse::run(&engine, &claims).await,
            Stage::Embed => stages::embed::run(&engine, &claims).await,
            Stage::Analyse => stages::analyse::run(&engine, &claims[0]).await,
        }
    };
    let ended = tokio::select! {
        ended = work => ended,
        () = lost.cancelled() => Ok(()),
        () = stopped => Ok(()), // There is nothing left that could be finished or fail.
        () = stop.cancelled() => return, // Kept in `leases`, to be given back.
    };
    if let Err(failure) = ended {
        stages::give_up(&engine, &claims, &failure).await;
    }
    leases.let_go(&claims);
    engine.wake();
}
