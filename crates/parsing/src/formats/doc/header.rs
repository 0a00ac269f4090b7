//! The file information block ([MS-DOC] 2.5): what kind of file it is, and where its tables are.

use std::ops::Range;

use crate::formats::compound::{u16_at, u32_at};

/// A table in the table stream, by the place of its position and length in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    Styles,
    HeaderStories,
    Characters,
    Paragraphs,
    Pieces,
    Lists,
    ListOverrides,
}

impl Table {
    const fn at(self) -> usize {
        match self {
            Self::Styles => 0xa2,
            Self::HeaderStories => 0xf2,
            Self::Characters => 0xfa,
            Self::Paragraphs => 0x102,
            Self::Pieces => 0x1a2,
            Self::Lists => 0x2e2,
            Self::ListOverrides => 0x2ea,
        }
    }
}

/// The facts of the header.
pub struct Header<'a> {
    bytes: &'a [u8],
    version: u16,
    pub encrypted: bool,
    second_table: bool,
    lengths: [usize; 8],
}

impl<'a> Header<'a> {
    /// Reads the beginning of the document stream; nothing when that is too short.
    pub fn read(document: &'a [u8]) -> Option<Self> {
        let flags = u16_at(document, 0x0a)?;
        let lengths = std::array::from_fn(|index| u32_at(document, 0x4c + 4 * index).unwrap_or(0) as usize);
        Some(Self {
            bytes: document,
            version: u16_at(document, 2)?,
            encrypted: flags & 0x100 != 0,
            second_table: flags & 0x200 != 0,
            lengths,
        })
    }

    /// Whether it is of Word 6 or 95, whose header is another.
    pub fn is_old(&self) -> bool {
        self.version < 0xc1
    }

    /// The name of the stream with all tables.
    pub fn table_stream(&self) -> &'static str {
        if self.second_table { "/1Table" } else { "/0Table" }
    }

    /// Where in the table stream a table is.
    pub fn place(&self, table: Table) -> Range<usize> {
        let number = |at: usize| u32_at(self.bytes, at).unwrap_or(0) as usize;
        let start = number(table.at());
        start..start.saturating_add(number(table.at() + 4))
    }

    /// A table, empty when there is none.
    pub fn part<'b>(&self, table: Table, stream: &'b [u8]) -> &'b [u8] {
        stream.get(self.place(table)).unwrap_or_default()
    }

    /// The characters of the body, footnotes, headers, macros, comments, endnotes, text boxes and those of headers, which
    /// follow each other.
    pub fn stories(&self) -> [Range<usize>; 8] {
        let mut end = 0_usize;
        self.lengths.map(|length| {
            let start = end;
            end = end.saturating_add(length);
            start..end
        })
    }
}
