//! The properties of a message, a recipient or an attachment ([MS-OXMSG] 2.1, 2.4).

use encoding_rs::{Encoding, UTF_8};
use sheaf_domain::Failure;

use crate::charset;
use crate::formats::compound::{Compound, u16_at, u32_at, utf16};
use crate::formats::dates::file_time;

const MESSAGE_CODEPAGE: u16 = 0x3ffd;
const INTERNET_CODEPAGE: u16 = 0x3fde;

const NUMBER: u16 = 0x0003;
const TIME: u16 = 0x0040;

/// Where properties are: numbers in one stream, texts in one each.
pub struct Properties {
    storage: String,
    /// Identifier, type and value of those with a fixed length.
    fixed: Vec<(u16, u16, u64)>,
    encoding: Option<&'static Encoding>,
}

impl Properties {
    /// Reads the properties in a storage; nothing when it has none. Those of a recipient or an attachment are in the
    /// encoding of the message that they are in.
    ///
    /// # Errors
    /// Those of the file.
    pub fn read(file: &mut Compound<'_>, storage: &str, within: Option<&Self>) -> Result<Option<Self>, Failure> {
        let storage = storage.trim_end_matches('/').to_owned();
        let Some(bytes) = file.stream(format!("{storage}/__properties_version1.0"))? else { return Ok(None) };
        let head = if within.is_some() { 8 } else { 32 };
        let entries = bytes.get(head..).unwrap_or_default().chunks_exact(16);
        let fixed = entries.filter_map(|entry| {
            let value = u64::from(u32_at(entry, 8)?) | u64::from(u32_at(entry, 12)?) << 32;
            Some((u16_at(entry, 2)?, u16_at(entry, 0)?, value))
        });
        let mut properties = Self { storage, fixed: fixed.collect(), encoding: None };
        let own = properties.codepage(MESSAGE_CODEPAGE).or_else(|| properties.codepage(INTERNET_CODEPAGE));
        properties.encoding = within.map_or(own, |message| message.encoding);
        Ok(Some(properties))
    }

    /// A text, in UTF-16 or in the message's encoding.
    ///
    /// # Errors
    /// Those of the file.
    pub fn text(&self, file: &mut Compound<'_>, id: u16) -> Result<Option<String>, Failure> {
        if let Some(bytes) = file.stream(self.stream(id, "001F"))? {
            return Ok(Some(utf16(&bytes).trim_end_matches('\0').to_owned()));
        }
        let Some(bytes) = file.stream(self.stream(id, "001E"))? else { return Ok(None) };
        let encoding = match self.encoding {
            Some(encoding) if encoding != UTF_8 && !encoding.name().starts_with("UTF-16") => encoding,
            _ if str::from_utf8(&bytes).is_ok() => UTF_8,
            _ => charset::guess(&bytes),
        };
        Ok(Some(encoding.decode_without_bom_handling(&bytes).0.trim_end_matches('\0').to_owned()))
    }

    /// Bytes.
    ///
    /// # Errors
    /// Those of the file.
    pub fn bytes(&self, file: &mut Compound<'_>, id: u16) -> Result<Option<Vec<u8>>, Failure> {
        file.stream(self.stream(id, "0102"))
    }

    /// A number.
    pub fn number(&self, id: u16) -> Option<u32> {
        self.fixed(id, NUMBER).map(|value| value as u32)
    }

    /// A point in time, ISO 8601.
    pub fn time(&self, id: u16) -> Option<String> {
        self.fixed(id, TIME).and_then(file_time)
    }

    /// The encoding of the message's HTML.
    pub fn internet_codepage(&self) -> Option<&'static Encoding> {
        self.codepage(INTERNET_CODEPAGE)
    }

    fn codepage(&self, id: u16) -> Option<&'static Encoding> {
        charset::of_codepage(self.number(id)?)
    }

    fn fixed(&self, id: u16, kind: u16) -> Option<u64> {
        self.fixed.iter().find(|(found, of, _)| (*found, *of) == (id, kind)).map(|property| property.2)
    }

    fn stream(&self, id: u16, kind: &str) -> String {
        format!("{}/__substg1.0_{id:04X}{kind}", self.storage)
    }
}
