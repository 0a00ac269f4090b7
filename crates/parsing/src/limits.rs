//! How much one document may take, and what it is told that takes more.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sheaf_domain::{Failure, FailureCode};

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
    /// Nesting of JSON and XML. HTML is read without a tree, and its nesting costs nothing.
    pub depth: u32,
    /// Width times height of an image that is decoded.
    pub pixels: u64,
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
            depth: 256,
            pixels: 100_000_000,
        }
    }
}

impl Limits {
    /// The failure for a file of `bytes`.
    pub fn file_too_large(&self, bytes: u64) -> Failure {
        let (mib, most) = (bytes >> 20, self.file_bytes >> 20);
        Failure::new(FailureCode::FileTooLarge, format!("the file has {mib} MiB; at most {most} MiB are read"))
    }

    /// The failure for more pages than are read.
    pub fn too_many_pages(&self) -> Failure {
        Failure::new(FailureCode::TooManyPages, format!("it has more than {} pages", self.pages))
    }

    /// The failure for more text than is kept.
    pub fn too_much_text(&self) -> Failure {
        Failure::new(FailureCode::TooMuchText, format!("it has more than {} MiB of text", self.text_bytes >> 20))
    }
}

/// The failure for what is nested too deep; `what` is said in the plural: elements, values.
pub fn nested_too_deep(what: &str) -> Failure {
    Failure::new(FailureCode::NestedTooDeep, format!("its {what} are nested too deep"))
}
