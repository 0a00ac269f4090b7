//! The records of a presentation ([MS-PPT] 2.3.1): each has a kind, an instance and bytes, which may be records again.

use crate::formats::compound::{u16_at, u32_at};

/// Records in records; real files have a dozen.
const DEEPEST: u32 = 32;

/// The one kind that has records in it and does not say so: what later versions added, such as comments.
const TAG_BLOB: u16 = 0x138b;

/// A record.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    pub kind: u16,
    pub instance: u16,
    pub is_container: bool,
    pub data: &'a [u8],
}

/// Reads records one after the other until the bytes end; the last may be cut off.
#[derive(Clone, Copy)]
pub struct Records<'a>(pub &'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let first = u16_at(self.0, 0)?;
        let (kind, length) = (u16_at(self.0, 2)?, u32_at(self.0, 4)? as usize);
        let rest = &self.0[8..];
        let data = &rest[..length.min(rest.len())];
        self.0 = &rest[data.len()..];
        Some(Record { kind, instance: first >> 4, is_container: first & 0xf == 0xf || kind == TAG_BLOB, data })
    }
}

/// Visits records and all that are in them, outer ones first; `visit` says whether to look into a container.
pub fn walk<'a>(records: &'a [u8], visit: &mut impl FnMut(Record<'a>) -> bool) {
    within(records, DEEPEST, visit);
}

fn within<'a>(records: &'a [u8], depth: u32, visit: &mut impl FnMut(Record<'a>) -> bool) {
    for record in Records(records) {
        if visit(record) && record.is_container && depth > 0 {
            within(record.data, depth - 1, visit);
        }
    }
}
