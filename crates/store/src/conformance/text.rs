//! Texts come back as they went in, whatever characters are in them.

use sheaf_domain::{
    BatchId, BatchParams, BatchQuery, DocumentId, DocumentMetadata, DocumentQuery, Failure, FailureCode, Passwords,
    Problem, RunPolicy, Stage,
};
use uuid::Uuid;

use super::{claim, parsed, record};
use crate::{EmbedOutcome, EmbedResult, NewBatch, NewDocument, ParseRecord, Store, Vectored};

/// NUL and what databases may take for it or use to hide it, quotes, backslashes, what looks like an escape, characters of
/// four bytes.
const ODD: &str = "a\0b\u{1}\u{1}0\u{1}1 \\u0000 \\0 '\"%_ \u{fffd}\u{10ffff} ß𝄞\r\n\t";

pub async fn every_character_is_kept<S: Store>(store: &S) {
    let batch = BatchId(Uuid::now_v7());
    let document = NewDocument {
        id: DocumentId(Uuid::now_v7()),
        path: format!("{ODD}.txt"),
        sha256: format!("{:064}", 7),
        bytes: 1,
        kind: None,
        failure: None,
    };
    let refused = NewDocument {
        id: DocumentId(Uuid::now_v7()),
        path: format!("{ODD}.zip"),
        failure: Some(Failure::new(FailureCode::ArchiveLimit, ODD)),
        ..document.clone()
    };
    let passwords = Passwords::new([ODD.to_owned()]);
    let (params, policy) = (BatchParams::default(), RunPolicy::default());
    let passwords_of = passwords.clone();
    let new = NewBatch { id: batch, name: ODD.into(), params, policy, passwords: passwords_of, trace: None };
    store.create_batch(&new).await.expect("made");
    store.add_documents(batch, &[document.clone(), refused.clone()]).await.expect("added");

    assert_eq!(store.batch(batch).await.expect("read").expect("it is there").name, ODD);
    assert_eq!(store.passwords(batch).await.expect("read"), passwords);
    let search = BatchQuery { search: Some("a\0b\u{1}".into()), ..BatchQuery::default() };
    assert_eq!(store.batches(&search).await.expect("read").total, 1);
    let search = DocumentQuery { search: Some("\u{1}1 \\u0000 \\0 '\"%_".into()), ..DocumentQuery::default() };
    assert_eq!(store.documents(batch, &search).await.expect("read").total, 2);

    let parse = claim(store, Stage::Parse, 1).await.remove(0);
    assert_eq!(store.parse_inputs(std::slice::from_ref(&parse)).await.expect("read")[0].path, document.path);
    let odd = || ODD.to_owned();
    let metadata =
        DocumentMetadata { title: Some(odd()), author: Some(odd()), created: Some(odd()), producer: Some(odd()) };
    let found = ParseRecord {
        metadata: metadata.clone(),
        problems: vec![Problem { page: None, message: odd() }],
        text: format!("{ODD}{ODD}"),
        page_starts: vec![0, ODD.len() as u64],
        ..record(ODD)
    };
    assert!(parsed(store, &parse, found.clone()).await);
    assert_eq!(store.remembered_parse(ODD).await.expect("read"), Some(found.clone()));
    assert_eq!(store.text(batch, document.id).await.expect("read"), Some(found.text));
    let page = store.page(batch, document.id, 2).await.expect("read").expect("it has two");
    assert_eq!(page.text, ODD.trim_end(), "places are those of the text that was given");
    let (stored, row) = store.document(batch, document.id).await.expect("read").expect("it is there");
    assert_eq!((stored.metadata, row.path), (metadata, document.path.clone()));
    let (stored, _) = store.document(batch, refused.id).await.expect("read").expect("it is there");
    assert_eq!(stored.document.failure, refused.failure);

    let embed = claim(store, Stage::Embed, 1).await;
    let inputs = store.embed_inputs(&embed).await.expect("read");
    assert_eq!((inputs[0].parse_key.as_str(), inputs[0].text.as_str()), (ODD, format!("{ODD}{ODD}").as_str()));
    let outcome = EmbedOutcome::Vectored(Vectored { vector: vec![0.5], terms: vec![0, 1] });
    let result = EmbedResult { claim: embed[0].clone(), key: odd(), outcome };
    assert_eq!(store.complete_embed(&[result]).await.expect("answered"), [embed[0].job]);
    assert_eq!(store.remembered_vectors(&[odd()]).await.expect("read"), [ODD]);
    let after = store.documents_after(batch, Some((&document.path, DocumentId(Uuid::max()))), 5).await.expect("read");
    assert_eq!(after.iter().map(|d| d.id).collect::<Vec<_>>(), [refused.id], "`.txt` comes before `.zip`");
}
