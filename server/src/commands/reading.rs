//! The settings that say how many documents and pages are read at a time, and in which languages.

use sheaf_engine::ProcessingConfig;

/// Flattened into the arguments of `serve` and `analyze`.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Reading")]
pub struct Reading {
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
    /// Languages that text recognition expects, as Tesseract calls them; English when left out.
    #[arg(long, env = "SHEAF_OCR_LANGUAGES", value_name = "eng+deu")]
    ocr_languages: Option<String>,
}

impl Reading {
    /// Puts the settings where they belong.
    pub fn apply(self, processing: &mut ProcessingConfig) {
        let Self { max_concurrent_documents, workers_per_document, page_parallelism, render_workers, ocr_languages } =
            self;
        for (to, given) in [
            (&mut processing.concurrent_documents, max_concurrent_documents),
            (&mut processing.workers_per_document, workers_per_document),
            (&mut processing.page_parallelism, page_parallelism),
            (&mut processing.render_workers, render_workers),
        ] {
            if let Some(given) = given {
                *to = given.max(1);
            }
        }
        if let Some(languages) = ocr_languages {
            processing.ocr_languages = languages;
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        reading: Reading,
    }

    #[test]
    fn every_setting_arrives() {
        let mut processing = ProcessingConfig::new("sheaf".into());
        let flags = ["--max-concurrent-documents", "--workers-per-document", "--page-parallelism", "--render-workers"];
        let numbered = flags.iter().zip(["91", "92", "93", "0"]).flat_map(|(flag, number)| [*flag, number]);
        let arguments = ["sheaf"].into_iter().chain(numbered).chain(["--ocr-languages", "deu"]);
        Cli::try_parse_from(arguments).expect("valid").reading.apply(&mut processing);
        let ProcessingConfig { concurrent_documents, workers_per_document, page_parallelism, render_workers, .. } =
            processing;
        assert_eq!((concurrent_documents, workers_per_document, page_parallelism, render_workers), (91, 92, 93, 1));
        assert_eq!(processing.ocr_languages, "deu");
    }
}
