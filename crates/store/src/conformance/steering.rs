//! People stop batches, start them again, and find them.

use sheaf_domain::{
    BatchChange, BatchId, BatchQuery, Counts, Failure, FailureCode, OnError, Priority, Restart, RunPolicy, Stage,
    Status,
};

use super::{batch_of, batch_with, claim, finish_all, new_document, parsed, record};
use crate::{AnalysisResult, Claim, FoundFamilies, NewClustering, Store};

pub(super) fn analysed(claim: &Claim) -> AnalysisResult {
    AnalysisResult {
        claim: claim.clone(),
        families: FoundFamilies::default(),
        clustering: NewClustering { manifest: "{}".into(), ..NewClustering::default() },
        report: None,
    }
}

async fn counts<S: Store>(store: &S, batch: BatchId) -> (Status, Counts) {
    let found = store.batch(batch).await.expect("read").expect("it is there");
    (found.status, found.counts)
}

pub async fn cancelling_keeps_what_is_done_and_can_be_continued<S: Store>(store: &S) {
    let (batch, documents) = batch_of(store, &["a.txt"]).await;
    finish_all(store).await;
    let more: Vec<_> = ["b.txt", "c.txt", "d.txt"].iter().map(|path| new_document(path)).collect();
    store.add_documents(batch, &more).await.expect("added");
    store.seal_batch(batch).await.expect("sealed");
    let claims = claim(store, Stage::Parse, 2).await;
    assert!(parsed(store, &claims[0], record("b")).await, "it waits to be embedded");

    assert!(store.cancel_batch(batch).await.expect("answered"));
    assert!(!store.cancel_batch(batch).await.expect("answered"), "it does not run any more");
    let (status, found) = counts(store, batch).await;
    assert_eq!(status, Status::Cancelled);
    assert_eq!(found, Counts { total: 4, completed: 1, cancelled: 3, ..Counts::default() });
    assert_eq!(store.held(&claims).await.expect("read"), [], "the lease is lost with it");
    assert!(!parsed(store, &claims[1], record("c")).await, "and with the lease the result");
    assert!(store.text(batch, documents[0]).await.expect("read").is_some(), "what was done is kept");
    for stage in Stage::ALL {
        assert_eq!(claim(store, stage, 5).await, [], "nothing of it is given out");
    }

    assert_eq!(store.restart(batch, &Restart::Failed).await.expect("answered"), None, "nothing has failed");
    assert_eq!(store.restart(batch, &Restart::Cancelled).await.expect("answered"), Some(3));
    assert_eq!(claim(store, Stage::Parse, 5).await.len(), 2, "each goes on at the stage where it was stopped");
    assert_eq!(claim(store, Stage::Embed, 5).await.len(), 1);
}

pub async fn a_batch_is_cancelled_while_it_is_grouped<S: Store>(store: &S) {
    let (batch, _) = batch_of(store, &["a.txt"]).await;
    store.seal_batch(batch).await.expect("sealed");
    finish_all(store).await;
    let analyse = claim(store, Stage::Analyse, 1).await.remove(0);
    assert!(store.cancel_batch(batch).await.expect("answered"));
    assert!(!store.complete_analysis(&analysed(&analyse)).await.expect("answered"));
    assert_eq!(counts(store, batch).await.0, Status::Cancelled);

    assert_eq!(store.restart(batch, &Restart::Cancelled).await.expect("answered"), Some(0));
    let again = claim(store, Stage::Analyse, 1).await.remove(0);
    assert!(store.complete_analysis(&analysed(&again)).await.expect("answered"));
    assert_eq!(counts(store, batch).await.0, Status::Completed);
    assert_eq!(store.restart(batch, &Restart::Cancelled).await.expect("answered"), None, "there is nothing to start");
}

pub async fn what_failed_is_tried_again_with_its_history<S: Store>(store: &S) {
    let (batch, documents) = batch_of(store, &["a.txt", "b.txt", "c.txt"]).await;
    store.seal_batch(batch).await.expect("sealed");
    let claims = claim(store, Stage::Parse, 3).await;
    let slow = Failure::new(FailureCode::TimedOut, "slow");
    let broken = Failure::new(FailureCode::CorruptFile, "broken");
    for (claim, failure) in claims.iter().zip([&slow, &broken, &slow]) {
        assert!(store.fail(claim, failure, None).await.expect("answered"));
    }
    let analyse = claim(store, Stage::Analyse, 1).await.remove(0);
    assert!(store.complete_analysis(&analysed(&analyse)).await.expect("answered"));
    assert_eq!(counts(store, batch).await.0, Status::Failed, "of all documents none could be read");

    let of_code = Restart::FailedWith(FailureCode::TimedOut);
    assert_eq!(store.restart(batch, &of_code).await.expect("answered"), Some(2));
    let (status, found) = counts(store, batch).await;
    assert_eq!((status, found.pending, found.failed), (Status::Pending, 2, 1));
    let again = claim(store, Stage::Parse, 5).await;
    assert_eq!(again.iter().map(|c| (c.attempt, c.tries)).collect::<Vec<_>>(), [(2, 1), (2, 1)], "a budget of its own");
    let of_first = again.iter().find(|c| c.document == Some(documents[0])).expect("it is one of them");
    assert!(store.fail(of_first, &broken, Some(0)).await.expect("answered"));
    let attempts = store.attempts(batch, documents[0]).await.expect("read");
    let listed: Vec<_> = attempts.iter().map(|a| (a.stage, a.number, a.failure.code)).collect();
    assert_eq!(listed, [(Stage::Parse, 1, FailureCode::TimedOut), (Stage::Parse, 2, FailureCode::CorruptFile)]);

    finish_all(store).await;
    let other = again.iter().find(|c| c.document == Some(documents[2])).expect("it is the other");
    assert!(parsed(store, other, record("c")).await);
    finish_all(store).await;
    let analyse = claim(store, Stage::Analyse, 1).await;
    assert_eq!(analyse.len(), 1, "what changed is grouped anew");
    assert_eq!(store.restart(batch, &Restart::Document(documents[1])).await.expect("answered"), Some(1));
    assert!(!store.complete_analysis(&analysed(&analyse[0])).await.expect("answered"), "it does not know the third");
    finish_all(store).await;
    let analyse = claim(store, Stage::Analyse, 1).await.remove(0);
    assert!(store.complete_analysis(&analysed(&analyse)).await.expect("answered"));
    let (status, found) = counts(store, batch).await;
    assert_eq!((status, found.completed, found.failed), (Status::Completed, 3, 0));
}

pub async fn one_failure_stops_a_batch_that_wants_so<S: Store>(store: &S) {
    let strict = RunPolicy { on_error: OnError::FailAll, ..RunPolicy::default() };
    let (batch, documents) = batch_with(store, &["a.txt", "b.txt", "c.txt"], strict).await;
    store.seal_batch(batch).await.expect("sealed");
    let claims = claim(store, Stage::Parse, 2).await;
    assert!(store.fail(&claims[0], &Failure::new(FailureCode::TimedOut, "slow"), Some(0)).await.expect("answered"));
    assert_eq!(counts(store, batch).await.0, Status::Processing, "it may yet succeed");
    let again = claim(store, Stage::Parse, 5).await;
    let first = again.iter().find(|c| c.job == claims[0].job).expect("it is tried again");
    assert!(store.fail(first, &Failure::new(FailureCode::TimedOut, "slow"), None).await.expect("answered"));

    let found = store.batch(batch).await.expect("read").expect("it is there");
    assert_eq!(found.status, Status::Failed);
    assert_eq!(found.counts, Counts { total: 3, failed: 1, cancelled: 2, ..Counts::default() });
    let failure = found.failure.expect("it says why");
    assert_eq!(failure.code, FailureCode::TimedOut);
    assert!(failure.message.contains("a.txt") || failure.message.contains("b.txt"), "{}", failure.message);
    assert_eq!(claim(store, Stage::Analyse, 1).await, [], "it is not grouped");

    store.add_documents(batch, &[new_document("late.txt")]).await.expect("added");
    assert_eq!(counts(store, batch).await.1.cancelled, 3, "what was still on its way is not begun");
    let failed = first.document.expect("of a document");
    assert_eq!(store.restart(batch, &Restart::Document(failed)).await.expect("answered"), Some(1));
    assert_eq!(store.restart(batch, &Restart::Cancelled).await.expect("answered"), Some(3));
    finish_all(store).await;
    assert_eq!(claim(store, Stage::Analyse, 1).await.len(), 1);
    assert_eq!(documents.len(), 3);
}

pub async fn batches_are_found_and_renamed<S: Store>(store: &S) {
    let (first, _) = batch_of(store, &["a.txt"]).await;
    let (second, _) = batch_of(store, &["b.txt"]).await;
    let change = BatchChange { name: Some("Complaints 100%_".into()), priority: Some(Priority::High) };
    assert!(store.change_batch(first, &change).await.expect("answered"));
    assert!(!store.change_batch(BatchId(uuid::Uuid::nil()), &change).await.expect("answered"));
    let found = store.batch(first).await.expect("read").expect("it is there");
    assert_eq!((found.name.as_str(), found.policy.priority), ("Complaints 100%_", Priority::High));

    let ids = async |query: BatchQuery| {
        let page = store.batches(&query).await.expect("listed");
        (page.items.iter().map(|b| b.id).collect::<Vec<_>>(), page.total)
    };
    let search = |text: &str| BatchQuery { search: Some(text.into()), ..BatchQuery::default() };
    assert_eq!(ids(search("complaints")).await, (vec![first], 1));
    assert_eq!(ids(search("0%_")).await, (vec![first], 1), "no character has a meaning of its own");
    assert_eq!(ids(search(&second.to_string())).await, (vec![second], 1));
    assert_eq!(ids(search("nowhere")).await, (vec![], 0));
    assert!(store.cancel_batch(second).await.expect("answered"));
    let cancelled = BatchQuery { status: Some(Status::Cancelled), ..BatchQuery::default() };
    assert_eq!(ids(cancelled).await, (vec![second], 1));
}
