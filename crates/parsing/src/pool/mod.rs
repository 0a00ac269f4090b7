//! Keeps a few children that parse, hands each document to one, and replaces those that hang, die or grow.

mod child;
mod death;
mod pages;
mod proof;
mod ranges;
mod together;
mod unpack;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use futures::{StreamExt, stream};
use sheaf_domain::{Failure, FailureCode};
use tokio::sync::{RwLock, Semaphore};

use crate::document::{ParsedDocument, Part};
use crate::hints::Hints;
use crate::limits::Limits;
use crate::reader::OnPages;
use child::{Child, Outcome, Stretch};

/// How a [`Pool`] starts its children.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    /// Children at work at the same time; at least 1.
    pub workers: usize,
    /// The program whose command `parse-worker` runs [`crate::worker_main`].
    pub program: PathBuf,
    /// The library of PDFium; without it each PDF fails as `pdfium_missing`.
    pub pdfium: Option<PathBuf>,
    pub limits: Limits,
    /// Parse even where the system cannot lock the children in.
    pub allow_weak_sandbox: bool,
    /// Pages that a child reads of a document before others may take the next; at least 1.
    pub pages_per_job: u32,
    /// Children at one document at the same time, once its first pages are read; at least 1.
    pub workers_per_document: usize,
    /// Children that make pictures of pages at the same time; at least 1.
    pub render_workers: usize,
}

impl PoolConfig {
    /// As many of everything as there are `workers`, started from `program`.
    pub fn new(program: PathBuf, workers: usize) -> Self {
        Self {
            workers,
            program,
            pdfium: None,
            limits: Limits::default(),
            allow_weak_sandbox: false,
            pages_per_job: 32,
            workers_per_document: workers,
            render_workers: workers,
        }
    }
}

pub use proof::Proof;
pub use together::TOGETHER;

/// Children that parse, one document each at a time. They start when first needed and are used again.
///
/// Share it by reference or in an `Arc`. Dropping it kills the children.
#[derive(Debug)]
pub struct Pool {
    config: PoolConfig,
    slots: Semaphore,
    renderers: Semaphore,
    idle: Mutex<Vec<Child>>,
    /// Held for reading by each document that is parsed or waits, for writing by nobody but the end.
    busy: RwLock<()>,
}

impl Pool {
    /// A pool without children yet.
    pub fn new(config: PoolConfig) -> Self {
        let slots = Semaphore::new(config.workers.max(1));
        let renderers = Semaphore::new(config.render_workers.max(1));
        Self { config, slots, renderers, idle: Mutex::default(), busy: RwLock::default() }
    }

    /// Parses the file at `path`, waiting for a free child first; a document of many pages by several children at once.
    /// `hints` may be just the
    /// file's name. Dropping the future kills the children that were at it.
    ///
    /// # Errors
    /// The reason why the document cannot be read, whatever it did to the child; `cancelled` after [`Self::shutdown`];
    /// `internal` when no child can be started.
    pub async fn parse(&self, path: &Path, hints: impl Into<Hints>) -> Result<ParsedDocument, Failure> {
        self.parse_or_part(path, &hints.into(), &|_, _| {}).await.map_err(|part| part.failure)
    }

    /// [`Self::parse`] that also gives the pages before the one at which the document failed, and tells `on_pages` how many
    /// are read, of how many: those that are pictured are not read yet.
    ///
    /// # Errors
    /// Those of [`Self::parse`].
    pub async fn parse_or_part(
        &self,
        path: &Path,
        hints: &Hints,
        on_pages: OnPages<'_>,
    ) -> Result<ParsedDocument, Part> {
        let first = self.stretch(path, hints, (1, self.config.pages_per_job.max(1))).await?;
        self.parse_rest(path, hints, first, on_pages).await
    }

    /// The document of which the first pages are read.
    async fn parse_rest(
        &self,
        path: &Path,
        hints: &Hints,
        first: Stretch,
        on_pages: OnPages<'_>,
    ) -> Result<ParsedDocument, Part> {
        let range = self.config.pages_per_job.max(1);
        let mut stretches = vec![first];
        let total = stretches[0].of.unwrap_or(0).min(self.config.limits.pages);
        let mut read = stretches[0].read();
        if total > 0 {
            on_pages(read, total);
        }
        let rest = ranges::after(range, total);
        let rest = stream::iter(rest).map(|range| self.stretch(path, hints, range));
        let mut rest = std::pin::pin!(rest.buffered(self.config.workers_per_document.max(1)));
        while let Some(stretch) = rest.next().await {
            match stretch {
                Ok(stretch) => {
                    read += stretch.read();
                    on_pages(read, total);
                    stretches.push(stretch);
                }
                Err(part) => return Err(ranges::cut_off(stretches, part)),
            }
        }
        ranges::join(stretches, &self.config.limits).map_err(Part::from)
    }

    async fn stretch(&self, path: &Path, hints: &Hints, range: (u32, u32)) -> Result<Stretch, Part> {
        self.with_child(None, async |child| child.parse(path, hints, Some(range), &self.config.limits).await).await
    }

    /// Waits for a free child, and keeps it when it can be used again.
    async fn with_child<T, E: From<Failure>>(
        &self,
        path: Option<&Path>,
        job: impl AsyncFnOnce(Child) -> Outcome<T, E>,
    ) -> Result<T, E> {
        let _busy = self.busy.read().await;
        let _slot = self.slots.acquire().await.map_err(|_| stopping())?;
        let Outcome { result, child } = job(self.child(path).await?).await;
        self.keep(child);
        result
    }

    /// A child that waits, if there is one the one that has the document at `path` open; or a new one.
    async fn child(&self, path: Option<&Path>) -> Result<Child, Failure> {
        // A child may have died while it was idle; that is not the document's fault.
        while let Some(mut child) = self.take_idle(path) {
            if child.is_alive() {
                return Ok(child);
            }
        }
        Child::start(&self.config).await
    }

    /// Keeps a child that can be used again for the next document.
    fn keep(&self, child: Option<Child>) {
        if let Some(child) = child
            && !self.slots.is_closed()
        {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(child);
        }
    }

    /// Refuses new documents and those that wait, lets those that are being parsed finish, and ends the children.
    pub async fn shutdown(&self) {
        self.slots.close();
        self.renderers.close();
        let _nobody = self.busy.write().await;
        while let Some(child) = self.take_idle(None) {
            child.end().await;
        }
    }

    fn take_idle(&self, path: Option<&Path>) -> Option<Child> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = path.and_then(|path| idle.iter().position(|child| child.has_open(path)));
        match fitting {
            Some(fitting) => Some(idle.swap_remove(fitting)),
            None => idle.pop(),
        }
    }
}

fn stopping() -> Failure {
    Failure::new(FailureCode::Cancelled, "parsing has been shut down")
}
