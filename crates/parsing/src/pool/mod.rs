//! Keeps a few children that parse, hands each document to one, and replaces those that hang, die or grow.

mod child;
mod death;
mod proof;
mod unpack;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sheaf_domain::{Failure, FailureCode};
use tokio::sync::{RwLock, Semaphore};

use crate::document::{ParsedDocument, Part};
use crate::limits::Limits;
use child::{Child, Outcome};

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
}

pub use proof::Proof;

/// Children that parse, one document each at a time. They start when first needed and are used again.
///
/// Share it by reference or in an `Arc`. Dropping it kills the children.
#[derive(Debug)]
pub struct Pool {
    config: PoolConfig,
    slots: Semaphore,
    idle: Mutex<Vec<Child>>,
    /// Held for reading by each document that is parsed or waits, for writing by nobody but the end.
    busy: RwLock<()>,
}

impl Pool {
    /// A pool without children yet.
    pub fn new(config: PoolConfig) -> Self {
        let slots = Semaphore::new(config.workers.max(1));
        Self { config, slots, idle: Mutex::default(), busy: RwLock::default() }
    }

    /// Parses the file at `path`, waiting for a free child first. `name` is what the file was called: a weak hint at
    /// its kind. Dropping the future kills the child that was at it.
    ///
    /// # Errors
    /// The reason why the document cannot be read, whatever it did to the child; `cancelled` after [`Self::shutdown`];
    /// `internal` when no child can be started.
    pub async fn parse(&self, path: &Path, name: &str) -> Result<ParsedDocument, Failure> {
        self.parse_or_part(path, name).await.map_err(|part| part.failure)
    }

    /// [`Self::parse`] that also gives the pages before the one at which the document failed.
    ///
    /// # Errors
    /// Those of [`Self::parse`].
    pub async fn parse_or_part(&self, path: &Path, name: &str) -> Result<ParsedDocument, Part> {
        let _busy = self.busy.read().await;
        let _slot = self.slots.acquire().await.map_err(|_| stopping())?;
        let Outcome { result, child } = self.child().await?.parse(path, name, &self.config.limits).await;
        self.keep(child);
        result
    }

    /// A child that waits, or a new one.
    async fn child(&self) -> Result<Child, Failure> {
        // A child may have died while it was idle; that is not the document's fault.
        while let Some(mut child) = self.take_idle() {
            if child.is_alive() {
                return Ok(child);
            }
        }
        Child::start(&self.config).await
    }

    /// Refuses new documents and those that wait, lets those that are being parsed finish, and ends the children.
    pub async fn shutdown(&self) {
        self.slots.close();
        let _nobody = self.busy.write().await;
        while let Some(child) = self.take_idle() {
            child.end().await;
        }
    }

    /// Keeps a child that can be used again for the next document.
    fn keep(&self, child: Option<Child>) {
        if let Some(child) = child
            && !self.slots.is_closed()
        {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(child);
        }
    }

    fn take_idle(&self) -> Option<Child> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

fn stopping() -> Failure {
    Failure::new(FailureCode::Cancelled, "parsing has been shut down")
}
