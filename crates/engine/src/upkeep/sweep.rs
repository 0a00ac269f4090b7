//! What nobody names any more is removed now and then: bytes of uploads that broke off, files of attempts that were late,
//! uploads whose server died.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::{Duration, SystemTime};

use futures::TryStreamExt;
use sheaf_domain::{BatchId, Failure};
use sheaf_store::Store;
use tokio::task::JoinSet;

use super::remove::{remove_unnamed, settle};
use crate::blobs::{BlobStore, DerivedName, Listed};
use crate::map::Places;
use crate::{Engine, near};

/// Between two sweeps.
const EVERY: Duration = Duration::from_secs(24 * 3600);

/// Before what was interrupted by a bucket or a database in trouble is tried again.
const AGAIN: Duration = Duration::from_secs(600);

/// Blobs that are handled together.
const GROUP: usize = 500;

/// Unnamed blobs that are never too many.
const FEW: usize = 100;

/// Above this part of all blobs, unnamed ones are too many: a fifth.
const FEW_OF: usize = 5;

/// Sweeping in the background; it ends when this is dropped.
pub struct Upkeep {
    _sweeping: JoinSet<()>,
}

impl Engine {
    /// Starts to remove what no row names: now and once a day. Several processes may do so.
    pub fn start_upkeep(&self) -> Upkeep {
        let engine = self.clone();
        let mut sweeping = JoinSet::new();
        let indexing = self.clone();
        sweeping.spawn(async move {
            while let Err(failure) = indexing.index_old_texts().await {
                tracing::warn!(code = %failure.code, message = failure.message, "indexing broke off; it is tried again");
                tokio::time::sleep(AGAIN).await;
            }
        });
        sweeping.spawn(async move {
            loop {
                let pause = match engine.sweep().await {
                    Ok(()) => EVERY,
                    Err(failure) => {
                        tracing::warn!(code = %failure.code, message = failure.message, "sweeping broke off; it is tried again");
                        AGAIN
                    }
                };
                tokio::time::sleep(pause).await;
            }
        });
        Upkeep { _sweeping: sweeping }
    }

    /// Ends uploads that nobody goes on with, and removes, once, what no row names and what is older than the grace period.
    ///
    /// # Errors
    /// `storage`.
    pub async fn sweep(&self) -> Result<(), Failure> {
        let grace = self.config().orphan_grace;
        self.remove_abandoned_uploads(grace).await?;
        self.end_idle_uploads().await?;
        let (store, blobs) = (self.store(), &**self.blobs());
        let aside: Vec<_> = blobs.list_aside().map_ok(|listed| listed.name).try_collect().await?;
        let mut removed = settle(store, blobs, &aside).await?;
        removed += sweep_blobs(store, blobs, grace).await?;
        removed += sweep_derived(store, blobs, grace).await?;
        if removed > 0 {
            tracing::info!(files = removed, "files that nothing refers to were removed");
        }
        Ok(())
    }

    /// Removes batches whose upload neither ended nor went on for `idle`.
    pub(crate) async fn remove_abandoned_uploads(&self, idle: Duration) -> Result<(), Failure> {
        let idle = u64::try_from(idle.as_millis()).unwrap_or(u64::MAX);
        for batch in self.store().open_batches(idle).await? {
            tracing::info!(%batch, "an upload that was cut off is removed; it was never acknowledged");
            self.delete_batch(batch).await?;
        }
        Ok(())
    }
}

fn is_old<T>(listed: &Listed<T>, grace: Duration) -> bool {
    // What is of the future was written just now, by another clock.
    SystemTime::now().duration_since(listed.written).is_ok_and(|age| age >= grace)
}

/// Removes blobs that are older than `grace` and that no row names; how many. What broke off leaves few of them: when they are
/// many, they are most likely another database's, and all of them stay.
pub async fn sweep_blobs(store: &dyn Store, blobs: &dyn BlobStore, grace: Duration) -> Result<u64, Failure> {
    let (mut listed, mut unnamed) = (0, Vec::new());
    let mut groups = blobs.list().try_chunks(GROUP);
    while let Some(group) = groups.try_next().await.map_err(|stopped| stopped.1)? {
        listed += group.len();
        let old: Vec<String> = group.into_iter().filter(|blob| is_old(blob, grace)).map(|blob| blob.name).collect();
        unnamed.extend(store.unreferenced(&old).await?);
    }
    if unnamed.len() > FEW.max(listed / FEW_OF) {
        let unnamed = unnamed.len();
        tracing::error!(
            unnamed,
            listed,
            "the database knows too few of the stored files, so that none is removed: look whether --database and --blobs belong \
             together"
        );
        return Ok(0);
    }
    remove_unnamed(store, blobs, &unnamed).await
}

/// Removes derived files. One stays while its batch does; of vectors, places and neighbours only those of the batch's
/// clustering.
pub async fn sweep_derived(store: &dyn Store, blobs: &dyn BlobStore, grace: Duration) -> Result<u64, Failure> {
    let mut removed = 0;
    let mut batches: HashMap<BatchId, Kept> = HashMap::new();
    let mut old = blobs.list_derived().try_filter(|listed| std::future::ready(is_old(listed, grace)));
    while let Some(Listed { name, .. }) = old.try_next().await? {
        let kept = match batches.entry(name.batch()) {
            Entry::Occupied(kept) => kept.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(Kept::of(store, name.batch()).await?),
        };
        if !kept.holds(&name) {
            blobs.remove_derived(&name).await?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// What a batch still wants of its derived files.
enum Kept {
    /// The batch is no more.
    Nothing,
    /// Of its vectors those of this name, if any, with the places and neighbours beside them; of everything else all.
    Vectors(Option<String>),
}

impl Kept {
    async fn of(store: &dyn Store, batch: BatchId) -> Result<Self, Failure> {
        if store.batch(batch).await?.is_none() {
            return Ok(Self::Nothing);
        }
        let clustering = store.clustering(batch).await?;
        Ok(Self::Vectors(clustering.and_then(|clustering| clustering.vectors).map(|file| file.name)))
    }

    fn holds(&self, name: &DerivedName) -> bool {
        let name = name.to_string();
        match self {
            Self::Nothing => false,
            Self::Vectors(named) => {
                let ends = [DerivedName::VECTORS, Places::SUFFIX, near::SUFFIX];
                let stem = ends.iter().find_map(|end| name.strip_suffix(end));
                let named = named.as_deref().and_then(|named| named.strip_suffix(DerivedName::VECTORS));
                stem.is_none_or(|stem| named == Some(stem))
            }
        }
    }
}
