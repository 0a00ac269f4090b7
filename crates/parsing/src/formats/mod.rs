//! One module for each family of kinds: bytes in, pages into an [`Output`].

pub mod compound;
mod dates;
mod doc;
mod docx;
mod email;
mod encode;
mod encrypted;
mod epub;
mod flow;
mod html;
mod image;
mod json;
mod man;
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
mod symbols;
mod table;
mod text;
mod tiff;
mod xml;

use std::io::Cursor;

use sheaf_domain::{DocumentKind, Failure, FailureCode, PageBox, Passwords};

use crate::canvas::Canvas;
use crate::detect::{Foreign, IWORK, detect_kind, foreign, poses};
use crate::hints::Hints;
use crate::limits::Limits;
use crate::output::Output;
use crate::picture::{Drawn, PictureFor};
use crate::quote::Quote;

pub use man::is_man;
pub use pdf::Pdfium;

/// The bytes of a document and what they are.
pub struct Source<'a> {
    pub bytes: &'a [u8],
    pub kind: DocumentKind,
    pub passwords: &'a Passwords,
}

impl<'a> Source<'a> {
    /// Tells the kind by the bytes; its name is a weak hint.
    pub fn new(bytes: &'a [u8], hints: &'a Hints) -> Self {
        // Reading from memory does not fail.
        let kind = detect_kind(Cursor::new(bytes), &hints.name).unwrap_or(DocumentKind::Unknown);
        Self { bytes, kind, passwords: &hints.passwords }
    }
}

/// A document that is read or looked at, opened once for either.
pub enum Opened<'a> {
    Pdf(pdf::Document<'a>),
    Image(&'a Source<'a>),
    /// It has no pages of its own.
    Flow(&'a Source<'a>),
}

impl<'a> Opened<'a> {
    /// Opens it.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn new(source: &'a Source<'_>, pdfium: &'a Pdfium) -> Result<Self, Failure> {
        if poses(source.bytes, source.kind) {
            return Err(corrupt(format!("the file is named like “{}”, but holds plain text", source.kind.label()))
                .with_hint("Give it the right name, such as one that ends in .txt, and add it again."));
        }
        Ok(match source.kind {
            DocumentKind::Pdf => Self::Pdf(pdf::open(source, pdfium)?),
            kind if image::is_image(kind) => Self::Image(source),
            _ => Self::Flow(source),
        })
    }

    /// How many pages there are, where that is known before they are read.
    pub fn page_count(&self) -> Option<u32> {
        match self {
            Self::Pdf(document) => Some(document.page_count()),
            Self::Image(source) => Some(image::page_count(source.bytes, source.kind)),
            Self::Flow(_) => None,
        }
    }

    /// Reads it into `output`: a PDF from the first to the last page of `range`, anything else whole.
    ///
    /// # Errors
    /// The reason why it cannot be read; pages that were put out before stay.
    pub fn parse(&self, range: Option<(u32, u32)>, output: &mut Output<'_>) -> Result<(), Failure> {
        match self {
            Self::Pdf(document) => pdf::parse(document, range, output),
            Self::Image(source) => image::parse(source.bytes, source.kind, output),
            Self::Flow(source) => flow(source, output),
        }
    }

    /// A page (from 1) as a picture.
    ///
    /// # Errors
    /// When the page is not there, damaged or too large, or the document has no pages to look at.
    pub fn picture(
        &self,
        page: u32,
        purpose: PictureFor,
        limits: &Limits,
        canvas: &mut Canvas,
    ) -> Result<Drawn, Failure> {
        match self {
            Self::Pdf(document) => pdf::picture(document, page, purpose, canvas),
            Self::Image(source) => {
                encode::encode(image::decode(source.bytes, source.kind, page, limits)?, None, purpose, canvas)
            }
            Self::Flow(source) => Err(without_pages(source.kind)),
        }
    }

    /// Where a quote from the text of a page (from 1) stands on it.
    ///
    /// # Errors
    /// When the page is not there or damaged, or does not have the quote.
    pub fn boxes(&self, page: u32, quote: &Quote) -> Result<Vec<PageBox>, Failure> {
        match self {
            Self::Pdf(document) => pdf::boxes(document, page, quote),
            Self::Image(_) => Err(Failure::new(FailureCode::NotFound, "an image has no text of its own")),
            Self::Flow(source) => Err(without_pages(source.kind)),
        }
    }
}

/// Reads a document that has no pages of its own.
fn flow(source: &Source<'_>, output: &mut Output<'_>) -> Result<(), Failure> {
    let bytes = source.bytes;
    match source.kind {
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
        DocumentKind::Man => man::parse(bytes, output),
        DocumentKind::Json => json::parse(bytes, output),
        DocumentKind::Jsonl => json::parse_lines(bytes, output),
        DocumentKind::Notebook => json::parse_notebook(bytes, output),
        DocumentKind::Xml => xml::parse(bytes, output),
        DocumentKind::EncryptedOffice => {
            let opened = encrypted::open(bytes, source.passwords)?;
            let source = Source { bytes: &opened, kind: encrypted::kind(&opened)?, passwords: source.passwords };
            flow(&source, output)
        }
        // Those are opened otherwise; an encrypted package holds none of them.
        kind @ (DocumentKind::Pdf
        | DocumentKind::Png
        | DocumentKind::Jpeg
        | DocumentKind::Tiff
        | DocumentKind::Webp
        | DocumentKind::Bmp
        | DocumentKind::Gif) => Err(unsupported(format!("a {} is not read here", kind.label()))),
        kind @ (DocumentKind::Zip
        | DocumentKind::Tar
        | DocumentKind::Gzip
        | DocumentKind::SevenZip
        | DocumentKind::Mbox) => Err(unsupported(format!("this is a {}, not a document", kind.label()))
            .with_hint("Unpack the archive and add the files in it.")),
        DocumentKind::Unknown => Err(strange(foreign(bytes))),
    }
}

/// The failure for a file that is none of the kinds that are read.
fn strange(foreign: Option<Foreign>) -> Failure {
    match foreign {
        Some(Foreign { name, .. }) if name == IWORK => unsupported(format!("this is a {IWORK}, which is not read"))
            .with_hint("Export it as PDF, Word, Excel or PowerPoint and add that."),
        Some(Foreign { name, is_packed: true }) => {
            unsupported(format!("this looks like “{name}”, which is not unpacked"))
                .with_hint("Unpack it and add the files in it, or pack them as a ZIP file.")
        }
        Some(Foreign { name, is_packed: false }) => unsupported(format!("this looks like “{name}”, which is not read")),
        None => unsupported("this is not a kind of file that is known here".to_owned()),
    }
}

fn without_pages(kind: DocumentKind) -> Failure {
    unsupported(format!("a file of the kind “{}” has no pages to look at", kind.label()))
}

fn unsupported(message: String) -> Failure {
    Failure::new(FailureCode::UnsupportedKind, message)
}

/// The failure for what asks for a password; `what` begins the sentence.
fn locked(passwords: &Passwords, what: &str) -> Failure {
    let message = if passwords.is_empty() {
        format!("{what} asks for a password")
    } else {
        format!("{what} asks for a password, and none of those given opens it")
    };
    password(&message)
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
    let hints = Hints::from(name);
    let source = Source::new(bytes, &hints);
    let mut pages = Vec::new();
    let mut emit = |page| {
        pages.push(page);
        Ok(())
    };
    let mut output = Output::new(&limits, &mut emit);
    Opened::new(&source, &Pdfium::new(None))?.parse(None, &mut output)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_read_says_what_to_do() {
        #[track_caller]
        fn check(bytes: &[u8], name: &str, code: FailureCode, message: &str, hint: &str) {
            let failure = read(bytes, name).expect_err("not read");
            assert_eq!(failure.code, code, "{failure}");
            assert!(failure.message.contains(message) && failure.hint.contains(hint), "{failure:?}");
        }
        let iwork = package::pack(&[("Index/Document.iwa", "x")]);
        check(&iwork, "a.pages", FailureCode::UnsupportedKind, "Pages, Numbers or Keynote", "Export it as PDF");
        let folder = package::pack(&[("Talk.key/Index.zip", "x"), ("Talk.key/preview.jpg", "x")]);
        check(&folder, "a.key", FailureCode::UnsupportedKind, "Pages, Numbers or Keynote", "Export it as PDF");
        check(b"just words", "photo.jpg", FailureCode::CorruptFile, "named like “JPEG image”", "right name");
        check(b"404 Not found", "a.pdf", FailureCode::CorruptFile, "holds plain text", "right name");
        let manifest = "<manifest:encryption-data/>";
        let locked = [("mimetype", "application/vnd.oasis.opendocument.text"), ("META-INF/manifest.xml", manifest)];
        check(&package::pack(&locked), "a.odt", FailureCode::PasswordProtected, "encrypted", "password");
        let locked = compound::pack(&[("/EncryptedPackage", b"x")]);
        check(&locked, "a.docx", FailureCode::PasswordProtected, "encrypted", "password");
    }
}
