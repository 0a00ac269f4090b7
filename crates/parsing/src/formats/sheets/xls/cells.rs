//! The cells of one sheet of an old workbook.

use super::book::Book;
use super::records::{Parts, Record, Records};
use crate::formats::compound::{u16_at, u32_at};
use crate::formats::markdown::{Markdown, Table};
use crate::formats::sheets::numbers::{Calendar, compact, error_name};
use crate::limits::Limits;

/// What a sheet shows: its cells, and its text boxes and comments.
pub struct Shown {
    pub table: Table,
    pub beside: String,
}

/// Reads the records of a sheet up to its end; those of charts within it are passed over.
pub fn read(records: &[u8], book: &Book, limits: &Limits) -> Shown {
    let mut cells = Cells { book, table: Table::new(limits), beside: Markdown::new(limits), row: None, pending: None };
    let mut depth = 0;
    for record in Records(records) {
        match record.kind {
            0x809 => depth += 1,
            0x0a if depth <= 1 => break,
            0x0a => depth -= 1,
            _ if depth == 1 && !cells.table.is_full() => {
                // A record that is too short is passed over.
                let _ = cells.take(record);
            }
            _ => {}
        }
    }
    Shown { table: cells.table, beside: cells.beside.take() }
}

struct Cells<'a> {
    book: &'a Book,
    table: Table,
    beside: Markdown,
    row: Option<u16>,
    /// The cell of a formula whose text is in the next record.
    pending: Option<(u16, u16)>,
}

impl Cells<'_> {
    fn take(&mut self, record: Record<'_>) -> Option<()> {
        let data = record.data;
        // Texts of boxes and comments have no place among the cells.
        if record.kind == 0x1b6 {
            return self.text_box(record);
        }
        if record.kind == 0x207 {
            let (row, column) = self.pending.take()?;
            let text = self.book.string(record, 0)?;
            self.put(row, column, &text);
            return Some(());
        }
        if !matches!(record.kind, 0x06 | 0xbd | 0xd6 | 0xfd | 0x203 | 0x204 | 0x205 | 0x27e) {
            return None;
        }
        let (row, column, style) = (u16_at(data, 0)?, u16_at(data, 2)?, u16_at(data, 4)?);
        match record.kind {
            0x27e => self.number(row, column, style, compact(u32_at(data, 6)?)),
            0x203 => self.number(row, column, style, float(data, 6)?),
            0xbd => {
                // Style and value of each cell, then the last column.
                for (column, cell) in (column..).zip(data.get(4..data.len().checked_sub(2)?)?.chunks_exact(6)) {
                    self.number(row, column, u16_at(cell, 0)?, compact(u32_at(cell, 2)?));
                }
            }
            0xfd => {
                let book = self.book;
                self.put(row, column, book.strings.get(u32_at(data, 6)? as usize)?);
            }
            0x204 | 0xd6 => {
                let text = self.book.string(record, 6)?;
                self.put(row, column, &text);
            }
            0x205 => self.truth(row, column, *data.get(6)?, *data.get(7)? != 0),
            _ => self.formula(row, column, style, data.get(6..14)?)?,
        }
        Some(())
    }

    fn formula(&mut self, row: u16, column: u16, style: u16, result: &[u8]) -> Option<()> {
        if u16_at(result, 6)? != 0xffff {
            self.number(row, column, style, float(result, 0)?);
            return Some(());
        }
        match result[0] {
            0 => self.pending = Some((row, column)),
            1 => self.truth(row, column, result[2], false),
            2 => self.truth(row, column, result[2], true),
            _ => {}
        }
        Some(())
    }

    fn number(&mut self, row: u16, column: u16, style: u16, value: f64) {
        let calendar: Calendar = self.book.calendar;
        let text = self.book.format(style).show(value, calendar);
        self.put(row, column, &text);
    }

    fn truth(&mut self, row: u16, column: u16, value: u8, is_error: bool) {
        let text = match (is_error, value) {
            (false, 0) => "FALSE",
            (false, _) => "TRUE",
            (true, code) => error_name(code),
        };
        self.put(row, column, text);
    }

    fn put(&mut self, row: u16, column: u16, text: &str) {
        if self.row.replace(row).is_some_and(|before| before != row) {
            self.table.end_row();
        }
        self.table.cell(u32::from(column), text);
    }

    /// The text of a box is in what continues its record.
    fn text_box(&mut self, record: Record<'_>) -> Option<()> {
        let length = usize::from(u16_at(record.data, 10)?);
        let mut more = record.more.into_iter();
        let (flags, text) = more.next()?.split_first()?;
        let text = if self.book.is_unicode {
            Parts::new(Record { kind: 0, data: text, more: more.collect() }).characters(length, *flags)
        } else {
            return None;
        };
        self.beside.paragraph(&text);
        Some(())
    }
}

fn float(data: &[u8], at: usize) -> Option<f64> {
    Some(f64::from_bits(u64::from(u32_at(data, at)?) | u64::from(u32_at(data, at + 4)?) << 32))
}
