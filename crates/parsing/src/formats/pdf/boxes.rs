//! Where a quote from a page's text stands on the page.

use std::iter;

use sheaf_domain::{Failure, FailureCode, PageBox};

use super::library::{Document, Page};
use super::opened;
use crate::quote::{Quote, is_visible};

/// A visible character of a page's text.
struct Letter {
    character: char,
    at: At,
    /// Whether a line ended since the one before.
    begins_line: bool,
}

/// Where a character comes from.
#[derive(Clone, Copy)]
enum At {
    /// From the text layer: what it is known by there.
    Text(usize),
    /// From the note of this number, from 0.
    Note(usize),
}

/// The boxes of a quote from the text of a page (from 1): one for each stretch of a line, in reading order.
///
/// Lines that were joined, characters that were left out and white space make a page's text another one than PDFium's; the
/// characters that can be seen are the same ones in the same order, and they are what is compared.
///
/// # Errors
/// `corrupt_file` when the page is not there or damaged, `not_found` when the quote is not on it.
pub fn boxes(document: &Document<'_>, page: u32, quote: &Quote) -> Result<Vec<PageBox>, Failure> {
    let opened = opened(document, page)?;
    let wanted: Vec<char> = quote.text.chars().filter(|&character| is_visible(character)).collect();
    let letters = letters(&opened);
    let first = find(&letters, quote.before as usize, &wanted)
        .ok_or_else(|| Failure::new(FailureCode::NotFound, format!("the quote is not in the text of page {page}")))?;
    let (layer, notes) = (opened.text_layer(), opened.notes());
    // Characters may be drawn without size, and notes without a place.
    let places = letters[first..first + wanted.len()].iter().filter_map(|letter| {
        let place = match letter.at {
            At::Text(at) => layer.as_ref().and_then(|layer| layer.place(at)),
            At::Note(number) => notes.get(number).and_then(|note| note.place),
        };
        Some((place?, letter.begins_line))
    });
    Ok(PageBox::lines(places))
}

/// What can be seen of a page's text and notes, in the order of [`super::parse`].
fn letters(page: &Page<'_>) -> Vec<Letter> {
    let text = page.text_layer().map(|layer| layer.characters()).unwrap_or_default();
    let notes = page.notes();
    let written = notes.iter().enumerate().flat_map(|(number, note)| {
        iter::once('\n').chain(note.text.chars()).map(move |character| (character, At::Note(number)))
    });
    let all = text.into_iter().map(|(at, character)| (character, At::Text(at))).chain(written);
    let mut letters = Vec::new();
    let mut begins_line = true;
    for (character, at) in all {
        if is_visible(character) {
            letters.push(Letter { character, at, begins_line });
        }
        begins_line = matches!(character, '\r' | '\n') || begins_line && !is_visible(character);
    }
    letters
}

/// Where the wanted characters begin: `expected`, or the nearest place that has them too.
fn find(letters: &[Letter], expected: usize, wanted: &[char]) -> Option<usize> {
    let is_at = |&at: &usize| {
        let here = letters.get(at..at.checked_add(wanted.len())?)?;
        here.iter().map(|letter| letter.character).eq(wanted.iter().copied()).then_some(at)
    };
    if wanted.is_empty() {
        return None;
    }
    is_at(&expected).or_else(|| (0..letters.len()).filter_map(|at| is_at(&at)).min_by_key(|at| at.abs_diff(expected)))
}
