//! One file for each command.

pub mod analyze;
pub mod backlog;
pub mod backup;
pub mod demo;
pub mod distil;
pub mod export;
pub mod flows;
pub mod import;
pub mod process;
pub mod sample;
pub mod serve;
pub mod verify;
pub mod verify_manifest;
pub mod work;

mod bounds;
mod database;
mod ending;
mod logging;
mod model;
mod reading;
mod storage;

use sheaf_domain::Failure;
use sheaf_engine::EngineConfig;

use logging::start_log;

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
