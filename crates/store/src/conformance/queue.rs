//! Leases: given once, kept, lost, given back; and late work that must change nothing.

use std::collections::HashSet;
use std::time::Duration;

use sheaf_domain::{BatchId, DocumentId, Failure, FailureCode, Priority, RunPolicy, Stage, Status};

use super::{LEASE, batch_of, batch_with, claim, claim_as, parsed, record};
use crate::{NewDocument, Room, Store};

pub async fn a_job_is_leased_once<S: Store>(store: &S) {
    let (batch, _) = batch_of(store, &["a.txt", "b.txt", "c.txt"]).await;
    let first = claim(store, Stage::Parse, 2).await;
    assert_eq!(first.len(), 2);
    assert_eq!(first[0].trace.as_deref(), Some(super::TRACE), "who works on it logs under the same trace");
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
    assert!(!parsed(store, &late, record("late")).await);
    assert!(!store.fail(&late, &failure, None).await.expect("answered"));
    assert!(store.remembered_parse("late").await.expect("read").is_none());

    assert!(parsed(store, &current, record("current")).await);
    assert!(!parsed(store, &current, record("again")).await, "a job completes once");
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
    let claims = claim_as(store, Stage::Parse, "worker-1", 2, 1).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(store.held(&claims).await.expect("read").len(), 2);
    let held = store.heartbeat("worker-1", &claims, LEASE).await.expect("extended");
    assert_eq!(held.len(), 2);
    assert_eq!(store.expire_leases(3, false).await.expect("expired"), 0, "a lease that was extended holds");
    assert_eq!(store.heartbeat("worker-2", &claims, LEASE).await.expect("answered"), [], "not its jobs");

    store.release(&claims[..1]).await.expect("released");
    assert_eq!(store.held(&claims).await.expect("read"), [claims[1].job]);
    let held = store.heartbeat("worker-1", &claims, LEASE).await.expect("extended");
    assert_eq!(held, [claims[1].job]);
    let again = claim(store, Stage::Parse, 5).await;
    assert_eq!((again.len(), again[0].job, again[0].crashes), (1, claims[0].job, 0));
    assert_eq!((again[0].attempt, again[0].tries), (2, 1), "what was given back was no try");
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
            let claims = claim_as(store, Stage::Parse, worker, 3, LEASE).await;
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

pub async fn batches_share_the_slots<S: Store>(store: &S) {
    let paths: Vec<String> = (0..40).map(|i| format!("{i:02}.txt")).collect();
    let (large, _) = batch_of(store, &paths.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let first: Vec<BatchId> = claim(store, Stage::Parse, 4).await.iter().map(|c| c.batch).collect();
    assert_eq!(first, [large; 4], "alone it has all slots");

    let (small, _) = batch_of(store, &["a.txt", "b.txt", "c.txt", "d.txt"]).await;
    assert_eq!(claim(store, Stage::Parse, 1).await[0].batch, small, "it has fewer in work");
    let next: Vec<BatchId> = claim(store, Stage::Parse, 4).await.iter().map(|c| c.batch).collect();
    assert_eq!(next.iter().filter(|&&batch| batch == small).count(), 2, "half of the slots");

    let urgent = RunPolicy { priority: Priority::High, ..RunPolicy::default() };
    let (urgent, _) = batch_with(store, &["x.txt", "y.txt"], urgent).await;
    let next: Vec<BatchId> = claim(store, Stage::Parse, 3).await.iter().map(|c| c.batch).collect();
    assert_eq!(next.iter().filter(|&&batch| batch == urgent).count(), 2, "all that it has comes first");
    let idle = RunPolicy { priority: Priority::Low, ..RunPolicy::default() };
    let (idle, _) = batch_with(store, &["z.txt"], idle).await;
    let rest = claim(store, Stage::Parse, 100).await;
    assert_eq!(rest.last().map(|c| c.batch), Some(idle), "it comes when nothing else waits");
    assert_eq!(rest.len(), 40 + 4 + 2 + 1 - 4 - 1 - 4 - 3);
}

pub async fn the_heaviest_come_first_and_light_ones_share_a_slot<S: Store>(store: &S) {
    let (batch, _) = batch_of(store, &[]).await;
    let documents: Vec<NewDocument> = [5_u64, 900, 10, 70, 60]
        .iter()
        .map(|&bytes| NewDocument {
            id: DocumentId(uuid::Uuid::now_v7()),
            path: format!("{bytes}.txt"),
            sha256: format!("{bytes:0>64}"),
            bytes,
            kind: None,
            failure: None,
        })
        .collect();
    store.add_documents(batch, &documents).await.expect("added");
    let room =
        Room { stage: Stage::Parse, worker: "w", slots: 2, jobs_per_slot: 3, bytes_per_slot: 130, lease_ms: LEASE };
    let groups = store.claim(&room).await.expect("claimed");
    let inputs = async |group: &[crate::Claim]| {
        let mut paths: Vec<String> =
            store.parse_inputs(group).await.expect("read").into_iter().map(|input| input.path).collect();
        paths.sort();
        paths
    };
    assert_eq!(groups.len(), 2);
    assert_eq!(inputs(&groups[0]).await, ["900.txt"], "more than a slot's weight goes alone");
    assert_eq!(inputs(&groups[1]).await, ["60.txt", "70.txt"], "as much as fits");
    let groups = store.claim(&room).await.expect("claimed");
    assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1], "few are spread over the slots");
}
