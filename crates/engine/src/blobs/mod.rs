//! Bytes addressed by their content: written once, never changed. Original files, and the vectors of clusterings.

mod local;

use std::io::{self, Read};
use std::path::PathBuf;

pub use local::LocalBlobs;

/// Bytes that were received and hashed, but do not survive a crash yet and cannot be found by their hash.
#[derive(Debug)]
pub struct Staged {
    /// Lower-case hex SHA-256.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Removes itself unless it is committed.
    file: tempfile::TempPath,
}

impl Staged {
    /// Where the bytes are until they are committed.
    pub fn path(&self) -> &std::path::Path {
        &self.file
    }
}

/// Where bytes are kept. Every method blocks: call it on a thread that may.
pub trait BlobStore: Send + Sync + 'static {
    /// Takes everything that `reader` gives, hashing on the way.
    ///
    /// # Errors
    /// Those of `reader` and of the disk.
    fn stage(&self, reader: &mut dyn Read) -> io::Result<Staged>;

    /// Makes staged bytes durable and findable by their hash. When it returns, they survive a crash. The same bytes
    /// twice are kept once.
    ///
    /// # Errors
    /// When the disk refuses; what was not moved stays removed.
    fn commit(&self, staged: Vec<Staged>) -> io::Result<()>;

    /// A file with the bytes of this hash, for reading only.
    ///
    /// # Errors
    /// `NotFound` when there are none.
    fn file(&self, sha256: &str) -> io::Result<PathBuf>;

    /// Forgets the bytes of this hash; it is no error when there are none.
    ///
    /// # Errors
    /// When the disk refuses.
    fn remove(&self, sha256: &str) -> io::Result<()>;

    /// Keeps `bytes` under a name of our own making, durably.
    ///
    /// # Errors
    /// When the disk refuses.
    fn put_derived(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// The bytes kept under that name.
    ///
    /// # Errors
    /// `NotFound` when there are none.
    fn read_derived(&self, name: &str) -> io::Result<Vec<u8>>;

    /// Forgets what is kept under names that start with `prefix`.
    ///
    /// # Errors
    /// When the disk refuses.
    fn remove_derived(&self, prefix: &str) -> io::Result<()>;
}
