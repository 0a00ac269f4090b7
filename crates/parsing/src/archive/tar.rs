//! TAR, gzipped or not, and gzip of a single file: told apart by what comes out of it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::GzDecoder;
use sheaf_domain::{DocumentKind, Failure, FailureCode};
use tar::{Archive, EntryType};

use super::budget::Stop;
use super::level::Entries;
use super::{damaged, link};
use crate::detect::detect_kind;

/// So much of what is in a gzip file tells whether it is a TAR.
const HEAD: u64 = 1024;

pub fn unpack(tar: impl Read, entries: &mut Entries<'_>) -> Result<(), Stop> {
    let mut archive = Archive::new(tar);
    for entry in archive.entries().map_err(|_| Stop::This(damaged()))? {
        let mut entry = entry.map_err(|_| Stop::This(damaged()))?;
        let kind = entry.header().entry_type();
        let refusal = match kind {
            EntryType::Directory | EntryType::XGlobalHeader | EntryType::XHeader => continue,
            EntryType::Symlink | EntryType::Link => Some(link()),
            EntryType::Char | EntryType::Block | EntryType::Fifo => {
                Some(Failure::new(FailureCode::UnsafeEntry, "it is a device, not a file"))
            }
            // The rest is a file or meant to be read as one (POSIX 1003.1, pax).
            _ => None,
        };
        let name = entry.path_bytes().into_owned();
        if entries.begin(&name, refusal)? {
            let packed = entry.size();
            entries.content(&mut Whole { left: packed, entry: &mut entry }, Some(packed))?;
        }
    }
    Ok(())
}

/// An entry that is cut off by the end of its archive is damaged, not short.
struct Whole<R> {
    left: u64,
    entry: R,
}

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.entry.read(buffer)?;
        if read == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

/// The members of a gzip file one after the other (RFC 1952, section 2.2). What stands behind the last and is none, such as
/// the zeros that fill a block of a tape, is no part of it.
struct Members<R>(Option<GzDecoder<R>>);

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.0 {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let mut rest = self.0.take().map(GzDecoder::into_inner);
            if let Some(rest) = rest.take_if(|rest| rest.fill_buf().is_ok_and(|bytes| bytes.first() == Some(&0x1f))) {
                self.0 = Some(GzDecoder::new(rest));
            }
        }
        Ok(0)
    }
}

/// A gzip file named `name`: what is packed in it, or the files of the TAR that it is.
pub fn unpack_gzip(file: File, name: &str, entries: &mut Entries<'_>) -> Result<(), Stop> {
    let mut packed = Members(Some(GzDecoder::new(BufReader::new(file))));
    let mut head = Vec::new();
    let own_name =
        packed.0.as_ref().and_then(GzDecoder::header).and_then(|header| header.filename().map(<[u8]>::to_vec));
    (&mut packed).take(HEAD).read_to_end(&mut head).map_err(|_| Stop::This(damaged()))?;
    let kind = detect_kind(Cursor::new(&head), "").unwrap_or(DocumentKind::Unknown);
    let mut whole = Cursor::new(head).chain(packed);
    if kind == DocumentKind::Tar {
        return unpack(whole, entries);
    }
    let inner = own_name.filter(|name| !name.is_empty()).unwrap_or_else(|| without_suffix(name).into());
    if entries.begin(&inner, None)? { entries.content(&mut whole, None) } else { Ok(()) }
}

/// `report.txt` for `folder/report.txt.gz`.
fn without_suffix(name: &str) -> &str {
    let file = name.rsplit('/').next().unwrap_or(name);
    match file.rsplit_once('.') {
        Some((stem, suffix)) if suffix.eq_ignore_ascii_case("gz") && !stem.is_empty() => stem,
        Some(_) | None => file,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_what_is_packed() {
        let check = |name: &str, expect: &str| assert_eq!(without_suffix(name), expect);
        check("a/report.txt.gz", "report.txt");
        check("REPORT.GZ", "REPORT");
        check("report", "report");
        check(".gz", ".gz");
    }
}
