//! Bytes go when no row names them any more, and never those that a row is about to name: see `crate::blobs`.

use std::collections::HashSet;

use futures::{StreamExt, TryStreamExt, stream};
use sheaf_domain::{BatchId, Failure};
use sheaf_store::Store;
use tokio::task::spawn_blocking;

use crate::blobs::{Aside, BlobError, BlobStore};
use crate::read::no_batch;
use crate::{Engine, internal};

/// Hashes that are asked about at a time.
const GROUP: usize = 500;

/// Requests to a bucket that are under way at the same time.
const AT_ONCE: usize = 16;

impl Engine {
    /// Removes a batch, its results, and the originals and pictures that no other batch has. What cannot be removed now is
    /// swept later.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn delete_batch(&self, batch: BatchId) -> Result<(), Failure> {
        let hashes = self.store().hashes(batch).await?;
        if !self.store().delete_batch(batch).await? {
            return Err(no_batch(batch));
        }
        self.announce_stop(batch);
        if let Err(failure) = self.remove_bytes_of(batch, hashes).await {
            tracing::warn!(%batch, code = %failure.code, "not all files of a deleted batch could be removed; they are swept later");
        }
        Ok(())
    }

    async fn remove_bytes_of(&self, batch: BatchId, hashes: Vec<String>) -> Result<(), Failure> {
        self.blobs().remove_derived_of(batch).await?;
        self.remove_bytes(hashes).await
    }

    /// Removes those of these originals that no document has any more, and the pictures of their pages.
    pub(crate) async fn remove_bytes(&self, hashes: Vec<String>) -> Result<(), Failure> {
        let free = self.store().unreferenced(&hashes).await?;
        remove_unnamed(self.store(), &**self.blobs(), &free).await?;
        let engine = self.clone();
        spawn_blocking(move || engine.pictures().forget(&free)).await.map_err(internal)
    }
}

/// Removes those of the given bytes that no row names; how many that were.
///
/// # Errors
/// `storage`; then some are removed, and none that a row names.
pub async fn remove_unnamed(store: &dyn Store, blobs: &dyn BlobStore, sha256: &[String]) -> Result<u64, Failure> {
    let mut removed = 0;
    for group in sha256.chunks(GROUP) {
        // A document that was refused on arrival has no bytes.
        let group: Vec<String> = group.iter().filter(|sha256| !sha256.is_empty()).cloned().collect();
        let free = store.unreferenced(&group).await?;
        let set: Vec<Result<Option<Aside>, BlobError>> = stream::iter(free)
            .map(async move |sha256| blobs.set_aside(&sha256).await)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut failed = None;
        let mut aside = Vec::with_capacity(set.len());
        for one in set {
            match one {
                Ok(one) => aside.extend(one),
                Err(error) => failed = Some(error),
            }
        }
        removed += settle(store, blobs, &aside).await?;
        if let Some(error) = failed {
            return Err(error.into());
        }
    }
    Ok(removed)
}

/// Asks once more whether rows name bytes that are out of sight: those come back, the others go. Any number of processes may
/// do this with the same ones. How many went.
///
/// # Errors
/// `storage`; what was not settled stays aside and is settled by the next sweep.
pub async fn settle(store: &dyn Store, blobs: &dyn BlobStore, aside: &[Aside]) -> Result<u64, Failure> {
    let mut removed = 0;
    for group in aside.chunks(GROUP) {
        let hashes: Vec<String> = group.iter().map(|aside| aside.sha256.clone()).collect();
        let free: HashSet<String> = store.unreferenced(&hashes).await?.into_iter().collect();
        removed += group.iter().filter(|aside| free.contains(&aside.sha256)).count() as u64;
        stream::iter(group.iter().map(Ok))
            .try_for_each_concurrent(AT_ONCE, async |aside| match free.contains(&aside.sha256) {
                true => blobs.discard(aside).await,
                false => match blobs.put_back(aside).await {
                    // Somebody else settled it.
                    Ok(()) | Err(BlobError::Missing(_)) => Ok(()),
                    Err(error) => Err(error),
                },
            })
            .await?;
    }
    Ok(removed)
}
