//! Archives and letters: files that hold files. ZIP, TAR (gzipped or not), gzip of one file, 7z, mailboxes, and the
//! attachments of mail.
//!
//! Decompression of what strangers send is work for a child in its cage: `level` and the formats below run there, one
//! level at a time, and stream entries as frames. [`crate::Pool::unpack`] is the parent's side: it names, counts and keeps
//! what comes, and sends an archive that comes out of an archive to a child again. A dictionary of gigabytes, or a flaw in
//! a decoder, costs that child alone. No file is ever written under a name that an archive gives.

mod budget;
mod names;

mod letter;
pub(crate) mod level;
mod mailbox;
mod outlook;
mod seven_zip;
mod tar;
mod twins;
mod zip;

use std::io::{self, Read, Seek, SeekFrom};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sheaf_domain::{DocumentKind, Failure, FailureCode};
use tempfile::SpooledTempFile;

pub(crate) use budget::{Spent, Stop};
pub(crate) use letter::attachments;
pub(crate) use names::{Name, Taken, check as check_name};

/// Bounds of one archive with all that is nested in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveLimits {
    /// Entries, folders not counted.
    pub entries: u64,
    /// Bytes that all entries unpack to.
    pub bytes: u64,
    /// Unpacked by packed bytes, judged of each entry and of the whole.
    pub ratio: u64,
    /// The ratio is not judged before this many bytes were produced.
    pub ratio_floor: u64,
    /// Archives in archives; the outermost is 1. A letter counts when it is in a letter.
    pub depth: u32,
    /// Wall-clock time for each archive, nested ones by themselves.
    pub wall: Duration,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self {
            entries: 10_000,
            bytes: 2 << 30,
            ratio: 200,
            ratio_floor: 1 << 20,
            depth: 4,
            wall: Duration::from_secs(600),
        }
    }
}

/// What a file is that holds files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// No document itself: only what it holds is.
    Archive,
    /// A document that brings others.
    Letter,
}

impl Container {
    /// Absent for kinds that hold nothing of their own standing.
    pub const fn of(kind: DocumentKind) -> Option<Self> {
        match kind {
            DocumentKind::Zip
            | DocumentKind::Tar
            | DocumentKind::Gzip
            | DocumentKind::SevenZip
            | DocumentKind::Mbox => Some(Self::Archive),
            DocumentKind::Email | DocumentKind::Msg => Some(Self::Letter),
            DocumentKind::Pdf
            | DocumentKind::Docx
            | DocumentKind::Pptx
            | DocumentKind::Xlsx
            | DocumentKind::Odt
            | DocumentKind::Ods
            | DocumentKind::Odp
            | DocumentKind::Rtf
            | DocumentKind::Epub
            | DocumentKind::Html
            | DocumentKind::Csv
            | DocumentKind::Tsv
            | DocumentKind::Markdown
            | DocumentKind::Text
            | DocumentKind::Man
            | DocumentKind::Json
            | DocumentKind::Jsonl
            | DocumentKind::Xml
            | DocumentKind::Notebook
            | DocumentKind::Doc
            | DocumentKind::Xls
            | DocumentKind::Ppt
            | DocumentKind::Png
            | DocumentKind::Jpeg
            | DocumentKind::Tiff
            | DocumentKind::Webp
            | DocumentKind::Bmp
            | DocumentKind::Gif
            | DocumentKind::Svg
            | DocumentKind::EncryptedOffice
            | DocumentKind::Unknown => None,
        }
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
    pub(crate) file: SpooledTempFile,
    pub(crate) bytes: u64,
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

fn damaged() -> Failure {
    Failure::new(FailureCode::CorruptFile, "the archive is damaged")
}

fn encrypted() -> Failure {
    Failure::new(FailureCode::PasswordProtected, "it is encrypted in its archive")
}

fn link() -> Failure {
    Failure::new(FailureCode::UnsafeEntry, "it is a link, and links in archives are not followed")
}

fn unknown_packing() -> Failure {
    Failure::new(FailureCode::UnsupportedKind, "it is packed in a way that is not supported")
        .with_hint("Pack it anew as an ordinary ZIP file, or add the files themselves.")
}
