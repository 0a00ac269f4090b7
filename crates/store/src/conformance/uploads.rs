//! Uploads break off and go on, and batches get more documents later.

use sheaf_domain::{Added, BatchId, BatchParams, Counts, Passwords, RunPolicy, Stage, Status, UploadFile, UploadId};
use uuid::Uuid;

use super::{analyse, batch_of, claim, finish_all, new_document, parsed, record};
use crate::{NewBatch, NewDocument, NewUpload, Store};

fn file(path: &str) -> UploadFile {
    UploadFile { path: path.into(), bytes: 10, sha256: format!("{path:0>64}") }
}

/// The same path, other bytes.
fn other_bytes(path: &str, mark: char) -> NewDocument {
    let sha256 = new_document(path).sha256.replacen('0', &mark.to_string(), 1);
    NewDocument { sha256, ..new_document(path) }
}

fn new_upload(batch: BatchId) -> NewUpload {
    NewUpload { id: UploadId(Uuid::now_v7()), batch, files: 5, bytes: 50 }
}

async fn begun<S: Store>(store: &S, batch: BatchId) -> UploadId {
    let upload = new_upload(batch);
    assert!(store.begin_upload(&upload, None).await.expect("answered"));
    upload.id
}

/// An upload that makes its batch.
async fn with_batch<S: Store>(store: &S) -> (BatchId, UploadId) {
    let made = NewBatch {
        id: BatchId(Uuid::now_v7()),
        name: "Letters".into(),
        params: BatchParams::default(),
        policy: RunPolicy::default(),
        passwords: Passwords::default(),
        trace: None,
    };
    let upload = new_upload(made.id);
    assert!(store.begin_upload(&upload, Some(&made)).await.expect("answered"));
    (made.id, upload.id)
}

async fn arrive<S: Store>(store: &S, upload: UploadId, paths: &[&str]) -> Added {
    let files: Vec<UploadFile> = paths.iter().map(|path| file(path)).collect();
    let documents: Vec<NewDocument> = paths.iter().map(|path| new_document(path)).collect();
    store.arrive(upload, &files, &documents).await.expect("added").expect("it is under way")
}

async fn state<S: Store>(store: &S, batch: BatchId) -> (Status, bool, Counts) {
    let found = store.batch(batch).await.expect("read").expect("it is there");
    (found.status, found.receiving, found.counts)
}

const fn added(documents: u64, again: u64, already_there: u64) -> Added {
    Added { documents, again, already_there }
}

pub async fn what_arrived_is_known_and_its_end_is_waited_for<S: Store>(store: &S) {
    let (batch, upload) = with_batch(store).await;
    assert_eq!(store.open_batches(0).await.expect("read"), [], "a crash does not cut it off");
    assert_eq!(arrive(store, upload, &["b.txt", "a.txt"]).await, added(2, 0, 0));
    // An archive is a file of its own, and not a document.
    let entry = new_document("c.zip!/d.txt");
    let of_archive = store.arrive(upload, &[file("c.zip")], &[entry]).await.expect("added").expect("under way");
    assert_eq!(of_archive, added(1, 0, 0));
    finish_all(store).await;
    assert_eq!(claim(store, Stage::Analyse, 1).await, [], "more may come");

    // An answer that got lost: the same files are sent again.
    assert_eq!(arrive(store, upload, &["a.txt"]).await, added(0, 0, 1));
    let found = store.upload(upload).await.expect("read").expect("it is under way");
    assert_eq!((found.files, found.bytes, found.arrived_files, found.arrived_bytes), (5, 50, 3, 30));
    assert_eq!((found.batch, found.makes_batch), (batch, true));
    assert_eq!(store.uploads(batch).await.expect("read"), [found]);
    let page = store.arrived(upload, 0, 2).await.expect("read");
    assert_eq!(page, [file("a.txt"), file("b.txt")]);
    assert_eq!(store.arrived(upload, 2, 2).await.expect("read"), [file("c.zip")]);
    let mut known = store.known_files(batch, &["c.zip".into(), "a.txt".into(), "e.txt".into()]).await.expect("read");
    known.sort_by(|a, b| a.path.cmp(&b.path));
    assert_eq!(known, [file("a.txt"), file("c.zip")]);

    assert!(store.finish_upload(upload).await.expect("answered"));
    assert!(!store.finish_upload(upload).await.expect("answered"), "it is over");
    assert_eq!(store.upload(upload).await.expect("read"), None);
    assert_eq!(store.arrive(upload, &[], &[new_document("late.txt")]).await.expect("answered"), None);
    assert_eq!(store.known_files(batch, &["a.txt".into()]).await.expect("read"), [file("a.txt")]);
    analyse(store).await;
    assert_eq!(
        state(store, batch).await,
        (Status::Completed, false, Counts { total: 3, completed: 3, ..Counts::default() })
    );
}

pub async fn a_path_is_given_once_and_the_same_bytes_are_no_double<S: Store>(store: &S) {
    let (batch, upload) = with_batch(store).await;
    arrive(store, upload, &["a.txt"]).await;
    for expect in [added(1, 0, 0), added(0, 0, 1)] {
        let second = [other_bytes("a.txt", '1')];
        assert_eq!(store.arrive(upload, &[], &second).await.expect("added"), Some(expect));
    }
    let more = [other_bytes("a.txt", '2'), other_bytes("a.txt", '2'), new_document("a.txt")];
    assert_eq!(store.arrive(upload, &[], &more).await.expect("added"), Some(added(1, 0, 2)));
    let rows = store.documents_after(batch, None, 10).await.expect("read");
    assert_eq!(rows.iter().map(|row| row.path.as_str()).collect::<Vec<_>>(), ["a (2).txt", "a (3).txt", "a.txt"]);
}

pub async fn a_batch_that_is_done_gets_more<S: Store>(store: &S) {
    let (batch, _) = batch_of(store, &["a.txt", "b.txt"]).await;
    assert_eq!(store.extend_batch(batch, &[new_document("c.txt")]).await.expect("answered"), None, "it is being sent");
    assert!(!store.begin_upload(&new_upload(batch), None).await.expect("answered"));
    store.seal_batch(batch).await.expect("sealed");
    analyse(store).await;

    let same = [new_document("a.txt")];
    assert_eq!(store.extend_batch(batch, &same).await.expect("answered"), Some(added(0, 0, 1)));
    assert_eq!(state(store, batch).await.0, Status::Completed, "nothing is to be done");

    let more = [new_document("a.txt"), new_document("c.txt")];
    assert_eq!(store.extend_batch(batch, &more).await.expect("answered"), Some(added(1, 0, 1)));
    assert_eq!(
        state(store, batch).await,
        (Status::Pending, false, Counts { total: 3, completed: 2, pending: 1, ..Counts::default() })
    );
    let jobs = claim(store, Stage::Parse, 5).await;
    assert_eq!(jobs.len(), 1, "the others are not worked on again");
    assert!(parsed(store, &jobs[0], record("c")).await);
    analyse(store).await;
    assert_eq!(state(store, batch).await.0, Status::Completed);
    let nowhere = BatchId(Uuid::nil());
    assert_eq!(store.extend_batch(nowhere, &more).await.expect("answered"), None);
    assert!(!store.begin_upload(&new_upload(nowhere), None).await.expect("answered"));
}

pub async fn adding_continues_what_was_stopped<S: Store>(store: &S) {
    let (batch, documents) = batch_of(store, &["a.txt", "b.txt"]).await;
    store.seal_batch(batch).await.expect("sealed");
    let jobs = claim(store, Stage::Parse, 1).await;
    let broken = sheaf_domain::Failure::new(sheaf_domain::FailureCode::OcrMissing, "no OCR");
    assert!(store.fail(&jobs[0], &broken, None).await.expect("answered"));
    assert!(store.cancel_batch(batch).await.expect("answered"));
    let failed = if jobs[0].document == Some(documents[0]) { "a.txt" } else { "b.txt" };

    let upload = begun(store, batch).await;
    assert_eq!(state(store, batch).await.0, Status::Cancelled, "nothing has arrived yet");
    assert_eq!(arrive(store, upload, &["c.txt"]).await, added(1, 0, 0));
    let expected = Counts { total: 3, pending: 2, failed: 1, ..Counts::default() };
    assert_eq!(state(store, batch).await, (Status::Pending, true, expected));
    assert_eq!(arrive(store, upload, &[failed]).await, added(0, 1, 0), "what failed is tried again");
    assert_eq!(state(store, batch).await.2.pending, 3);

    assert!(store.cancel_batch(batch).await.expect("answered"));
    assert_eq!(arrive(store, upload, &["d.txt", "c.txt"]).await, added(1, 0, 1), "a stop is for the rest, too");
    assert!(store.finish_upload(upload).await.expect("answered"));
    let expected = Counts { total: 4, cancelled: 4, ..Counts::default() };
    assert_eq!(state(store, batch).await, (Status::Cancelled, false, expected));
    assert_eq!(claim(store, Stage::Analyse, 1).await, []);
}

pub async fn what_is_taken_back_leaves_the_batch_as_it_was<S: Store>(store: &S) {
    let (batch, _) = batch_of(store, &["a.txt"]).await;
    store.seal_batch(batch).await.expect("sealed");
    analyse(store).await;
    let (mine, other) = (begun(store, batch).await, begun(store, batch).await);
    assert_eq!(arrive(store, mine, &["a.txt", "b.txt"]).await, added(1, 0, 1));
    let job = claim(store, Stage::Parse, 5).await.pop().expect("it is worked on at once");
    assert!(parsed(store, &job, record("only of b")).await);
    assert!(store.finish_upload(other).await.expect("answered"), "nothing came of it");
    assert!(state(store, batch).await.1, "the first one is waited for");

    let hashes = store.withdraw_upload(mine).await.expect("answered").expect("it was under way");
    assert_eq!(hashes, [new_document("b.txt").sha256]);
    assert_eq!(store.withdraw_upload(mine).await.expect("answered"), None);
    assert!(store.remembered_parse("only of b").await.expect("read").is_none(), "its text is gone");
    assert!(store.remembered_parse("parse-0").await.expect("read").is_some(), "the others' is not");
    analyse(store).await;
    assert_eq!(
        state(store, batch).await,
        (Status::Completed, false, Counts { total: 1, completed: 1, ..Counts::default() })
    );
}

pub async fn uploads_without_a_sign_of_life_are_found<S: Store>(store: &S) {
    let (batch, upload) = with_batch(store).await;
    assert_eq!(store.idle_uploads(60_000).await.expect("read"), []);
    assert_eq!(store.idle_uploads(0).await.expect("read"), [upload]);
    assert!(store.delete_batch(batch).await.expect("deleted"));
    assert_eq!(store.upload(upload).await.expect("read"), None, "it goes with its batch");
}
