//! From the characters of a story, such as the body or a header, to text.

use std::ops::Range;

use super::lists::{Counters, Lists};
use super::pieces::Pieces;
use super::properties::Formatting;
use super::styles::Styles;
use crate::formats::flow::{Flow, Place};
use crate::formats::symbols;
use crate::limits::Limits;

/// What stories are read with.
pub struct Reader<'a> {
    pieces: &'a Pieces,
    formatting: &'a Formatting,
    styles: &'a Styles,
    lists: &'a Lists,
    limits: &'a Limits,
    counters: Counters,
    /// How many units may still be read: stories that overlap would make a large text of a small file.
    left: usize,
}

impl<'a> Reader<'a> {
    pub fn new(
        pieces: &'a Pieces,
        formatting: &'a Formatting,
        styles: &'a Styles,
        lists: &'a Lists,
        limits: &'a Limits,
    ) -> Self {
        Self { pieces, formatting, styles, lists, limits, counters: Counters::default(), left: 2 * limits.text_bytes }
    }

    /// The text of the units in a range, as far as there are any.
    pub fn read(&mut self, range: Range<usize>) -> String {
        let all = &self.pieces.units;
        let start = range.start.min(all.len());
        let range = start..range.end.min(all.len()).min(start.saturating_add(self.left)).max(start);
        self.left -= range.len();
        let mut flow = Flow::new(self.limits);
        let mut fields = Fields::default();
        let mut at = range.start;
        for decoded in char::decode_utf16(all[range.clone()].iter().copied()) {
            let character = decoded.unwrap_or(char::REPLACEMENT_CHARACTER);
            let place = self.pieces.place(at).unwrap_or(0);
            at += character.len_utf16();
            if fields.take(character) || flow.is_full() {
                continue;
            }
            match character {
                '\r' | '\u{c}' | '\u{e}' => self.end_paragraph(place, &mut flow),
                '\u{7}' => self.end_cell(place, &mut flow),
                _ if self.formatting.is_hidden(place) => {}
                '\u{b}' => flow.text.push('\n'),
                '\u{1e}' => flow.text.push('-'),
                '\t' | ' '.. => {
                    let character = self.formatting.symbol(place).unwrap_or(character);
                    flow.text.extend(symbols::of_private(character));
                }
                // Pictures, references of notes and the like.
                _ => {}
            }
        }
        flow.finish()
    }

    fn end_paragraph(&mut self, place: usize, flow: &mut Flow<'_>) {
        let paragraph = self.styles.complete(self.formatting.paragraph(place));
        let heading = match paragraph.outline {
            Some(level @ 1..=9) => Some(level),
            Some(_) => None,
            None => self.styles.heading(&paragraph),
        };
        let heading = heading.or_else(|| self.styles.heading(&paragraph));
        let level = paragraph.level.unwrap_or(0);
        if let Some(list) = paragraph.list.filter(|list| *list > 0)
            && !flow.text.trim().is_empty()
        {
            flow.label = match self.lists.next(list, level, &mut self.counters) {
                Some(label) => label,
                None if heading.is_some() => String::new(),
                None => "\u{2022}".to_owned(),
            };
        }
        flow.end_paragraph(Place { in_table: paragraph.in_table, level, heading });
    }

    fn end_cell(&self, place: usize, flow: &mut Flow<'_>) {
        if self.formatting.paragraph(place).ends_row { flow.end_row() } else { flow.end_cell() }
    }
}

/// Fields: of each only the result is shown, not the instruction before it.
#[derive(Default)]
pub struct Fields {
    /// For each field that is open, whether its instruction has ended.
    open: Vec<bool>,
    hidden: usize,
}

impl Fields {
    /// Whether a character belongs to the fields and is not shown.
    pub fn take(&mut self, character: char) -> bool {
        match character {
            '\u{13}' => {
                self.open.push(false);
                self.hidden += 1;
            }
            '\u{14}' => {
                if let Some(ended @ false) = self.open.last_mut() {
                    *ended = true;
                    self.hidden -= 1;
                }
            }
            '\u{15}' => {
                if self.open.pop() == Some(false) {
                    self.hidden -= 1;
                }
            }
            _ => return self.hidden > 0,
        }
        true
    }
}
