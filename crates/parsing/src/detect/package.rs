//! Kinds that are ZIP files: told by the names of their parts.

use std::io::{Read, Seek};

use sheaf_domain::DocumentKind;
use zip::ZipArchive;

use super::{find, suffix};

/// So much of a part is read to tell what the package is.
const PART: u64 = 256 << 10;

/// The kind of a ZIP file that begins with `head`.
pub fn kind<R: Read + Seek>(reader: R, head: &[u8], name: &str) -> DocumentKind {
    match ZipArchive::new(reader) {
        Ok(mut archive) => of_archive(&mut archive),
        // Cut off or broken: the head and the name must do.
        Err(_) => of_fragment(head, name),
    }
}

/// Whether a ZIP file is of Pages, Numbers or Keynote, as they write it now (`.iwa`, perhaps in an `Index.zip`) or did in
/// 2009; a folder that is such a document counts, too.
pub fn is_iwork<R: Read + Seek>(archive: &ZipArchive<R>) -> bool {
    let has = |name: &str| archive.file_names().any(|part| part == name || part.ends_with(&format!("/{name}")));
    archive.file_names().any(|part| part.ends_with(".iwa"))
        || has("Index.zip")
        || has("index.apxl")
        || has("index.xml") && has("buildVersionHistory.plist")
}

fn of_archive<R: Read + Seek>(archive: &mut ZipArchive<R>) -> DocumentKind {
    let open_document = part(archive, "mimetype").and_then(|mime| of_mime(mime.trim_ascii()));
    if let Some(kind) = open_document {
        let manifest = part(archive, "META-INF/manifest.xml").unwrap_or_default();
        let encrypted = kind != DocumentKind::Epub && find(&manifest, b"encryption-data").is_some();
        return if encrypted { DocumentKind::EncryptedOffice } else { kind };
    }
    if let Some(types) = part(archive, "[Content_Types].xml") {
        let says = |what: &str| find(&types, what.as_bytes()).is_some();
        let has = |folder: &str| archive.file_names().any(|part| part.starts_with(folder));
        if says("wordprocessingml.document.main") || says("ms-word.document.macroEnabled") || has("word/") {
            return DocumentKind::Docx;
        }
        if says("spreadsheetml.sheet.main") || says("ms-excel.sheet") || has("xl/") {
            return DocumentKind::Xlsx;
        }
        if says("presentationml.") || has("ppt/") {
            return DocumentKind::Pptx;
        }
        return DocumentKind::Unknown;
    }
    // Unpacking these would yield previews and scraps.
    if is_iwork(archive) {
        return DocumentKind::Unknown;
    }
    DocumentKind::Zip
}

/// The kind that the part `mimetype` of an e-book or OpenDocument file says, templates and drawings among them.
fn of_mime(mime: &[u8]) -> Option<DocumentKind> {
    if mime == b"application/epub+zip" {
        return Some(DocumentKind::Epub);
    }
    let what = mime.strip_prefix(b"application/vnd.oasis.opendocument.")?;
    let kinds = [
        (&b"text"[..], DocumentKind::Odt),
        (b"spreadsheet", DocumentKind::Ods),
        (b"presentation", DocumentKind::Odp),
        (b"graphics", DocumentKind::Odp),
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

fn part<R: Read + Seek>(archive: &mut ZipArchive<R>, name: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    archive.by_name(name).ok()?.take(PART).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
