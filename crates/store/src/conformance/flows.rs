//! Flows keep every version, and their runs are worked on, stopped and judged like batches.

use std::time::Duration;

use sheaf_domain::flow::{
    Action, Answer, BatchUse, Find, FlowSpec, FoundValue, Review, RunChange, RunDocumentQuery, RunQuery, Step,
    ValueQuery, ValueReview,
};
use sheaf_domain::{
    BatchId, DocumentId, DocumentKind, Failure, FailureCode, FlowId, OnError, Priority, Restart, RunId, RunPolicy,
    Status,
};
use uuid::Uuid;

use super::{LEASE, batch_of, finish_all};
use crate::{RunClaim, RunFound, RunInput, Saved, StartedRun, Store};

pub(super) fn spec(name: &str) -> FlowSpec {
    let find = Step { name: "dates".into(), instructions: String::new(), action: Action::Find(Find::default()) };
    FlowSpec { name: name.into(), description: String::new(), steps: vec![find] }
}

pub async fn every_version_is_kept<S: Store>(store: &S) {
    let id = FlowId(Uuid::now_v7());
    let save = async |name: &str, based_on| store.save_flow(id, &spec(name), based_on).await.expect("answered");
    assert_eq!(save("A", Some(1)).await, Saved::Missing);
    assert_eq!(save("A", None).await, Saved::Version(1));
    assert_eq!(save("A", None).await, Saved::Version(1), "the same again is no new version");
    assert_eq!(save("B\0", Some(1)).await, Saved::Version(2));
    assert_eq!(save("C", Some(1)).await, Saved::Outdated(2));
    let one = async |version| store.flow(id, version).await.expect("read");
    assert_eq!(one(None).await.expect("it is there").spec, spec("B\0"));
    assert_eq!(one(Some(1)).await.expect("it is there").spec.name, "A");
    assert_eq!(one(Some(3)).await, None);
    let versions = store.flow_versions(id).await.expect("listed");
    assert_eq!(versions.iter().map(|flow| flow.version).collect::<Vec<_>>(), [2, 1]);
    assert!(versions[0].saved_at > 1_700_000_000, "by the database's clock");
    let listed = store.flows().await.expect("listed");
    assert_eq!(listed.iter().map(|flow| (flow.id, flow.version)).collect::<Vec<_>>(), [(id, 2)]);
    assert!(store.delete_flow(id).await.expect("answered"));
    assert!(!store.delete_flow(id).await.expect("answered"));
    assert_eq!((one(None).await, store.flows().await.expect("listed")), (None, vec![]));
    assert!(one(Some(1)).await.is_some(), "its runs can still say what they did");
}

async fn started<S: Store>(store: &S, paths: &[&str], policy: RunPolicy) -> (RunId, Vec<DocumentId>) {
    let flow = FlowId(Uuid::now_v7());
    store.save_flow(flow, &spec("Dates"), None).await.expect("saved");
    let (batch, documents) = batch_of(store, paths).await;
    let inputs = store.find_documents(&documents).await.expect("found");
    let mut expect: Vec<RunInput> = documents
        .iter()
        .zip(paths)
        .map(|(&document, path)| RunInput { document, batch, path: (*path).into() })
        .collect();
    expect.sort_by_key(|input| input.document);
    assert_eq!(inputs, expect);
    let id = RunId(Uuid::now_v7());
    let name = "A run".to_owned();
    let run = StartedRun { id, name, flow, version: 1, policy, budget_tokens: Some(100), documents: inputs };
    store.start_run(&run).await.expect("started");
    (id, documents)
}

async fn claim<S: Store>(store: &S, slots: u32) -> Vec<RunClaim> {
    store.claim_run_documents("worker", slots, LEASE).await.expect("claimed")
}

pub(super) fn found(values: &[&str]) -> RunFound {
    let value = |(row, value): (usize, &&str)| FoundValue {
        step: "dates".into(),
        field: "value".into(),
        row: u32::try_from(row).expect("few"),
        value: (*value).into(),
        page: Some(2),
        quote: Some(format!("on {value}\0")),
        start: Some(3),
        end: Some(9),
        verified: Some(row == 0),
        probability: Some(0.5),
    };
    RunFound { values: values.iter().enumerate().map(value).collect(), left_out: false }
}

pub async fn a_document_of_a_run_is_leased_once_and_its_values_are_kept<S: Store>(store: &S) {
    let (run, documents) = started(store, &["a.txt", "b.txt"], RunPolicy::default()).await;
    let read = async || store.run(run).await.expect("read").expect("it is there");
    assert_eq!((read().await.status, read().await.counts.pending, read().await.version), (Status::Pending, 2, 1));
    assert_eq!(read().await.flow_name, "Dates");

    // A lease that ran out: who comes late changes nothing.
    let late = store.claim_run_documents("slow", 1, 1).await.expect("claimed").remove(0);
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(store.expire_run_claims(3, false).await.expect("expired"), 1);
    tokio::time::sleep(Duration::from_millis(900)).await;
    let claims = claim(store, 10).await;
    assert_eq!(claims.len(), 2);
    assert_eq!(claim(store, 10).await, []);
    assert!(!store.complete_run_document(&late, &found(&["x"])).await.expect("answered"));
    assert_eq!(store.keep_run_claims(&[claims[0].clone(), late], LEASE).await.expect("kept"), [claims[0].clone()]);

    // Given back, it is no attempt.
    store.release_run_claims(&claims).await.expect("released");
    let claims = claim(store, 10).await;
    assert!(claims.iter().all(|claim| claim.tries <= 2 && claim.attempt >= 2), "{claims:?}");
    let first = claims.iter().find(|claim| claim.document == documents[0]).expect("claimed");
    let second = claims.iter().find(|claim| claim.document == documents[1]).expect("claimed");
    assert!(store.complete_run_document(first, &found(&["2026-01-01", "2026-01-02"])).await.expect("answered"));
    assert_eq!(read().await.status, Status::Processing);
    let left_out = RunFound { left_out: true, ..RunFound::default() };
    assert!(store.complete_run_document(second, &left_out).await.expect("answered"));
    let ended = read().await;
    assert_eq!((ended.status, ended.counts.completed, ended.values), (Status::Completed, 2, 2));
    assert!(ended.finished_at.is_some());

    let query = ValueQuery { limit: 1, ..ValueQuery::default() };
    let page = store.run_values(run, &query).await.expect("read");
    assert_eq!((page.total, page.items.len()), (2, 1));
    let value = &page.items[0];
    assert_eq!(value.found, found(&["2026-01-01"]).values[0]);
    assert!(value.stands);
    assert_eq!(
        (value.document, value.path.as_str(), value.number, value.review),
        (documents[0], "a.txt", 0, Review::None)
    );
    let next = store.run_values(run, &ValueQuery { cursor: page.next_cursor, ..query }).await.expect("read");
    assert_eq!((next.items[0].number, next.next_cursor), (1, None));

    let corrected = ValueReview { review: Review::Corrected, value: Some("2027".into()), row: false };
    assert!(store.review_value(run, documents[0], 1, &corrected).await.expect("answered"));
    assert!(!store.review_value(run, documents[0], 2, &corrected).await.expect("answered"));
    // A row as a whole, which is this value alone.
    let row = ValueReview { review: Review::Accepted, value: None, row: true };
    assert!(store.review_value(run, documents[0], 0, &row).await.expect("answered"));
    assert!(!store.review_value(run, documents[0], 2, &row).await.expect("answered"));
    let of = |query| async move { store.run_values(run, &query).await.expect("read").items };
    let reviewed = of(ValueQuery { review: Some(Review::Corrected), ..ValueQuery::default() }).await;
    assert_eq!((reviewed.len(), reviewed[0].effective()), (1, "2027"));
    let accepted = of(ValueQuery { review: Some(Review::Accepted), ..ValueQuery::default() }).await;
    assert_eq!(accepted.iter().map(|value| value.number).collect::<Vec<_>>(), [0]);
    assert_eq!(of(ValueQuery { verified: Some(true), ..ValueQuery::default() }).await.len(), 1);
    assert_eq!(of(ValueQuery { step: Some("other".into()), ..ValueQuery::default() }).await.len(), 0);
    let field = value.found.field.clone();
    assert_eq!(of(ValueQuery { field: Some(field), ..ValueQuery::default() }).await.len(), 2);
    assert_eq!(of(ValueQuery { field: Some("other".into()), ..ValueQuery::default() }).await.len(), 0);
    let of_columns = |names: &[&str]| {
        of(ValueQuery { columns: names.iter().map(ToString::to_string).collect(), ..ValueQuery::default() })
    };
    assert_eq!(of_columns(&["dates.value", "a.b"]).await.len(), 2);
    assert_eq!(of_columns(&["dates.other"]).await.len(), 0);
    assert_eq!(store.run_failures(run).await.expect("counted"), []);
    let rows = store.run_documents(run, &RunDocumentQuery::default()).await.expect("read");
    assert_eq!((rows.total, rows.items[0].values), (2, 2));
    let other = store.run_document(run, documents[1]).await.expect("read").expect("it is there");
    assert!(other.left_out && other.status == Status::Completed);

    // It stays when the batch goes.
    assert!(store.delete_batch(first.batch).await.expect("deleted"));
    assert_eq!(read().await.values, 2);
    assert!(store.delete_run(run).await.expect("deleted"));
    assert_eq!(store.run(run).await.expect("read"), None);
}

pub async fn a_run_is_stopped_and_goes_on<S: Store>(store: &S) {
    let (run, documents) = started(store, &["a.txt", "b.txt", "c.txt"], RunPolicy::default()).await;
    let status = async || store.run(run).await.expect("read").expect("it is there").status;
    let held = claim(store, 1).await.remove(0);
    assert!(store.cancel_run(run).await.expect("answered"));
    assert!(!store.cancel_run(run).await.expect("answered"));
    assert!(!store.complete_run_document(&held, &found(&[])).await.expect("answered"), "it was cancelled");
    assert_eq!((status().await, claim(store, 9).await), (Status::Cancelled, vec![]));
    assert_eq!(store.restart_run(run, &Restart::Failed).await.expect("answered"), None);
    assert_eq!(store.restart_run(run, &Restart::Cancelled).await.expect("answered"), Some(3));
    assert_eq!(status().await, Status::Pending);

    // One fails for good, one is tried again, one succeeds.
    let claims = claim(store, 9).await;
    let failure = Failure::new(FailureCode::NoText, "nothing in it");
    assert!(store.fail_run_document(&claims[0], &failure, None).await.expect("answered"));
    assert!(!store.fail_run_document(&claims[0], &failure, None).await.expect("answered"));
    assert!(store.fail_run_document(&claims[1], &failure, Some(60_000)).await.expect("answered"));
    assert!(store.complete_run_document(&claims[2], &found(&["x"])).await.expect("answered"));
    assert_eq!((status().await, claim(store, 9).await), (Status::Processing, vec![]), "it waits for its time");
    assert_eq!(store.restart_run(run, &Restart::FailedWith(FailureCode::TimedOut)).await.expect("answered"), None);
    assert_eq!(store.restart_run(run, &Restart::FailedWith(FailureCode::NoText)).await.expect("answered"), Some(1));
    let again = claim(store, 9).await.remove(0);
    assert_eq!((again.document, again.tries), (claims[0].document, 1));
    assert!(documents.contains(&again.document));

    // A run that is strict ends at its first failure.
    let strict = RunPolicy { on_error: OnError::FailAll, priority: Priority::High };
    let (other, _) = started(store, &["d.txt", "e.txt"], strict).await;
    let first = claim(store, 1).await.remove(0);
    assert_eq!(first.run, other, "the more urgent first");
    assert!(store.fail_run_document(&first, &failure, None).await.expect("answered"));
    let ended = store.run(other).await.expect("read").expect("it is there");
    assert_eq!((ended.status, ended.counts.failed, ended.counts.cancelled), (Status::Failed, 1, 1));
    assert_eq!(ended.failure, Some(failure));
    assert_eq!(store.run_failures(other).await.expect("counted"), [(FailureCode::NoText, 1)]);
    let of = |code| async move {
        let query = RunDocumentQuery { code: Some(code), ..RunDocumentQuery::default() };
        store.run_documents(other, &query).await.expect("read").total
    };
    assert_eq!((of(FailureCode::NoText).await, of(FailureCode::TimedOut).await), (1, 0));

    let change = RunChange { name: Some("Renamed\0".into()), budget_tokens: Some(7), priority: None };
    assert!(store.change_run(other, &change).await.expect("answered"));
    assert!(!store.change_run(RunId(Uuid::nil()), &change).await.expect("answered"));
    let found = store.runs(&RunQuery { search: Some("RENAMED".into()), ..RunQuery::default() }).await.expect("listed");
    assert_eq!((found.total, found.items[0].id, found.items[0].budget_tokens), (1, other, Some(7)));
    let page = store.runs(&RunQuery { limit: 1, ..RunQuery::default() }).await.expect("listed");
    assert_eq!((page.total, page.items[0].id), (2, other), "the latest first");
    let cursor = page.next_cursor.expect("another page").parse().ok();
    let page = store.runs(&RunQuery { limit: 1, cursor, ..RunQuery::default() }).await.expect("listed");
    assert_eq!((page.items[0].id, page.next_cursor), (run, None));
}

pub async fn answers_are_remembered_and_counted_once<S: Store>(store: &S) {
    let (run, _) = started(store, &["a.txt", "b.txt"], RunPolicy::default()).await;
    let claims = claim(store, 2).await;
    let answer = Answer { request: "question\0".into(), response: "answer".into(), tokens: 60 };
    let asked = async |claim| store.remembered_answer(claim, "ask", "key").await.expect("answered");
    assert_eq!(asked(&claims[0]).await, None);
    store.remember_answer(&claims[0], "ask", "key", &answer).await.expect("kept");
    store.remember_answer(&claims[0], "ask", "key", &answer).await.expect("kept");
    let spent = async || store.spending(run).await.expect("read").expect("it is there");
    assert_eq!((spent().await.tokens, spent().await.budget), (60, Some(100)));
    assert_eq!(asked(&claims[1]).await.as_ref(), Some(&answer));
    assert_eq!(spent().await.tokens, 60, "what is remembered costs nothing");
    for claim in &claims {
        let exchanges = store.exchanges(run, claim.document).await.expect("read");
        assert_eq!(exchanges.len(), 1);
        assert_eq!((exchanges[0].request.as_str(), exchanges[0].tokens), ("question\0", 60));
    }
    store.disown_answer("key").await.expect("disowned");
    assert_eq!(asked(&claims[1]).await, None);
    assert_eq!(store.exchanges(run, claims[0].document).await.expect("read").len(), 1, "it is still shown");
    let nowhere = RunClaim { run: RunId(Uuid::nil()), batch: BatchId(Uuid::nil()), ..claims[0].clone() };
    store.remember_answer(&nowhere, "ask", "other", &answer).await.expect("a run that is gone");
    assert_eq!(asked(&nowhere).await, None);
    assert_eq!(store.spending(RunId(Uuid::nil())).await.expect("read"), None);

    // The batch is deleted while the run is at it: what models were sent was its text.
    store.remember_answer(&claims[1], "ask", "late", &answer).await.expect("kept");
    assert!(store.complete_run_document(&claims[0], &found(&["May"])).await.expect("kept"));
    let of = BatchUse { runs: 1, values: 1, waiting: 1 };
    assert_eq!(store.use_of_batch(claims[0].batch).await.expect("read"), of);
    assert!(store.delete_batch(claims[0].batch).await.expect("deleted"));
    for claim in &claims {
        assert_eq!(store.exchanges(run, claim.document).await.expect("read"), []);
        store.remember_answer(claim, "ask", "later", &answer).await.expect("of a document that is gone");
    }
    assert_eq!((asked(&claims[1]).await, asked(&nowhere).await), (None, None), "nor is what comes late kept");
    assert_eq!(store.remembered_answer(&claims[1], "ask", "late").await.expect("read"), None);
    assert_eq!(store.remembered_answer(&claims[1], "ask", "later").await.expect("read"), None);
    let ended = store.run(run).await.expect("read").expect("it stays");
    assert_eq!((ended.status, ended.counts.completed, ended.counts.cancelled), (Status::Completed, 1, 1));
    let rows = store.run_documents(run, &RunDocumentQuery::default()).await.expect("read").items;
    assert!(rows.iter().all(|row| row.deleted && !row.path.is_empty()), "under their names: {rows:?}");
    let values = store.run_values(run, &ValueQuery::default()).await.expect("read").items;
    assert_eq!(values.iter().filter_map(|value| value.found.quote.as_deref()).collect::<Vec<_>>(), ["on May\0"]);
    assert!(!values[0].stands, "it cannot be looked up any more");
    assert_eq!(store.use_of_batch(claims[0].batch).await.expect("read"), BatchUse::default());
    let (run, _) = started(store, &["c.txt"], RunPolicy::default()).await;
    let batch = store.run_documents(run, &RunDocumentQuery::default()).await.expect("read").items[0].batch;
    assert!(store.delete_batch(batch).await.expect("deleted"));
    assert_eq!(store.run(run).await.expect("read").expect("it stays").status, Status::Cancelled, "nothing was done");
}

/// The last two documents of a run end at the same moment: one of them ends the run.
pub async fn the_last_of_many_ends_the_run<S: Store>(store: &S) {
    let paths: Vec<String> = (0..24).map(|i| format!("{i}.txt")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let (run, _) = started(store, &paths, RunPolicy::default()).await;
    let claims = claim(store, 24).await;
    let nothing = RunFound::default();
    for pair in claims.chunks(2) {
        let complete = |claim| store.complete_run_document(claim, &nothing);
        let (one, other) = tokio::join!(complete(&pair[0]), complete(&pair[1]));
        assert!(one.expect("answered") && other.expect("answered"));
    }
    let run = store.run(run).await.expect("read").expect("it is there");
    assert_eq!((run.status, run.counts.completed), (Status::Completed, 24));
}

pub async fn steps_see_the_pages_of_a_document<S: Store>(store: &S) {
    let (batch, documents) = batch_of(store, &["a.txt"]).await;
    let read = async || store.document_text(batch, documents[0]).await.expect("read");
    assert_eq!(read().await, None, "it was not read yet");
    finish_all(store).await;
    let found = read().await.expect("it was read");
    assert_eq!(
        (found.path.as_str(), found.kind, found.language.as_deref()),
        ("a.txt", DocumentKind::Text, Some("eng"))
    );
    let page = store.page(batch, documents[0], 2).await.expect("read").expect("it is there");
    assert_eq!((found.pages.len(), &found.pages[1]), (2, &page.text));
    assert_eq!(store.document_text(BatchId(Uuid::nil()), documents[0]).await.expect("read"), None);
}
