//! Kinds that are ZIP files: told by the names of their parts.

use std::io::{self, Cursor, Read, Seek};

use sheaf_domain::DocumentKind;

use super::directory::{Directory, Entry};
use super::{find, suffix};

/// So much of a part is read to tell what the package is.
const PART: u64 = 256 << 10;

/// The kind of a ZIP file that begins with `head`.
pub fn kind<R: Read + Seek>(reader: R, head: &[u8], name: &str) -> DocumentKind {
    let known = Directory::find(reader).and_then(|mut directory| {
        let parts = Parts::of(&mut directory).ok()?;
        Some(of_parts(&mut directory, &parts))
    });
    // Cut off or broken: the head and the name must do.
    known.unwrap_or_else(|| of_fragment(head, name))
}

/// Whether these bytes are a ZIP file of Pages, Numbers or Keynote.
pub fn is_iwork(bytes: &[u8]) -> bool {
    let parts = Directory::find(Cursor::new(bytes)).and_then(|mut directory| Parts::of(&mut directory).ok());
    parts.is_some_and(|parts| parts.are_iwork())
}

/// What the names in a directory tell.
#[derive(Default)]
struct Parts {
    mime: Option<Entry>,
    manifest: Option<Entry>,
    types: Option<Entry>,
    word: bool,
    excel: bool,
    power_point: bool,
    archives: bool,
    index: bool,
    slides: bool,
    build: bool,
}

impl Parts {
    fn of<R: Read + Seek>(directory: &mut Directory<R>) -> io::Result<Self> {
        let mut parts = Self::default();
        directory.walk(|entry| {
            let name = entry.name.as_slice();
            parts.word |= name.starts_with(b"word/");
            parts.excel |= name.starts_with(b"xl/");
            parts.power_point |= name.starts_with(b"ppt/");
            // A folder that is such a document counts, too.
            let file = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
            parts.archives |= file.ends_with(b".iwa") || file == b"Index.zip";
            parts.index |= file == b"index.xml";
            parts.slides |= file == b"index.apxl";
            parts.build |= file == b"buildVersionHistory.plist";
            match name {
                b"mimetype" => parts.mime = Some(entry),
                b"META-INF/manifest.xml" => parts.manifest = Some(entry),
                b"[Content_Types].xml" => parts.types = Some(entry),
                _ => {}
            }
        })?;
        Ok(parts)
    }

    /// As these programs write now (`.iwa`, perhaps in an `Index.zip`) or did in 2009.
    fn are_iwork(&self) -> bool {
        self.archives || self.slides || self.index && self.build
    }
}

fn of_parts<R: Read + Seek>(directory: &mut Directory<R>, parts: &Parts) -> DocumentKind {
    let mut head = |entry: &Option<Entry>| entry.as_ref().and_then(|entry| directory.head(entry, PART));
    if let Some(kind) = head(&parts.mime).and_then(|mime| of_mime(mime.trim_ascii())) {
        let manifest = head(&parts.manifest).unwrap_or_default();
        let encrypted = kind != DocumentKind::Epub && find(&manifest, b"encryption-data").is_some();
        return if encrypted { DocumentKind::EncryptedOffice } else { kind };
    }
    if let Some(types) = head(&parts.types) {
        let says = |what: &str| find(&types, what.as_bytes()).is_some();
        if says("wordprocessingml.document.main") || says("ms-word.document.macroEnabled") || parts.word {
            return DocumentKind::Docx;
        }
        if says("spreadsheetml.sheet.main") || says("ms-excel.sheet") || parts.excel {
            return DocumentKind::Xlsx;
        }
        if says("presentationml.") || parts.power_point {
            return DocumentKind::Pptx;
        }
        return DocumentKind::Unknown;
    }
    // Unpacking these would yield previews and scraps.
    if parts.are_iwork() {
        return DocumentKind::Unknown;
    }
    DocumentKind::Zip
}

/// The kind that the part `mimetype` of an e-book or OpenDocument file says, templates and drawings among them.
fn of_mime(mime: &[u8]) -> Option<DocumentKind> {
    if mime == b"application/epub+zip" {
        return Some(DocumentKind::Epub);
    }
    // The second is of OpenOffice before version 2, which differs in little.
    let prefixes = [&b"application/vnd.oasis.opendocument."[..], b"application/vnd.sun.xml."];
    let what = prefixes.iter().find_map(|prefix| mime.strip_prefix(*prefix))?;
    let kinds = [
        (&b"text"[..], DocumentKind::Odt),
        (b"spreadsheet", DocumentKind::Ods),
        (b"presentation", DocumentKind::Odp),
        (b"graphics", DocumentKind::Odp),
        (b"writer", DocumentKind::Odt),
        (b"calc", DocumentKind::Ods),
        (b"impress", DocumentKind::Odp),
        (b"draw", DocumentKind::Odp),
    ];
    kinds.iter().find(|(name, _)| what.starts_with(name)).map(|row| row.1)
}

fn of_fragment(head: &[u8], name: &str) -> DocumentKind {
    let has = |part: &str| find(head, part.as_bytes()).is_some();
    match suffix(name).as_str() {
        "docx" | "docm" | "dotx" => DocumentKind::Docx,
        "xlsx" | "xlsm" => DocumentKind::Xlsx,
        "pptx" | "pptm" => DocumentKind::Pptx,
        "odt" => DocumentKind::Odt,
        "ods" => DocumentKind::Ods,
        "odp" => DocumentKind::Odp,
        "epub" => DocumentKind::Epub,
        _ if has("[Content_Types].xml") && has("word/") => DocumentKind::Docx,
        _ => DocumentKind::Zip,
    }
}
