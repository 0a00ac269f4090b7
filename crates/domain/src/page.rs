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

/// One page as a document's own page shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageView {
    /// From 1.
    pub number: u32,
    pub text: String,
    /// Absent for a page whose text was in the file.
    pub recognition: Option<PageRecognition>,
}
