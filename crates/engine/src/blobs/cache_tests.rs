//! The cache stays bounded, whatever happens at the same time.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use futures::{StreamExt, stream};
use sha2::{Digest, Sha256};

use super::{BlobCache, BlobError, BlobFile, BlobStream, Result, Staging};

fn hash(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

/// What a bucket would send; each sending is counted.
async fn sent(content: Bytes, times: &AtomicU32) -> Result<BlobStream> {
    times.fetch_add(1, Ordering::Relaxed);
    tokio::task::yield_now().await;
    Ok(BlobStream { bytes: content.len() as u64, stream: stream::iter([Ok(content)]).boxed() })
}

struct Cached {
    cache: BlobCache,
    staging: Staging,
    fetched: AtomicU32,
}

impl Cached {
    fn open(data: &Path, cap: u64) -> Self {
        Self {
            cache: BlobCache::open(data, cap).expect("opens"),
            staging: Staging::open(data).expect("opens"),
            fetched: AtomicU32::new(0),
        }
    }

    async fn file(&self, content: &[u8]) -> BlobFile {
        let content = Bytes::copy_from_slice(content);
        let file = self.cache.file(&hash(&content), &self.staging, sent(content.clone(), &self.fetched)).await;
        let file = file.expect("fetched");
        assert_eq!(fs::read(file.path()).expect("a file"), content);
        file
    }

    fn fetched(&self) -> u32 {
        self.fetched.load(Ordering::Relaxed)
    }
}

fn bytes_in(folder: &Path) -> u64 {
    let files = walkdir::WalkDir::new(folder).into_iter().filter_map(|entry| entry.ok()?.metadata().ok());
    files.filter(fs::Metadata::is_file).map(|file| file.len()).sum()
}

#[tokio::test]
async fn the_least_recently_used_goes_first_and_what_is_in_use_stays() {
    let data = tempfile::tempdir().expect("a folder");
    let cached = Cached::open(data.path(), 1000);
    let pinned = cached.file(&[0; 300]).await;
    drop(cached.file(&[1; 300]).await);
    drop(cached.file(&[2; 300]).await);
    drop(cached.file(&[1; 300]).await);
    assert_eq!(cached.fetched(), 3, "the second time it was there");
    drop(cached.file(&[3; 300]).await);
    assert!(pinned.path().is_file(), "it was used longest ago, and is in use");
    assert!(bytes_in(&data.path().join("cache")) <= 1000);
    drop(cached.file(&[3; 300]).await);
    assert_eq!(cached.fetched(), 4, "the latest is there");
    drop(cached.file(&[2; 300]).await);
    assert_eq!(cached.fetched(), 5, "it was used before the others, and went");

    let large = cached.file(&[9; 5000]).await;
    assert!(large.path().is_file(), "larger than the cache, and in use");
    drop((large, pinned));
    assert!(bytes_in(&data.path().join("cache")) <= 1000, "and gone afterwards");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_want_the_same_wait_for_one_fetch() {
    let data = tempfile::tempdir().expect("a folder");
    let cached = Cached::open(data.path(), 1000);
    let files = futures::future::join_all((0..50).map(|_| cached.file(b"wanted"))).await;
    assert_eq!((files.len(), cached.fetched()), (50, 1));
}

#[tokio::test]
async fn a_copy_that_a_crash_damaged_is_fetched_again() {
    let data = tempfile::tempdir().expect("a folder");
    let path = Cached::open(data.path(), 1000).file(b"whole").await.path().to_owned();
    fs::write(&path, b"\0\0\0\0\0").expect("damaged");
    let cached = Cached::open(data.path(), 1000);
    cached.file(b"whole").await;
    cached.file(b"whole").await;
    assert_eq!(cached.fetched(), 1);
    // One that is whole is not.
    let cached = Cached::open(data.path(), 1000);
    cached.file(b"whole").await;
    assert_eq!(cached.fetched(), 0);
}

#[tokio::test]
async fn what_arrives_with_another_hash_is_refused() {
    let data = tempfile::tempdir().expect("a folder");
    let cached = Cached::open(data.path(), 1000);
    let wrong = cached.cache.file(&hash(b"right"), &cached.staging, sent("wrong".into(), &cached.fetched)).await;
    assert!(matches!(wrong, Err(BlobError::Damaged(_))));
    assert_eq!(bytes_in(data.path()), 0, "nothing of it is left");
    cached.file(b"right").await;
}
