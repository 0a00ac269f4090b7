//! What an engine is told when it is opened.

use std::path::PathBuf;
use std::time::Duration;

use sheaf_domain::Stage;
use sheaf_parsing::archive::ArchiveLimits;
use sheaf_parsing::{Limits, Pool, PoolConfig, Reader, Recogniser};
use tracing::Span;

use crate::Trace;
use crate::flows::ModelConfig;
use crate::reservation::Reservations;
use crate::webhooks::AllowedAddress;

use crate::blobs::BlobLocation;

/// Settings of one engine. Every bound has a default that suits one machine.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// A folder of this process alone: what is being received, pictures, copies of blobs; and, unless they are said to be
    /// elsewhere, the database and the blobs.
    pub data: PathBuf,
    /// Where originals and vectors are kept; in `data` when absent.
    pub blobs: Option<BlobLocation>,
    /// Local copies of blobs from a bucket, in bytes.
    pub blob_cache: u64,
    /// How old files must be that no row names, before they are removed.
    pub orphan_grace: Duration,
    /// What this process works at; nothing, and it only serves pages.
    pub stages: Vec<Stage>,
    /// Whether it carries out runs of flows, too.
    pub flows: bool,
    /// Whether somebody can look at pictures of pages here, so that small ones are drawn before they are asked for.
    pub serves_pages: bool,
    pub processing: ProcessingConfig,
    pub intake: IntakeLimits,
    /// Pictures of pages that are kept, in bytes.
    pub picture_cache: u64,
    /// Addresses that webhooks may reach besides public ones.
    pub webhook_allow: Vec<AllowedAddress>,
    /// The language model that flows may ask.
    pub model: Option<ModelConfig>,
    /// Makes the span of a worker a part of the trace that made its batch, where spans are exported.
    pub follow: fn(&Span, Trace),
    /// How long a worker holds a job without a sign of life.
    pub lease: Duration,
}

/// What parsing and embedding need; the same with and without a server.
#[derive(Clone, Debug)]
pub struct ProcessingConfig {
    /// The program that has the hidden `parse-worker` command: this one.
    pub program: PathBuf,
    /// Documents that are read at the same time.
    pub concurrent_documents: usize,
    /// Child processes that parse.
    pub parse_workers: usize,
    /// Of those, the most that read one document at the same time.
    pub workers_per_document: usize,
    /// Of those, the most that make pictures of pages at the same time.
    pub render_workers: usize,
    /// Pages on which text is recognised at the same time.
    pub page_parallelism: usize,
    /// Languages that text recognition expects, as its engine calls them (`eng+deu`).
    pub ocr_languages: String,
    /// The program that recognises text; without it pictures fail with a hint.
    pub tesseract: Option<PathBuf>,
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

/// What one batch may hold, and how long an upload to it may pause.
#[derive(Clone, Copy, Debug)]
pub struct IntakeLimits {
    /// Documents, those inside of archives included.
    pub documents: u64,
    /// Bytes received, archives counted as they come.
    pub bytes: u64,
    /// After this time without a sign of life an upload is ended with what has arrived.
    pub idle: Duration,
}

impl EngineConfig {
    /// The defaults, with `data` for the data and `program` to start parsers from.
    pub fn new(data: PathBuf, program: PathBuf) -> Self {
        Self {
            data,
            blobs: None,
            blob_cache: 10 << 30,
            orphan_grace: Duration::from_secs(24 * 3600),
            stages: Stage::ALL.to_vec(),
            flows: true,
            serves_pages: true,
            processing: ProcessingConfig::new(program),
            intake: IntakeLimits { documents: 100_000, bytes: 16 << 30, idle: Duration::from_secs(7 * 86_400) },
            picture_cache: 1 << 30,
            webhook_allow: Vec::new(),
            model: None,
            follow: |_, _| {},
            lease: Duration::from_secs(30),
        }
    }
}

impl ProcessingConfig {
    /// The defaults: a parser for each core, library and models where set-up puts them.
    pub fn new(program: PathBuf) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            program,
            // More than there are cores: most of a scan's time is spent waiting for its turn at recognition, and documents that
            // need none should not wait behind it.
            concurrent_documents: 4 * cores,
            parse_workers: cores,
            workers_per_document: cores,
            render_workers: cores,
            page_parallelism: cores,
            ocr_languages: "eng".to_owned(),
            tesseract: sheaf_parsing::find_tesseract(),
            limits: Limits::default(),
            archive: ArchiveLimits::default(),
            allow_weak_sandbox: false,
            pdfium: sheaf_parsing::find_pdfium(),
            models: sheaf_analysis::find_models(),
        }
    }

    /// What reads documents by these settings.
    pub(crate) fn reader(&self) -> Reader {
        let recogniser = Recogniser::new(self.tesseract.clone(), self.ocr_languages.clone(), self.page_parallelism);
        Reader::new(Pool::new(self.pool()), recogniser)
    }

    /// Memory for what these children read.
    pub(crate) fn reservations(&self) -> Reservations {
        Reservations::new(self.parse_workers, self.limits.text_bytes)
    }

    fn pool(&self) -> PoolConfig {
        PoolConfig {
            pdfium: self.pdfium.clone(),
            limits: self.limits.clone(),
            allow_weak_sandbox: self.allow_weak_sandbox,
            workers_per_document: self.workers_per_document,
            render_workers: self.render_workers,
            ..PoolConfig::new(self.program.clone(), self.parse_workers)
        }
    }
}
