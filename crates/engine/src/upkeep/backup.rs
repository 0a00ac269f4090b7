//! A copy of everything that a snapshot of the rows names, while work goes on.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use sheaf_domain::{BatchId, BatchQuery, DocumentId, Failure, FailureCode};
use sheaf_store::Store;

use super::Blobs;
use crate::blobs::{BlobCache, BlobError, BlobLocation, BlobStore, DerivedName, LocalBlobs, RemoteBlobs, Staging};

/// What the database is called in a data folder, and so in a copy.
const DATABASE: &str = "sheaf.db";
/// Rows that are read at a time.
const PAGE: u32 = 500;
/// Blobs that are copied together: one sync of a folder serves them all.
const GROUP: usize = 64;
/// Files that are on their way at the same time.
const AT_ONCE: usize = 8;

/// Where rows and bytes come from.
pub struct Source<'a> {
    /// A snapshot that nobody changes.
    pub rows: &'a dyn Store,
    pub blobs: &'a Blobs,
}

/// What a copy came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    pub documents: u64,
    /// Blobs and derived files that were copied now; the others were there already.
    pub files: u64,
    /// Of these files.
    pub bytes: u64,
    /// What the rows name and the source does not have.
    pub missing: Vec<String>,
}

/// Where a copy goes: a folder that becomes a data folder, or a bucket.
pub struct BackupTarget {
    blobs: Arc<dyn BlobStore>,
    place: Place,
}

enum Place {
    Folder(PathBuf),
    Bucket(Arc<RemoteBlobs>),
}

impl BackupTarget {
    /// Opens the folder, and makes it if absent, or the bucket. Files that are there already are not copied again.
    ///
    /// # Errors
    /// `storage` when it cannot be written; `invalid_request` when the folder was used as a data folder.
    pub async fn open(location: &BlobLocation, scratch: &Path) -> Result<Self, Failure> {
        match location {
            BlobLocation::Folder(folder) => {
                // A log that SQLite left belongs to another state of the database and would damage the copy.
                if folder.join(format!("{DATABASE}-wal")).exists() || folder.join("lock").exists() {
                    let message = format!("`{}` was used as a data folder", folder.display());
                    return Err(Failure::new(FailureCode::InvalidRequest, message)
                        .with_hint("Choose another folder, or an empty one."));
                }
                let blobs = Arc::new(LocalBlobs::open(folder).map_err(BlobError::from)?);
                Ok(Self { blobs, place: Place::Folder(folder.clone()) })
            }
            BlobLocation::Bucket { bucket, prefix } => {
                let staging = Staging::open(scratch).map_err(BlobError::from)?;
                let cache = BlobCache::open(scratch, 0).map_err(BlobError::from)?;
                let blobs = Arc::new(RemoteBlobs::open(bucket, prefix, staging, cache)?);
                blobs.check().await?;
                Ok(Self { blobs: Arc::clone(&blobs) as Arc<dyn BlobStore>, place: Place::Bucket(blobs) })
            }
        }
    }

    /// Puts the database in its place: the last step, so that a copy that broke off leaves the one before it usable.
    ///
    /// # Errors
    /// `storage`.
    pub async fn finish(&self, database: &Path) -> Result<(), Failure> {
        match &self.place {
            Place::Folder(folder) => {
                let (folder, database) = (folder.clone(), database.to_owned());
                let put = move || -> io::Result<()> {
                    let mut part = tempfile::NamedTempFile::new_in(&folder)?;
                    io::copy(&mut File::open(database)?, &mut part)?;
                    part.as_file().sync_all()?;
                    part.persist(folder.join(DATABASE)).map_err(|error| error.error)?;
                    File::open(folder)?.sync_all()
                };
                tokio::task::spawn_blocking(put).await.map_err(crate::internal)?.map_err(BlobError::from)?;
            }
            Place::Bucket(bucket) => bucket.put_file(DATABASE, database).await?,
        }
        Ok(())
    }
}

/// Copies every blob and derived file that the rows name, checked by hash on the way. `on_file` is told how far it is.
///
/// # Errors
/// `storage` when something can be neither read nor written; what is missing at the source is no error but listed.
pub async fn copy(
    source: &Source<'_>,
    target: &BackupTarget,
    mut on_file: impl FnMut(&Copied),
) -> Result<Copied, Failure> {
    let mut copied = Copied::default();
    let mut there: HashSet<String> = target.blobs.list().map_ok(|listed| listed.name).try_collect().await?;
    let mut batches = HashSet::new();
    let mut cursor = None;
    loop {
        let page = source.rows.batches(&BatchQuery { limit: PAGE, cursor, ..BatchQuery::default() }).await?;
        for batch in page.items {
            batches.insert(batch.id);
            copy_blobs(source, target, batch.id, &mut there, &mut copied, &mut on_file).await?;
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    copy_derived(source, target, &batches, &mut copied, &mut on_file).await?;
    Ok(copied)
}

async fn copy_blobs(
    source: &Source<'_>,
    target: &BackupTarget,
    batch: BatchId,
    there: &mut HashSet<String>,
    copied: &mut Copied,
    on_file: &mut impl FnMut(&Copied),
) -> Result<(), Failure> {
    let Blobs { store: from, staging, _scratch } = source.blobs;
    let without = source.rows.without_originals(batch).await?;
    let mut after: Option<(String, DocumentId)> = None;
    loop {
        let start = after.as_ref().map(|(path, id)| (path.as_str(), *id));
        let rows = source.rows.documents_after(batch, start, PAGE).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some((last.path.clone(), last.id));
        copied.documents += rows.len() as u64;
        let wanted: Vec<String> = rows
            .into_iter()
            // Should the original be here after all, it is another document's, which is copied with that.
            .filter(|row| !without.contains(&row.id))
            .map(|row| row.sha256)
            .filter(|sha256| !sha256.is_empty() && there.insert(sha256.clone()))
            .collect();
        for group in wanted.chunks(GROUP) {
            let fetched: Vec<_> = stream::iter(group)
                .map(async |sha256| (sha256, fetch(&**from, staging, sha256).await))
                .buffered(AT_ONCE)
                .collect()
                .await;
            let mut staged = Vec::with_capacity(group.len());
            for (sha256, blob) in fetched {
                match blob {
                    Ok(blob) => staged.push(blob),
                    Err(BlobError::Missing(_) | BlobError::Damaged(_)) => copied.missing.push(sha256.clone()),
                    Err(error) => return Err(error.into()),
                }
            }
            copied.files += staged.len() as u64;
            copied.bytes += staged.iter().map(|blob| blob.bytes).sum::<u64>();
            target.blobs.keep(&staged.into()).await?;
            on_file(copied);
        }
    }
}

async fn fetch(from: &dyn BlobStore, staging: &Staging, sha256: &str) -> Result<crate::blobs::Staged, BlobError> {
    staging.fetch(sha256, from.read(sha256).await?).await
}

async fn copy_derived(
    source: &Source<'_>,
    target: &BackupTarget,
    batches: &HashSet<BatchId>,
    copied: &mut Copied,
    on_file: &mut impl FnMut(&Copied),
) -> Result<(), Failure> {
    let from = &*source.blobs.store;
    let there: HashSet<DerivedName> = target.blobs.list_derived().map_ok(|listed| listed.name).try_collect().await?;
    let mut derived = from.list_derived();
    while let Some(listed) = derived.try_next().await? {
        if !batches.contains(&listed.name.batch()) || there.contains(&listed.name) {
            continue;
        }
        match from.read_derived(&listed.name).await {
            Ok(bytes) => {
                copied.files += 1;
                copied.bytes += bytes.len() as u64;
                target.blobs.put_derived(&listed.name, bytes).await?;
                on_file(copied);
            }
            // It was removed after it was listed; whether a row names it is asked below.
            Err(BlobError::Missing(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    for &batch in batches {
        let Some(file) = source.rows.clustering(batch).await?.and_then(|clustering| clustering.vectors) else {
            continue;
        };
        let there = match file.name.parse() {
            Ok(name) => target.blobs.read_derived(&name).await,
            Err(error) => Err(error),
        };
        match there {
            Ok(_) => {}
            Err(BlobError::Missing(_) | BlobError::Name(_)) => copied.missing.push(file.name),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
