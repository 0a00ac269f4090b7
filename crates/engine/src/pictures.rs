//! Pictures of pages: made when somebody looks, kept under a cap.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use bytes::Bytes;
use sheaf_domain::{BatchId, DocumentId, Failure, FailureCode};
use sheaf_parsing::{Hints, PictureFor};
use tokio::task::spawn_blocking;
use walkdir::WalkDir;

use crate::stages::parse::digest;
use crate::{Engine, internal};

/// Widths in pixels that pictures are made in; what is asked for is rounded up, so that the cache stays small.
const WIDTHS: [u32; 5] = [160, 320, 640, 1000, 1600];

impl Engine {
    /// A page (from 1) of a document as WebP, at least `width` pixels wide where the page has them (1,600 at most).
    ///
    /// # Errors
    /// `not_found`; `unsupported_kind` when the document has no pages to look at; the failure of drawing it.
    pub async fn picture(&self, batch: BatchId, document: DocumentId, page: u32, width: u32) -> Result<Bytes, Failure> {
        let found = self.store().document(batch, document).await?;
        let (stored, row) = found.ok_or_else(|| {
            Failure::new(FailureCode::NotFound, format!("there is no document `{document}` in this batch"))
        })?;
        if page == 0 || row.pages.is_some_and(|pages| page > pages) {
            return Err(Failure::new(FailureCode::NotFound, format!("document `{document}` has no page {page}")));
        }
        let width = WIDTHS.into_iter().find(|&w| w >= width).unwrap_or(WIDTHS[WIDTHS.len() - 1]);
        let passwords = self.store().passwords(batch).await?;
        let opened = digest(&passwords).unwrap_or_default();
        let name = format!("{}-{page}-{width}-{opened}.webp", stored.document.sha256);
        if let Some(kept) = self.pictures().get(&name).await {
            return Ok(kept.into());
        }
        let (path, file) = self.original_file(batch, document).await?;
        let hints = Hints { name: path, passwords };
        let picture = self.reader().pool().picture(file.path(), hints, page, PictureFor::Eye { width }).await?;
        self.pictures().put(name, &picture.bytes).await;
        self.forget_if_gone(stored.document.sha256).await?;
        Ok(picture.bytes)
    }

    /// A document that was deleted while its picture was made leaves none.
    async fn forget_if_gone(&self, sha256: String) -> Result<(), Failure> {
        let gone = self.store().unreferenced(&[sha256]).await?;
        if !gone.is_empty() {
            let engine = self.clone();
            spawn_blocking(move || engine.pictures().forget(&gone)).await.map_err(internal)?;
        }
        Ok(())
    }
}

/// Files that can be made again. Under the cap nothing is removed; above it the oldest go.
#[derive(Debug)]
pub struct PictureCache {
    folder: PathBuf,
    cap: u64,
    /// Bytes of all files, about.
    size: AtomicU64,
}

impl PictureCache {
    /// In `data/pictures`, with at most `cap` bytes.
    pub fn open(data: &Path, cap: u64) -> io::Result<Self> {
        let folder = data.join("pictures");
        fs::create_dir_all(&folder)?;
        let size = files(&folder).map(|(_, bytes, _)| bytes).sum();
        Ok(Self { folder, cap, size: AtomicU64::new(size) })
    }

    /// Forgets the pictures of documents with these hashes. Blocks.
    pub fn forget(&self, hashes: &[String]) {
        for (path, bytes, _) in files(&self.folder) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_of = |hash: &String| !hash.is_empty() && name.starts_with(hash.as_str());
            if hashes.iter().any(is_of) && fs::remove_file(&path).is_ok() {
                self.size.fetch_sub(bytes, Ordering::Relaxed);
            }
        }
    }

    async fn get(&self, name: &str) -> Option<Vec<u8>> {
        tokio::fs::read(self.folder.join(name)).await.ok()
    }

    /// Keeps a file. That it cannot be kept is no failure: it was made, and can be made again.
    async fn put(&self, name: String, bytes: &[u8]) {
        let (folder, bytes) = (self.folder.clone(), bytes.to_vec());
        let size = self.size.fetch_add(bytes.len() as u64, Ordering::Relaxed) + bytes.len() as u64;
        let cap = self.cap;
        let kept = spawn_blocking(move || -> io::Result<Option<u64>> {
            let mut file = tempfile::NamedTempFile::new_in(&folder)?;
            file.write_all(&bytes)?;
            file.persist(folder.join(name)).map_err(|error| error.error)?;
            Ok((size > cap).then(|| thin_out(&folder, cap / 4 * 3)))
        });
        match kept.await.map_err(internal) {
            Ok(Ok(Some(size))) => self.size.store(size, Ordering::Relaxed),
            Ok(Ok(None)) | Err(_) => {}
            Ok(Err(error)) => tracing::warn!(%error, "a picture of a page could not be kept"),
        }
    }
}

/// Removes the oldest files until `to` bytes are left; the bytes that are left.
fn thin_out(folder: &Path, to: u64) -> u64 {
    let mut all: Vec<(PathBuf, u64, SystemTime)> = files(folder).collect();
    all.sort_by_key(|(_, _, made)| *made);
    let mut left = all.iter().map(|(_, bytes, _)| bytes).sum();
    for (path, bytes, _) in all {
        if left <= to {
            break;
        }
        if fs::remove_file(path).is_ok() {
            left -= bytes;
        }
    }
    left
}

/// Path, bytes and time of each file.
fn files(folder: &Path) -> impl Iterator<Item = (PathBuf, u64, SystemTime)> {
    WalkDir::new(folder).min_depth(1).into_iter().filter_map(|entry| {
        let entry = entry.ok()?;
        let about = entry.metadata().ok()?;
        Some((entry.into_path(), about.len(), about.modified().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_cache_stays_under_its_cap_and_forgets_the_oldest() {
        let data = tempfile::tempdir().expect("a temporary folder");
        let cache = PictureCache::open(data.path(), 1000).expect("writable");
        for page in 0..10 {
            cache.put(format!("{page}.webp"), &[page; 300]).await;
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        assert_eq!(cache.get("0.webp").await, None);
        assert_eq!(cache.get("9.webp").await, Some(vec![9; 300]));
        cache.put("abc-1-160.webp".into(), &[1; 10]).await;
        cache.forget(&["abc".into(), String::new()]);
        assert_eq!(cache.get("abc-1-160.webp").await, None);
        assert!(cache.get("9.webp").await.is_some());
        let again = PictureCache::open(data.path(), 1000).expect("readable");
        assert!(again.size.load(Ordering::Relaxed) <= 1000);
    }
}
