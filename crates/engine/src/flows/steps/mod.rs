//! What steps do to a text: plain functions, each with what it was prepared with. They know no store and no network.

pub mod classify;
pub mod find;
pub mod keywords;
pub mod resolve;
pub mod select;
pub mod summary;
pub mod terms;

mod amounts;
mod dates;
pub mod sentences;

use sheaf_domain::flow::FoundValue;

pub use sentences::sentences;

/// The days in a text as ISO 8601, those that can only be one.
pub fn days(text: &str) -> impl Iterator<Item = String> + '_ {
    dates::find(text, None).map(|(_, iso)| iso).filter(|iso| !iso.is_empty())
}

/// The day that a text is as a whole.
pub fn day_of(text: &str) -> Option<String> {
    dates::find(text, None).find(|(place, _)| *place == (0..text.len())).map(|(_, iso)| iso)
}

/// The numbers in a text, however their thousands and fractions are marked.
pub fn numbers(text: &str) -> impl Iterator<Item = f64> + '_ {
    amounts::numbers(text)
}

/// A stretch of a page that steps see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage<'a> {
    /// From 1.
    pub page: u32,
    /// Where it begins in the page's text, in bytes.
    pub start: usize,
    pub text: &'a str,
}

/// The text of all passages, for steps that look at the document as a whole.
pub fn joined(passages: &[Passage<'_>]) -> String {
    passages.iter().map(|passage| passage.text).collect::<Vec<_>>().join("\n\n")
}

/// Puts a place in a passage as evidence under a value.
fn proven(value: FoundValue, passage: &Passage<'_>, start: usize, end: usize) -> FoundValue {
    let at = |place: usize| u32::try_from(passage.start + place).ok();
    FoundValue {
        page: Some(passage.page),
        quote: Some(passage.text[start..end].to_owned()),
        start: at(start),
        end: at(end),
        // It is cut out of the text.
        verified: Some(true),
        ..value
    }
}
