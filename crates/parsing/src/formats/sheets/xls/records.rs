//! The records of a workbook ([MS-XLS] 2.1.4), and the strings in them.

use encoding_rs::{Encoding, UTF_16LE};

use crate::formats::compound::u16_at;

/// What continues the record before it.
const CONTINUE: u16 = 0x3c;

/// A record with what continues it.
pub struct Record<'a> {
    pub kind: u16,
    pub data: &'a [u8],
    pub more: Vec<&'a [u8]>,
}

/// Reads records until the bytes end.
pub struct Records<'a>(pub &'a [u8]);

impl<'a> Records<'a> {
    fn one(&mut self) -> Option<(u16, &'a [u8])> {
        let kind = u16_at(self.0, 0)?;
        let end = 4 + usize::from(u16_at(self.0, 2)?);
        // The last one may be cut off.
        let data = self.0.get(4..end.min(self.0.len()))?;
        self.0 = self.0.get(end..).unwrap_or_default();
        Some((kind, data))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let (kind, data) = self.one()?;
        let mut more = Vec::new();
        while u16_at(self.0, 0) == Some(CONTINUE) {
            // What is cut off within its length ends the stream.
            let Some((_, data)) = self.one() else { break };
            more.push(data);
        }
        Some(Record { kind, data, more })
    }
}

/// Reads through the parts of a record as if they were one; only characters notice where a part ends.
pub struct Parts<'a> {
    part: &'a [u8],
    rest: std::vec::IntoIter<&'a [u8]>,
}

impl<'a> Parts<'a> {
    pub fn new(record: Record<'a>) -> Self {
        Self { part: record.data, rest: record.more.into_iter() }
    }

    fn byte(&mut self) -> Option<u8> {
        while self.part.is_empty() {
            self.part = self.rest.next()?;
        }
        let (first, rest) = self.part.split_first()?;
        self.part = rest;
        Some(*first)
    }

    pub fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    pub fn u32(&mut self) -> Option<u32> {
        Some(u32::from(self.u16()?) | u32::from(self.u16()?) << 16)
    }

    pub fn skip(&mut self, mut bytes: usize) -> Option<()> {
        loop {
            let here = bytes.min(self.part.len());
            self.part = &self.part[here..];
            bytes -= here;
            if bytes == 0 {
                return Some(());
            }
            self.part = self.rest.next()?;
        }
    }

    /// A string with its length in 16 bits, its formatting skipped ([MS-XLS] 2.5.293).
    pub fn rich_string(&mut self) -> Option<String> {
        let length = usize::from(self.u16()?);
        let flags = self.byte()?;
        let runs = if flags & 8 != 0 { usize::from(self.u16()?) } else { 0 };
        let extra = if flags & 4 != 0 { self.u32()? as usize } else { 0 };
        let text = self.characters(length, flags);
        self.skip(4 * runs)?;
        self.skip(extra)?;
        Some(text)
    }

    /// So many characters; where a part ends among them, the next begins with flags of its own.
    pub fn characters(&mut self, mut length: usize, mut flags: u8) -> String {
        let mut units = Vec::new();
        loop {
            let width = if flags & 1 != 0 { 2 } else { 1 };
            let here = length.min(self.part.len() / width);
            let (now, rest) = self.part.split_at(here * width);
            match width {
                1 => units.extend(now.iter().flat_map(|byte| [*byte, 0])),
                _ => units.extend_from_slice(now),
            }
            (self.part, length) = (rest, length - here);
            if length == 0 {
                break;
            }
            let Some(next) = self.rest.next() else { break };
            let Some((first, rest)) = next.split_first() else { break };
            (flags, self.part) = (*first, rest);
        }
        UTF_16LE.decode_without_bom_handling(&units).0.into_owned()
    }
}

/// A string of a version before Unicode, its length before it.
pub fn narrow_string(bytes: &[u8], encoding: &'static Encoding) -> Option<String> {
    let length = usize::from(u16_at(bytes, 0)?);
    let text = bytes.get(2..)?;
    Some(encoding.decode_without_bom_handling(&text[..length.min(text.len())]).0.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_continuation_that_is_cut_off_does_not_hang() {
        for end in [vec![0x3c, 0], vec![0x3c, 0, 1], vec![0x3c, 0, 0, 0], vec![0x3c, 0, 9, 0, 7]] {
            let bytes = [vec![0x0a, 0, 1, 0, 5], end].concat();
            let records: Vec<u16> = Records(&bytes).map(|record| record.kind).take(3).collect();
            assert_eq!(records, [0x0a], "{bytes:?}");
        }
    }
}
