//! What parsing yields.

use serde::{Deserialize, Serialize};
use sheaf_domain::{DocumentKind, DocumentMetadata, Failure, Problem};

use crate::recognition::RecognisedPage;

/// What stands between two pages in [`ParsedDocument::text`].
pub const PAGE_BREAK: &str = "\n\n";

/// A document that was read, perhaps with problems.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParsedDocument {
    /// What it is, by its content.
    pub kind: DocumentKind,
    /// Its pages in order; what has no pages (mail, HTML, text) is one. At least one has text or is pictured.
    pub pages: Vec<ParsedPage>,
    pub metadata: DocumentMetadata,
    /// What a user should know though it was read; at most a few dozen.
    pub problems: Vec<Problem>,
    /// ISO 639-3 code of the language, only when the detector is sure.
    pub language: Option<String>,
    /// Words by the rules of Unicode (UAX #29) on all pages; an ideograph counts as a word.
    pub words: u64,
    /// What text recognition found on pages, by their number.
    pub recognised: Vec<(u32, RecognisedPage)>,
}

/// A page and its text: UTF-8, `\n` line ends, neither NUL nor other control characters than tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParsedPage {
    /// From 1, without gaps.
    pub number: u32,
    /// Trimmed at its end; empty for a page without text.
    pub text: String,
    pub state: PageState,
}

/// Whether `text` is all that there is on a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PageState {
    /// It is.
    #[default]
    Read,
    /// It shows something that is not text; recognition may find more.
    Pictured,
    /// Its text is none that anybody can read: its fonts do not say which letters they draw. Recognition may.
    Noise,
    /// The page cannot be opened.
    Damaged,
}

impl PageState {
    /// Whether the page shows what recognition may make text of.
    pub const fn is_to_recognise(self) -> bool {
        match self {
            Self::Pictured | Self::Noise => true,
            Self::Read | Self::Damaged => false,
        }
    }
}

/// A document that could not be read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub failure: Failure,
    /// The pages before the one at which it ended.
    pub pages: Vec<ParsedPage>,
}

impl ParsedDocument {
    /// Whether any page has text.
    pub fn has_text(&self) -> bool {
        self.pages.iter().any(|page| !page.text.is_empty())
    }

    /// Where each page begins in [`Self::text`], in bytes.
    pub fn page_starts(&self) -> Vec<u64> {
        let starts = self.pages.iter().scan(0, |next, page| {
            let start = *next;
            *next += (page.text.len() + PAGE_BREAK.len()) as u64;
            Some(start)
        });
        starts.collect()
    }

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
