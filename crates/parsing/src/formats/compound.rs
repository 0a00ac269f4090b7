//! OLE compound files ([MS-CFB]), the container of Office 97 and Outlook, and what its property sets say ([MS-OLEPS]).

use std::io::{Cursor, Read};
use std::path::Path;

use cfb::CompoundFile;
use encoding_rs::{Encoding, UTF_16LE, WINDOWS_1252};
use sheaf_domain::{DocumentMetadata, Failure, FailureCode};

use crate::charset;
use crate::detect::is_sound;
use crate::formats::corrupt;
use crate::formats::dates::file_time;
use crate::limits::Limits;

/// An open file, whose streams are read under one limit.
pub struct Compound<'a> {
    file: CompoundFile<Cursor<&'a [u8]>>,
    left: u64,
}

impl<'a> Compound<'a> {
    /// Opens it.
    ///
    /// # Errors
    /// `corrupt_file` when its directory cannot be read.
    pub fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, Failure> {
        let damaged = || corrupt("this file is damaged: its directory of streams cannot be read");
        if !is_sound(Cursor::new(bytes)) {
            return Err(damaged());
        }
        let file = CompoundFile::open(Cursor::new(bytes)).map_err(|_| damaged())?;
        Ok(Self { file, left: limits.unpacked_bytes })
    }

    /// A stream, as far as it can be read, or nothing when there is none of that name.
    ///
    /// # Errors
    /// `document_limit` when the streams have more bytes than is allowed.
    pub fn stream(&mut self, path: impl AsRef<Path>) -> Result<Option<Vec<u8>>, Failure> {
        let Ok(stream) = self.file.open_stream(path) else { return Ok(None) };
        let mut bytes = Vec::new();
        // A chain of sectors that breaks off loses what follows, not what came before.
        let _ = stream.take(self.left + 1).read_to_end(&mut bytes);
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or_else(|| {
            Failure::new(FailureCode::UnpacksTooLarge, "the streams of this file have more bytes than is allowed")
        })?;
        Ok(Some(bytes))
    }

    /// The paths of the storages directly within one whose names begin so, in the order of their names.
    pub fn storages(&self, path: &str, prefix: &str) -> Vec<String> {
        let Ok(entries) = self.file.read_storage(path) else { return Vec::new() };
        let wanted = entries.filter(|entry| entry.is_storage() && entry.name().starts_with(prefix));
        let mut paths: Vec<String> = wanted.map(|entry| entry.path().to_string_lossy().into_owned()).collect();
        paths.sort();
        paths
    }

    /// What the summary says about the document.
    ///
    /// # Errors
    /// Those of [`Compound::stream`].
    pub fn metadata(&mut self) -> Result<DocumentMetadata, Failure> {
        let summary = self.stream("/\u{5}SummaryInformation")?.unwrap_or_default();
        let set = PropertySet::read(&summary).unwrap_or_default();
        Ok(DocumentMetadata { title: set.text(2), author: set.text(4), created: set.time(12), producer: set.text(18) })
    }
}

/// The first set of properties of a stream.
#[derive(Default)]
struct PropertySet<'a> {
    section: &'a [u8],
    /// Numbers of properties and where in the section each is.
    properties: Vec<(u32, usize)>,
}

impl<'a> PropertySet<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let section = bytes.get(u32_at(bytes, 44)? as usize..)?;
        let count = (u32_at(section, 4)? as usize).min(section.len() / 8);
        let entry = |index: usize| Some((u32_at(section, 8 + 8 * index)?, u32_at(section, 12 + 8 * index)? as usize));
        Some(Self { section, properties: (0..count).map_while(entry).collect() })
    }

    /// The type of a property and where its value begins.
    fn value(&self, id: u32) -> Option<(u32, &'a [u8])> {
        let at = self.properties.iter().find(|property| property.0 == id)?.1;
        Some((u32_at(self.section, at)?, self.section.get(at.checked_add(4)?..)?))
    }

    fn encoding(&self) -> &'static Encoding {
        let page = self.value(1).and_then(|(_, value)| u16_at(value, 0));
        page.and_then(|page| charset::of_codepage(u32::from(page))).unwrap_or(WINDOWS_1252)
    }

    fn text(&self, id: u32) -> Option<String> {
        let (kind, value) = self.value(id)?;
        let length = u32_at(value, 0)? as usize;
        let (encoding, length) = match kind {
            0x1e => (self.encoding(), length),
            0x1f => (UTF_16LE, length.checked_mul(2)?),
            _ => return None,
        };
        let text = encoding.decode_without_bom_handling(value.get(4..length.checked_add(4)?)?).0;
        Some(text.trim_end_matches('\0').to_owned()).filter(|text| !text.trim().is_empty())
    }

    fn time(&self, id: u32) -> Option<String> {
        let (0x40, value) = self.value(id)? else { return None };
        file_time(u64::from(u32_at(value, 0)?) | u64::from(u32_at(value, 4)?) << 32)
    }
}

/// A number of 16 bits, little-endian.
pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

/// A number of 32 bits, little-endian.
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// UTF-16, little-endian.
pub fn utf16(bytes: &[u8]) -> String {
    UTF_16LE.decode_without_bom_handling(bytes).0.into_owned()
}

/// A compound file for tests: paths of streams with their bytes, the storages around them first.
#[cfg(test)]
pub fn pack(streams: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write as _;

    let mut file = CompoundFile::create(Cursor::new(Vec::new())).expect("memory");
    for (path, bytes) in streams {
        if let Some(parent) = Path::new(path).parent() {
            file.create_storage_all(parent).expect("memory");
        }
        file.create_stream(path).expect("memory").write_all(bytes).expect("memory");
    }
    file.flush().expect("memory");
    file.into_inner().into_inner()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    /// A property set with an author and a codepage.
    fn summary() -> Vec<u8> {
        let mut section = vec![0; 8];
        section[4] = 2;
        for value in [4_u32, 24, 1, 40] {
            section.extend(value.to_le_bytes());
        }
        section.extend([0x1e, 0, 0, 0, 7, 0, 0, 0]);
        section.extend(b"\xcf\xb8\xf2\xf0\0\0\0\0");
        section.extend([2, 0, 0, 0, 0xe3, 4, 0, 0]);
        let mut bytes = vec![0; 44];
        bytes.extend(48_u32.to_le_bytes());
        bytes.extend(section);
        bytes
    }

    #[test]
    fn summaries_are_in_their_codepage() {
        let file = pack(&[("/\u{5}SummaryInformation", &summary())]);
        let metadata = Compound::open(&file, &Limits::default()).expect("compound").metadata().expect("small");
        assert_eq!(metadata.author.as_deref(), Some("Пётр"));
    }

    #[test]
    fn streams_share_one_limit() {
        let file = pack(&[("/a", &[1; 600]), ("/b", &[2; 600])]);
        let mut file = Compound::open(&file, &Limits { unpacked_bytes: 1000, ..Limits::default() }).expect("compound");
        assert_eq!(file.stream("/a").expect("fits").map(|bytes| bytes.len()), Some(600));
        assert_eq!(file.stream("/c"), Ok(None));
        assert_eq!(file.stream("/b").expect_err("too much").code, FailureCode::UnpacksTooLarge);
    }

    proptest! {
        #[test]
        fn noise_is_no_summary(noise in any::<Vec<u8>>(), at in 0_usize..90, byte in any::<u8>()) {
            let mut changed = summary();
            changed[at.min(87)] = byte;
            for bytes in [noise, changed] {
                let set = PropertySet::read(&bytes).unwrap_or_default();
                let _ = (set.text(4), set.time(12));
            }
        }
    }
}
