//! Nothing that a row names is ever removed, and everything else is in time.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sheaf_domain::{BatchId, BatchParams, DocumentId, Passwords, RunPolicy};
use sheaf_store::{NewBatch, NewDocument, Store};
use sheaf_store_sqlite::SqliteStore;
use uuid::Uuid;

use super::remove::{remove_unnamed, settle};
use super::sweep::{sweep_blobs, sweep_derived};
use crate::blobs::{BlobError, BlobStore, DerivedName, LocalBlobs, Staged, Staging};

/// A database, a folder of blobs and a place to receive them, in one temporary folder.
struct Place {
    store: SqliteStore,
    blobs: LocalBlobs,
    staging: Staging,
    _folder: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at: &Path = folder.path();
        Self {
            store: SqliteStore::open(&at.join("sheaf.db")).await.expect("opens"),
            blobs: LocalBlobs::open(at).expect("opens"),
            staging: Staging::open(at).expect("opens"),
            _folder: folder,
        }
    }

    fn stage(&self, content: &str) -> Arc<[Staged]> {
        Arc::new([self.staging.stage(&mut content.as_bytes()).expect("staged")])
    }

    /// Keeps bytes that no row names.
    async fn keep(&self, content: &str) -> String {
        let staged = self.stage(content);
        self.blobs.keep(&staged).await.expect("kept");
        staged[0].sha256.clone()
    }

    /// Adds a batch with one row that names these bytes.
    async fn name(&self, sha256: &str) -> BatchId {
        let batch = BatchId(Uuid::now_v7());
        let new = NewBatch {
            id: batch,
            name: "Letters".into(),
            params: BatchParams::default(),
            trace: None,
            passwords: Passwords::default(),
            policy: RunPolicy::default(),
        };
        self.store.create_batch(&new).await.expect("made");
        let document = NewDocument {
            id: DocumentId(Uuid::now_v7()),
            path: "a.txt".into(),
            sha256: sha256.to_owned(),
            bytes: 1,
            kind: None,
            failure: None,
        };
        self.store.add_documents(batch, &[document]).await.expect("added");
        batch
    }

    async fn has(&self, sha256: &str) -> bool {
        match self.blobs.read(sha256).await {
            Ok(_) => true,
            Err(BlobError::Missing(_)) => false,
            Err(error) => panic!("{error}"),
        }
    }

    async fn remove(&self, sha256: &str) -> u64 {
        remove_unnamed(&self.store, &self.blobs, &[sha256.to_owned(), String::new()]).await.expect("asked")
    }
}

#[tokio::test]
async fn only_what_no_row_names_is_removed() {
    let place = Place::new().await;
    let (named, unnamed) = (place.keep("named").await, place.keep("unnamed").await);
    let batch = place.name(&named).await;
    assert_eq!((place.remove(&named).await, place.remove(&unnamed).await), (0, 1));
    assert_eq!((place.has(&named).await, place.has(&unnamed).await), (true, false));
    place.store.delete_batch(batch).await.expect("deleted");
    assert_eq!(place.remove(&named).await, 1);
    assert!(!place.has(&named).await);
}

#[tokio::test]
async fn a_row_that_comes_while_its_bytes_are_aside_brings_them_back() {
    let place = Place::new().await;
    let sha256 = place.keep("abc").await;
    let aside = place.blobs.set_aside(&sha256).await.expect("set aside").expect("there");
    place.name(&sha256).await;
    assert_eq!(settle(&place.store, &place.blobs, &[aside]).await.expect("settled"), 0);
    assert!(place.has(&sha256).await);
}

#[tokio::test]
async fn a_row_that_comes_after_its_bytes_went_finds_out_and_keeps_them_again() {
    let place = Place::new().await;
    // An earlier batch left them; an upload finds them there and sends nothing.
    place.keep("abc").await;
    let staged = place.stage("abc");
    place.blobs.keep(&staged).await.expect("kept");
    assert_eq!(place.remove(&staged[0].sha256).await, 1, "no row names them yet");
    place.name(&staged[0].sha256).await;
    place.blobs.keep(&staged).await.expect("kept once more, as every upload does");
    assert!(place.has(&staged[0].sha256).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn uploads_and_removals_of_the_same_bytes_may_run_at_the_same_time() {
    let place = Place::new().await;
    for round in 0..150 {
        let sha256 = place.keep("the same bytes").await;
        let uploads = (0..2).map(|_| async {
            let staged = place.stage("the same bytes");
            place.blobs.keep(&staged).await.expect("kept");
            let batch = place.name(&staged[0].sha256).await;
            place.blobs.keep(&staged).await.expect("kept");
            batch
        });
        let removals = (0..3).map(|_| place.remove(&sha256));
        let (batches, _) = tokio::join!(futures::future::join_all(uploads), futures::future::join_all(removals));
        assert!(place.has(&sha256).await, "round {round}");
        for batch in batches {
            place.store.delete_batch(batch).await.expect("deleted");
        }
        place.remove(&sha256).await;
        assert!(!place.has(&sha256).await, "round {round}");
    }
}

#[tokio::test]
async fn sweeping_takes_what_is_old_and_unnamed() {
    let place = Place::new().await;
    let (named, unnamed) = (place.keep("named").await, place.keep("unnamed").await);
    let batch = place.name(&named).await;
    let gone = BatchId(Uuid::now_v7());
    let of = |batch, rest| DerivedName::new(batch, rest).expect("a name");
    let (late, partial, left) = (of(batch, "1.f32"), of(batch, "x-partial.txt"), of(gone, "x-partial.txt"));
    let (places, near) = (of(batch, "1.xy"), of(batch, "1.near"));
    for name in [&late, &places, &near, &partial, &left] {
        place.blobs.put_derived(name, "x".into()).await.expect("kept");
    }
    let sweep = async |grace| {
        let blobs = sweep_blobs(&place.store, &place.blobs, grace).await.expect("swept");
        (blobs, sweep_derived(&place.store, &place.blobs, grace).await.expect("swept"))
    };
    assert_eq!(sweep(Duration::from_secs(3600)).await, (0, 0), "an upload may be about to name it");
    assert_eq!(sweep(Duration::ZERO).await, (1, 4));
    assert_eq!((place.has(&named).await, place.has(&unnamed).await), (true, false));
    assert!(place.blobs.read_derived(&partial).await.is_ok());
    for name in [&late, &places, &near] {
        assert!(place.blobs.read_derived(name).await.is_err(), "the batch has no clustering that names it");
    }
    assert!(place.blobs.read_derived(&left).await.is_err());
}

#[tokio::test]
async fn a_database_that_knows_too_few_blobs_removes_none() {
    let place = Place::new().await;
    let strange: Arc<[Staged]> =
        (0..101).map(|i| place.staging.stage(&mut format!("strange {i}").as_bytes()).expect("staged")).collect();
    place.blobs.keep(&strange).await.expect("kept");
    let sweep = async || sweep_blobs(&place.store, &place.blobs, Duration::ZERO).await.expect("swept");
    assert_eq!(sweep().await, 0);
    place.name(&strange[0].sha256).await;
    assert_eq!(sweep().await, 100, "so few may be left over");
    assert!(place.has(&strange[0].sha256).await);
}
