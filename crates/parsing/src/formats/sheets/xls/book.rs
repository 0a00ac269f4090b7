//! What the sheets of an old workbook share: their names, strings, encoding and number formats.

use std::collections::HashMap;

use encoding_rs::{Encoding, WINDOWS_1252};
use sheaf_domain::Failure;

use super::records::{Parts, Record, Records, narrow_string};
use crate::charset;
use crate::formats::compound::{u16_at, u32_at};
use crate::formats::sheets::numbers::{Calendar, Format};
use crate::formats::sheets::strings::Strings;
use crate::formats::{corrupt, password};

/// The version with Unicode.
const BIFF8: u16 = 0x600;

/// The globals of a workbook.
pub struct Book {
    pub sheets: Vec<Sheet>,
    pub calendar: Calendar,
    pub strings: Strings,
    pub is_unicode: bool,
    pub encoding: &'static Encoding,
    own_formats: HashMap<u16, Format>,
    of_styles: Vec<u16>,
}

/// A sheet as the workbook lists it.
pub struct Sheet {
    pub name: String,
    /// Where in the stream its records begin.
    pub place: usize,
}

impl Book {
    /// Reads the records before those of the sheets.
    ///
    /// # Errors
    /// `corrupt_file` when the stream is no workbook, `password_protected` when it is encrypted.
    pub fn read(stream: &[u8]) -> Result<Self, Failure> {
        let mut records = Records(stream);
        let start = records.next().filter(|record| record.kind == 0x809);
        let start = start.ok_or_else(|| corrupt("this Excel file is damaged, or older than Excel 5"))?;
        let mut book = Self {
            sheets: Vec::new(),
            calendar: Calendar::From1900,
            strings: Strings::default(),
            is_unicode: u16_at(start.data, 0) == Some(BIFF8),
            encoding: WINDOWS_1252,
            own_formats: HashMap::new(),
            of_styles: Vec::new(),
        };
        for record in records {
            match record.kind {
                0x0a => break,
                0x2f => return Err(password("this Excel file is encrypted")),
                _ => book.take(record),
            }
        }
        Ok(book)
    }

    /// The format of cells with a style.
    pub fn format(&self, style: u16) -> Format {
        let Some(id) = self.of_styles.get(usize::from(style)) else { return Format::Number };
        self.own_formats.get(id).copied().unwrap_or_else(|| Format::built_in(u32::from(*id)))
    }

    fn take(&mut self, record: Record<'_>) {
        let data = record.data;
        match record.kind {
            0x22 if u16_at(data, 0) == Some(1) => self.calendar = Calendar::From1904,
            0x42 => {
                let found = u16_at(data, 0).and_then(|page| charset::of_codepage(u32::from(page)));
                self.encoding = found.filter(|_| !self.is_unicode).unwrap_or(WINDOWS_1252);
            }
            0x41e => {
                if let (Some(id), Some(code)) = (u16_at(data, 0), self.format_code(record)) {
                    self.own_formats.insert(id, Format::of_code(&code));
                }
            }
            0xe0 => self.of_styles.push(u16_at(data, 2).unwrap_or(0)),
            0x85 => self.sheets.extend(self.sheet(data)),
            0xfc => {
                let mut parts = Parts::new(record);
                // How many there are is not believed.
                let _ = parts.skip(8);
                while let Some(text) = parts.rich_string() {
                    self.strings.push(&text);
                    self.strings.end();
                }
            }
            _ => {}
        }
    }

    fn format_code(&self, record: Record<'_>) -> Option<String> {
        if self.is_unicode {
            let mut parts = Parts::new(record);
            parts.skip(2)?;
            return parts.rich_string();
        }
        let (length, text) = record.data.get(2..)?.split_first()?;
        Some(String::from_utf8_lossy(&text[..usize::from(*length).min(text.len())]).into_owned())
    }

    /// A sheet; modules of programs are not listed.
    fn sheet(&self, data: &[u8]) -> Option<Sheet> {
        let place = u32_at(data, 0)? as usize;
        let (kind, length) = (*data.get(5)?, *data.get(6)?);
        if kind == 6 {
            return None;
        }
        let name = match self.is_unicode {
            true => {
                let (flags, text) = data.get(7..)?.split_first()?;
                let record = Record { kind: 0, data: text, more: Vec::new() };
                Parts::new(record).characters(usize::from(length), *flags)
            }
            false => {
                let text = data.get(7..)?;
                let text = &text[..usize::from(length).min(text.len())];
                self.encoding.decode_without_bom_handling(text).0.into_owned()
            }
        };
        Some(Sheet { name, place })
    }

    /// The string of a record, from an offset in its data.
    pub fn string(&self, mut record: Record<'_>, at: usize) -> Option<String> {
        record.data = record.data.get(at..)?;
        if self.is_unicode { Parts::new(record).rich_string() } else { narrow_string(record.data, self.encoding) }
    }
}
