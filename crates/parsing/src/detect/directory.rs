//! The directory of a ZIP file (APPNOTE 4.3), read in passing: no list of its entries is made and its count is not believed, so
//! that the parent can look at a stranger's file. What it claims costs nothing; what it holds is read up to a bound.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use flate2::read::DeflateDecoder;

/// The end of the directory (4.3.16), which is looked for in so many last bytes: a comment has 65,535 at most, and some
/// files have something behind it.
const END: &[u8] = b"PK\x05\x06";
const END_LENGTH: usize = 22;
const TAIL: u64 = 1 << 20;
/// The locator of the 64-bit end (4.3.15), right before the end, and that end itself (4.3.14).
const LOCATOR: &[u8] = b"PK\x06\x07";
const LOCATOR_LENGTH: u64 = 20;
const LONG_END: &[u8] = b"PK\x06\x06";
const LONG_END_LENGTH: usize = 56;
/// An entry's header in the directory (4.3.12), and the one before its content (4.3.7).
const HEADER: &[u8] = b"PK\x01\x02";
const HEADER_LENGTH: usize = 46;
const LOCAL: &[u8] = b"PK\x03\x04";
const LOCAL_LENGTH: usize = 30;
/// So much of a directory is read: some 40,000 entries, far more than any document has.
const MOST: u64 = 4 << 20;
/// So much of an entry is read, packed or not, to get at its first bytes.
const PACKED: u64 = 1 << 20;

/// Where a directory is, and how many entries it says that it has.
pub struct Directory<R> {
    reader: R,
    start: u64,
    /// What stands before the archive in its file, such as a program that unpacks it.
    shift: u64,
    claimed: u64,
}

/// An entry as the directory has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: Vec<u8>,
    method: u16,
    encrypted: bool,
    packed: u64,
    offset: u64,
}

impl<R: Read + Seek> Directory<R> {
    /// Finds it; nothing when this is no ZIP file, or one that is cut off.
    pub fn find(mut reader: R) -> Option<Self> {
        let length = reader.seek(SeekFrom::End(0)).ok()?;
        let from = length.saturating_sub(TAIL);
        let tail = read(&mut reader, from, length - from)?;
        let mut at = tail.len().checked_sub(END_LENGTH)?;
        while !tail[at..].starts_with(END) {
            at = at.checked_sub(1)?;
        }
        let end = &tail[at..];
        let (mut position, mut claimed) = (from + at as u64, u64::from(short(end, 10)));
        let (mut size, mut offset) = (u64::from(long(end, 12)), u64::from(long(end, 16)));
        if let Some(longer) = longer_end(&mut reader, position) {
            position = longer.0;
            [claimed, size, offset] = [wide(&longer.1, 32), wide(&longer.1, 40), wide(&longer.1, 48)];
        }
        // Right before its end, as it should be; else where it says, whatever its size is said to be.
        let places = [position.checked_sub(size), Some(offset)];
        let start = places.into_iter().flatten().find(|&start| {
            start == position || read(&mut reader, start, 4).is_some_and(|signature| signature == HEADER)
        })?;
        Some(Self { reader, start, shift: start.saturating_sub(offset), claimed })
    }

    /// The number of entries that it claims.
    pub fn claimed(&self) -> u64 {
        self.claimed
    }

    /// Where it begins in its file, and where the archive does.
    pub fn places(&self) -> (u64, u64) {
        (self.start, self.shift)
    }

    /// Shows every entry, up to a bound. Ends with the first thing that is no header.
    pub fn walk(&mut self, mut each: impl FnMut(Entry)) -> io::Result<()> {
        self.reader.seek(SeekFrom::Start(self.start))?;
        let mut directory = BufReader::new(&mut self.reader).take(MOST);
        let mut header = [0; HEADER_LENGTH];
        while directory.read_exact(&mut header).is_ok() && header.starts_with(HEADER) {
            let mut name = vec![0; usize::from(short(&header, 28))];
            directory.read_exact(&mut name)?;
            let rest = u64::from(short(&header, 30)) + u64::from(short(&header, 32));
            io::copy(&mut (&mut directory).take(rest), &mut io::sink())?;
            each(Entry {
                name,
                method: short(&header, 10),
                encrypted: short(&header, 8) & 1 != 0,
                packed: u64::from(long(&header, 20)),
                offset: u64::from(long(&header, 42)),
            });
        }
        Ok(())
    }

    /// The first `most` bytes of an entry that is stored or deflated, as the parts of documents are.
    pub fn head(&mut self, entry: &Entry, most: u64) -> Option<Vec<u8>> {
        let at = entry.offset.checked_add(self.shift)?;
        let local = read(&mut self.reader, at, LOCAL_LENGTH as u64)?;
        if local.len() < LOCAL_LENGTH || !local.starts_with(LOCAL) || entry.encrypted {
            return None;
        }
        let skipped = LOCAL_LENGTH as u64 + u64::from(short(&local, 26)) + u64::from(short(&local, 28));
        self.reader.seek(SeekFrom::Start(at.checked_add(skipped)?)).ok()?;
        let packed = (&mut self.reader).take(PACKED.min(entry.packed));
        let mut bytes = Vec::new();
        match entry.method {
            0 => packed.take(most).read_to_end(&mut bytes).ok()?,
            8 => DeflateDecoder::new(packed).take(most).read_to_end(&mut bytes).ok()?,
            _ => return None,
        };
        Some(bytes)
    }
}

/// The 64-bit end of a directory whose end is at `position`, and where it is.
fn longer_end<R: Read + Seek>(reader: &mut R, position: u64) -> Option<(u64, Vec<u8>)> {
    let before = position.checked_sub(LOCATOR_LENGTH)?;
    let locator = read(reader, before, LOCATOR_LENGTH)?;
    if !locator.starts_with(LOCATOR) {
        return None;
    }
    // Where it says, or right before the locator when something stands before the archive.
    [Some(wide(&locator, 8)), before.checked_sub(LONG_END_LENGTH as u64)].into_iter().flatten().find_map(|at| {
        let end = read(reader, at, LONG_END_LENGTH as u64)?;
        (end.len() == LONG_END_LENGTH && end.starts_with(LONG_END)).then_some((at, end))
    })
}

fn read<R: Read + Seek>(reader: &mut R, at: u64, length: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.seek(SeekFrom::Start(at)).ok()?;
    reader.take(length).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn short(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn long(bytes: &[u8], at: usize) -> u32 {
    u32::from(short(bytes, at)) | u32::from(short(bytes, at + 2)) << 16
}

fn wide(bytes: &[u8], at: usize) -> u64 {
    u64::from(long(bytes, at)) | u64::from(long(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    use super::*;

    fn archive() -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        for (name, options) in [("plain", stored), ("word/deflated", SimpleFileOptions::default())] {
            zip.start_file(name, options).expect("memory");
            zip.write_all(&b"words ".repeat(100)).expect("memory");
        }
        zip.finish().expect("memory").into_inner()
    }

    fn entries(directory: &mut Directory<Cursor<&[u8]>>) -> Vec<Entry> {
        let mut entries = Vec::new();
        directory.walk(|entry| entries.push(entry)).expect("memory");
        entries
    }

    #[test]
    fn entries_are_found_wherever_the_archive_stands() {
        let archive = archive();
        for file in
            [archive.clone(), [b"MZ program", archive.as_slice()].concat(), [&archive[..], &[7; 70_000]].concat()]
        {
            let mut directory = Directory::find(Cursor::new(file.as_slice())).expect("a directory");
            assert_eq!(directory.claimed(), 2);
            let entries = entries(&mut directory);
            let names: Vec<_> = entries.iter().map(|entry| entry.name.as_slice()).collect();
            assert_eq!(names, [&b"plain"[..], b"word/deflated"]);
            for entry in &entries {
                assert_eq!(directory.head(entry, 11).as_deref(), Some(&b"words words"[..]));
            }
        }
        assert!(Directory::find(Cursor::new(&archive[..archive.len() - 60])).is_none());
    }

    #[test]
    fn what_is_claimed_is_not_believed() {
        let mut archive = archive();
        let end = archive.len() - END_LENGTH;
        archive[end + 10..end + 12].copy_from_slice(&60_000_u16.to_le_bytes());
        let mut directory = Directory::find(Cursor::new(archive.as_slice())).expect("a directory");
        assert_eq!(directory.claimed(), 60_000);
        let entries = entries(&mut directory);
        assert_eq!(entries.len(), 2);
        // Packed in a way that takes memory of the packer's choosing (14 is LZMA), locked, or nowhere.
        for strange in [
            Entry { method: 14, ..entries[0].clone() },
            Entry { encrypted: true, ..entries[0].clone() },
            Entry { offset: u64::MAX, ..entries[0].clone() },
        ] {
            assert_eq!(directory.head(&strange, 11), None);
        }
    }
}
