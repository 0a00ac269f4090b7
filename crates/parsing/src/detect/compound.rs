//! Kinds that are OLE compound files: told by the names of their streams.

use std::io::{Read, Seek, SeekFrom};

use cfb::CompoundFile;
use sheaf_domain::DocumentKind;

use super::bounded::Bounded;
use super::suffix;

/// The bit of a Word 97 file's header that says it is encrypted ([MS-DOC] 2.5.2, `fEncrypted` at byte 11).
const WORD_ENCRYPTED: u8 = 1;
/// The record that an encrypted Excel 97 workbook has near its start ([MS-XLS] 2.4.117, `FilePass`).
const FILE_PASS: u16 = 0x2f;

/// So much of an OLE file is read to tell what it is. The tables of half a GiB have some 10 MiB.
const MOST: usize = 32 << 20;

/// Whether the tables of an OLE file can be read, and are no longer than it is itself: one that names a sector again and again
/// takes memory for each time.
pub fn is_sound<R: Read + Seek>(mut reader: R) -> bool {
    let length = reader.seek(SeekFrom::End(0)).unwrap_or(0);
    // Once as they are, and once more for what is read twice.
    let most = usize::try_from(length.saturating_mul(2)).unwrap_or(usize::MAX);
    CompoundFile::open(Bounded::new(reader, most)).is_ok()
}

/// The kind of an OLE file.
pub fn kind<R: Read + Seek>(reader: R, name: &str) -> DocumentKind {
    let Ok(mut file) = CompoundFile::open(Bounded::new(reader, MOST)) else { return of_fragment(name) };
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::{self, Cursor};

    use super::*;

    /// Counts what is read.
    struct Counted<'a>(Cursor<Vec<u8>>, &'a Cell<usize>);

    impl Read for Counted<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let read = self.0.read(buffer)?;
            self.1.set(self.1.get() + read);
            Ok(read)
        }
    }

    impl Seek for Counted<'_> {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    /// Each of its 800 sectors that list sectors names the same one 127 times: 400 kB that are read as 52 MB.
    #[test]
    fn tables_that_repeat_themselves_are_read_up_to_a_bound() {
        const LISTS: u32 = 800;
        let mut file = Vec::new();
        file.extend(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
        file.extend([0; 16]);
        for short in [0x3e_u16, 3, 0xfffe, 9, 6, 0, 0, 0] {
            file.extend(short.to_le_bytes());
        }
        for long in [0, 109 + 127 * LISTS, 1, 0, 4096, 0xffff_fffe, 0, 1, LISTS] {
            file.extend(long.to_le_bytes());
        }
        file.extend([0; 109 * 4]);
        file.extend(0xffff_fffd_u32.to_le_bytes());
        file.extend([0xff; 508]);
        for list in 1..=LISTS {
            file.extend([0; 508]);
            file.extend((if list < LISTS { list + 1 } else { 0xffff_fffe }).to_le_bytes());
        }
        assert!(!is_sound(Cursor::new(file.as_slice())));
        let whole = CompoundFile::create(Cursor::new(Vec::new())).expect("memory").into_inner();
        assert!(is_sound(whole));
        let read = Cell::new(0);
        assert_eq!(kind(Counted(Cursor::new(file), &read), "a.doc"), DocumentKind::Doc);
        assert_eq!(read.get(), MOST);
    }
}
