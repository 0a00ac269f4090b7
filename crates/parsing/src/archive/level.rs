//! One archive in the child: what it holds, entry by entry, as frames. What is in an archive in it is another level.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sheaf_domain::{DocumentKind, Failure, FailureCode, Passwords};

use super::budget::{Budget, Spent, Stop};
use super::names::{self, Name};
use super::{ArchiveLimits, Container, letter, mailbox, outlook, seven_zip, tar, zip};
use crate::detect::detect_kind;
use crate::protocol::Reply;

/// Bytes of an entry that travel together.
pub const CHUNK: usize = 128 << 10;

/// What a child is told about the archive that it gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    pub limits: ArchiveLimits,
    pub spent: Spent,
    /// Name what is there, and unpack none of it.
    pub too_deep: bool,
    pub passwords: Passwords,
}

/// Unpacks one level; `name` is the archive's own.
///
/// # Errors
/// Why the archive cannot be unpacked, or no further.
pub fn unpack(
    mut file: File,
    name: &str,
    level: &Level,
    send: &mut dyn FnMut(&Reply) -> io::Result<()>,
) -> Result<(), Stop> {
    let broken = |_| Stop::This(super::damaged());
    let kind = detect_kind(&mut file, name).map_err(broken)?;
    io::Seek::rewind(&mut file).map_err(broken)?;
    let mut entries =
        Entries { budget: Budget::new(&level.limits, level.spent), too_deep: level.too_deep, found: 0, send };
    match kind {
        DocumentKind::Zip => zip::unpack(&mut file, &level.passwords, &mut entries)?,
        DocumentKind::Tar => tar::unpack(file, &mut entries)?,
        DocumentKind::Gzip => tar::unpack_gzip(file, name, &mut entries)?,
        DocumentKind::SevenZip => seven_zip::unpack(file, &mut entries)?,
        DocumentKind::Mbox => mailbox::unpack(file, &mut entries)?,
        DocumentKind::Email => letter::unpack(file, &mut entries)?,
        DocumentKind::Msg => outlook::unpack(file, &mut entries)?,
        other => return Err(Stop::This(Failure::new(FailureCode::UnsupportedKind, format!("{other} is no archive")))),
    }
    if entries.found == 0 && Container::of(kind) == Some(Container::Archive) {
        return Err(Stop::This(Failure::new(FailureCode::EmptyArchive, "the archive holds no files")));
    }
    Ok(())
}

/// Where a format puts what it finds: checked, counted, sent.
pub struct Entries<'a> {
    pub budget: Budget<'a>,
    too_deep: bool,
    found: u64,
    send: &'a mut dyn FnMut(&Reply) -> io::Result<()>,
}

impl Entries<'_> {
    /// The next file. Whether its content is wanted: not that of clutter, nor of what was refused.
    pub fn begin(&mut self, raw_name: &[u8], refusal: Option<Failure>) -> Result<bool, Stop> {
        let (name, outside) = match names::check(raw_name) {
            Name::Clutter => return Ok(false),
            Name::Safe(name) => (name, None),
            Name::Unsafe(name) => {
                let outside = Failure::new(FailureCode::UnsafeEntry, "its name points outside of the archive");
                (name, Some(outside))
            }
        };
        self.found += 1;
        self.budget.enter().map_err(Stop::All)?;
        self.say(&Reply::Entry { name })?;
        let deep = self.too_deep.then(|| too_deep(self.budget.limits));
        match outside.or(refusal).or(deep) {
            Some(failure) => self.end(Err(failure)).map(|()| false),
            None => Ok(true),
        }
    }

    /// The content of the file that was begun; what is wrong with it is told of it alone.
    pub fn content(&mut self, content: &mut dyn Read, packed: Option<u64>) -> Result<(), Stop> {
        let mut chunks = BufWriter::with_capacity(CHUNK, Chunks(&mut *self.send));
        let copied = self.budget.copy(content, packed, &mut chunks);
        let flushed = chunks.flush().map_err(|_| gone());
        drop(chunks);
        match copied {
            Ok(()) => flushed.and_then(|()| self.end(Ok(()))),
            Err(Stop::This(failure)) => self.end(Err(failure)),
            Err(all @ Stop::All(_)) => Err(all),
        }
    }

    /// The file that was begun cannot be had.
    pub fn fail(&mut self, failure: Failure) -> Result<(), Stop> {
        self.end(Err(failure))
    }

    fn end(&mut self, result: Result<(), Failure>) -> Result<(), Stop> {
        self.say(&Reply::EntryEnd(result))
    }

    fn say(&mut self, reply: &Reply) -> Result<(), Stop> {
        (self.send)(reply).map_err(|_| gone())
    }
}

/// The failure for what lies deeper than archives are opened.
pub fn too_deep(limits: &ArchiveLimits) -> Failure {
    Failure::new(FailureCode::ArchiveTooDeep, format!("archives are nested deeper than {}", limits.depth))
}

fn gone() -> Stop {
    Stop::All(Failure::new(FailureCode::Cancelled, "nobody listens"))
}

/// Each write is a frame.
struct Chunks<'a>(&'a mut dyn FnMut(&Reply) -> io::Result<()>);

impl Write for Chunks<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let chunk = &bytes[..bytes.len().min(CHUNK)];
        (self.0)(&Reply::Chunk(Bytes::copy_from_slice(chunk)))?;
        Ok(chunk.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
