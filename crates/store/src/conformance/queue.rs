//! Leases: given once, kept, lost, given back; and late work that must change nothing.

use std::collections::HashSet;
use std::time::Duration;

use sheaf_domain::{Failure, FailureCode, Stage, Status};

use super::{LEASE, batch_of, claim, record};
use crate::Store;

pub async fn a_job_is_leased_once<S: Store>(store: &S) {
    let (batch, _) = batch_of(store, &["a.txt", "b.txt", "c.txt"]).await;
    assert_eq!(claim(store, Stage::Parse, 2).await.len(), 2);
    assert_eq!(claim(store, Stage::Parse, 5).await.len(), 1);
    assert_eq!(claim(store, Stage::Parse, 5).await, []);
    let found = store.batch(batch).await.expect("read").expect("it is there");
    assert_eq!((found.status, found.counts.processing), (Status::Processing, 3));
}

pub async fn a_late_attempt_changes_nothing<S: Store>(store: &S) {
    let (batch, documents) = batch_of(store, &["a.txt"]).await;
    let late = claim(store, Stage::Parse, 1).await.remove(0);
    assert_eq!(store.expire_leases(3, true).await.expect("expired"), 1);
    let current = claim(store, Stage::Parse, 1).await.remove(0);
    assert!(current.attempt > late.attempt, "the attempt is the fencing token");

    let failure = Failure::new(FailureCode::TimedOut, "late");
    assert!(!store.complete_parse(&late, &record("late")).await.expect("answered"));
    assert!(!store.fail(&late, &failure, None).await.expect("answered"));
    assert!(store.remembered_parse("late").await.expect("read").is_none());

    assert!(store.complete_parse(&current, &record("current")).await.expect("answered"));
    assert!(!store.complete_parse(&current, &record("again")).await.expect("answered"), "a job completes once");
    let text = store.text(batch, documents[0]).await.expect("read");
    assert_eq!(text.as_deref(), Some("text of current"));
}

pub async fn a_lost_lease_returns_and_the_third_loss_fails<S: Store>(store: &S) {
    let (batch, documents) = batch_of(store, &["a.txt"]).await;
    store.seal_batch(batch).await.expect("sealed");
    for crashes in 1..=3 {
        let held = claim(store, Stage::Parse, 1).await.remove(0);
        assert_eq!(held.crashes, crashes - 1);
        assert_eq!(store.expire_leases(3, true).await.expect("expired"), 1);
    }
    assert_eq!(claim(store, Stage::Parse, 1).await, []);
    let (stored, _) = store.document(batch, documents[0]).await.expect("read").expect("it is there");
    assert_eq!(stored.document.status, Status::Failed);
    assert_eq!(stored.document.failure.expect("says why").code, FailureCode::WorkerCrashed);
    assert_eq!(claim(store, Stage::Analyse, 1).await.len(), 1, "the batch goes on without it");
}

pub async fn suspects_come_last_and_alone<S: Store>(store: &S) {
    batch_of(store, &["a.txt", "b.txt"]).await;
    let lost = claim(store, Stage::Parse, 5).await;
    assert_eq!(store.expire_leases(5, true).await.expect("expired"), 2);
    batch_of(store, &["c.txt", "d.txt"]).await;
    let fresh = claim(store, Stage::Parse, 5).await;
    assert_eq!(fresh.iter().map(|c| c.crashes).collect::<Vec<_>>(), [0, 0]);
    for job in lost.iter().map(|c| c.job) {
        let alone = claim(store, Stage::Parse, 5).await;
        assert_eq!(alone.iter().map(|c| (c.job, c.crashes)).collect::<Vec<_>>(), [(job, 1)]);
    }
}

pub async fn a_heartbeat_keeps_and_a_release_returns<S: Store>(store: &S) {
    batch_of(store, &["a.txt", "b.txt"]).await;
    let claims = store.claim(Stage::Parse, "worker-1", 2, 1).await.expect("claimed");
    tokio::time::sleep(Duration::from_millis(5)).await;
    let held = store.heartbeat("worker-1", &claims, LEASE).await.expect("extended");
    assert_eq!(held.len(), 2);
    assert_eq!(store.expire_leases(3, false).await.expect("expired"), 0, "a lease that was extended holds");
    assert_eq!(store.heartbeat("worker-2", &claims, LEASE).await.expect("answered"), [], "not its jobs");

    store.release(&claims[..1]).await.expect("released");
    let held = store.heartbeat("worker-1", &claims, LEASE).await.expect("extended");
    assert_eq!(held, [claims[1].job]);
    let again = claim(store, Stage::Parse, 5).await;
    assert_eq!((again.len(), again[0].job, again[0].crashes), (1, claims[0].job, 0));
}

pub async fn a_retry_waits<S: Store>(store: &S) {
    let (batch, documents) = batch_of(store, &["a.txt"]).await;
    let held = claim(store, Stage::Parse, 1).await.remove(0);
    let failure = Failure::new(FailureCode::TimedOut, "slow");
    assert!(store.fail(&held, &failure, Some(60_000)).await.expect("answered"));
    assert_eq!(claim(store, Stage::Parse, 1).await, []);
    let (stored, _) = store.document(batch, documents[0]).await.expect("read").expect("it is there");
    assert_eq!(stored.document.status, Status::Pending);
}

pub async fn concurrent_workers_share_the_work<S: Store>(store: &S) {
    let paths: Vec<String> = (0..60).map(|i| format!("{i:02}.txt")).collect();
    batch_of(store, &paths.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let work = |worker: &'static str| async move {
        let mut jobs = Vec::new();
        loop {
            let claims = store.claim(Stage::Parse, worker, 3, LEASE).await.expect("claimed");
            if claims.is_empty() {
                return jobs;
            }
            jobs.extend(claims.into_iter().map(|c| c.job));
        }
    };
    let (a, b, c) = tokio::join!(work("a"), work("b"), work("c"));
    let all: Vec<_> = a.into_iter().chain(b).chain(c).collect();
    assert_eq!(all.len(), 60);
    assert_eq!(all.into_iter().collect::<HashSet<_>>().len(), 60, "no job was given twice");
}
