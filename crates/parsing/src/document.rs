//! What parsing yields.

use serde::{Deserialize, Serialize};
use sheaf_domain::{DocumentKind, DocumentMetadata, Failure, Problem};

/// What stands between two pages in [`ParsedDocument::text`].
pub const PAGE_BREAK: &str = "\n\n";

/// A document that was read, perhaps with problems.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParsedDocument {
    /// What it is, by its content.
    pub kind: DocumentKind,
    /// Its pages in order; what has no pages (mail, HTML, text) is one. At least one has text.
    pub pages: Vec<ParsedPage>,
    pub metadata: DocumentMetadata,
    /// What a user should know though it was read; at most a few dozen.
    pub problems: Vec<Problem>,
    /// ISO 639-3 code of the language, only when the detector is sure.
    pub language: Option<String>,
    /// Words by the rules of Unicode (UAX #29) on all pages; an ideograph counts as a word.
    pub words: u64,
}

/// A page and its text: UTF-8, `\n` line ends, neither NUL nor other control characters than tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParsedPage {
    /// From 1, without gaps.
    pub number: u32,
    /// Trimmed at its end; empty for a page without text.
    pub text: String,
}

/// A document that could not be read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub failure: Failure,
    /// The pages before the one at which it ended.
    pub pages: Vec<ParsedPage>,
}

impl ParsedDocument {
    /// The text of all pages, joined by [`PAGE_BREAK`].
    pub fn text(&self) -> String {
        joined(&self.pages)
    }
}

impl Part {
    /// The text of the pages that were read, joined by [`PAGE_BREAK`]; empty when there is none.
    pub fn text(&self) -> String {
        joined(&self.pages).trim().to_owned()
    }
}

impl From<Failure> for Part {
    fn from(failure: Failure) -> Self {
        Self { failure, pages: Vec::new() }
    }
}

fn joined(pages: &[ParsedPage]) -> String {
    let length = pages.iter().map(|page| page.text.len() + PAGE_BREAK.len()).sum();
    let mut text = String::with_capacity(length);
    for (index, page) in pages.iter().enumerate() {
        if index > 0 {
            text.push_str(PAGE_BREAK);
        }
        text.push_str(&page.text);
    }
    text
}
