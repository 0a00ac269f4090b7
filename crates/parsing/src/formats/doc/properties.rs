//! The properties of paragraphs and characters ([MS-DOC] 2.9: `PapxFkp`, `ChpxFkp`, `Sprm`).

use std::ops::Range;

use crate::formats::compound::{u16_at, u32_at};

const PAGE: usize = 512;

/// What a paragraph, or its style, says of itself; what it does not say its style does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paragraph {
    pub style: u16,
    pub in_table: bool,
    /// Whether it is the mark that ends a row.
    pub ends_row: bool,
    /// The level of its heading, from 1; 10 is body text.
    pub outline: Option<usize>,
    /// Its list, from 1, and the level in it, from 0.
    pub list: Option<u16>,
    pub level: Option<usize>,
}

/// The properties by the place of the text in the file.
pub struct Formatting {
    paragraphs: Vec<(Range<usize>, Paragraph)>,
    /// Text that is hidden or deleted.
    hidden: Vec<Range<usize>>,
    /// Text of which each character stands for one of a symbol font.
    symbols: Vec<(Range<usize>, char)>,
}

impl Formatting {
    /// Reads both tables of pages; what is broken says nothing.
    pub fn read(paragraphs: &[u8], characters: &[u8], document: &[u8]) -> Self {
        let mut formatting = Self { paragraphs: Vec::new(), hidden: Vec::new(), symbols: Vec::new() };
        for page in pages(paragraphs, document) {
            formatting.paragraphs.extend(runs(page, 13).filter_map(|(range, at)| Some((range, paragraph(page, at)?))));
        }
        for page in pages(characters, document) {
            let hidden = runs(page, 1).filter(|(_, at)| is_hidden(page, *at));
            formatting.hidden.extend(hidden.map(|(range, _)| range));
            formatting.symbols.extend(runs(page, 1).filter_map(|(range, at)| Some((range, symbol(page, at)?))));
        }
        formatting.paragraphs.sort_by_key(|run| run.0.start);
        formatting.hidden.sort_by_key(|range| range.start);
        formatting.symbols.sort_by_key(|run| run.0.start);
        formatting
    }

    /// The paragraph whose mark lies at a place.
    pub fn paragraph(&self, place: usize) -> Paragraph {
        let index = self.paragraphs.partition_point(|run| run.0.start <= place);
        let run = index.checked_sub(1).map(|index| &self.paragraphs[index]);
        run.filter(|run| run.0.contains(&place)).map(|run| run.1).unwrap_or_default()
    }

    /// Whether a character at a place is not to be seen.
    pub fn is_hidden(&self, place: usize) -> bool {
        let index = self.hidden.partition_point(|range| range.start <= place);
        index.checked_sub(1).is_some_and(|index| self.hidden[index].contains(&place))
    }

    /// The character that is shown in place of the one at a place, from U+F000: of a symbol font.
    pub fn symbol(&self, place: usize) -> Option<char> {
        let index = self.symbols.partition_point(|run| run.0.start <= place).checked_sub(1)?;
        let (range, character) = &self.symbols[index];
        range.contains(&place).then_some(*character)
    }
}

/// The pages that a table names; no more than the file has, for it may name one often.
fn pages<'a>(table: &'a [u8], document: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let count = table.len().saturating_sub(4) / 8;
    (0..count.min(document.len() / PAGE)).filter_map(move |index| {
        let page = (u32_at(table, 4 * (count + 1) + 4 * index)? & 0x003f_ffff) as usize;
        document.get(page * PAGE..(page + 1) * PAGE)
    })
}

/// The ranges of a page and where in it the properties of each are; `width` is the size of an entry.
fn runs(page: &[u8], width: usize) -> impl Iterator<Item = (Range<usize>, usize)> {
    let count = usize::from(page.last().copied().unwrap_or(0));
    (0..count).filter_map(move |index| {
        let place = |index: usize| u32_at(page, 4 * index).map(|place| place as usize);
        let at = usize::from(*page.get(4 * (count + 1) + width * index)?) * 2;
        Some((place(index)?..place(index + 1)?, at))
    })
}

fn paragraph(page: &[u8], at: usize) -> Option<Paragraph> {
    if at == 0 {
        return Some(Paragraph::default());
    }
    let (start, length) = match usize::from(*page.get(at)?) {
        0 => (at + 2, 2 * usize::from(*page.get(at + 1)?)),
        half => (at + 1, 2 * half - 1),
    };
    let bytes = page.get(start..(start + length).min(page.len()))?;
    let mut paragraph = Paragraph { style: u16_at(bytes, 0)?, ..Paragraph::default() };
    apply(bytes.get(2..)?, &mut paragraph);
    Some(paragraph)
}

/// Adds what a list of modifiers says.
pub fn apply(modifiers: &[u8], paragraph: &mut Paragraph) {
    for (code, operand) in Modifiers(modifiers) {
        let small = operand.first().copied().unwrap_or(0);
        match code {
            0x2416 => paragraph.in_table = small != 0,
            0x2417 => paragraph.ends_row = small != 0,
            0x2640 => paragraph.outline = Some(usize::from(small) + 1),
            0x260a => paragraph.level = Some(usize::from(small)),
            0x460b => paragraph.list = u16_at(operand, 0),
            _ => {}
        }
    }
}

fn is_hidden(page: &[u8], at: usize) -> bool {
    // Deleted by a revision, and hidden.
    modifiers(page, at).any(|(code, operand)| matches!(code, 0x0800 | 0x083c) && operand.first() == Some(&1))
}

/// The character of `sprmCSymbol`, after the number of its font.
fn symbol(page: &[u8], at: usize) -> Option<char> {
    let (_, operand) = modifiers(page, at).find(|&(code, _)| code == 0x6a09)?;
    char::from_u32(0xf000 | u32::from(u16_at(operand, 2)? & 0xff))
}

/// What is said about the characters of a run.
fn modifiers(page: &[u8], at: usize) -> Modifiers<'_> {
    let Some(length) = page.get(at).filter(|_| at > 0) else { return Modifiers(&[]) };
    Modifiers(&page[at + 1..(at + 1 + usize::from(*length)).min(page.len())])
}

/// Single property modifiers, each a code and an operand ([MS-DOC] 2.6).
struct Modifiers<'a>(&'a [u8]);

impl<'a> Iterator for Modifiers<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let code = u16_at(self.0, 0)?;
        let rest = &self.0[2..];
        let (skip, length) = match code >> 13 {
            0 | 1 => (0, 1),
            2 | 4 | 5 => (0, 2),
            3 => (0, 4),
            7 => (0, 3),
            // A length comes first; that of a table's definition has two bytes, one of which it counts.
            _ if code == 0xd608 => (2, usize::from(u16_at(rest, 0)?).saturating_sub(1)),
            _ => (1, usize::from(*rest.first()?)),
        };
        let operand = rest.get(skip..skip + length)?;
        self.0 = &rest[skip + length..];
        Some((code, operand))
    }
}
