//! Carries what is in the outbox to its receivers: each message is leased, sent, and tried again for a day.

use std::sync::Arc;
use std::time::Duration;

use sheaf_store::{ClaimedDelivery, DeliveryOutcome};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::send::{NotTaken, Sender};
use crate::{Engine, metrics};

/// Longest wait before the outbox is looked at again.
const POLL: Duration = Duration::from_secs(1);
/// Messages that are under way at the same time.
const PLACES: usize = 16;
/// Longer than an attempt can take.
const LEASE_MS: u64 = 60_000;
/// The wait after the first attempt; doubled with each further one.
const FIRST_WAIT_MS: u64 = 5_000;
const LONGEST_WAIT_MS: u64 = 60 * 60 * 1000;
/// From then on it is not tried again.
const GIVEN_UP_MS: u64 = 24 * 60 * 60 * 1000;

/// The task that delivers. What it has not finished when it is stopped goes on when the leases run out.
pub struct Deliveries {
    stop: CancellationToken,
    task: JoinSet<()>,
}

impl Deliveries {
    /// Ends it at once.
    pub async fn stop(mut self) {
        self.stop.cancel();
        self.task.join_next().await;
    }
}

impl Engine {
    /// Starts to deliver what webhooks are to hear. Several processes share the outbox.
    pub fn start_deliveries(&self) -> Deliveries {
        let stop = CancellationToken::new();
        let mut task = JoinSet::new();
        task.spawn(run(self.clone(), stop.clone()));
        Deliveries { stop, task }
    }
}

async fn run(engine: Engine, stop: CancellationToken) {
    let sender = Arc::new(Sender::new(engine.config().webhook_allow.clone().into()));
    let mut running = JoinSet::new();
    loop {
        while running.try_join_next().is_some() {}
        let asked = engine.outbox().notified();
        let free = u32::try_from(PLACES - running.len()).unwrap_or_default();
        let claims = if free == 0 { Ok(Vec::new()) } else { engine.store().claim_deliveries(free, LEASE_MS).await };
        let claims = claims.unwrap_or_else(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "the outbox cannot be read");
            Vec::new()
        });
        let none = claims.is_empty();
        for claim in claims {
            running.spawn(deliver(engine.clone(), Arc::clone(&sender), claim));
        }
        if none {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(_) = running.join_next(), if !running.is_empty() => {}
                () = asked => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }
    running.shutdown().await;
}

async fn deliver(engine: Engine, sender: Arc<Sender>, claim: ClaimedDelivery) {
    let outcome = match sender.send(&claim).await {
        Ok(answer) => DeliveryOutcome::Arrived { answer },
        Err(not_taken) => next(&claim, not_taken),
    };
    metrics::delivery(&outcome);
    match &outcome {
        DeliveryOutcome::Arrived { .. } => tracing::debug!(delivery = %claim.id, "a webhook was told"),
        DeliveryOutcome::Retry { error, .. } => {
            tracing::info!(delivery = %claim.id, tries = claim.tries, error, "a webhook could not be told yet");
        }
        DeliveryOutcome::GivenUp { error, .. } => {
            tracing::warn!(delivery = %claim.id, tries = claim.tries, error, "a webhook is not told any more");
        }
    }
    if let Err(error) = engine.store().finish_delivery(&claim, &outcome).await {
        let error = &error as &dyn std::error::Error;
        tracing::error!(delivery = %claim.id, error, "how a delivery went could not be noted; it is tried again");
    }
}

/// Whether and when it is tried again.
fn next(claim: &ClaimedDelivery, not_taken: NotTaken) -> DeliveryOutcome {
    let NotTaken { answer, error } = not_taken;
    let doublings = claim.tries.saturating_sub(1).min(16);
    let after_ms = (FIRST_WAIT_MS << doublings).min(LONGEST_WAIT_MS);
    if claim.age_ms + after_ms > GIVEN_UP_MS {
        return DeliveryOutcome::GivenUp { answer, error };
    }
    DeliveryOutcome::Retry { answer, error, after_ms }
}

#[cfg(test)]
mod tests {
    use sheaf_domain::{DeliveryId, EventId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn waits_double_up_to_an_hour_and_end_after_a_day() {
        let mut claim = ClaimedDelivery {
            id: DeliveryId(Uuid::nil()),
            attempt: 1,
            tries: 0,
            age_ms: 0,
            url: String::new(),
            secret: String::new(),
            event: EventId(Uuid::nil()),
            body: String::new(),
        };
        let mut waits = Vec::new();
        loop {
            claim.tries += 1;
            match next(&claim, NotTaken { answer: Some(500), error: String::new() }) {
                DeliveryOutcome::Retry { after_ms, .. } => {
                    waits.push(after_ms / 1000);
                    claim.age_ms += after_ms;
                }
                DeliveryOutcome::GivenUp { answer, .. } => break assert_eq!(answer, Some(500)),
                DeliveryOutcome::Arrived { .. } => panic!("it did not"),
            }
        }
        assert_eq!(waits[..11], [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600]);
        assert!(waits.len() > 30 && claim.age_ms <= GIVEN_UP_MS, "{} tries in {} ms", waits.len(), claim.age_ms);
    }
}
