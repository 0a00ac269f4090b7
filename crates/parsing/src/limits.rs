//! How much one document may take.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Bounds on the parsing of one document; beyond them it fails, and its neighbours do not notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Wall-clock time for one document; then its process is killed.
    pub wall: Duration,
    /// Address space of a child process in bytes (`RLIMIT_AS`).
    pub address_space: u64,
    /// Size of the file in bytes.
    pub file_bytes: u64,
    /// Text of all pages in bytes.
    pub text_bytes: usize,
    /// Pages.
    pub pages: u32,
    /// Bytes that the parts of a packed document (OOXML, OpenDocument, EPUB) may unpack to, or that the streams of an OLE
    /// file may have.
    pub unpacked_bytes: u64,
    /// Pixels of an image.
    pub pixels: u64,
    /// Nesting of JSON and XML.
    pub depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall: Duration::from_secs(60),
            address_space: 1536 << 20,
            file_bytes: 512 << 20,
            text_bytes: 32 << 20,
            pages: 20_000,
            unpacked_bytes: 256 << 20,
            pixels: 128_000_000,
            depth: 256,
        }
    }
}
