//! Pages of a document: where their text is, and what was recognised on them.

use serde::{Deserialize, Serialize};

/// A word and where it stands. The box is in ten-thousandths of the page's width and height, from the top left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordBox {
    /// Where it begins in the page's text, in bytes.
    pub start: u32,
    /// In bytes.
    pub length: u32,
    pub left: u16,
    pub top: u16,
    pub width: u16,
    pub height: u16,
}

/// What text recognition found on a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageRecognition {
    /// From 1.
    pub page: u32,
    /// Mean over the words, weighted by their letters, 0 to 1.
    pub confidence: f32,
    pub words: Vec<WordBox>,
}

/// A box on a page, in shares (0 to 1) of its width and height as it is shown, from the top left.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageBox {
    pub left: f32,
    pub top: f32,
    pub width: f32,
    pub height: f32,
}

impl PageBox {
    /// Where it ends on the right.
    pub fn right(&self) -> f32 {
        self.left + self.width
    }

    /// Where it ends below.
    pub fn bottom(&self) -> f32 {
        self.top + self.height
    }

    /// The smallest box around both.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let (left, top) = (self.left.min(other.left), self.top.min(other.top));
        let (right, bottom) = (self.right().max(other.right()), self.bottom().max(other.bottom()));
        Self { left, top, width: right - left, height: bottom - top }
    }
}

impl From<&WordBox> for PageBox {
    fn from(word: &WordBox) -> Self {
        let share = |value: u16| f32::from(value) / 10_000.0;
        Self { left: share(word.left), top: share(word.top), width: share(word.width), height: share(word.height) }
    }
}

/// Where a quote stands on a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuoteBoxes {
    /// The page, from 1.
    pub page: u32,
    /// Where the quote begins in the page's text, in bytes.
    pub start: u32,
    /// Where it ends, in bytes.
    pub end: u32,
    /// The quote itself.
    pub text: String,
    /// One for each stretch of a line, in reading order.
    pub boxes: Vec<PageBox>,
}

/// One page as a document's own page shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageView {
    /// From 1.
    pub number: u32,
    pub text: String,
    /// Absent for a page whose text was in the file.
    pub recognition: Option<PageRecognition>,
}
