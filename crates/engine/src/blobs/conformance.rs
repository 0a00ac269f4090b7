//! The suite that every blob store has to pass, and each of them passing it.

#[expect(dead_code, reason = "programs are given their surroundings elsewhere")]
#[path = "../../tests/support/s3.rs"]
mod s3;

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use sheaf_domain::BatchId;
use uuid::Uuid;

use super::{Aside, BlobError, BlobStore, DerivedName, Listing, Staged, Staging};

/// Of `abc`.
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// Runs every check on an empty store. `damage` shortens what is kept under a hash, behind the store's back.
async fn run(blobs: &dyn BlobStore, staging: &Staging, damage: impl AsyncFn(&str)) {
    bytes_are_found_by_their_hash_once_kept(blobs, staging).await;
    large_files_come_back_as_they_went(blobs, staging).await;
    damage_is_mended_by_keeping_again(blobs, staging, damage).await;
    what_is_set_aside_is_gone_until_it_is_put_back(blobs, staging).await;
    derived_files_go_with_their_batch(blobs).await;
    names_cannot_leave_the_store(blobs).await;
    blobs.check().await.expect("it can be reached");
}

fn staged(staging: &Staging, content: &[&[u8]]) -> Arc<[Staged]> {
    content.iter().map(|bytes| staging.stage(&mut &**bytes).expect("staged")).collect()
}

async fn read(blobs: &dyn BlobStore, sha256: &str) -> Result<Vec<u8>, BlobError> {
    let found = blobs.read(sha256).await?;
    let bytes: Vec<Bytes> = found.stream.try_collect().await?;
    let bytes = bytes.concat();
    assert_eq!(bytes.len() as u64, found.bytes, "the size is known before");
    Ok(bytes)
}

async fn names<T: Ord>(listing: Listing<T>) -> Vec<T> {
    let mut names: Vec<T> = listing.map_ok(|listed| listed.name).try_collect().await.expect("listed");
    names.sort();
    names
}

fn is_missing<T>(found: Result<T, BlobError>) -> bool {
    matches!(found, Err(BlobError::Missing(_)))
}

async fn bytes_are_found_by_their_hash_once_kept(blobs: &dyn BlobStore, staging: &Staging) {
    let both = staged(staging, &[b"abc", b"abc", b""]);
    let empty = both[2].sha256.clone();
    assert_eq!((both[0].sha256.as_str(), both[0].bytes), (ABC, 3));
    assert!(is_missing(blobs.read(ABC).await), "not before it is durable");
    assert!(is_missing(blobs.file(ABC).await));
    blobs.keep(&both).await.expect("kept");
    blobs.keep(&both).await.expect("kept once more");
    assert_eq!(read(blobs, ABC).await.expect("there"), b"abc");
    assert_eq!(read(blobs, &empty).await.expect("there"), b"");
    let file = blobs.file(ABC).await.expect("there");
    assert_eq!(std::fs::read(file.path()).expect("a file"), b"abc");
    let mut expected = vec![ABC.to_owned(), empty];
    expected.sort();
    assert_eq!(names(blobs.list()).await, expected, "each once");
}

async fn large_files_come_back_as_they_went(blobs: &dyn BlobStore, staging: &Staging) {
    // Several parts, and one that is not whole.
    let content: Vec<u8> = (0..20_000_001_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let large = staged(staging, &[&content]);
    let sha256 = large[0].sha256.clone();
    blobs.keep(&large).await.expect("kept");
    drop(large);
    assert!(read(blobs, &sha256).await.expect("there") == content);
    let file = blobs.file(&sha256).await.expect("there");
    assert!(std::fs::read(file.path()).expect("a file") == content);
}

async fn damage_is_mended_by_keeping_again(blobs: &dyn BlobStore, staging: &Staging, damage: impl AsyncFn(&str)) {
    let blob = staged(staging, &[b"to be cut off"]);
    let sha256 = blob[0].sha256.clone();
    blobs.keep(&blob).await.expect("kept");
    damage(&sha256).await;
    assert_ne!(read(blobs, &sha256).await.expect("there"), b"to be cut off");
    blobs.keep(&blob).await.expect("kept");
    assert_eq!(read(blobs, &sha256).await.expect("there"), b"to be cut off");
}

async fn what_is_set_aside_is_gone_until_it_is_put_back(blobs: &dyn BlobStore, staging: &Staging) {
    let blob = staged(staging, &[b"aside"]);
    let sha256 = blob[0].sha256.clone();
    assert_eq!(blobs.set_aside(&sha256).await.expect("asked"), None);
    blobs.keep(&blob).await.expect("kept");

    let aside = blobs.set_aside(&sha256).await.expect("set aside").expect("it was there");
    assert!(is_missing(blobs.read(&sha256).await) && is_missing(blobs.file(&sha256).await));
    let listed: Vec<Aside> = blobs.list_aside().map_ok(|listed| listed.name).try_collect().await.expect("listed");
    assert_eq!(listed, std::slice::from_ref(&aside));
    blobs.put_back(&aside).await.expect("put back");
    assert_eq!(read(blobs, &sha256).await.expect("there"), b"aside");
    assert!(is_missing(blobs.put_back(&aside).await), "once");

    let aside = blobs.set_aside(&sha256).await.expect("set aside").expect("it was there");
    blobs.keep(&blob).await.expect("kept while the same bytes are aside");
    let again = blobs.set_aside(&sha256).await.expect("set aside").expect("it was there");
    blobs.discard(&again).await.expect("discarded");
    blobs.discard(&again).await.expect("it is gone");
    blobs.put_back(&aside).await.expect("what another set aside is untouched");
    assert_eq!(read(blobs, &sha256).await.expect("there"), b"aside");
}

async fn derived_files_go_with_their_batch(blobs: &dyn BlobStore) {
    let (first, second) = (BatchId(Uuid::now_v7()), BatchId(Uuid::now_v7()));
    let name = |batch, rest| DerivedName::new(batch, rest).expect("a name");
    let large: Bytes = vec![7; 9_000_000].into();
    for (name, bytes) in [
        (name(first, "1.f32"), large.clone()),
        (name(first, "x-partial.txt"), "a".into()),
        (name(second, "1.f32"), "b".into()),
    ] {
        blobs.put_derived(&name, bytes).await.expect("kept");
    }
    assert!(blobs.read_derived(&name(first, "1.f32")).await.expect("there") == large);
    blobs.put_derived(&name(first, "1.f32"), "anew".into()).await.expect("kept");
    assert_eq!(blobs.read_derived(&name(first, "1.f32")).await.expect("there"), "anew");
    let listed: Vec<String> =
        names(blobs.list_derived().map_ok(|l| super::Listed { name: l.name.to_string(), written: l.written }).boxed())
            .await;
    assert_eq!(listed, [format!("{first}-1.f32"), format!("{first}-x-partial.txt"), format!("{second}-1.f32")]);

    blobs.remove_derived(&name(first, "1.f32")).await.expect("removed");
    blobs.remove_derived(&name(first, "1.f32")).await.expect("it is gone");
    assert!(is_missing(blobs.read_derived(&name(first, "1.f32")).await));
    blobs.remove_derived_of(first).await.expect("removed");
    blobs.remove_derived_of(first).await.expect("they are gone");
    assert!(is_missing(blobs.read_derived(&name(first, "x-partial.txt")).await));
    assert_eq!(blobs.read_derived(&name(second, "1.f32")).await.expect("there"), "b");
}

async fn names_cannot_leave_the_store(blobs: &dyn BlobStore) {
    let long = "../".repeat(22);
    for name in ["", "../x", "a/b", &long[..64], &ABC.to_uppercase()] {
        assert!(matches!(blobs.read(name).await, Err(BlobError::Name(_))), "{name:?}");
        assert!(matches!(blobs.file(name).await, Err(BlobError::Name(_))), "{name:?}");
        assert!(matches!(blobs.set_aside(name).await, Err(BlobError::Name(_))), "{name:?}");
    }
    let batch = BatchId(Uuid::nil());
    for rest in ["", "../x", "a/b", ".hidden", "a\0b"] {
        assert!(DerivedName::new(batch, rest).is_err(), "{rest:?}");
        assert!(format!("{batch}-{rest}").parse::<DerivedName>().is_err(), "{rest:?}");
    }
    assert!("1.f32".parse::<DerivedName>().is_err());
}

mod stores {
    use std::fs;
    use std::path::Path;
    use std::sync::Arc;

    use object_store::ObjectStore;
    use object_store::aws::AmazonS3Builder;
    use object_store::memory::InMemory;

    use super::super::{BlobCache, LocalBlobs, RemoteBlobs, Staging};
    use super::{ABC, run, s3};
    use crate::blobs::BlobStore;

    fn cut(file: &Path) {
        fs::File::options().write(true).open(file).and_then(|file| file.set_len(2)).expect("cut off");
    }

    #[tokio::test]
    async fn a_folder_keeps_the_contract() {
        let folder = tempfile::tempdir().expect("a folder");
        let staging = Staging::open(folder.path()).expect("opens");
        let blobs = LocalBlobs::open(folder.path()).expect("opens");
        // A file with two names is damaged under both: the other one is the staged one, which is wanted.
        run(&blobs, &staging, async |sha256| {
            let place = blobs.place(sha256).expect("a hash");
            fs::remove_file(&place).expect("there");
            fs::write(&place, "to").expect("cut off");
        })
        .await;
        for folder in ["incoming", "parts", "aside"] {
            let left = fs::read_dir(staging_root(&blobs, folder)).expect("a folder").count();
            assert_eq!(left, 0, "nothing is left over in {folder}");
        }
    }

    fn staging_root(blobs: &LocalBlobs, name: &str) -> std::path::PathBuf {
        let place = blobs.place(ABC).expect("a hash");
        place.ancestors().nth(3).expect("the folder").join(name)
    }

    #[tokio::test]
    async fn a_bucket_keeps_the_contract() {
        let server = s3::S3::start();
        let store = AmazonS3Builder::new()
            .with_bucket_name(s3::BUCKET)
            .with_endpoint(server.endpoint())
            .with_allow_http(true)
            .with_access_key_id(s3::KEY)
            .with_secret_access_key(s3::SECRET);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store = store.build().expect("a client");
        let bucket = server.bucket();
        over(Arc::new(store), async |sha256| cut(&bucket.join("a/b/blobs").join(&sha256[..2]).join(sha256))).await;
    }

    #[tokio::test]
    async fn a_bucket_in_memory_keeps_the_contract() {
        let store = Arc::new(InMemory::new());
        over(Arc::clone(&store) as Arc<dyn ObjectStore>, async |sha256| {
            let place = object_store::path::Path::from(format!("a/b/blobs/{}/{sha256}", &sha256[..2]));
            object_store::ObjectStoreExt::put(&*store, &place, "to".into()).await.expect("cut off");
        })
        .await;
    }

    async fn over(store: Arc<dyn ObjectStore>, damage: impl AsyncFn(&str)) {
        let folder = tempfile::tempdir().expect("a folder");
        let staging = Staging::open(folder.path()).expect("opens");
        let cache = BlobCache::open(folder.path(), 1 << 30).expect("opens");
        let blobs = RemoteBlobs::over(Arc::clone(&store), "a/b", staging.clone(), cache);
        run(&blobs, &staging, damage).await;

        // Another machine, which has no copies.
        let elsewhere = tempfile::tempdir().expect("a folder");
        let staging = Staging::open(elsewhere.path()).expect("opens");
        let cache = BlobCache::open(elsewhere.path(), 1 << 30).expect("opens");
        let blobs = RemoteBlobs::over(store, "a/b", staging, cache);
        let file = blobs.file(ABC).await.expect("there");
        assert!(file.path().starts_with(elsewhere.path()));
        assert_eq!(fs::read(file.path()).expect("a file"), b"abc");
    }
}
