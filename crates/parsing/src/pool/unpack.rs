//! The parent's side of archives and letters: children unpack them level by level, and what comes is named, counted,
//! kept in temporary files and handed on.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, Write};

use sheaf_domain::{DocumentKind, Failure, FailureCode, FailureKind, Passwords};
use tempfile::SpooledTempFile;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::child::Child;
use super::death::Death;
use super::{Pool, stopping};
use crate::archive::level::{CHUNK, Level, too_deep};
use crate::archive::{ArchiveItem, ArchiveLimits, Container, Content, Name, Spent, Stop, Taken, check_name};
use crate::detect::detect_kind;
use crate::hints::Hints;
use crate::limits::Limits;
use crate::protocol::{Reply, Request};

/// Entries up to this many bytes stay in memory, others go to a temporary file.
const IN_MEMORY: usize = 4 << 20;

impl Pool {
    /// Unpacks the archive or letter that `file` holds, and what is nested in it. `path` is its own and begins the path of
    /// each item. A bad entry, or one that wants a password, comes as an item with its failure, and the walk goes on; so
    /// does an archive in an archive that cannot be unpacked. A letter in an archive comes itself, and its attachments
    /// after it.
    ///
    /// # Errors
    /// `corrupt_file` when it is no archive, `empty_archive` when it holds no file, one of the `archive_…` codes beyond a
    /// limit, `storage` when there is no room to unpack, `cancelled` when nobody takes the items; what was handed over
    /// before stays. A letter that cannot be read is no error: it is a document, and fails as one.
    pub async fn unpack(
        &self,
        mut file: File,
        path: &str,
        limits: &ArchiveLimits,
        passwords: &Passwords,
        items: &mpsc::Sender<ArchiveItem>,
    ) -> Result<(), Failure> {
        let _busy = self.busy.read().await;
        let packed = file.metadata().map_err(|error| storage(&error))?.len();
        let kind = kind_of(&mut file, path)?;
        let first = Waiting { file, path: path.to_owned(), kind, depth: u32::from(is_archive(kind)) };
        let mut walk = Walk {
            pool: self,
            limits,
            passwords,
            items,
            spent: Spent { packed, ..Spent::default() },
            taken: Taken::default(),
            waiting: VecDeque::from([first]),
        };
        let (mut outermost, by_letter, outer) = (true, !is_archive(kind), path.to_owned());
        while let Some(level) = walk.waiting.pop_front() {
            let (path, kind) = (level.path.clone(), level.kind);
            match walk.level(level).await {
                Ok(()) => {}
                Err(Stop::This(failure)) if outermost && is_archive(kind) => return Err(failure),
                Err(Stop::This(failure)) => walk.report(path, kind, failure).await?,
                Err(Stop::All(failure)) if by_letter && failure.code.kind() == FailureKind::Document => {
                    return walk.report(outer, DocumentKind::Email, failure).await;
                }
                Err(Stop::All(failure)) => return Err(failure),
            }
            outermost = false;
        }
        Ok(())
    }
}

/// An archive or letter that is still to be opened.
struct Waiting {
    file: File,
    path: String,
    kind: DocumentKind,
    depth: u32,
}

/// An entry that is being received.
struct Arriving {
    name: String,
    path: String,
    file: SpooledTempFile,
    bytes: u64,
}

struct Walk<'a> {
    pool: &'a Pool,
    limits: &'a ArchiveLimits,
    passwords: &'a Passwords,
    items: &'a mpsc::Sender<ArchiveItem>,
    spent: Spent,
    taken: Taken,
    waiting: VecDeque<Waiting>,
}

impl Walk<'_> {
    /// Has one archive unpacked, without what is nested in it.
    async fn level(&mut self, waiting: Waiting) -> Result<(), Stop> {
        let _slot = self.pool.slots.acquire().await.map_err(|_| Stop::All(stopping()))?;
        let mut child = self.pool.child(None).await.map_err(Stop::All)?;
        let Waiting { file, path, kind, depth } = waiting;
        let level = Level {
            limits: self.limits.clone(),
            spent: self.spent,
            too_deep: depth > self.limits.depth,
            passwords: self.passwords.clone(),
        };
        let wall = self.limits.wall;
        let conversation = async {
            let request = Request::Unpack { name: Hints::from(path.as_str()).short().name, level };
            child.say_with(&request, &file).await.map_err(Ending::Broken)?;
            self.receive(&mut child, &path, kind, depth).await
        };
        let death = match timeout(wall, conversation).await {
            Ok(Ok((result, retire))) => {
                self.pool.keep((!retire).then_some(child));
                return result;
            }
            Ok(Err(Ending::Ours(failure))) => return Err(Stop::All(failure)),
            Ok(Err(Ending::Broken(error))) if error.kind() == io::ErrorKind::InvalidData => Death::Garbled,
            Ok(Err(Ending::Broken(_))) => child.find_cause().await,
            Err(_) => Death::Slow,
        };
        let limits = Limits { wall, ..self.pool.config.limits.clone() };
        death.count();
        Err(Stop::This(death.failure(Some(kind), 0, &limits)))
    }

    /// How the level ended, and whether its child wants to be replaced.
    async fn receive(
        &mut self,
        child: &mut Child,
        path: &str,
        kind: DocumentKind,
        depth: u32,
    ) -> Result<(Result<(), Stop>, bool), Ending> {
        let mut arriving: Option<Arriving> = None;
        loop {
            match (child.hear().await.map_err(Ending::Broken)?, arriving.take()) {
                (Reply::Entry { name }, None) => arriving = Some(self.begin(path, &name)?),
                (Reply::Chunk(bytes), Some(mut entry)) => {
                    self.spent.bytes += bytes.len() as u64;
                    entry.bytes += bytes.len() as u64;
                    // The child keeps to its limits; this is for a child that does not.
                    if self.spent.bytes > self.limits.bytes.saturating_add(CHUNK as u64) {
                        return Err(nonsense());
                    }
                    entry.file.write_all(&bytes).map_err(|error| Ending::Ours(storage(&error)))?;
                    arriving = Some(entry);
                }
                (Reply::EntryEnd(Ok(())), Some(entry)) => self.end(entry, kind, depth).await.map_err(Ending::Ours)?,
                (Reply::EntryEnd(Err(failure)), Some(Arriving { path, .. })) => {
                    self.send(path, Err(failure)).await.map_err(Ending::Ours)?;
                }
                // An entry may have been begun when a limit of the whole was met.
                (Reply::Unpacked { result, retire }, _) => return Ok((result, retire)),
                _ => return Err(nonsense()),
            }
        }
    }

    fn begin(&mut self, path: &str, name: &str) -> Result<Arriving, Ending> {
        self.spent.entries += 1;
        // The child stops with a word about it; this is for a child that does not.
        if self.spent.entries > self.limits.entries.saturating_add(1) {
            return Err(nonsense());
        }
        // Whether it was refused or not, the name is only shown, and comes from a process that is not trusted.
        let (Name::Safe(name) | Name::Unsafe(name)) = check_name(name.as_bytes()) else { return Err(nonsense()) };
        let path = self.taken.claim(format!("{path}!/{name}"));
        Ok(Arriving { name, path, file: SpooledTempFile::new(IN_MEMORY), bytes: 0 })
    }

    /// Hands a document on, and puts aside what holds others.
    async fn end(&mut self, entry: Arriving, of: DocumentKind, depth: u32) -> Result<(), Failure> {
        let Arriving { name, path, mut file, bytes } = entry;
        let kind = kind_of(&mut file, &name)?;
        match Container::of(kind) {
            Some(Container::Archive) if depth >= self.limits.depth => {
                return self.send(path, Err(too_deep(self.limits))).await;
            }
            Some(Container::Archive) => {
                let file = copy(&mut file)?;
                self.waiting.push_back(Waiting { file, path, kind, depth: depth + 1 });
                return Ok(());
            }
            Some(Container::Letter) => {
                let depth = depth + u32::from(!is_archive(of));
                self.waiting.push_back(Waiting { file: copy(&mut file)?, path: path.clone(), kind, depth });
            }
            None => {}
        }
        self.send(path, Ok(Content { file, bytes })).await
    }

    /// Says why what is nested was not opened. A letter is a document, and says itself when it is damaged; but when its
    /// attachments alone are missing, that has to be said, too.
    async fn report(&mut self, path: String, kind: DocumentKind, failure: Failure) -> Result<(), Failure> {
        if is_archive(kind) {
            return self.send(path, Err(failure)).await;
        }
        if failure.code == FailureCode::CorruptFile {
            return Ok(());
        }
        let path = self.taken.claim(format!("{path}!/attachments"));
        self.send(path, Err(failure)).await
    }

    async fn send(&self, path: String, content: Result<Content, Failure>) -> Result<(), Failure> {
        let sent = self.items.send(ArchiveItem { path, content }).await;
        sent.map_err(|_| Failure::new(FailureCode::Cancelled, "nobody takes the files"))
    }
}

/// How a conversation ended that should have gone on.
enum Ending {
    /// The child is gone, or makes no sense.
    Broken(io::Error),
    /// It is not the child's fault.
    Ours(Failure),
}

fn nonsense() -> Ending {
    Ending::Broken(io::ErrorKind::InvalidData.into())
}

fn is_archive(kind: DocumentKind) -> bool {
    Container::of(kind) == Some(Container::Archive)
}

/// What a file is; it is at its start again.
fn kind_of(file: &mut (impl Read + Seek), name: &str) -> Result<DocumentKind, Failure> {
    let kind = detect_kind(&mut *file, name).map_err(|error| storage(&error))?;
    file.rewind().map_err(|error| storage(&error))?;
    Ok(kind)
}

/// A file of its own, which a child can be given; both are at their start.
fn copy(from: &mut SpooledTempFile) -> Result<File, Failure> {
    let mut copy = || -> io::Result<File> {
        let mut file = tempfile::tempfile()?;
        io::copy(from, &mut file)?;
        file.rewind()?;
        from.rewind()?;
        Ok(file)
    };
    copy().map_err(|error| storage(&error))
}

fn storage(error: &io::Error) -> Failure {
    Failure::new(FailureCode::Storage, format!("the archive could not be unpacked: {}", error.kind()))
}
