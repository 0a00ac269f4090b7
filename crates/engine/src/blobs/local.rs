//! Blobs in a folder: `blobs/ab/abcdef…`, each a synced file that got its name afterwards. Several processes of one machine
//! may use the same folder.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use sheaf_domain::BatchId;
use tokio::task::spawn_blocking;
use tokio_util::io::ReaderStream;
use walkdir::WalkDir;

use super::{
    Aside, BlobError, BlobFile, BlobStore, BlobStream, DerivedName, Listed, Listing, Result, Staged, checked, is_hash,
    was_there,
};

/// Bytes of a file that are read at a time.
const CHUNK: usize = 64 * 1024;

/// Files that are synced at the same time.
const SYNCED_AT_ONCE: usize = 16;

/// The age at which a file without a name is nobody's any more.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// A folder of blobs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LocalBlobs {
    blobs: PathBuf,
    derived: PathBuf,
    aside: PathBuf,
    /// Files that have no name of their own yet.
    parts: PathBuf,
}

impl LocalBlobs {
    /// Opens the folder, makes it if absent, and clears what a crash left half-written.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let store = Self::at(folder);
        for folder in [&store.blobs, &store.derived, &store.aside, &store.parts] {
            fs::create_dir_all(folder)?;
        }
        for part in fs::read_dir(&store.parts)? {
            let part = part?;
            // A younger one may be another process's, which is at it.
            let abandoned = part.metadata()?.modified()?.elapsed().is_ok_and(|age| age > ABANDONED);
            if abandoned {
                fs::remove_file(part.path())?;
            }
        }
        Ok(store)
    }

    /// The blobs of a folder that may not be written to.
    pub fn at(folder: &Path) -> Self {
        Self {
            blobs: folder.join("blobs"),
            derived: folder.join("derived"),
            aside: folder.join("aside"),
            parts: folder.join("parts"),
        }
    }

    /// Where the bytes of this hash are or would be.
    ///
    /// # Errors
    /// `Name` when it is no hash.
    pub fn place(&self, sha256: &str) -> Result<PathBuf> {
        let sha256 = checked(sha256)?;
        Ok(self.blobs.join(&sha256[..2]).join(sha256))
    }

    /// [`BlobStore::keep`] for callers that may block. A disk that syncs many files at a time does so in hardly more time
    /// than one, so they are synced by several threads, and each folder once.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_now(&self, staged: &[Staged]) -> Result<()> {
        let mut new = BTreeMap::new();
        for blob in staged {
            let place = self.place(&blob.sha256)?;
            if is_whole(&place, blob) {
                continue;
            }
            new.insert(place, blob.path());
        }
        if new.is_empty() {
            return Ok(());
        }
        let mut folders: Vec<&Path> = new.keys().filter_map(|place| place.parent()).collect();
        folders.dedup();
        folders.iter().try_for_each(fs::create_dir_all)?;
        let files: Vec<_> = new.iter().collect();
        on_threads(&files, |(place, staged)| self.put(staged, place))?;
        // The names have to survive as well as the bytes.
        folders.push(&self.blobs);
        on_threads(&folders, |folder| sync(folder))
    }

    /// Like [`Self::keep_now`], but does not wait for the disk: for files that nobody misses after the machine went down.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_for_now(&self, blob: &Staged) -> Result<()> {
        let place = self.place(&blob.sha256)?;
        if is_whole(&place, blob) {
            return Ok(());
        }
        place.parent().map_or(Ok(()), fs::create_dir_all)?;
        self.name(blob.path(), &place, |_| Ok(()))
    }

    /// Gives the bytes of a staged file a durable second name. The first stays, so that they can be kept once more.
    fn put(&self, staged: &Path, place: &Path) -> Result<()> {
        File::open(staged)?.sync_all()?;
        self.name(staged, place, File::sync_all)
    }

    fn name(&self, staged: &Path, place: &Path, settle: impl Fn(&File) -> io::Result<()>) -> Result<()> {
        if fs::hard_link(staged, place).is_ok() {
            return Ok(());
        }
        // It is staged on another disk, the disk knows no second names, or what is there is damaged.
        let mut copy = tempfile::NamedTempFile::new_in(&self.parts)?;
        io::copy(&mut File::open(staged)?, &mut copy)?;
        settle(copy.as_file())?;
        copy.persist(place).map_err(|error| error.error)?;
        Ok(())
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(Self) -> Result<T> + Send + 'static) -> Result<T> {
        let store = self.clone();
        spawn_blocking(move || work(store)).await.map_err(io::Error::other)?
    }
}

/// Whether the bytes are there already. Another size is damage, most likely from a full disk.
fn is_whole(place: &Path, blob: &Staged) -> bool {
    place.metadata().is_ok_and(|file| file.len() == blob.bytes)
}

/// Does this to each on a few threads, until one fails.
fn on_threads<T: Sync>(items: &[T], work: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    let next = AtomicUsize::new(0);
    let one_after_the_other = || loop {
        let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) else { return Ok(()) };
        if let Err(error) = work(item) {
            next.store(items.len(), Ordering::Relaxed);
            return Err(error);
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..items.len().min(SYNCED_AT_ONCE)).map(|_| scope.spawn(one_after_the_other)).collect();
        let mine = one_after_the_other();
        others.into_iter().fold(mine, |sofar, other| {
            sofar.and(other.join().unwrap_or_else(|_| Err(io::Error::other("a thread ended early").into())))
        })
    })
}

fn sync(folder: &Path) -> Result<()> {
    Ok(File::open(folder)?.sync_all()?)
}

fn missing(error: io::Error, name: &str) -> BlobError {
    if error.kind() == io::ErrorKind::NotFound { BlobError::Missing(name.to_owned()) } else { error.into() }
}

#[async_trait]
impl BlobStore for LocalBlobs {
    async fn keep(&self, staged: &Arc<[Staged]>) -> Result<()> {
        let staged = Arc::clone(staged);
        self.blocking(move |store| store.keep_now(&staged)).await
    }

    async fn file(&self, sha256: &str) -> Result<BlobFile> {
        let path = self.place(sha256)?;
        if tokio::fs::metadata(&path).await.is_ok_and(|file| file.is_file()) {
            return Ok(BlobFile { path, _pin: None });
        }
        Err(BlobError::Missing(sha256.to_owned()))
    }

    async fn read(&self, sha256: &str) -> Result<BlobStream> {
        let file = tokio::fs::File::open(self.place(sha256)?).await.map_err(|error| missing(error, sha256))?;
        let bytes = file.metadata().await?.len();
        let stream = ReaderStream::with_capacity(file, CHUNK).map_err(BlobError::from).boxed();
        Ok(BlobStream { bytes, stream })
    }

    async fn set_aside(&self, sha256: &str) -> Result<Option<Aside>> {
        let (place, aside) = (self.place(sha256)?, Aside::new(sha256));
        self.blocking(move |store| Ok(was_there(fs::rename(place, store.aside.join(aside.name())))?.then_some(aside)))
            .await
    }

    async fn put_back(&self, aside: &Aside) -> Result<()> {
        let (place, aside) = (self.place(&aside.sha256)?, aside.clone());
        self.blocking(move |store| {
            let folder = place.parent().unwrap_or(&store.blobs);
            fs::create_dir_all(folder)?;
            fs::rename(store.aside.join(aside.name()), &place).map_err(|error| missing(error, &aside.sha256))?;
            sync(folder)?;
            sync(&store.aside)
        })
        .await
    }

    async fn discard(&self, aside: &Aside) -> Result<()> {
        was_there(tokio::fs::remove_file(self.aside.join(aside.name())).await).map(drop)
    }

    async fn put_derived(&self, name: &DerivedName, bytes: Bytes) -> Result<()> {
        let place = self.derived.join(name.to_string());
        self.blocking(move |store| {
            let mut file = tempfile::NamedTempFile::new_in(&store.parts)?;
            io::Write::write_all(&mut file, &bytes)?;
            file.as_file().sync_all()?;
            file.persist(place).map_err(|error| error.error)?;
            sync(&store.derived)
        })
        .await
    }

    async fn read_derived(&self, name: &DerivedName) -> Result<Bytes> {
        let name = name.to_string();
        let bytes = tokio::fs::read(self.derived.join(&name)).await.map_err(|error| missing(error, &name))?;
        Ok(bytes.into())
    }

    async fn remove_derived(&self, name: &DerivedName) -> Result<()> {
        was_there(tokio::fs::remove_file(self.derived.join(name.to_string())).await).map(drop)
    }

    async fn remove_derived_of(&self, batch: BatchId) -> Result<()> {
        self.blocking(move |store| {
            let prefix = format!("{batch}-");
            for entry in fs::read_dir(&store.derived)? {
                let entry = entry?;
                if entry.file_name().to_string_lossy().starts_with(&prefix) {
                    was_there(fs::remove_file(entry.path()))?;
                }
            }
            Ok(())
        })
        .await
    }

    fn list(&self) -> Listing<String> {
        listing(self.blobs.clone(), |name| is_hash(name).then(|| name.to_owned()))
    }

    fn list_derived(&self) -> Listing<DerivedName> {
        listing(self.derived.clone(), |name| name.parse().ok())
    }

    fn list_aside(&self) -> Listing<Aside> {
        listing(self.aside.clone(), Aside::of)
    }

    async fn check(&self) -> Result<()> {
        tokio::fs::metadata(&self.blobs).await?;
        Ok(())
    }
}

/// The files below a folder whose names are understood. What goes away meanwhile is left out.
fn listing<T: Send + 'static>(folder: PathBuf, read: fn(&str) -> Option<T>) -> Listing<T> {
    let (sender, receiver) = tokio::sync::mpsc::channel(256);
    spawn_blocking(move || {
        for entry in WalkDir::new(folder).min_depth(1) {
            let listed = match entry.and_then(|entry| Ok((entry.metadata()?.modified().ok(), entry))) {
                Ok((written, entry)) => {
                    let name = entry.file_name().to_string_lossy();
                    let Some(name) = read(&name).filter(|_| entry.file_type().is_file()) else { continue };
                    Ok(Listed { name, written: written.unwrap_or_else(SystemTime::now) })
                }
                Err(error) if error.io_error().is_some_and(|e| e.kind() == io::ErrorKind::NotFound) => continue,
                Err(error) => Err(BlobError::Disk(error.into())),
            };
            if sender.blocking_send(listed).is_err() {
                return; // Nobody listens any more.
            }
        }
    });
    stream::unfold(receiver, |mut receiver| async { receiver.recv().await.map(|listed| (listed, receiver)) }).boxed()
}
