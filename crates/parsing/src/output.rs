//! Where a format puts what it reads: cleans text, counts, keeps to the limits.

use sheaf_domain::{DocumentMetadata, Failure, FailureCode, Problem};
use unicode_segmentation::UnicodeSegmentation;

use crate::charset;
use crate::document::{PageState, ParsedPage};
use crate::language;
use crate::limits::Limits;
use crate::protocol::Summary;

/// The language is told by this many bytes of text: a screen or two; more costs time and changes nothing.
const SAMPLE: usize = 4 << 10;
/// Beyond this many, problems are no news.
pub const PROBLEMS: usize = 50;
/// The longest title or author, in characters.
const METADATA: usize = 500;

/// Takes the pages of one document in order.
pub struct Output<'a> {
    limits: &'a Limits,
    emit: &'a mut dyn FnMut(ParsedPage) -> Result<(), Failure>,
    pages: u32,
    bytes: usize,
    words: u64,
    has_text: bool,
    pictured: bool,
    /// Whether other pages are somebody else's.
    partial: bool,
    sample: String,
    problems: Vec<Problem>,
    pub metadata: DocumentMetadata,
}

impl<'a> Output<'a> {
    /// For one document; `emit` gets each page.
    pub fn new(limits: &'a Limits, emit: &'a mut dyn FnMut(ParsedPage) -> Result<(), Failure>) -> Self {
        Self {
            limits,
            emit,
            pages: 0,
            bytes: 0,
            words: 0,
            has_text: false,
            pictured: false,
            partial: false,
            sample: String::new(),
            problems: Vec::new(),
            metadata: DocumentMetadata::default(),
        }
    }

    /// The limits of this document.
    pub fn limits(&self) -> &'a Limits {
        self.limits
    }

    /// Whether any page had text or shows something.
    pub fn has_content(&self) -> bool {
        self.has_text || self.pictured
    }

    /// Counts pages from `first` on. A part of a document may have no text.
    pub fn part(mut self, first: u32, partial: bool) -> Self {
        self.partial = partial;
        self.pages = first - 1;
        self
    }

    /// The next page, as it comes; it is cleaned here.
    pub fn page(&mut self, text: &str) -> Result<(), Failure> {
        self.page_in_state(text, PageState::Read)
    }

    /// [`Self::page`], and whether there is more on it.
    pub fn page_in_state(&mut self, text: &str, state: PageState) -> Result<(), Failure> {
        let text = charset::clean(text);
        self.pictured |= state.is_to_recognise();
        self.pages += 1;
        self.bytes += text.len();
        if self.pages > self.limits.pages {
            return Err(self.limits.too_many_pages());
        }
        if self.bytes > self.limits.text_bytes {
            return Err(self.limits.too_much_text());
        }
        self.words += count_words(&text);
        self.has_text |= !text.is_empty();
        let room = SAMPLE.saturating_sub(self.sample.len());
        self.sample.push_str(&text[..text.floor_char_boundary(room)]);
        (self.emit)(ParsedPage { number: self.pages, text, state })
    }

    /// Something that the user should know; `message` never quotes the document.
    pub fn problem(&mut self, page: Option<u32>, message: impl Into<String>) {
        if self.problems.len() < PROBLEMS {
            self.problems.push(Problem { page, message: message.into() });
        }
    }

    /// The end of the document.
    ///
    /// # Errors
    /// `no_text` when no page had any and none is pictured.
    pub fn finish(self) -> Result<Summary, Failure> {
        if !self.has_text && !self.pictured && !self.partial {
            return Err(no_text());
        }
        let language = language::detect(&self.sample);
        let DocumentMetadata { title, author, created, producer } = self.metadata;
        let metadata = DocumentMetadata {
            title: title.and_then(line),
            author: author.and_then(line),
            created: created.and_then(line),
            producer: producer.and_then(line),
        };
        Ok(Summary { metadata, problems: self.problems, language, words: self.words })
    }
}

/// Of a document that could be read.
pub fn no_text() -> Failure {
    Failure::new(FailureCode::NoText, "the file can be read but holds no text")
}

/// Words by the rules of Unicode (UAX #29). No word goes on in another line, and a line of ASCII is counted faster.
pub fn count_words(text: &str) -> u64 {
    text.split('\n').map(|line| line.unicode_words().count() as u64).sum()
}

/// A value of the metadata as one line of bearable length.
fn line(value: String) -> Option<String> {
    let words: Vec<&str> = value.split_whitespace().collect();
    let line: String = charset::clean(&words.join(" ")).chars().take(METADATA).collect();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_of_lines_are_words_of_the_text(text in "[ab1.,'_\\u{e9}\\u{4e2d} \\n]{0,40}|\\PC*") {
            prop_assert_eq!(count_words(&text), text.unicode_words().count() as u64);
        }
    }
}
