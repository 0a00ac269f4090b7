//! One file for each command.

pub mod analyze;
pub mod backup;
pub mod distil;
pub mod serve;
pub mod verify;
pub mod work;

mod bounds;
mod database;
mod ending;
mod reading;
mod storage;

use std::io::IsTerminal;

use sheaf_domain::Failure;
use sheaf_engine::EngineConfig;
use tracing_subscriber::EnvFilter;

/// Logs to standard error; `SHEAF_LOG` says what, in the syntax of `RUST_LOG`.
fn start_log(default: &str) {
    let filter = EnvFilter::try_from_env("SHEAF_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

/// A failure for a terminal: what happened, and what to do.
fn plain(failure: &Failure) -> anyhow::Error {
    anyhow::anyhow!("{}\n{}", failure.message, failure.hint)
}

/// What is missing does not keep a process from starting: it keeps documents from being read, and each says so.
fn warn_about_missing(config: &EngineConfig) {
    if config.processing.pdfium.is_none() {
        tracing::warn!("PDFium is missing, PDFs will fail: run `cargo xtask setup` or set SHEAF_PDFIUM");
    }
    if config.processing.tesseract.is_none() {
        tracing::warn!(
            "Tesseract is missing, pictures of text will fail: install tesseract-ocr or set SHEAF_TESSERACT"
        );
    }
    if config.processing.models.is_none() {
        tracing::warn!("the models are missing, documents will fail: run `cargo xtask setup` or set SHEAF_MODEL_DIR");
    }
}
