//! Documents that come with what was found in them elsewhere.

use sheaf_domain::{Failure, FailureCode, Stage, Status};

use super::{batch_of, claim, finish_all, new_document, record};
use crate::{Found, ImportedDocument, Store, Vectored};

pub async fn what_was_found_elsewhere_is_finished_as_it_comes<S: Store>(store: &S) {
    // The content of one is remembered already: what stands there stays.
    let (known, _) = batch_of(store, &["known.txt"]).await;
    finish_all(store).await;
    let (batch, _) = batch_of(store, &[]).await;
    let found = |parse: &str, vector: &str, value: f32| {
        let vectored = Vectored { vector: vec![0.0, value], terms: vec![7] };
        Some(Found { parsed: record(parse), key: vector.into(), vectored })
    };
    let mut broken = new_document("broken.pdf");
    broken.failure = Some(Failure::new(FailureCode::CorruptFile, "broken"));
    let documents = [
        ImportedDocument { document: new_document("a.txt"), found: found("parse-a", "vector-a", 1.0) },
        ImportedDocument { document: new_document("known.txt"), found: found("parse-0", "vector-0", 9.0) },
        ImportedDocument { document: broken, found: None },
    ];
    store.import_documents(batch, &documents).await.expect("imported");
    // The second time they are doubles of themselves.
    let again = ImportedDocument { document: new_document("a.txt"), found: found("parse-a", "vector-a", 1.0) };
    store.import_documents(batch, &[again]).await.expect("imported");
    assert_eq!(claim(store, Stage::Parse, 5).await, [], "nothing is read");
    assert_eq!(claim(store, Stage::Embed, 5).await, [], "nothing is compared");
    assert_eq!(claim(store, Stage::Analyse, 5).await, [], "more may come");
    store.seal_batch(batch).await.expect("sealed");
    assert_eq!(claim(store, Stage::Analyse, 5).await.len(), 1, "they are grouped");

    let rows = store.documents_after(batch, None, 10).await.expect("read");
    let states: Vec<_> = rows.iter().map(|row| (row.path.as_str(), row.status)).collect();
    assert_eq!(
        states,
        [("a.txt", Status::Completed), ("broken.pdf", Status::Failed), ("known.txt", Status::Completed)]
    );
    let analysed = store.analysed_documents(batch).await.expect("read");
    let vectors: Vec<_> = analysed.iter().map(|d| (d.path.as_str(), d.vectored.vector.clone())).collect();
    assert_eq!(vectors, [("a.txt", vec![0.0, 1.0]), ("known.txt", vec![1.0, 0.0])]);
    assert_eq!(store.remembered_parse("parse-a").await.expect("read"), Some(record("parse-a")));
    let without = store.without_originals(batch).await.expect("read");
    assert_eq!(without, documents.iter().map(|imported| imported.document.id).collect());
    assert!(store.without_originals(known).await.expect("read").is_empty());
    assert!(store.delete_batch(batch).await.expect("deleted"));
    assert_eq!(store.remembered_parse("parse-0").await.expect("read"), Some(record("parse-0")), "another has it");
}
