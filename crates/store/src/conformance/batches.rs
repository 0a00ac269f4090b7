//! Batches and documents come, are counted and go.

use sheaf_domain::{BatchId, BatchQuery, Counts, DocumentQuery, Failure, FailureCode, Passwords, Stage, Status};

use super::{batch_of, claim, finish_all};
use crate::{NewDocument, Store};

pub async fn a_batch_is_listed_with_its_counts<S: Store>(store: &S) {
    let (first, _) = batch_of(store, &["a.txt", "b.txt"]).await;
    let (second, _) = batch_of(store, &["c.txt"]).await;
    let refused = NewDocument {
        id: sheaf_domain::DocumentId(uuid::Uuid::now_v7()),
        path: "evil.zip".into(),
        sha256: String::new(),
        bytes: 1,
        kind: None,
        failure: Some(Failure::new(FailureCode::ArchiveLimit, "archive `evil.zip` is too large")),
    };
    store.add_documents(first, &[refused]).await.expect("a refused document is listed");

    let found = store.batch(first).await.expect("read").expect("it is there");
    assert_eq!(found.counts, Counts { total: 3, pending: 2, failed: 1, ..Counts::default() });
    assert_eq!((found.name.as_str(), found.status), ("Letters", Status::Pending));

    let query = BatchQuery { limit: 1, ..BatchQuery::default() };
    let page = store.batches(&query).await.expect("listed");
    assert_eq!((page.total, page.items[0].id), (2, second), "latest first");
    let cursor = page.next_cursor.expect("there is another page");
    let page = store.batches(&BatchQuery { cursor: Some(cursor), ..query }).await.expect("listed");
    assert_eq!((page.items[0].id, page.next_cursor), (first, None));

    let failures = store.failures(first).await.expect("read");
    assert_eq!((failures.len(), failures[0].code, failures[0].documents), (1, FailureCode::ArchiveLimit, 1));
    assert_eq!((failures[0].stage, failures[0].retryable), (Stage::Parse, 0), "its bytes were not kept");
    assert_eq!(store.passwords(first).await.expect("read"), Passwords::from_lines("hunter2"));
    assert!(store.passwords(BatchId(uuid::Uuid::nil())).await.expect("read").is_empty());
    let stopped_by = async |code| {
        let query = DocumentQuery { failure: Some(code), ..DocumentQuery::default() };
        store.documents(first, &query).await.expect("read").total
    };
    assert_eq!((stopped_by(FailureCode::ArchiveLimit).await, stopped_by(FailureCode::TimedOut).await), (1, 0));
}

pub async fn an_unsealed_batch_is_never_analysed<S: Store>(store: &S) {
    let (batch, _) = batch_of(store, &["a.txt"]).await;
    finish_all(store).await;
    assert_eq!(claim(store, Stage::Analyse, 1).await, [], "more documents may come");
    assert_eq!(store.open_batches(0).await.expect("read"), [batch]);
    assert_eq!(store.open_batches(3_600_000).await.expect("read"), [], "something happened to it within the hour");

    store.seal_batch(batch).await.expect("sealed");
    assert_eq!(claim(store, Stage::Analyse, 1).await.len(), 1);
    assert_eq!(store.open_batches(0).await.expect("read"), []);
}

pub async fn an_empty_batch_is_analysed_too<S: Store>(store: &S) {
    let (batch, _) = batch_of(store, &[]).await;
    store.seal_batch(batch).await.expect("sealed");
    assert_eq!(claim(store, Stage::Analyse, 5).await.len(), 1, "so that it ends by itself");
}

pub async fn deleting_takes_everything_along<S: Store>(store: &S) {
    let (batch, documents) = batch_of(store, &["a.txt", "b.txt"]).await;
    let hashes = store.hashes(batch).await.expect("read");
    assert_eq!(hashes.len(), 2);
    finish_all(store).await;

    assert!(store.delete_batch(batch).await.expect("deleted"));
    assert!(!store.delete_batch(batch).await.expect("answered"), "it is gone");
    assert!(store.batch(batch).await.expect("read").is_none());
    assert!(store.document(batch, documents[0]).await.expect("read").is_none());
    assert!(store.remembered_parse("parse-0").await.expect("read").is_none(), "its text is gone");
    let mut free = store.unreferenced(&hashes).await.expect("read");
    free.sort();
    let mut expected = hashes;
    expected.sort();
    assert_eq!(free, expected);
}
