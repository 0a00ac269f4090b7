//! What an engine is told when it is opened.

use std::path::PathBuf;
use std::time::Duration;

use sheaf_parsing::archive::ArchiveLimits;
use sheaf_parsing::{Limits, PoolConfig};

/// Settings of one engine. Every bound has a default that suits one machine.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Database, blobs and vectors live here.
    pub data: PathBuf,
    pub processing: ProcessingConfig,
    pub intake: IntakeLimits,
    /// How long a worker holds a job without a sign of life.
    pub lease: Duration,
}

/// What parsing and embedding need; the same with and without a server.
#[derive(Clone, Debug)]
pub struct ProcessingConfig {
    /// The program that has the hidden `parse-worker` command: this one.
    pub program: PathBuf,
    /// Child processes that parse.
    pub parse_workers: usize,
    /// Bounds on one document.
    pub limits: Limits,
    /// Bounds on one archive.
    pub archive: ArchiveLimits,
    /// Parse even where the system cannot lock the parsers in.
    pub allow_weak_sandbox: bool,
    /// The PDFium library; without it PDFs fail with a hint.
    pub pdfium: Option<PathBuf>,
    /// The folder of models; without it embedding fails with a hint.
    pub models: Option<PathBuf>,
}

/// What one batch may hold.
#[derive(Clone, Copy, Debug)]
pub struct IntakeLimits {
    /// Documents, those inside of archives included.
    pub documents: u64,
    /// Bytes received, archives counted as they come.
    pub bytes: u64,
}

impl EngineConfig {
    /// The defaults, with `data` for the data and `program` to start parsers from.
    pub fn new(data: PathBuf, program: PathBuf) -> Self {
        Self {
            data,
            processing: ProcessingConfig::new(program),
            intake: IntakeLimits { documents: 100_000, bytes: 16 << 30 },
            lease: Duration::from_secs(30),
        }
    }
}

impl ProcessingConfig {
    /// The defaults: a parser for each core, library and models where set-up puts them.
    pub fn new(program: PathBuf) -> Self {
        Self {
            program,
            parse_workers: std::thread::available_parallelism().map_or(2, usize::from),
            limits: Limits::default(),
            archive: ArchiveLimits::default(),
            allow_weak_sandbox: false,
            pdfium: sheaf_parsing::find_pdfium(),
            models: sheaf_analysis::find_models(),
        }
    }

    /// How parsers are started.
    pub(crate) fn pool(&self) -> PoolConfig {
        PoolConfig {
            workers: self.parse_workers,
            program: self.program.clone(),
            pdfium: self.pdfium.clone(),
            limits: self.limits.clone(),
            allow_weak_sandbox: self.allow_weak_sandbox,
        }
    }
}
