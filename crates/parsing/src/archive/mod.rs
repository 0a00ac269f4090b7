//! Walks ZIP archives, nested ones too, under limits that count the bytes really produced.
//! It never writes a file under a name that an archive gives.

mod budget;
mod names;
mod twins;
mod walk;

use std::io::{self, Read, Seek, SeekFrom};

use sheaf_domain::Failure;
use tempfile::SpooledTempFile;

pub use walk::walk;

/// Bounds of one archive with all that is nested in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// Entries, folders not counted.
    pub entries: u64,
    /// Bytes that all entries unpack to.
    pub bytes: u64,
    /// Unpacked by packed bytes, judged of each entry and of the whole.
    pub ratio: u64,
    /// The ratio is not judged before this many bytes were produced.
    pub ratio_floor: u64,
    /// Archives in archives; the outermost is 1.
    pub depth: u32,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self { entries: 10_000, bytes: 2 << 30, ratio: 200, ratio_floor: 1 << 20, depth: 3 }
    }
}

/// An entry of an archive: its bytes, or why it has none.
pub struct ArchiveItem {
    /// `outer.zip!/folder/inner.zip!/name.txt`: unique within the walk, without control characters.
    pub path: String,
    pub content: Result<Content, Failure>,
}

/// The bytes of an entry, complete and with the right checksum; in memory when small, else in a temporary file.
pub struct Content {
    file: SpooledTempFile,
    bytes: u64,
}

impl Content {
    /// The size in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Seek for Content {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
