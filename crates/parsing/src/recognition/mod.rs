//! Text recognition (OCR): from a [`Picture`] of a page to its words, where they stand and how sure that is.
//!
//! The engine is Tesseract, a program of its own. It never sees a document: a caged child decodes or renders the page, and
//! only rows of grey pixels go to the engine's standard input.

mod table;
mod tesseract;
mod turn;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sheaf_domain::{Failure, FailureCode, WordBox};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::picture::Picture;
use turn::Turn;

pub use tesseract::find_tesseract;

/// Below this mean confidence a page may stand on its side or on its head.
const DOUBTFUL: f32 = 0.6;
/// Below this mean confidence what was found is noise in a photograph, or another script than was expected.
const NOISE: f32 = 0.3;

/// What was recognised on a page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecognisedPage {
    /// Lines by `\n`, paragraphs by an empty line.
    pub text: String,
    /// Mean over the words, weighted by their letters, 0 to 1.
    pub confidence: f32,
    pub words: Vec<WordBox>,
}

/// Recognises text on a bounded number of pages at a time.
#[derive(Debug)]
pub struct Recogniser {
    program: Option<PathBuf>,
    languages: String,
    slots: Semaphore,
}

/// The turn of one page.
#[derive(Debug)]
pub struct Slot<'a>(#[expect(dead_code, reason = "it is held, not read")] SemaphorePermit<'a>);

impl Recogniser {
    /// `program` is Tesseract, if there is one; `languages` are those it expects, as it calls them (`eng+deu`);
    /// `parallel` pages are recognised at a time, each on one core.
    pub fn new(program: Option<PathBuf>, languages: String, parallel: usize) -> Self {
        Self { program, languages, slots: Semaphore::new(parallel.max(1)) }
    }

    /// Whether there is an engine.
    pub fn is_there(&self) -> bool {
        self.program.is_some()
    }

    /// Whether every place is taken, so that pages have to wait.
    pub fn is_full(&self) -> bool {
        self.slots.available_permits() == 0
    }

    /// What its results depend on.
    pub fn id(&self) -> &str {
        if self.is_there() { &self.languages } else { "none" }
    }

    /// Waits until it is a page's turn. Only then should its picture be made: they are large.
    ///
    /// # Errors
    /// `cancelled`, when it is ending.
    pub async fn slot(&self) -> Result<Slot<'_>, Failure> {
        let permit = self.slots.acquire().await;
        permit.map(Slot).map_err(|_| Failure::new(FailureCode::Cancelled, "it is ending"))
    }

    /// Recognises the text on a picture that was made for it. A page that seems to be turned is tried upright.
    ///
    /// # Errors
    /// `ocr_missing` without an engine, or without the data of a language; `timed_out`; `worker_crashed`.
    pub async fn recognise(&self, _turn: Slot<'_>, picture: Picture) -> Result<RecognisedPage, Failure> {
        let program = self.program.as_deref().ok_or_else(missing)?;
        let deadline = tesseract::deadline();
        let found = self.words(program, &picture, deadline).await?;
        if found.confidence >= DOUBTFUL {
            return Ok(found);
        }
        let turned = match tesseract::orientation(program, &picture, deadline).await {
            Some(turn) if turn != Turn::None => match self.words(program, &turn.apply(&picture), deadline).await {
                Ok(upright) => {
                    let words = upright.words.iter().map(|&word| turn.undo(word)).collect();
                    RecognisedPage { words, ..upright }
                }
                // What was found before stays.
                Err(failure) if failure.code == FailureCode::TimedOut => RecognisedPage::default(),
                Err(failure) => return Err(failure),
            },
            _ => RecognisedPage::default(),
        };
        let best = if turned.confidence > found.confidence { turned } else { found };
        Ok(if best.confidence < NOISE { RecognisedPage::default() } else { best })
    }

    async fn words(&self, program: &Path, picture: &Picture, deadline: Instant) -> Result<RecognisedPage, Failure> {
        let table = tesseract::recognise(program, &self.languages, picture, deadline).await?;
        Ok(table::read(&table, picture.width, picture.height))
    }
}

fn missing() -> Failure {
    Failure::new(FailureCode::OcrMissing, "its pages are pictures, and text recognition is not installed")
}
