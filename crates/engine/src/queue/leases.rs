//! The leases that this process holds, and the heartbeat that keeps them.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sheaf_domain::JobId;
use sheaf_store::{Claim, StoreError};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Engine, metrics};

/// How soon a cancellation by another process is noticed.
const LOOKED_AFTER_EVERY: Duration = Duration::from_millis(500);

/// Claims that are worked on together.
struct Group {
    /// How many are still held.
    left: AtomicUsize,
    /// Cancelled when none is.
    lost: CancellationToken,
}

/// Held claims by job.
type Held = HashMap<JobId, (Claim, Arc<Group>)>;

/// What this process holds.
pub struct Leases {
    engine: Engine,
    worker: String,
    held: Mutex<Held>,
}

impl Leases {
    pub fn new(engine: Engine) -> Self {
        // Unique over machines and restarts: a worker must never mistake another's lease for its own.
        let worker = format!("{}-{}-{}", super::vitals::host(), std::process::id(), Uuid::new_v4().simple());
        Self { engine, worker, held: Mutex::default() }
    }

    pub fn worker(&self) -> &str {
        &self.worker
    }

    pub fn lease_ms(&self) -> u64 {
        u64::try_from(self.engine.config().lease.as_millis()).unwrap_or(u64::MAX)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // No code panics while it holds the lock, and the map is whole between its operations.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps these claims from now on. The token is cancelled when the last of them is lost.
    pub fn hold(&self, claims: &[Claim]) -> CancellationToken {
        let lost = CancellationToken::new();
        let group = Arc::new(Group { left: AtomicUsize::new(claims.len()), lost: lost.clone() });
        let mut held = self.held();
        for claim in claims {
            held.insert(claim.job, (claim.clone(), Arc::clone(&group)));
        }
        lost
    }

    /// Keeps these claims no longer: they are finished.
    pub fn let_go(&self, claims: &[Claim]) {
        let mut held = self.held();
        for claim in claims {
            held.remove(&claim.job);
        }
    }

    /// Gives back whatever is still held.
    pub async fn release_all(&self) {
        let claims: Vec<Claim> = self.held().drain().map(|(_, (claim, _))| claim).collect();
        if let Err(error) = self.engine.store().release(&claims).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "leases could not be given back; they run out");
        }
    }

    /// The heartbeat, until it is dropped: extends what is held, drops what was lost, and returns to the queue what others
    /// lost.
    pub async fn keep(self: Arc<Self>, max_crashes: u32) {
        let period = (self.engine.config().lease / 3).max(Duration::from_millis(50));
        let mut next_beat = Instant::now() + period;
        loop {
            tokio::time::sleep(LOOKED_AFTER_EVERY.min(period)).await;
            let claims: Vec<Claim> = self.held().values().map(|(claim, _)| claim.clone()).collect();
            let is_due = Instant::now() >= next_beat;
            if is_due {
                next_beat = Instant::now() + period;
            }
            let told = if is_due { self.beat(&claims, max_crashes).await } else { self.look_after(&claims).await };
            if let Err(error) = told {
                tracing::error!(error = &error as &dyn std::error::Error, "the heartbeat failed");
            }
        }
    }

    async fn beat(&self, claims: &[Claim], max_crashes: u32) -> Result<(), StoreError> {
        let store = self.engine.store();
        let kept = store.heartbeat(&self.worker, claims, self.lease_ms()).await?;
        self.drop_lost(claims, &kept);
        let expired = store.expire_leases(max_crashes, false).await?;
        metrics::leases_expired(expired);
        if expired > 0 {
            self.engine.wake();
        }
        Ok(())
    }

    /// Drops what was cancelled, though by another process.
    async fn look_after(&self, claims: &[Claim]) -> Result<(), StoreError> {
        if !claims.is_empty() {
            self.drop_lost(claims, &self.engine.store().held(claims).await?);
        }
        Ok(())
    }

    fn drop_lost(&self, asked: &[Claim], kept: &[JobId]) {
        let mut held = self.held();
        let kept: HashSet<&JobId> = kept.iter().collect();
        for claim in asked.iter().filter(|claim| !kept.contains(&claim.job)) {
            // A job that ended between the question and the answer is no longer here.
            let Some((_, group)) = held.remove(&claim.job) else { continue };
            if group.left.fetch_sub(1, Ordering::Relaxed) == 1 {
                group.lost.cancel();
            }
        }
    }
}
