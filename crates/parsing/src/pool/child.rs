//! One child process: its start, its conversation about one document, its end.

use std::fs;
use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{self, Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use sheaf_domain::{DocumentKind, Failure, FailureCode};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader, Interest};
use tokio::net::UnixStream;
use tokio::process::{ChildStderr, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::PoolConfig;
use super::death::{self, Death};
use crate::canvas;
use crate::document::{ParsedPage, Part};
use crate::hints::Hints;
use crate::limits::Limits;
use crate::protections::Protections;
use crate::protocol::{self, FRAME_OVERHEAD, Reply, Request, Summary};
use crate::wire;

/// A child is ready some milliseconds after its start; this much is for a machine that is swamped.
const START: Duration = Duration::from_secs(20);
/// How long a child that closed its end may take to become a status.
const DYING: Duration = Duration::from_secs(5);
/// What is kept of a child's last words, in bytes. They are looked at, never logged.
const LAST_WORDS: u64 = 4096;

/// A running child. Dropping it kills it.
#[derive(Debug)]
pub struct Child {
    process: tokio::process::Child,
    /// Its standard input: a socket, for requests come with files.
    stdin: UnixStream,
    /// What its cage is made of.
    pub protections: Protections,
    pub(super) stdout: BufReader<ChildStdout>,
    /// What it draws on.
    pub(super) canvas: Arc<fs::File>,
    /// Nothing is ever written to it: it closes when this process ends, however that comes about, and the child ends with it.
    _lifeline: PipeWriter,
    /// The document of which it showed a page last: it still has it open.
    pub(super) open: Option<PathBuf>,
    last_words: JoinHandle<Vec<u8>>,
}

/// How a document went, and the child if it can be used again.
pub struct Outcome<T, E = Failure> {
    pub result: Result<T, E>,
    pub child: Option<Child>,
}

/// A stretch of the pages of a document, or all of them.
pub struct Stretch {
    pub kind: DocumentKind,
    /// How many pages the whole document has, where that is known.
    pub of: Option<u32>,
    pub pages: Vec<ParsedPage>,
    pub summary: Summary,
}

impl Stretch {
    /// Pages whose text is all that is wanted of them.
    pub fn read(&self) -> u32 {
        self.pages.iter().filter(|page| !page.state.is_to_recognise()).count() as u32
    }
}

/// What has arrived of a document so far.
#[derive(Default)]
pub(super) struct Received {
    kind: Option<DocumentKind>,
    of: Option<u32>,
    /// Pages of the document before those that were asked for.
    before: usize,
    pages: Vec<ParsedPage>,
    bytes: usize,
}

/// The last frame about a document.
pub(super) struct Ending {
    pub result: Result<Summary, Failure>,
    pub retire: bool,
}

impl Child {
    /// Starts a child and greets it.
    pub async fn start(config: &PoolConfig) -> Result<Self, Failure> {
        let (started, lifeline) = Self::spawn(config).map_err(|error| cannot_start(&error))?;
        let child = match timeout(START, started.greet(config, lifeline)).await {
            Ok(greeted) => greeted.map_err(|error| cannot_start(&error))?,
            Err(_) => return Err(cannot_start(&io::ErrorKind::TimedOut.into())),
        };
        if child.protections.are_weak() && !config.allow_weak_sandbox {
            return Err(too_weak(&child.protections));
        }
        Ok(child)
    }

    /// A child, and the end of its lifeline that it is to be given.
    fn spawn(config: &PoolConfig) -> io::Result<(Self, PipeReader)> {
        let (stdin, child_stdin) = std::os::unix::net::UnixStream::pair()?;
        stdin.set_nonblocking(true)?;
        let mut process = Command::new(path::absolute(&config.program)?)
            .arg("parse-worker")
            .env_clear()
            .current_dir("/")
            .process_group(0)
            .stdin(OwnedFd::from(child_stdin))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (Some(stdout), Some(stderr)) = (process.stdout.take(), process.stderr.take()) else {
            return Err(io::Error::other("a pipe is missing"));
        };
        let stdout = BufReader::with_capacity(64 << 10, stdout);
        let protections = Protections { landlock: None, seccomp: false };
        let stdin = UnixStream::from_std(stdin)?;
        let canvas = Arc::new(canvas::new()?);
        let (its_end, lifeline) = io::pipe()?;
        let last_words = tokio::spawn(listen(stderr));
        let child = Self { process, stdin, protections, stdout, canvas, _lifeline: lifeline, open: None, last_words };
        Ok((child, its_end))
    }

    async fn greet(mut self, config: &PoolConfig, lifeline: PipeReader) -> io::Result<Self> {
        let pdfium = match &config.pdfium {
            Some(path) => Some(path::absolute(path)?.as_os_str().as_bytes().to_vec()),
            None => None,
        };
        let address_space = config.limits.address_space;
        let canvas = Arc::clone(&self.canvas);
        let hello = protocol::encode(&Request::Hello { version: protocol::VERSION, address_space, pdfium })?;
        self.say_all(&hello, &[canvas.as_fd(), lifeline.as_fd()]).await?;
        drop(lifeline);
        match protocol::receive(&mut self.stdout, FRAME_OVERHEAD).await?.0 {
            Reply::Hello { version: protocol::VERSION, protections } => {
                self.protections = protections;
                Ok(self)
            }
            _ => Err(io::Error::other("the program is of another version; was it replaced while it ran?")),
        }
    }

    /// Whether it has this document open.
    pub fn has_open(&self, path: &Path) -> bool {
        self.open.as_deref() == Some(path)
    }

    /// It is about to open another.
    pub(super) fn close_document(&mut self) {
        self.open = None;
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// Ends it and waits until it is gone, so that the system's account of it is complete.
    pub async fn end(mut self) {
        // One that is gone already is what was wanted.
        let _ = self.process.kill().await;
    }

    /// Has one document or a range of its pages parsed, and finds out what happened when that fails.
    pub async fn parse(
        mut self,
        path: &Path,
        hints: &Hints,
        range: Option<(u32, u32)>,
        limits: &Limits,
    ) -> Outcome<Stretch, Part> {
        let file = match File::open(path).await {
            Ok(file) => file,
            Err(error) => return Outcome { result: Err(unreadable(&error).into()), child: Some(self) },
        };
        self.open = None;
        let mut received = Received::default();
        let conversation = timeout(limits.wall, self.converse(&file, hints, range, limits, &mut received)).await;
        received.before = range.map_or(0, |(first, _)| first.saturating_sub(1) as usize);
        let death = match conversation {
            Ok(Ok(Ending { result, retire })) => {
                let result = match result {
                    Ok(summary) => received.finish(summary).map_err(Part::from),
                    Err(failure) => Err(received.cut_off(failure)),
                };
                return Outcome { result, child: (!retire).then_some(self) };
            }
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => Death::Garbled,
            Ok(Err(_)) => self.find_cause().await,
            Err(_) => Death::Slow,
        };
        death.count();
        let failure = death.failure(received.kind, received.before + received.pages.len(), limits);
        Outcome { result: Err(Part { failure, pages: received.pages }), child: None }
    }

    async fn converse(
        &mut self,
        file: &File,
        hints: &Hints,
        range: Option<(u32, u32)>,
        limits: &Limits,
        received: &mut Received,
    ) -> io::Result<Ending> {
        self.say_with(&Request::Job { hints: hints.short(), limits: limits.clone(), range }, file).await?;
        self.hear_of(limits, received).await
    }

    /// Everything about one document.
    pub(super) async fn hear_of(&mut self, limits: &Limits, received: &mut Received) -> io::Result<Ending> {
        // The child keeps to its limits; this is for a child that does not.
        let bound = limits.text_bytes.saturating_add(FRAME_OVERHEAD);
        let total = bound.saturating_add(16 * limits.pages as usize);
        loop {
            let (reply, size) = protocol::receive(&mut self.stdout, bound).await?;
            received.bytes += size;
            match reply {
                Reply::Open { kind, pages } => (received.kind, received.of) = (Some(kind), pages),
                Reply::Page(page) if received.bytes <= total => received.pages.push(page),
                Reply::Done { summary, retire } => return Ok(Ending { result: Ok(summary), retire }),
                Reply::Failed { failure, retire } => return Ok(Ending { result: Err(failure), retire }),
                Reply::Page(_)
                | Reply::OfPage { .. }
                | Reply::Hello { .. }
                | Reply::Possible(_)
                | Reply::Entry { .. }
                | Reply::Chunk(_)
                | Reply::EntryEnd(_)
                | Reply::Unpacked { .. } => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }

    async fn say(&mut self, request: &Request) -> io::Result<()> {
        self.stdin.write_all(&protocol::encode(request)?).await
    }

    /// A request and the file that it is about.
    pub async fn say_with(&mut self, request: &Request, file: impl AsFd) -> io::Result<()> {
        self.say_all(&protocol::encode(request)?, &[file.as_fd()]).await
    }

    /// Requests one behind the other, and their files in the same order, at most [`wire::FILES`].
    pub(super) async fn say_all(&mut self, frames: &[u8], files: &[BorrowedFd<'_>]) -> io::Result<()> {
        let socket = &self.stdin;
        let sent = socket.async_io(Interest::WRITABLE, || wire::send(socket, frames, files)).await?;
        self.stdin.write_all(&frames[sent..]).await
    }

    /// The next frame of an answer in which no frame is large.
    pub async fn hear(&mut self) -> io::Result<Reply> {
        Ok(protocol::receive(&mut self.stdout, FRAME_OVERHEAD).await?.0)
    }

    /// What of that which its cage should refuse it could do.
    pub async fn probe(&mut self) -> Result<Vec<String>, Failure> {
        let answer = async {
            self.say(&Request::Probe).await?;
            self.hear().await
        };
        match timeout(START, answer).await {
            Ok(Ok(Reply::Possible(possible))) => Ok(possible),
            Ok(Ok(_)) => Err(cannot_start(&io::ErrorKind::InvalidData.into())),
            Ok(Err(error)) => Err(cannot_start(&error)),
            Err(_) => Err(cannot_start(&io::ErrorKind::TimedOut.into())),
        }
    }

    /// The cause of death of a child that closed its end.
    pub async fn find_cause(mut self) -> Death {
        let Ok(Ok(status)) = timeout(DYING, self.process.wait()).await else { return Death::Garbled };
        let last_words = match timeout(DYING, &mut self.last_words).await {
            Ok(Ok(words)) => words,
            Ok(Err(_)) | Err(_) => Vec::new(),
        };
        death::cause(status, &last_words)
    }
}

impl Received {
    /// What had come when the child failed; after a panic it is said where that was.
    pub(super) fn cut_off(self, mut failure: Failure) -> Part {
        let pages = self.before + self.pages.len();
        if failure.code == FailureCode::WorkerCrashed && pages > 0 {
            failure.message.push_str(&format!(", after page {pages}"));
        }
        Part { failure, pages: self.pages }
    }

    pub(super) fn finish(self, summary: Summary) -> Result<Stretch, Failure> {
        let kind = self.kind.ok_or_else(|| Failure::new(FailureCode::Internal, "the parser named no kind"))?;
        Ok(Stretch { kind, of: self.of, pages: self.pages, summary })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // `id` is empty once the child was waited for, so this never hits a stranger with the same number.
        let id = self.process.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(group) = id {
            let _ = kill_process_group(group, Signal::KILL);
        }
        self.last_words.abort();
    }
}

/// Keeps the first of what a child says on its standard error and swallows the rest, so that it cannot block on it.
async fn listen(mut stderr: ChildStderr) -> Vec<u8> {
    let mut words = Vec::new();
    if (&mut stderr).take(LAST_WORDS).read_to_end(&mut words).await.is_ok() {
        let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    }
    words
}

pub(super) fn unreadable(error: &io::Error) -> Failure {
    Failure::new(FailureCode::Storage, format!("the stored file cannot be read: {}", error.kind()))
}

fn too_weak(protections: &Protections) -> Failure {
    let missing = protections.missing().join(" and ");
    Failure::new(FailureCode::WeakSandbox, format!("this system cannot lock parsers in: it lacks {missing}"))
}

fn cannot_start(error: &io::Error) -> Failure {
    tracing::error!(%error, "cannot start a parser");
    Failure::new(FailureCode::Internal, "a parser could not be started")
}
