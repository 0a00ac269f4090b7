//! PDF by PDFium: the text of each page, then what was filled in or written on it.

mod library;

use std::cell::OnceCell;
use std::path::PathBuf;

use sheaf_domain::{DocumentMetadata, Failure, FailureCode};

use crate::formats::{corrupt, password};
use crate::output::Output;
use library::{Document, Library, OpenError};

/// Pages without text are named up to this many.
const NAMED: usize = 8;

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

/// Each page of the PDF.
pub fn parse(bytes: &[u8], pdfium: &Pdfium, output: &mut Output<'_>) -> Result<(), Failure> {
    let document = pdfium.library()?.open(bytes).map_err(|error| match error {
        OpenError::Password => password("this PDF asks for a password"),
        OpenError::Broken => corrupt("this PDF is damaged and cannot be opened"),
    })?;
    output.metadata = metadata(&document);
    let count = document.page_count();
    if count == 0 {
        return Err(corrupt("this PDF has no pages"));
    }
    if count > output.limits().pages {
        return Err(output.limits().too_many_pages());
    }
    let (mut broken, mut blank, mut drawn) = (Vec::new(), Vec::new(), false);
    for number in 1..=count {
        let Some(page) = document.page(number - 1) else {
            broken.push(number);
            output.page("")?;
            continue;
        };
        let mut text = join_hyphens(page.text());
        for note in page.notes() {
            text.push('\n');
            text.push_str(&note);
        }
        if text.trim().is_empty() {
            blank.push(number);
            drawn |= !page.is_empty();
        }
        output.page(&text)?;
    }
    if !output.has_text() && broken.is_empty() && !drawn {
        let message =
            format!("nothing can be seen on any page of this PDF ({count}): it is empty, or unpacks to too much");
        return Err(
            Failure::new(FailureCode::NoText, message).with_hint("Open it in its own program and save it anew.")
        );
    }
    report(count, &broken, &blank, output)
}

/// Says what is missing, or fails when everything is.
fn report(count: u32, broken: &[u32], blank: &[u32], output: &mut Output<'_>) -> Result<(), Failure> {
    let pages = if count == 1 { "1 page".to_owned() } else { format!("{count} pages") };
    if !output.has_text() {
        return Err(if broken.is_empty() {
            Failure::new(FailureCode::NoText, format!("this PDF has {pages} but no text layer; it looks like a scan"))
        } else {
            corrupt(format!("this PDF has {pages}, {} of them damaged, and no text", broken.len()))
        });
    }
    for (numbers, what) in [(broken, "damaged pages, left out"), (blank, "pages without text, perhaps scans")] {
        if !numbers.is_empty() {
            let message = format!("{what}: {} ({} of {count})", list(numbers), numbers.len());
            output.problem(numbers.first().copied(), message);
        }
    }
    Ok(())
}

fn list(numbers: &[u32]) -> String {
    let named: Vec<String> = numbers.iter().take(NAMED).map(u32::to_string).collect();
    let more = if numbers.len() > NAMED { ", …" } else { "" };
    format!("{}{more}", named.join(", "))
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
