//! PDF by PDFium: the text of each page, then what was filled in or written on it.

mod boxes;
mod library;

use std::cell::OnceCell;
use std::path::PathBuf;

use image::RgbImage;
use sheaf_domain::{DocumentMetadata, Failure, FailureCode};

use crate::canvas::Canvas;
use crate::document::PageState;
use crate::formats::encode::encode;
use crate::formats::{Source, corrupt, locked};
use crate::legible;
use crate::output::Output;
use crate::picture::{Content, Drawn, PictureFor};
pub use boxes::boxes;
pub use library::Document;
use library::{Colours, Library, OpenError, Page};

/// Points an inch, the unit of PDF.
const POINTS: f64 = 72.0;
/// A page is never drawn with more pixels than this.
const MOST_PIXELS: f64 = 64e6;
/// A page with fewer letters than this and a picture over more than [`LARGE`] of it is a scan with a stamp or a number.
const FEW_LETTERS: usize = 100;
const LARGE: f32 = 0.5;
/// One unknown sign in so many makes a text layer useless.
const UNKNOWN: usize = 4;

/// PDFium, loaded when it is first needed.
pub struct Pdfium {
    path: Option<PathBuf>,
    library: OnceCell<Option<Library>>,
}

impl Pdfium {
    /// PDFium at `path`; without a path each PDF fails.
    pub fn new(path: Option<PathBuf>) -> Self {
        Self { path, library: OnceCell::new() }
    }

    /// Loads the library now, while files can still be opened; whether that worked is told to each PDF.
    pub fn load(&self) {
        let _ = self.library();
    }

    fn library(&self) -> Result<&Library, Failure> {
        let missing = |message: &str| Failure::new(FailureCode::PdfiumMissing, message);
        let path = self.path.as_ref().ok_or_else(|| missing("PDFium, which reads PDFs, was not found"))?;
        let library = self.library.get_or_init(|| Library::load(path).ok());
        library.as_ref().ok_or_else(|| missing("PDFium, which reads PDFs, could not be loaded"))
    }
}

/// Opens it, without a password or with the first of those given that fits.
pub fn open<'a>(source: &'a Source<'_>, pdfium: &'a Pdfium) -> Result<Document<'a>, Failure> {
    let library = pdfium.library()?;
    let mut opened = library.open(source.bytes, None);
    for password in source.passwords.iter() {
        if !matches!(opened, Err(OpenError::Password)) {
            break;
        }
        opened = library.open(source.bytes, Some(password));
    }
    opened.map_err(|error| match error {
        OpenError::Password => locked(source.passwords, "this PDF"),
        OpenError::Broken => corrupt("this PDF is damaged and cannot be opened"),
    })
}

/// The pages of the PDF from the first to the last of `range`, or all.
pub fn parse(document: &Document<'_>, range: Option<(u32, u32)>, output: &mut Output<'_>) -> Result<(), Failure> {
    output.metadata = metadata(document);
    let count = document.page_count();
    if count == 0 {
        return Err(corrupt("this PDF has no pages"));
    }
    if count > output.limits().pages {
        return Err(output.limits().too_many_pages());
    }
    let (first, last) = range.unwrap_or((1, count));
    for number in first..=last.min(count) {
        let Some(page) = document.page(number - 1) else {
            output.page_in_state("", PageState::Damaged)?;
            continue;
        };
        let (mut text, unmapped) =
            page.text_layer().map(|layer| (join_hyphens(layer.text()), layer.unmapped())).unwrap_or_default();
        let is_noise = legible::is_noise(&text, unmapped);
        for note in page.notes() {
            text.push('\n');
            text.push_str(&note.text);
        }
        let state = match is_noise {
            true => PageState::Noise,
            false if is_pictured(&page, &text) => PageState::Pictured,
            false => PageState::Read,
        };
        output.page_in_state(&text, state)?;
    }
    if first == 1 && last >= count && !output.has_content() {
        return Err(nothing_seen(count));
    }
    Ok(())
}

/// The failure for a PDF on which nothing is drawn. PDFium gives up content that unpacks to too much, which looks the same.
pub fn nothing_seen(count: u32) -> Failure {
    let message = format!("nothing can be seen on any page of this PDF ({count}): it is empty, or unpacks to too much");
    Failure::new(FailureCode::NoText, message).with_hint("Open it in its own program and save it anew.")
}

/// Whether a page shows more than its text layer says: a scan, a picture of a page, letters drawn as lines, or a text layer
/// that is no text.
fn is_pictured(page: &Page<'_>, text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
    let signs = text.chars().filter(|c| !c.is_whitespace()).count();
    // Fonts without a map to Unicode yield replacement characters and private ones.
    let unknown =
        text.chars().filter(|&c| c == char::REPLACEMENT_CHARACTER || ('\u{e000}'..='\u{f8ff}').contains(&c)).count();
    if letters == 0 || unknown * UNKNOWN > signs {
        return page.is_drawn_on();
    }
    letters < FEW_LETTERS && page.picture_share() > LARGE
}

/// The page (from 1) of this number.
fn opened<'a>(document: &'a Document<'_>, number: u32) -> Result<Page<'a>, Failure> {
    let count = document.page_count();
    let opened = number.checked_sub(1).and_then(|index| document.page(index));
    opened.ok_or_else(|| corrupt(format!("page {number} of {count} is not there or damaged")))
}

/// A page as a picture; one for recognition is drawn on the canvas.
pub fn picture(document: &Document<'_>, page: u32, purpose: PictureFor, canvas: &mut Canvas) -> Result<Drawn, Failure> {
    let opened = opened(document, page)?;
    let (width, height) = opened.size();
    let inches = f64::from(width) * f64::from(height) / (POINTS * POINTS);
    let dpi = match purpose {
        PictureFor::Eye { width: pixels } => f64::from(pixels) * POINTS / f64::from(width),
        PictureFor::Recognition { dpi, pixels } => f64::from(dpi).min((pixels as f64 / inches).sqrt()),
    };
    // A page may claim to be a thin strip miles long.
    let dpi = dpi.min((MOST_PIXELS / inches).sqrt());
    let side = |points: f32| ((f64::from(points) * dpi / POINTS).round() as u32).max(1);
    let (width, height) = (side(width), side(height));
    let too_large = || Failure::new(FailureCode::DocumentLimit, format!("page {page} is too large to be drawn"));
    let size = |colours: Colours| (width as usize) * (height as usize) * colours.bytes();
    match purpose {
        PictureFor::Eye { .. } => {
            let mut pixels = vec![0; size(Colours::Rgb)];
            opened.render(width, height, Colours::Rgb, &mut pixels).ok_or_else(too_large)?;
            let drawn = RgbImage::from_raw(width, height, pixels).ok_or_else(too_large)?;
            encode(drawn, Some(dpi.round() as u32), PictureFor::Eye { width }, canvas)
        }
        PictureFor::Recognition { .. } => {
            let pixels = canvas.pixels(size(Colours::Grey)).map_err(|_| too_large())?;
            opened.render(width, height, Colours::Grey, pixels).ok_or_else(too_large)?;
            Ok(Drawn { width, height, dpi: Some(dpi.round() as u32), content: Content::Canvas })
        }
    }
}

/// PDFium has U+0002 or U+FFFE for a hyphen at the end of a line: the two halves are one word.
fn join_hyphens(text: String) -> String {
    if !text.contains(['\u{2}', '\u{fffe}']) {
        return text;
    }
    let mut joined = String::with_capacity(text.len());
    let mut parts = text.split(['\u{2}', '\u{fffe}']);
    joined.push_str(parts.next().unwrap_or_default());
    for part in parts {
        joined.push_str(part.strip_prefix("\r\n").unwrap_or(part));
    }
    joined
}

fn metadata(document: &Document<'_>) -> DocumentMetadata {
    DocumentMetadata {
        title: document.meta(c"Title"),
        author: document.meta(c"Author"),
        created: document.meta(c"CreationDate").map(|date| iso_date(&date).unwrap_or(date)),
        producer: document.meta(c"Producer").or_else(|| document.meta(c"Creator")),
    }
}

/// `D:20231122093015+01'00'` (ISO 32000-1, 7.9.4) as `2023-11-22T09:30:15+01:00`; what is missing is left out.
fn iso_date(date: &str) -> Option<String> {
    let date = date.strip_prefix("D:").unwrap_or(date);
    let digits = date.bytes().take_while(u8::is_ascii_digit).count().min(14);
    let part = |from: usize| date.get(from..from + 2);
    let mut iso = match digits {
        4 | 5 => return Some(date[..4].to_owned()),
        6 | 7 => return Some(format!("{}-{}", &date[..4], part(4)?)),
        8.. => format!("{}-{}-{}", &date[..4], part(4)?, part(6)?),
        _ => return None,
    };
    if digits < 12 {
        return Some(iso);
    }
    let seconds = if digits == 14 { part(12)? } else { "00" };
    iso.push_str(&format!("T{}:{}:{seconds}", part(8)?, part(10)?));
    let zone: Vec<&str> = date[digits..].splitn(3, ['+', '-', '\'']).collect();
    match (date.as_bytes().get(digits), zone.as_slice()) {
        (Some(b'Z'), _) => iso.push('Z'),
        (Some(sign @ (b'+' | b'-')), ["", hours, minutes @ ..]) if hours.len() == 2 => {
            let minutes = minutes.first().and_then(|minutes| minutes.get(..2)).unwrap_or("00");
            iso.push_str(&format!("{}{hours}:{minutes}", char::from(*sign)));
        }
        _ => {}
    }
    Some(iso)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        #[track_caller]
        fn check(date: &str, expect: Option<&str>) {
            assert_eq!(iso_date(date).as_deref(), expect, "{date}");
        }
        check("D:20231122093015+01'00'", Some("2023-11-22T09:30:15+01:00"));
        check("D:20231122093015-0530", Some("2023-11-22T09:30:15"));
        check("D:20231122093015Z", Some("2023-11-22T09:30:15Z"));
        check("D:20231122093015", Some("2023-11-22T09:30:15"));
        check("D:202311220930", Some("2023-11-22T09:30:00"));
        check("20231122", Some("2023-11-22"));
        check("D:2023", Some("2023"));
        check("yesterday", None);
    }

    #[test]
    fn hyphens_at_line_ends_join() {
        assert_eq!(join_hyphens("docu\u{2}ment, re\u{fffe}\r\nport".to_owned()), "document, report");
    }
}
