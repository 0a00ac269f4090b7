//! Tells what a file is: by its content first; its name only separates kinds of plain text.

mod bounded;
mod compound;
mod directory;
mod mailbox;
mod package;
mod textual;

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use file_format::{FileFormat, Kind};
use sheaf_domain::DocumentKind;

pub use compound::is_sound;
pub use directory::Directory;
pub use mailbox::is_postmark;

/// So much of a file is looked at before its structure is.
const HEAD: u64 = 64 << 10;

/// How an OLE compound file begins.
const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// Magic numbers at an offset; those that need a closer look are not here.
const MAGIC: &[(usize, &[u8], DocumentKind)] = &[
    (0, b"{\\rtf", DocumentKind::Rtf),
    (0, b"\x89PNG\r\n\x1a\n", DocumentKind::Png),
    (0, b"\xff\xd8\xff", DocumentKind::Jpeg),
    (0, b"II*\0", DocumentKind::Tiff),
    (0, b"MM\0*", DocumentKind::Tiff),
    (0, b"II+\0", DocumentKind::Tiff),
    (0, b"MM\0+", DocumentKind::Tiff),
    (8, b"WEBP", DocumentKind::Webp),
    (0, b"GIF8", DocumentKind::Gif),
    (0, b"\x1f\x8b", DocumentKind::Gzip),
    (0, b"7z\xbc\xaf\x27\x1c", DocumentKind::SevenZip),
    (257, b"ustar", DocumentKind::Tar),
];

/// The kind of the file that `reader` holds from its start; an empty file is of the kind that its name says.
/// Reads the head, and of ZIP and OLE containers the directory. `name` is a weak hint.
///
/// # Errors
/// Those of the reader.
pub fn detect_kind<R: Read + Seek>(mut reader: R, name: &str) -> io::Result<DocumentKind> {
    reader.seek(SeekFrom::Start(0))?;
    let mut head = Vec::new();
    (&mut reader).take(HEAD).read_to_end(&mut head)?;

    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") || head.starts_with(b"PK00PK") {
        return Ok(package::kind(reader, &head, name));
    }
    if head.starts_with(OLE) {
        return Ok(compound::kind(reader, name));
    }
    if let Some(kind) = magic(&head) {
        return Ok(kind);
    }
    // Readers of PDF accept some noise before the header.
    if find(&head[..head.len().min(1024)], b"%PDF-").is_some() {
        return Ok(DocumentKind::Pdf);
    }
    if is_old_tar(&head) {
        return Ok(DocumentKind::Tar);
    }
    if textual::is_text(&head) {
        return Ok(match textual::kind(&head, name) {
            DocumentKind::Email if mailbox::is_mailbox(reader, &head, name)? => DocumentKind::Mbox,
            kind => kind,
        });
    }
    Ok(DocumentKind::Unknown)
}

/// Whether this is the first header of a TAR from before POSIX, which has no magic: a name, and the sum of all its bytes, those
/// of the sum itself taken as spaces, as an octal number at byte 148.
fn is_old_tar(head: &[u8]) -> bool {
    let Some(header) = head.get(..512).filter(|header| header[0] != 0) else { return false };
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    let own: u32 = header[148..156].iter().map(|byte| u32::from(*byte)).sum();
    let digits = header[148..156].trim_ascii_start().split(|byte| !byte.is_ascii_digit()).next().unwrap_or_default();
    let said = str::from_utf8(digits).ok().and_then(|digits| u32::from_str_radix(digits, 8).ok());
    said == Some(sum - own + 8 * u32::from(b' '))
}

/// What files of Apple's office programs are called.
pub const IWORK: &str = "Pages, Numbers or Keynote file";

/// A file of a kind that is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// What such files are called: `MPEG-4 Part 14 Video`.
    pub name: String,
    /// It holds files.
    pub is_packed: bool,
}

/// What a file of an unknown kind is, if somebody knows.
pub fn foreign(bytes: &[u8]) -> Option<Foreign> {
    if package::is_iwork(bytes) {
        return Some(Foreign { name: IWORK.to_owned(), is_packed: false });
    }
    match FileFormat::from_reader(Cursor::new(bytes)).ok()? {
        FileFormat::ArbitraryBinaryData | FileFormat::PlainText | FileFormat::Empty => None,
        // A plain one would have been opened.
        FileFormat::Zip => Some(Foreign { name: "package of an unknown program".to_owned(), is_packed: false }),
        known => Some(Foreign {
            name: known.name().to_owned(),
            is_packed: matches!(known.kind(), Kind::Archive | Kind::Compressed | Kind::Disk),
        }),
    }
}

/// Whether these bytes are plain text that only a name makes a file of this kind: a failed download, a stub.
pub fn poses(bytes: &[u8], kind: DocumentKind) -> bool {
    let head = &bytes[..bytes.len().min(HEAD as usize)];
    let flat = matches!(kind, DocumentKind::Odt | DocumentKind::Ods | DocumentKind::Odp)
        && find(head, b"office:document").is_some();
    let promised = flat
        || head.starts_with(b"PK")
        || head.starts_with(OLE)
        || magic(head).is_some()
        || find(&head[..head.len().min(1024)], b"%PDF-").is_some();
    textual::is_promise(kind) && !promised && textual::is_text(head)
}

fn magic(head: &[u8]) -> Option<DocumentKind> {
    if head.starts_with(b"BM") && head.get(6..10) == Some(&[0; 4]) {
        return Some(DocumentKind::Bmp);
    }
    MAGIC.iter().find(|(at, magic, _)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic))).map(|row| row.2)
}

/// The suffix of a name in lower case, without its dot.
fn suffix(name: &str) -> String {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    file.rsplit_once('.').map(|(_, suffix)| suffix.to_ascii_lowercase()).unwrap_or_default()
}

/// Where `needle` first is in `haystack`.
fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        #[track_caller]
        fn check(bytes: &[u8], name: &str, expect: DocumentKind) {
            assert_eq!(detect_kind(Cursor::new(bytes), name).expect("memory"), expect, "{name}");
        }
        check(b"%PDF-1.4", "report.doc", DocumentKind::Pdf);
        check(b"\n\n%PDF-1.4", "report", DocumentKind::Pdf);
        check(b"<!DOCTYPE html><p>Hi", "letter.doc", DocumentKind::Html);
        check(b"just words", "photo.jpg", DocumentKind::Jpeg);
        check(b"# Title", "README.md", DocumentKind::Markdown);
        check(b"a,b\n1,2\n", "t.csv", DocumentKind::Csv);
        check(b"{\"a\": 1}", "whatever", DocumentKind::Json);
        check(b"{\"a\": 1}\n{\"a\": 2}", "whatever", DocumentKind::Jsonl);
        check(b"[see below]", "note.txt", DocumentKind::Text);
        check(b"From: a@b.c\nSubject: x\n\nHello", "mail", DocumentKind::Email);
        let mail = "From a@b.c Tue Apr 29 12:00:00 2014\nFrom: a@b.c\nSubject: x\n\nHello\n\n";
        check(mail.as_bytes(), "mail", DocumentKind::Email);
        check(mail.as_bytes(), "inbox.mbox", DocumentKind::Mbox);
        check(mail.repeat(2).as_bytes(), "2014-April.txt", DocumentKind::Mbox);
        check(b".\\\" comment\n.TH LS 1\n.SH NAME\nls", "ls.1", DocumentKind::Man);
        check(b".gitignore\n.TH\n", "list", DocumentKind::Text);
        check(b"{\\rtf1 x}", "a.txt", DocumentKind::Rtf);
        check(b"\x1f\nTag Table:\nNode: Top\x7f9\nNode: End\x7f12\n", "a.info", DocumentKind::Text);
        check(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "x.xml", DocumentKind::Svg);
        check(b"<?xml version='1.0'?><note/>", "x", DocumentKind::Xml);
        check(&[1, 2, 3, 4, 0, 200, 131, 9, 7], "a.txt", DocumentKind::Unknown);
        check(b"404 Not found", "a.docx", DocumentKind::Docx);
        check(b"", "a.csv", DocumentKind::Csv);
        check(b"PK\x03\x04 and no more", "a.docx", DocumentKind::Docx);
        check(b"PK\x03\x04 and no more", "a", DocumentKind::Zip);
        check(b"one\x0btwo\x0bthree", "a.txt", DocumentKind::Text);
        check(b"a,b\n\0,short\n", "a.csv", DocumentKind::Csv);
    }

    #[test]
    fn text_that_poses() {
        #[track_caller]
        fn check(bytes: &[u8], name: &str, expect: bool) {
            let kind = detect_kind(Cursor::new(bytes), name).expect("memory");
            assert_eq!(poses(bytes, kind), expect, "{name}");
        }
        check(b"just words", "photo.jpg", true);
        check(b"404 Not found", "a.docx", true);
        check(b"%PDF-1.4 all in plain letters", "a.pdf", false);
        check(b"words", "a.txt", false);
        check(b"words", "a.doc", false);
        check(b"PK\x03\x04", "a.odt", false);
        check(b"<?xml version='1.0'?><office:document mimetype='vnd.oasis.opendocument.text'/>", "a.fodt", false);
    }
}
