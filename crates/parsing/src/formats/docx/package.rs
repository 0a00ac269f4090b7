//! The parts of an OOXML package, read under a limit on the bytes that they really unpack to.

use std::io::{Cursor, Read};

use sheaf_domain::{Failure, FailureCode};
use zip::ZipArchive;
use zip::result::ZipError;

use super::styles;
use crate::charset;
use crate::formats::{corrupt, password};
use crate::limits::Limits;

/// An open package.
pub struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    left: u64,
    limit: u64,
}

impl<'a> Package<'a> {
    /// Opens it.
    ///
    /// # Errors
    /// `corrupt_file` when it is no ZIP file.
    pub fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, Failure> {
        let archive = ZipArchive::new(Cursor::new(bytes))
            .map_err(|_| corrupt("this Office file is damaged: its package cannot be opened"))?;
        Ok(Self { archive, left: limits.unpacked_bytes, limit: limits.unpacked_bytes })
    }

    /// The name of the part that is the document itself, by the package's relations.
    pub fn main_part(&mut self) -> String {
        let relations = self.part("_rels/.rels").ok().flatten().unwrap_or_default();
        styles::relation(&relations, "/officeDocument").unwrap_or_else(|| "word/document.xml".to_owned())
    }

    /// The names `word/NAME.xml`, `word/NAME1.xml` and so on that the package has, in the order of their numbers.
    pub fn numbered(&self, name: &str) -> Vec<String> {
        let prefix = format!("word/{name}");
        let number = |part: &str| {
            let digits = part.strip_prefix(&prefix)?.strip_suffix(".xml")?;
            if digits.is_empty() { Some(0) } else { digits.parse::<u32>().ok() }
        };
        let mut parts: Vec<(u32, String)> =
            self.archive.file_names().filter_map(|part| Some((number(part)?, part.to_owned()))).collect();
        parts.sort();
        parts.into_iter().map(|(_, part)| part).collect()
    }

    /// A part as text, or nothing when there is none of that name.
    ///
    /// # Errors
    /// `document_limit` when the parts unpack to more than is allowed, `password_protected` or `corrupt_file` when it
    /// cannot be unpacked.
    pub fn part(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let damaged =
            |name: &str| corrupt(format!("this Office file is damaged: its part `{name}` cannot be unpacked"));
        let part = match self.archive.by_name(name) {
            Ok(part) => part,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)) => {
                return Err(password("this Office file is encrypted"));
            }
            Err(_) => return Err(damaged(name)),
        };
        let mut bytes = Vec::new();
        part.take(self.left + 1).read_to_end(&mut bytes).map_err(|_| damaged(name))?;
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or_else(|| {
            Failure::new(
                FailureCode::DocumentLimit,
                format!("this Office file unpacks to more than {} MiB", self.limit >> 20),
            )
        })?;
        Ok(Some(charset::decode(&bytes, None).text.into_owned()))
    }
}
