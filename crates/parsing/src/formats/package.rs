//! The parts of a document that is a ZIP file (OOXML, OpenDocument, EPUB), read under a limit on the bytes that they
//! really unpack to. Nothing outside the package is ever followed.

use std::io::{Cursor, Read};

use quick_xml::Reader;
use quick_xml::events::Event;
use sheaf_domain::{Failure, FailureCode};
use zip::ZipArchive;
use zip::result::ZipError;

use crate::charset;
use crate::formats::xml::attribute;
use crate::formats::{corrupt, password};
use crate::limits::Limits;

/// An open package.
pub struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    left: u64,
    limit: u64,
}

/// A relation from one part of an OOXML package to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    pub id: String,
    /// A URI whose last segment says what the target is: `…/slide`.
    pub kind: String,
    /// The name of the other part.
    pub target: String,
}

impl<'a> Package<'a> {
    /// Opens it.
    ///
    /// # Errors
    /// `corrupt_file` when it is no ZIP file.
    pub fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, Failure> {
        let archive = ZipArchive::new(Cursor::new(bytes))
            .map_err(|_| corrupt("this file is damaged: its package cannot be opened"))?;
        Ok(Self { archive, left: limits.unpacked_bytes, limit: limits.unpacked_bytes })
    }

    /// The names of all parts, in the order of the package's directory.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.archive.file_names()
    }

    /// The parts `PREFIX.xml`, `PREFIX1.xml` and so on, in the order of their numbers.
    pub fn numbered(&self, prefix: &str) -> Vec<String> {
        let number = |part: &str| {
            let digits = part.strip_prefix(prefix)?.strip_suffix(".xml")?;
            if digits.is_empty() { Some(0) } else { digits.parse::<u32>().ok() }
        };
        let mut parts: Vec<(u32, String)> =
            self.names().filter_map(|part| Some((number(part)?, part.to_owned()))).collect();
        parts.sort();
        parts.into_iter().map(|(_, part)| part).collect()
    }

    /// A part as text, or nothing when there is none of that name.
    ///
    /// # Errors
    /// Those of [`Package::bytes`].
    pub fn part(&mut self, name: &str) -> Result<Option<String>, Failure> {
        Ok(self.bytes(name)?.map(|bytes| charset::decode(&bytes, None).text.into_owned()))
    }

    /// A part's bytes, or nothing when there is none of that name.
    ///
    /// # Errors
    /// `document_limit` when the parts unpack to more than is allowed, `password_protected` or `corrupt_file` when it
    /// cannot be unpacked.
    pub fn bytes(&mut self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        let damaged = |name: &str| corrupt(format!("this file is damaged: its part `{name}` cannot be unpacked"));
        let part = match self.archive.by_name(name) {
            Ok(part) => part,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)) => {
                return Err(password("this file is encrypted"));
            }
            Err(_) => return Err(damaged(name)),
        };
        let mut bytes = Vec::new();
        part.take(self.left + 1).read_to_end(&mut bytes).map_err(|_| damaged(name))?;
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or_else(|| {
            Failure::new(
                FailureCode::UnpacksTooLarge,
                format!("this file unpacks to more than {} MiB", self.limit >> 20),
            )
        })?;
        Ok(Some(bytes))
    }

    /// The relations of a part; of the package itself when `part` is empty. Those that lead outside are left out.
    ///
    /// # Errors
    /// Those of [`Package::bytes`].
    pub fn relations(&mut self, part: &str) -> Result<Vec<Relation>, Failure> {
        let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
        let name = if folder.is_empty() { format!("_rels/{file}.rels") } else { format!("{folder}/_rels/{file}.rels") };
        let Some(xml) = self.part(&name)? else { return Ok(Vec::new()) };
        let mut relations = Vec::new();
        let mut reader = Reader::from_str(&xml);
        while let Ok(event) = reader.read_event() {
            match event {
                Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "Relationship" => {
                    if attribute(&tag, "TargetMode").is_some_and(|mode| mode == "External") {
                        continue;
                    }
                    if let (Some(id), Some(kind), Some(target)) =
                        (attribute(&tag, "Id"), attribute(&tag, "Type"), attribute(&tag, "Target"))
                    {
                        relations.push(Relation { id, kind, target: join(folder, &target) });
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        Ok(relations)
    }
}

/// The part that `target` names, as seen from `folder`; it never leaves the package.
pub fn join(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = if target.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts.join("/")
}

/// A package for tests.
#[cfg(test)]
pub fn pack(parts: &[(&str, &str)]) -> Vec<u8> {
    use std::io::Write as _;

    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).expect("memory");
        zip.write_all(text.as_bytes()).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        #[track_caller]
        fn check(folder: &str, target: &str, expect: &str) {
            assert_eq!(join(folder, target), expect);
        }
        check("ppt", "slides/slide1.xml", "ppt/slides/slide1.xml");
        check("ppt/slides", "../media/a.png", "ppt/media/a.png");
        check("ppt", "/word/document.xml", "word/document.xml");
        check("", "../../../etc/passwd", "etc/passwd");
        check("", "./a//b", "a/b");
    }

    #[test]
    fn all_parts_share_one_limit() {
        let bytes = pack(&[("a", &"x".repeat(600)), ("b", &"y".repeat(600))]);
        let mut package = Package::open(&bytes, &Limits { unpacked_bytes: 1000, ..Limits::default() }).expect("zip");
        assert_eq!(package.part("a").expect("fits").map(|text| text.len()), Some(600));
        assert_eq!(package.part("c"), Ok(None));
        assert_eq!(package.part("b").expect_err("too much").code, FailureCode::UnpacksTooLarge);
    }
}
