//! One module for each family of kinds: bytes in, pages into an [`Output`].

mod compound;
mod dates;
mod doc;
mod docx;
mod email;
mod encode;
mod epub;
mod flow;
mod html;
mod image;
mod json;
mod markdown;
mod msg;
mod numerals;
mod odf;
mod ooxml;
mod package;
mod pdf;
mod ppt;
mod pptx;
mod rtf;
mod sheets;
mod svg;
mod table;
mod text;
mod tiff;
mod xml;

use std::io::Cursor;

use sheaf_domain::{DocumentKind, Failure, FailureCode};

use crate::detect::{IWORK, detect_kind, foreign_name, poses};
use crate::limits::Limits;
use crate::output::Output;
use crate::picture::{Picture, PictureFor};

pub use pdf::Pdfium;

/// The bytes of a document and what they are.
pub struct Source<'a> {
    pub bytes: &'a [u8],
    pub kind: DocumentKind,
}

impl<'a> Source<'a> {
    /// Tells the kind by the bytes; `name` is a weak hint.
    pub fn new(bytes: &'a [u8], name: &str) -> Self {
        // Reading from memory does not fail.
        let kind = detect_kind(Cursor::new(bytes), name).unwrap_or(DocumentKind::Unknown);
        Self { bytes, kind }
    }
}

/// Reads a document into `output`.
///
/// # Errors
/// The reason why it cannot be read; pages that were put out before stay.
pub fn parse(
    source: &Source<'_>,
    pdfium: &Pdfium,
    range: Option<(u32, u32)>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let bytes = source.bytes;
    if poses(bytes, source.kind) {
        return Err(corrupt(format!("the file is named like a {}, but holds plain text", source.kind.label()))
            .with_hint("Give it the right name, such as one that ends in .txt, and add it again."));
    }
    match source.kind {
        DocumentKind::Pdf => pdf::parse(bytes, pdfium, range, output),
        DocumentKind::Doc => doc::parse(bytes, output),
        DocumentKind::Docx => docx::parse(bytes, output),
        DocumentKind::Ppt => ppt::parse(bytes, output),
        DocumentKind::Pptx => pptx::parse(bytes, output),
        DocumentKind::Xls => sheets::xls::parse(bytes, output),
        DocumentKind::Xlsx => sheets::xlsx::parse(bytes, output),
        DocumentKind::Msg => msg::parse(bytes, output),
        DocumentKind::Rtf => rtf::parse(bytes, output),
        DocumentKind::Epub => epub::parse(bytes, output),
        DocumentKind::Svg => svg::parse(bytes, output),
        kind @ (DocumentKind::Odt | DocumentKind::Ods | DocumentKind::Odp) => odf::parse(bytes, kind, output),
        DocumentKind::Html => html::parse(bytes, output),
        DocumentKind::Email => email::parse(bytes, output),
        DocumentKind::Csv => table::parse(bytes, None, output),
        DocumentKind::Tsv => table::parse(bytes, Some(b'\t'), output),
        DocumentKind::Markdown | DocumentKind::Text => text::parse(bytes, output),
        DocumentKind::Json => json::parse(bytes, output),
        DocumentKind::Jsonl => json::parse_lines(bytes, output),
        DocumentKind::Notebook => json::parse_notebook(bytes, output),
        DocumentKind::Xml => xml::parse(bytes, output),
        DocumentKind::EncryptedOffice => Err(password("this Office file is encrypted")),
        kind @ (DocumentKind::Png
        | DocumentKind::Jpeg
        | DocumentKind::Tiff
        | DocumentKind::Webp
        | DocumentKind::Bmp
        | DocumentKind::Gif) => image::parse(bytes, kind, output),
        kind @ (DocumentKind::Zip | DocumentKind::Tar | DocumentKind::Gzip | DocumentKind::SevenZip) => {
            Err(unsupported(format!("this is a {}, not a document", kind.label()))
                .with_hint("Unpack the archive and add the files in it."))
        }
        DocumentKind::Unknown => Err(unsupported(match foreign_name(bytes) {
            Some(name) if name == IWORK => {
                let failure = unsupported(format!("this is a {IWORK}, which is not read"));
                return Err(failure.with_hint("Export it as PDF, Word, Excel or PowerPoint and add that."));
            }
            Some(name) => format!("this looks like “{name}”, which is not read"),
            None => "this is not a kind of file that is known here".to_owned(),
        })),
    }
}

/// How many pages there are, where that is known before they are read.
///
/// # Errors
/// When the document cannot be opened.
pub fn page_count(source: &Source<'_>, pdfium: &Pdfium) -> Result<Option<u32>, Failure> {
    match source.kind {
        DocumentKind::Pdf => pdf::page_count(source.bytes, pdfium).map(Some),
        kind if image::is_image(kind) => Ok(Some(image::page_count(source.bytes, kind))),
        _ => Ok(None),
    }
}

/// A page (from 1) as a picture.
///
/// # Errors
/// The reason why there is none: the kind has no pages to look at, the page is not there or damaged.
pub fn picture(
    source: &Source<'_>,
    pdfium: &Pdfium,
    page: u32,
    purpose: PictureFor,
    limits: &Limits,
) -> Result<Picture, Failure> {
    match source.kind {
        DocumentKind::Pdf => pdf::picture(source.bytes, pdfium, page, purpose),
        kind if image::is_image(kind) => {
            let picture = image::decode(source.bytes, kind, page, limits)?;
            encode::encode(picture, None, purpose)
        }
        kind => Err(unsupported(format!("a file of the kind “{}” has no pages to look at", kind.label()))),
    }
}

fn unsupported(message: String) -> Failure {
    Failure::new(FailureCode::UnsupportedKind, message)
}

fn password(message: &str) -> Failure {
    Failure::new(FailureCode::PasswordProtected, message)
}

fn corrupt(message: impl Into<String>) -> Failure {
    Failure::new(FailureCode::CorruptFile, message)
}

/// What a format yields in memory, for its tests.
#[cfg(test)]
pub fn read(bytes: &[u8], name: &str) -> Result<crate::document::ParsedDocument, Failure> {
    let limits = Limits::default();
    let source = Source::new(bytes, name);
    let mut pages = Vec::new();
    let mut emit = |page| {
        pages.push(page);
        Ok(())
    };
    let mut output = Output::new(&limits, &mut emit);
    parse(&source, &Pdfium::new(None), None, &mut output)?;
    let crate::protocol::Summary { metadata, problems, language, words } = output.finish()?;
    Ok(crate::document::ParsedDocument {
        kind: source.kind,
        pages,
        metadata,
        problems,
        language,
        words,
        recognised: Vec::new(),
    })
}
