//! The settings that say how documents are read, and what they may do: the same for every command that reads them.

use sheaf_engine::ProcessingConfig;

use super::limits::LimitSettings;

/// Flattened into the arguments of `serve` and `analyze`.
#[derive(clap::Args)]
pub struct Bounds {
    /// Documents that are read at the same time; four for each core when left out.
    #[arg(long, env = "SHEAF_MAX_CONCURRENT_DOCUMENTS", value_name = "N")]
    max_concurrent_documents: Option<usize>,
    /// Processes that read the pages of one document at the same time; one for each core when left out.
    #[arg(long, env = "SHEAF_WORKERS_PER_DOCUMENT", value_name = "N")]
    workers_per_document: Option<usize>,
    /// Pages on which text is recognised at the same time; one for each core when left out.
    #[arg(long, env = "SHEAF_PAGE_PARALLELISM", value_name = "N")]
    page_parallelism: Option<usize>,
    /// Processes that draw pages at the same time; one for each core when left out.
    #[arg(long, env = "SHEAF_RENDER_WORKERS", value_name = "N")]
    render_workers: Option<usize>,
    /// Languages that text recognition expects, as Tesseract calls them.
    #[arg(long, env = "SHEAF_OCR_LANGUAGES", value_name = "eng+deu")]
    ocr_languages: Option<String>,
    /// Read documents even where this system cannot lock the parsers in.
    #[arg(long, env = "SHEAF_ALLOW_WEAK_SANDBOX")]
    allow_weak_sandbox: bool,
    #[command(flatten)]
    limits: LimitSettings,
}

impl Bounds {
    /// Puts the settings where they belong.
    pub fn apply(&self, processing: &mut ProcessingConfig) {
        let Self {
            max_concurrent_documents,
            workers_per_document,
            page_parallelism,
            render_workers,
            ocr_languages,
            allow_weak_sandbox,
            limits,
        } = self;
        let set = |to: &mut usize, given: &Option<usize>| {
            if let Some(given) = given {
                *to = (*given).max(1);
            }
        };
        set(&mut processing.concurrent_documents, max_concurrent_documents);
        set(&mut processing.workers_per_document, workers_per_document);
        set(&mut processing.page_parallelism, page_parallelism);
        set(&mut processing.render_workers, render_workers);
        if let Some(languages) = ocr_languages {
            processing.ocr_languages.clone_from(languages);
        }
        processing.allow_weak_sandbox = *allow_weak_sandbox;
        limits.apply(processing);
    }
}
