//! A document of many pages in parts: where they begin, and how they become one document again.

use sheaf_domain::{Failure, FailureCode};

use super::child::Stretch;
use crate::document::{PageState, ParsedDocument, ParsedPage, Part};
use crate::limits::Limits;
use crate::output::{PROBLEMS, no_text};

/// Damaged pages are named up to this many.
const NAMED: usize = 8;

/// The ranges (first and last page, from 1) of `length` pages each that follow the first, up to the last of `pages`.
pub fn after(length: u32, pages: u32) -> impl Iterator<Item = (u32, u32)> {
    let starts = std::iter::successors(length.checked_add(1), move |start| start.checked_add(length));
    starts
        .take_while(move |&start| start <= pages)
        .map(move |start| (start, start.saturating_add(length - 1).min(pages)))
}

/// What there is of a document that failed after these stretches.
pub fn cut_off(stretches: Vec<Stretch>, part: Part) -> Part {
    let before = stretches.into_iter().flat_map(|stretch| stretch.pages);
    Part { failure: part.failure, pages: before.chain(part.pages).collect() }
}

/// The whole from its stretches in order; there is at least one.
///
/// # Errors
/// `too_much_text` when they together hold too much, `corrupt_file` when no page can be opened, `no_text` when none has text
/// or shows a picture.
pub fn join(stretches: Vec<Stretch>, limits: &Limits) -> Result<ParsedDocument, Failure> {
    let mut stretches = stretches.into_iter();
    let Some(Stretch { kind, pages, summary, .. }) = stretches.next() else { return Err(no_text()) };
    let mut document = ParsedDocument {
        kind,
        pages,
        metadata: summary.metadata,
        problems: summary.problems,
        language: summary.language,
        words: summary.words,
        recognised: Vec::new(),
    };
    for part in stretches {
        document.pages.extend(part.pages);
        document.problems.extend(part.summary.problems);
        document.words += part.summary.words;
        // The first pages may be pictures or tables of figures.
        document.language = document.language.or(part.summary.language);
    }
    if document.pages.iter().map(|page| page.text.len()).sum::<usize>() > limits.text_bytes {
        return Err(limits.too_much_text());
    }
    note_damage(&mut document)?;
    if !document.has_text() && !document.pages.iter().any(|page| page.state.is_to_recognise()) {
        return Err(no_text());
    }
    document.problems.truncate(PROBLEMS);
    Ok(document)
}

fn note_damage(document: &mut ParsedDocument) -> Result<(), Failure> {
    let numbers = |page: &ParsedPage| (page.state == PageState::Damaged).then_some(page.number);
    let damaged: Vec<u32> = document.pages.iter().filter_map(numbers).collect();
    let (count, all) = (damaged.len(), document.pages.len());
    if count == 0 {
        return Ok(());
    }
    if count == all {
        return Err(Failure::new(FailureCode::CorruptFile, "every page of this document is damaged"));
    }
    let named: Vec<String> = damaged.iter().take(NAMED).map(u32::to_string).collect();
    let more = if count > NAMED { ", …" } else { "" };
    let message = format!("damaged pages, left out: {}{more} ({count} of {all})", named.join(", "));
    document.problems.push(sheaf_domain::Problem { page: damaged.first().copied(), message });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cover_every_page_once() {
        let check = |length: u32, pages: u32, expect: &[(u32, u32)]| {
            assert_eq!(after(length, pages).collect::<Vec<_>>(), expect, "{length} of {pages}");
        };
        check(32, 0, &[]);
        check(32, 32, &[]);
        check(32, 33, &[(33, 33)]);
        check(10, 35, &[(11, 20), (21, 30), (31, 35)]);
        check(u32::MAX, u32::MAX, &[]);
    }
}
