//! Kinds that are OLE compound files: told by the names of their streams.

use std::io::{Read, Seek};

use cfb::CompoundFile;
use sheaf_domain::DocumentKind;

use super::suffix;

/// The bit of a Word 97 file's header that says it is encrypted ([MS-DOC] 2.5.2, `fEncrypted` at byte 11).
const WORD_ENCRYPTED: u8 = 1;
/// The record that an encrypted Excel 97 workbook has near its start ([MS-XLS] 2.4.117, `FilePass`).
const FILE_PASS: u16 = 0x2f;

/// The kind of an OLE file.
pub fn kind<R: Read + Seek>(reader: R, name: &str) -> DocumentKind {
    let Ok(mut file) = CompoundFile::open(reader) else { return of_fragment(name) };
    if file.exists("/EncryptedPackage") || file.exists("/EncryptedSummary") {
        return DocumentKind::EncryptedOffice;
    }
    if file.exists("/WordDocument") {
        let flags = head(&mut file, "/WordDocument").get(11).copied().unwrap_or(0);
        return if flags & WORD_ENCRYPTED != 0 { DocumentKind::EncryptedOffice } else { DocumentKind::Doc };
    }
    for stream in ["/Workbook", "/Book"] {
        if file.exists(stream) {
            let encrypted = has_file_pass(&head(&mut file, stream));
            return if encrypted { DocumentKind::EncryptedOffice } else { DocumentKind::Xls };
        }
    }
    if file.exists("/PowerPoint Document") {
        return DocumentKind::Ppt;
    }
    if file.exists("/__properties_version1.0") {
        return DocumentKind::Msg;
    }
    DocumentKind::Unknown
}

fn of_fragment(name: &str) -> DocumentKind {
    match suffix(name).as_str() {
        "doc" | "dot" => DocumentKind::Doc,
        "xls" => DocumentKind::Xls,
        "ppt" => DocumentKind::Ppt,
        "msg" => DocumentKind::Msg,
        _ => DocumentKind::Unknown,
    }
}

fn head<R: Read + Seek>(file: &mut CompoundFile<R>, stream: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(stream) = file.open_stream(stream) {
        // What could be read is enough.
        let _ = stream.take(4096).read_to_end(&mut bytes);
    }
    bytes
}

/// Whether one of the first records is `FilePass`; each is a type, a length and that many bytes.
fn has_file_pass(mut records: &[u8]) -> bool {
    while let [a, b, c, d, rest @ ..] = records {
        if u16::from_le_bytes([*a, *b]) == FILE_PASS {
            return true;
        }
        let length = usize::from(u16::from_le_bytes([*c, *d]));
        records = rest.get(length..).unwrap_or_default();
    }
    false
}
