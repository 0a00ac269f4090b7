//! Records come read, a flow's version takes each once, and all of it comes out again.

use sheaf_domain::flow::{Review, ValueReview};
use sheaf_domain::{Added, BatchId, DocumentId, FlowId, RunId, RunPolicy, Stage, Status};
use uuid::Uuid;

use super::flows::{found, spec};
use super::{LEASE, batch_of, claim, finish_all, new_document, record};
use crate::{BacklogScope, KeptRecords, NewRecord, RunInput, StartedRun, Store};

fn new_record(id: &str) -> NewRecord {
    let fields = format!("{{\"id\":\"{id}\\u0000\"}}");
    let parsed = record(&format!("parse-{id}"));
    NewRecord { document: new_document(id), id: format!("{id}\0"), fields, replaces: true, parsed }
}

const fn kept(documents: u64, already_there: u64, changed: u64) -> KeptRecords {
    KeptRecords { added: Added { documents, again: 0, already_there }, changed }
}

async fn imported<S: Store>(store: &S, batch: BatchId, ids: &[&str]) -> Vec<DocumentId> {
    let records: Vec<NewRecord> = ids.iter().map(|id| new_record(id)).collect();
    let added = store.import_records(batch, &records).await.expect("imported");
    assert_eq!(added, kept(ids.len() as u64, 0, 0));
    records.into_iter().map(|record| record.document.id).collect()
}

pub async fn records_come_read_and_once<S: Store>(store: &S) {
    let (batch, _) = batch_of(store, &[]).await;
    let documents = imported(store, batch, &["a", "b"]).await;
    let added = store.import_records(batch, &[new_record("b")]).await.expect("imported");
    assert_eq!(added, kept(0, 1, 0));
    store.seal_batch(batch).await.expect("sealed");
    assert_eq!(claim(store, Stage::Parse, 5).await, [], "nothing is read again");
    finish_all(store).await;
    assert_eq!(claim(store, Stage::Analyse, 5).await.len(), 1, "they are grouped");
    // The batch is done, and goes on with what is new alone.
    let grown = store.import_records(batch, &[new_record("a"), new_record("c")]).await.expect("imported");
    assert_eq!(grown, kept(1, 1, 0));
    assert_eq!(claim(store, Stage::Embed, 5).await.len(), 1);
    assert!(store.without_originals(batch).await.expect("read").is_superset(&documents.iter().copied().collect()));

    let texts = store.record_texts(&[batch], &["b\0".into(), "x".into()]).await.expect("read");
    assert_eq!(texts, [("b\0".into(), record("parse-b").text)]);
    let rows = store.backlog_rows(BacklogScope::Batches(&[batch]), None, 10).await.expect("read");
    let ids: Vec<_> = rows.iter().map(|row| row.record.as_ref().map(|(id, _)| id.as_str())).collect();
    assert_eq!(ids, [Some("a\0"), Some("b\0"), Some("c\0")], "in the order in which they came");
    assert_eq!(rows[0].record.as_ref().map(|(_, fields)| fields.as_str()), Some("{\"id\":\"a\\u0000\"}"));
    assert_eq!((rows[0].text.clone(), &rows[0].result), (Some(record("parse-a").text), &None));
    let rest = store.backlog_rows(BacklogScope::Batches(&[]), Some(rows[0].document), 1).await.expect("read");
    assert_eq!(rest, rows[1..2]);
    assert!(store.delete_batch(batch).await.expect("deleted"));
    assert_eq!(store.record_texts(&[], &["b\0".into()]).await.expect("read"), []);
}

pub async fn what_a_version_has_not_done_joins_its_run<S: Store>(store: &S) {
    let (batch, unread) = batch_of(store, &["unread.txt"]).await;
    let documents = imported(store, batch, &["a", "b", "c"]).await;
    let flow = FlowId(Uuid::now_v7());
    store.save_flow(flow, &spec("Dates"), None).await.expect("saved");
    let waiting = async |after| {
        let found: Vec<RunInput> = store.unprocessed((flow, 1), &[batch], after, 10).await.expect("read");
        found
    };
    let all = waiting(None).await;
    assert_eq!(all.iter().map(|input| input.document).collect::<Vec<_>>(), documents);
    assert_eq!(waiting(Some(documents[1])).await.len(), 1);
    assert_eq!(store.unprocessed((flow, 1), &[BatchId(Uuid::now_v7())], None, 10).await.expect("read"), []);
    assert_eq!(store.unprocessed((flow, 2), &[], None, 10).await.expect("read").len(), 3, "another version");

    let id = RunId(Uuid::now_v7());
    let run = StartedRun {
        id,
        name: "Backlog".into(),
        flow,
        version: 1,
        policy: RunPolicy::default(),
        budget_tokens: None,
        documents: Vec::new(),
    };
    store.start_run(&run).await.expect("started");
    assert_eq!(store.run(id).await.expect("read").expect("there").status, Status::Completed, "it has nothing to do");
    assert_eq!(store.extend_run(id, &all[..2]).await.expect("added"), 2);
    assert_eq!(store.extend_run(id, &all).await.expect("added"), 1, "each once");
    assert_eq!(store.extend_run(RunId(Uuid::now_v7()), &all).await.expect("answered"), 0);
    assert_eq!(waiting(None).await, []);
    let going = store.run(id).await.expect("read").expect("there");
    assert_eq!((going.status, going.counts.pending, going.finished_at), (Status::Pending, 3, None));

    assert_eq!(store.claim_of_run(RunId(Uuid::now_v7()), "w", 9, LEASE).await.expect("answered"), []);
    let claims = store.claim_of_run(id, "w", 2, LEASE).await.expect("claimed");
    assert_eq!(claims.len(), 2);
    assert_eq!(store.claim_of_run(id, "x", 9, LEASE).await.expect("claimed").len(), 1, "what is leased is not given");
    assert!(store.complete_run_document(&claims[0], &found(&["May", "June"])).await.expect("kept"));
    let corrected = ValueReview { review: Review::Corrected, value: Some("July".into()), row: false };
    assert!(store.review_value(id, claims[0].document, 1, &corrected).await.expect("kept"));
    let rejected = ValueReview { review: Review::Rejected, value: None, row: false };
    assert!(store.review_value(id, claims[0].document, 0, &rejected).await.expect("kept"));

    let rows = store.backlog_rows(BacklogScope::Run(id), None, 10).await.expect("read");
    assert_eq!(rows.len(), 3);
    let done = rows.iter().find(|row| row.document == claims[0].document).expect("there");
    let (run, result) = done.result.as_ref().expect("it was in a run");
    assert_eq!((*run, result.status, result.attempts), (id, Status::Completed, 1));
    let values: Vec<_> = done.values.iter().map(|v| (v.field.as_str(), v.value.as_str(), v.probability)).collect();
    assert_eq!(values, [("value", "July", Some(0.5))]);
    // Of the batch's rows only those in the run have a result; what was never read has no text.
    let rows = store.backlog_rows(BacklogScope::Batches(&[batch]), None, 10).await.expect("read");
    assert_eq!(rows.iter().filter(|row| row.result.is_some()).count(), 3);
    let unread = rows.iter().find(|row| row.document == unread[0]).expect("there");
    assert_eq!((&unread.text, &unread.record), (&None, &None));
}

pub async fn what_has_changed_takes_the_place_of_what_was<S: Store>(store: &S) {
    let (batch, _) = batch_of(store, &[]).await;
    let documents = imported(store, batch, &["a", "b", "c"]).await;
    store.seal_batch(batch).await.expect("sealed");
    finish_all(store).await;
    let flow = FlowId(Uuid::now_v7());
    store.save_flow(flow, &spec("Dates"), None).await.expect("saved");
    let waiting = async || store.unprocessed((flow, 1), &[batch], None, 10).await.expect("read");
    let id = RunId(Uuid::now_v7());
    let run = StartedRun {
        id,
        name: "Backlog".into(),
        flow,
        version: 1,
        policy: RunPolicy::default(),
        budget_tokens: None,
        documents: waiting().await,
    };
    store.start_run(&run).await.expect("started");
    let claims = store.claim_of_run(id, "w", 2, LEASE).await.expect("claimed");
    assert!(store.complete_run_document(&claims[0], &found(&["May"])).await.expect("kept"));

    // Another text of `a`, which is done, and of `b`, which is worked on; other fields of `c`.
    let another = |name: &str, key: &str| {
        let new = new_record(name);
        let mut document = new.document.clone();
        (document.sha256, document.bytes) = (format!("{key:0>64}"), 25);
        NewRecord { document, fields: format!("{{\"v\":\"{key}\"}}"), parsed: record(key), ..new }
    };
    let came = || {
        let fields = NewRecord { fields: "{\"v\":2}".into(), ..new_record("c") };
        [another("a", "new-a"), another("b", "new-b"), fields, new_record("d")]
    };
    assert_eq!(store.import_records(batch, &came()).await.expect("imported"), kept(1, 0, 3));
    assert_eq!(store.import_records(batch, &came()).await.expect("imported"), kept(0, 4, 0), "again changes nothing");
    let batch_now = store.batch(batch).await.expect("read").expect("there");
    assert_eq!((batch_now.status, batch_now.counts.total, batch_now.counts.pending), (Status::Processing, 4, 3));
    let pace = store.pace(batch).await.expect("read");
    let embed = pace.iter().find(|pace| pace.stage == Stage::Embed).expect("it was embedded");
    assert_eq!(embed.bytes_left, 60, "of the new sizes");
    let rows = async |scope: BacklogScope<'_>| store.backlog_rows(scope, None, 10).await.expect("read");
    let now = rows(BacklogScope::Batches(&[batch])).await;
    assert_eq!(now.iter().map(|row| row.document).take(3).collect::<Vec<_>>(), documents, "each keeps its place");
    assert_eq!(now[0].text, Some(record("new-a").text));
    assert_eq!(now[0].record.as_ref().map(|(_, fields)| fields.as_str()), Some("{\"v\":\"new-a\"}"));
    assert_eq!(now[2].record.as_ref().map(|(_, fields)| fields.as_str()), Some("{\"v\":2}"));
    assert_eq!((&now[0].result, &now[0].values), (&None, &vec![]), "a result of another text is none of this");
    let of_run = rows(BacklogScope::Run(id)).await;
    let marked: Vec<_> = of_run.iter().map(|row| row.result.as_ref().is_some_and(|(_, r)| r.outdated)).collect();
    assert_eq!(marked, [true, false, false]);
    assert_eq!(of_run[0].values.len(), 1, "what was found is kept until it is done again");
    assert!(!store.complete_run_document(&claims[1], &found(&["June"])).await.expect("answered"), "of the old text");
    assert_eq!(store.remembered_parse("parse-a").await.expect("read"), None, "the old text is nowhere any more");
    assert_eq!(claim(store, Stage::Embed, 9).await.len(), 3, "what changed is embedded anew");

    assert_eq!(waiting().await.iter().map(|input| input.document).collect::<Vec<_>>()[..1], documents[..1]);
    assert_eq!(store.extend_run(id, &waiting().await).await.expect("added"), 2, "what changed, and what is new");
    assert_eq!(rows(BacklogScope::Run(id)).await[0].values, []);
    let again = store.claim_of_run(id, "w", 9, LEASE).await.expect("claimed");
    assert_eq!(again.len(), 4);
    let first = again.iter().find(|claim| claim.document == documents[0]).expect("it is done again");
    assert!(store.complete_run_document(first, &found(&["July"])).await.expect("kept"));
    let now = rows(BacklogScope::Batches(&[batch])).await;
    assert_eq!(now[0].values.iter().map(|value| value.value.as_str()).collect::<Vec<_>>(), ["July"]);

    // What stands for itself is kept beside: an id of two records, or one that the file itself numbers.
    let beside = NewRecord { replaces: false, ..another("c", "new-c") };
    assert_eq!(store.import_records(batch, &[beside]).await.expect("imported"), kept(1, 0, 0));
    let third = another("c", "third-c");
    assert_eq!(store.import_records(batch, &[third]).await.expect("imported"), kept(1, 0, 0));
    let both = [another("b", "other-b"), another("b", "new-b")];
    assert_eq!(store.import_records(batch, &both).await.expect("imported"), kept(1, 1, 0), "neither is lost");
}
