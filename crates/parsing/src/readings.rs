//! Two readings of a page, its own text and what was recognised on it: which is kept, and what is said about it.

use sheaf_domain::{Failure, FailureCode, Problem};

use crate::document::{PageState, ParsedDocument};
use crate::output::{PROBLEMS, count_words};
use crate::recognition::RecognisedPage;
use crate::{charset, language, legible};

/// The language is told by this many bytes of recognised text.
const SAMPLE: usize = 4 << 10;
/// Pages are named up to this many.
const NAMED: usize = 8;

/// The document as it is, with a word about what recognition would have read.
///
/// # Errors
/// `ocr_missing` when there is nothing else.
pub fn without_recognition(mut document: ParsedDocument) -> Result<ParsedDocument, Failure> {
    if !document.has_text() {
        return Err(Failure::new(
            FailureCode::OcrMissing,
            "it holds pictures of text only, and text recognition is not installed",
        ));
    }
    let in_state = |state: PageState| -> Vec<u32> {
        document.pages.iter().filter(|page| page.state == state).map(|page| page.number).collect()
    };
    let (pictured, noise) = (in_state(PageState::Pictured), in_state(PageState::Noise));
    if !pictured.is_empty() {
        let message = format!("{} pages show pictures, and text recognition is not installed", pictured.len());
        document.problems.push(Problem { page: pictured.first().copied(), message });
    }
    note(
        &mut document,
        &noise,
        "is not readable, as its fonts do not say which letters they draw, and text recognition is not installed",
    );
    Ok(document)
}

/// Puts what was recognised where it is more than the page said by itself, or reads better than noise.
///
/// # Errors
/// When there is no text after that: the first failure of recognition, or `no_text`.
pub fn take(
    document: &mut ParsedDocument,
    found: Vec<(u32, Result<RecognisedPage, Failure>)>,
    languages: &str,
) -> Result<(), Failure> {
    let mut first_failure = None;
    let mut sample = String::new();
    let (mut mended, mut noise) = (Vec::new(), Vec::new());
    for (number, found) in found {
        let page = &mut document.pages[number as usize - 1];
        let is_noise = page.state == PageState::Noise;
        match found {
            Ok(recognised) => {
                let (own, more) = (count_words(&page.text), count_words(&recognised.text));
                let is_better = match is_noise {
                    true => more > 0 && legible::sense(&recognised.text) > legible::sense(&page.text),
                    false => more > own,
                };
                if is_noise {
                    if is_better { &mut mended } else { &mut noise }.push(number);
                }
                if !is_better {
                    continue;
                }
                // What the engine found is clean, and the words' places must stay true; anything else is not taken.
                if charset::clean(&recognised.text) != recognised.text {
                    page.text = charset::clean(&recognised.text);
                } else {
                    page.text.clone_from(&recognised.text);
                    document.recognised.push((number, recognised));
                }
                document.words = (document.words + more).saturating_sub(own);
                let room = SAMPLE.saturating_sub(sample.len());
                sample.push_str(&page.text[..page.text.floor_char_boundary(room)]);
            }
            Err(failure) => {
                if is_noise {
                    noise.push(number);
                }
                document.problems.push(Problem { page: Some(number), message: failure.message.clone() });
                first_failure.get_or_insert(failure);
            }
        }
    }
    note(
        document,
        &mended,
        "could not be used, as its fonts do not say which letters they draw; it was recognised on the picture instead",
    );
    note(
        document,
        &noise,
        "is not readable, as its fonts do not say which letters they draw, and recognition found nothing better",
    );
    document.problems.truncate(PROBLEMS);
    if !document.has_text() {
        return Err(first_failure.unwrap_or_else(|| {
            let message = format!("no text was found on its pages, also not by text recognition (for `{languages}`)");
            Failure::new(FailureCode::NoText, message).with_hint(
                "If there is text in another language on it, install that for Tesseract and name it in SHEAF_OCR_LANGUAGES.",
            )
        }));
    }
    // The language of noise is none.
    if document.language.is_none() || mended.len() * 2 > document.pages.len() {
        document.language = language::detect(&sample);
    }
    Ok(())
}

/// Says of pages what became of their text.
fn note(document: &mut ParsedDocument, pages: &[u32], what: &str) {
    let Some(&first) = pages.first() else { return };
    let named: Vec<String> = pages.iter().take(NAMED).map(u32::to_string).collect();
    let more = if pages.len() > NAMED { ", …" } else { "" };
    let (count, all) = (pages.len(), document.pages.len());
    let which = if count == 1 { "page" } else { "pages" };
    let message = format!("the text of {which} {}{more} ({count} of {all}) {what}", named.join(", "));
    document.problems.insert(0, Problem { page: Some(first), message });
}
