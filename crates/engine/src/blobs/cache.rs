//! Local copies of blobs that are kept elsewhere: bounded, the least recently used go first, those in use stay.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use walkdir::WalkDir;

use super::{BlobError, BlobFile, BlobStream, Result, Staged, Staging, checked, is_hash, staging, was_there};

/// A folder of copies. One process owns it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct BlobCache {
    folder: PathBuf,
    /// Bytes above which copies go.
    cap: u64,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    copies: HashMap<String, Copy>,
    /// Of all copies.
    bytes: u64,
    /// Rises with each use.
    clock: u64,
    /// One for each hash that is being fetched, so that it is fetched once.
    gates: HashMap<String, Arc<tokio::sync::Mutex<()>>>,
}

#[derive(Debug)]
struct Copy {
    bytes: u64,
    used: u64,
    /// Files that are open or about to be.
    pins: u32,
    /// Whether its hash was compared since the process started: a crash can leave a file without its bytes.
    checked: bool,
}

/// Keeps a copy where it is.
#[derive(Debug)]
pub struct Pin {
    cache: BlobCache,
    sha256: String,
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut state = self.cache.state();
        if let Some(copy) = state.copies.get_mut(&self.sha256) {
            copy.pins = copy.pins.saturating_sub(1);
        }
        self.cache.thin_out(&mut state);
    }
}

impl BlobCache {
    /// Opens `data/cache` and makes it if absent. `cap` is in bytes; a larger file is kept as long as it is in use.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub fn open(data: &Path, cap: u64) -> io::Result<Self> {
        let cache = Self { folder: data.join("cache"), cap, state: Arc::default() };
        fs::create_dir_all(&cache.folder)?;
        let mut found = Vec::new();
        for entry in WalkDir::new(&cache.folder).min_depth(1) {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type().is_file() && is_hash(&name) {
                let about = entry.metadata()?;
                found.push((about.modified()?, name, about.len()));
            }
        }
        found.sort();
        {
            let mut state = cache.state();
            for (_, name, bytes) in found {
                state.insert(name, bytes, false);
            }
            cache.thin_out(&mut state);
        }
        Ok(cache)
    }

    /// The copy of this hash; `fetch` is waited for when there is none, by one of however many want it.
    ///
    /// # Errors
    /// Those of `fetch` and of the disk.
    pub async fn file(
        &self,
        sha256: &str,
        staging: &Staging,
        fetch: impl Future<Output = Result<BlobStream>> + Send,
    ) -> Result<BlobFile> {
        let sha256 = checked(sha256)?;
        if let Some(file) = self.pinned(sha256, true) {
            return Ok(file);
        }
        let gate = Arc::clone(self.state().gates.entry(sha256.to_owned()).or_default());
        let open = gate.lock().await;
        let file = self.file_alone(sha256, staging, fetch).await;
        drop(open);
        let mut state = self.state();
        // Two: the map's and this one. Nobody else waits, and nobody can come while the state is held.
        if Arc::strong_count(&gate) == 2 {
            state.gates.remove(sha256);
        }
        file
    }

    async fn file_alone(
        &self,
        sha256: &str,
        staging: &Staging,
        fetch: impl Future<Output = Result<BlobStream>> + Send,
    ) -> Result<BlobFile> {
        if let Some(file) = self.pinned(sha256, false) {
            if self.state().is_checked(sha256) || self.is_whole(sha256).await? {
                return Ok(file);
            }
            tracing::warn!(sha256, "a local copy is damaged, most likely by a crash; it is fetched again");
            self.state().forget(sha256);
        }
        let staged = staging.fetch(sha256, fetch.await?).await?;
        self.adopt(&staged)
    }

    /// Takes a copy of what was just received, for it is wanted soon. That is a second name only, no second copy on disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn adopt(&self, staged: &Staged) -> Result<BlobFile> {
        let path = self.place(&staged.sha256);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut state = self.state();
        if !(state.is_checked(&staged.sha256) && path.is_file()) {
            was_there(fs::remove_file(&path))?;
            // Both folders are this process's own and side by side, so only a disk without second names needs the copy.
            if fs::hard_link(staged.path(), &path).is_err() {
                fs::copy(staged.path(), &path)?;
            }
            state.insert(staged.sha256.clone(), staged.bytes, true);
        }
        state.pin(&staged.sha256);
        self.thin_out(&mut state);
        Ok(BlobFile { path, _pin: Some(Pin { cache: self.clone(), sha256: staged.sha256.clone() }) })
    }

    /// Drops the copy of this hash, unless it is in use.
    pub fn forget(&self, sha256: &str) {
        let mut state = self.state();
        if state.copies.get(sha256).is_some_and(|copy| copy.pins == 0) && fs::remove_file(self.place(sha256)).is_ok() {
            state.forget(sha256);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock, and the state is whole between its operations.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, sha256: &str) -> PathBuf {
        self.folder.join(&sha256[..2]).join(sha256)
    }

    /// The copy, if there is one whose file is still there; with `checked` only one that was compared.
    fn pinned(&self, sha256: &str, checked: bool) -> Option<BlobFile> {
        let path = self.place(sha256);
        let mut state = self.state();
        if checked && !state.is_checked(sha256) {
            return None;
        }
        if !state.pin(sha256) {
            return None;
        }
        if !path.is_file() {
            // Somebody cleared the folder.
            state.forget(sha256);
            return None;
        }
        drop(state);
        Some(BlobFile { path, _pin: Some(Pin { cache: self.clone(), sha256: sha256.to_owned() }) })
    }

    /// Compares a copy with its name.
    async fn is_whole(&self, sha256: &str) -> Result<bool> {
        let file = tokio::fs::File::open(self.place(sha256)).await?;
        let bytes = file.metadata().await?.len();
        let stream = tokio_util::io::ReaderStream::with_capacity(file, 64 * 1024);
        let stream = Box::pin(futures::TryStreamExt::map_err(stream, BlobError::from));
        let whole = staging::digest(BlobStream { bytes, stream }).await?.1 == sha256;
        if let Some(copy) = self.state().copies.get_mut(sha256) {
            copy.checked = whole;
        }
        Ok(whole)
    }

    /// Removes copies that nobody uses, the least recently used first, until three quarters of the cap are left.
    fn thin_out(&self, state: &mut State) {
        if state.bytes <= self.cap {
            return;
        }
        let mut idle: Vec<(u64, String)> = state
            .copies
            .iter()
            .filter(|(_, copy)| copy.pins == 0)
            .map(|(name, copy)| (copy.used, name.clone()))
            .collect();
        idle.sort_unstable();
        for (_, sha256) in idle {
            if state.bytes <= self.cap / 4 * 3 {
                break;
            }
            match was_there(fs::remove_file(self.place(&sha256))) {
                Err(error) => tracing::warn!(%error, "a local copy could not be removed"),
                Ok(_) => state.forget(&sha256),
            }
        }
    }
}

impl State {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn insert(&mut self, sha256: String, bytes: u64, checked: bool) {
        let used = self.tick();
        let pins = self.copies.get(&sha256).map_or(0, |copy| copy.pins);
        if let Some(old) = self.copies.insert(sha256, Copy { bytes, used, pins, checked }) {
            self.bytes -= old.bytes;
        }
        self.bytes += bytes;
    }

    fn pin(&mut self, sha256: &str) -> bool {
        let used = self.tick();
        let Some(copy) = self.copies.get_mut(sha256) else { return false };
        copy.used = used;
        copy.pins += 1;
        true
    }

    fn is_checked(&self, sha256: &str) -> bool {
        self.copies.get(sha256).is_some_and(|copy| copy.checked)
    }

    fn forget(&mut self, sha256: &str) {
        if let Some(copy) = self.copies.remove(sha256) {
            self.bytes -= copy.bytes;
        }
    }
}
