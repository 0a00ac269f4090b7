//! Single documents leave a batch.

use sheaf_domain::flow::BatchUse;
use sheaf_domain::{BatchId, Counts, DocumentId, Restart, Stage, Status};
use uuid::Uuid;

use super::{analyse, batch_of, claim, finish_all, new_document};
use crate::Store;

async fn state<S: Store>(store: &S, batch: BatchId) -> (Status, Counts) {
    let found = store.batch(batch).await.expect("read").expect("it is there");
    (found.status, found.counts)
}

pub async fn what_is_removed_is_gone_and_the_rest_is_grouped_anew<S: Store>(store: &S) {
    let (batch, documents) = batch_of(store, &["a.txt", "b.txt", "c.txt"]).await;
    assert_eq!(store.remove_documents(batch, &documents[..1]).await.expect("answered"), None, "it is being sent");
    store.seal_batch(batch).await.expect("sealed");
    assert_eq!(store.remove_documents(batch, &documents[..1]).await.expect("answered"), None, "it is at work");
    // Another batch has the same file as the second one.
    let (other, others) = batch_of(store, &["b.txt"]).await;
    store.seal_batch(other).await.expect("sealed");
    finish_all(store).await;
    for _ in 0..2 {
        analyse(store).await;
    }
    let mark = store.columns_mark(batch).await.expect("read");
    let text = async |id: DocumentId, of: BatchId| store.document_text(of, id).await.expect("read").is_some();
    assert!(text(documents[1], batch).await && text(others[0], other).await);

    assert_eq!(store.use_of_documents(batch, &documents).await.expect("read"), BatchUse::default());
    let none = store.remove_documents(batch, &others).await.expect("answered").expect("it is at rest");
    assert_eq!((none.documents, state(store, batch).await.0), (0, Status::Completed), "it is not of this batch");
    let removed = store.remove_documents(batch, &documents[..2]).await.expect("answered").expect("it is at rest");
    let hashes = [new_document("a.txt").sha256, new_document("b.txt").sha256];
    assert_eq!((removed.documents, removed.sha256.as_slice()), (2, hashes.as_slice()));
    assert_eq!(store.unreferenced(&hashes).await.expect("read"), hashes[..1], "the other batch has the second one");
    assert!(store.document(batch, documents[0]).await.expect("read").is_none());
    assert!(text(others[0], other).await, "and its text");
    assert_ne!(store.columns_mark(batch).await.expect("read"), mark);
    assert_eq!(
        state(store, batch).await,
        (Status::Pending, Counts { total: 1, completed: 1, ..Counts::default() }),
        "it goes on"
    );
    let again = store.remove_documents(batch, &documents[2..]).await.expect("answered");
    assert_eq!(again, None, "it is at work");
    analyse(store).await;
    assert_eq!(state(store, batch).await, (Status::Completed, Counts { total: 1, completed: 1, ..Counts::default() }));
    let rows = store.documents_after(batch, None, 10).await.expect("read");
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), documents[2..]);
    assert_eq!(state(store, other).await.1.total, 1);
    assert_eq!(store.remove_documents(BatchId(Uuid::nil()), &documents).await.expect("answered"), None);
}

pub async fn what_was_stopped_stays_so_without_what_is_removed<S: Store>(store: &S) {
    let (batch, documents) = batch_of(store, &["a.txt", "b.txt"]).await;
    store.seal_batch(batch).await.expect("sealed");
    assert!(store.cancel_batch(batch).await.expect("answered"));
    let removed = store.remove_documents(batch, &documents[..1]).await.expect("answered").expect("it is at rest");
    assert_eq!(removed.documents, 1);
    assert_eq!(state(store, batch).await, (Status::Cancelled, Counts { total: 1, cancelled: 1, ..Counts::default() }));
    assert_eq!(claim(store, Stage::Parse, 5).await, [], "nothing begins by itself");
    assert_eq!(store.restart(batch, &Restart::Cancelled).await.expect("answered"), Some(1));
    analyse(store).await;
    assert_eq!(state(store, batch).await, (Status::Completed, Counts { total: 1, completed: 1, ..Counts::default() }));
}
