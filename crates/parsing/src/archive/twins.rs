//! Entries that share their name with a later one, and those that the directory does not count. The `zip` crate keeps only
//! the last of a name, and as many as are counted; none may be lost in silence, so the archive's directory is read once more.

use std::collections::HashSet;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// The fixed part of a directory header (APPNOTE 4.3.12) and the signature that it begins with.
const HEADER: usize = 46;
const SIGNATURE: &[u8] = b"PK\x01\x02";

/// An entry that the archive's index lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twin {
    pub name: Vec<u8>,
    /// Bytes in the archive.
    pub packed: u64,
    /// Where its own header is, from the start of the archive.
    pub offset: u64,
    pub encrypted: bool,
}

/// The entries whose name comes again and those behind the first `counted`, in the order of the directory at `start`, which
/// ends with the first thing that is no header. More than `most` headers are not read. Entries that need the 64-bit extension are taken at their word
/// of 32 bits, and fail when they are unpacked.
///
/// # Errors
/// Those of the reader.
pub fn find<R: Read + Seek + ?Sized>(file: &mut R, start: u64, counted: u64, most: u64) -> io::Result<Vec<Twin>> {
    let mut entries = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    let mut directory = BufReader::new(file);
    for _ in 0..=most {
        let mut header = [0; HEADER];
        match directory.read_exact(&mut header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            other => other?,
        }
        if !header.starts_with(SIGNATURE) {
            break;
        }
        let short = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let long = |at: usize| u64::from(short(at)) | u64::from(short(at + 2)) << 16;
        let mut name = vec![0; usize::from(short(28))];
        directory.read_exact(&mut name)?;
        directory.seek_relative(i64::from(short(30)) + i64::from(short(32)))?;
        entries.push(Twin { name, packed: long(20), offset: long(42), encrypted: short(8) & 1 != 0 });
    }
    let more = entries.split_off(entries.len().min(usize::try_from(counted).unwrap_or(usize::MAX)));
    let mut later = HashSet::new();
    let mut twins: Vec<Twin> = entries.into_iter().rev().filter(|entry| !later.insert(entry.name.clone())).collect();
    twins.reverse();
    twins.extend(more);
    Ok(twins)
}
