//! The cells of one sheet.

use quick_xml::events::BytesStart;
use sheaf_domain::Failure;

use super::book::Book;
use crate::formats::markdown::Table;
use crate::formats::xml::{Visitor, attribute, number, walk_part};
use crate::limits::Limits;

/// Reads the cells that have a value. A sheet of another kind, such as one that is a chart, has none.
///
/// # Errors
/// Those of walking the XML.
pub fn read(name: &str, xml: &str, book: &Book, limits: &Limits) -> Result<Table, Failure> {
    let mut cells = Cells {
        book,
        table: Table::new(limits),
        column: 0,
        kind: Kind::Number,
        style: 0,
        value: String::new(),
        in_value: false,
        in_phonetic: false,
    };
    walk_part(name, xml, limits.depth, &mut cells)?;
    Ok(cells.table)
}

/// What the value of a cell is (ECMA-376 part 1, 18.18.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Number,
    SharedString,
    Truth,
    /// Text, an error, or a date in ISO 8601: as it is.
    Text,
}

struct Cells<'a> {
    book: &'a Book,
    table: Table,
    /// The column of the next cell that does not say where it is.
    column: u32,
    kind: Kind,
    style: usize,
    value: String,
    in_value: bool,
    in_phonetic: bool,
}

impl Cells<'_> {
    fn begin(&mut self, tag: &BytesStart<'_>) {
        self.value.clear();
        self.kind = match attribute(tag, "t").as_deref() {
            Some("s") => Kind::SharedString,
            Some("b") => Kind::Truth,
            Some("str" | "inlineStr" | "e" | "d") => Kind::Text,
            Some(_) | None => Kind::Number,
        };
        self.style = number(tag, "s").unwrap_or(0);
        if let Some(column) = attribute(tag, "r").as_deref().and_then(column_of) {
            self.column = column;
        }
    }

    fn end(&mut self) {
        let Self { book, table, column, .. } = self;
        let value = self.value.trim();
        match self.kind {
            Kind::Text => table.cell(*column, value),
            Kind::Truth => table.cell(*column, if value == "1" { "TRUE" } else { "FALSE" }),
            Kind::SharedString => {
                let string = value.parse().ok().and_then(|index| book.string(index));
                table.cell(*column, string.unwrap_or_default());
            }
            Kind::Number => match value.parse() {
                Ok(amount) => table.cell(*column, &book.format(self.style).show(amount, book.calendar)),
                Err(_) => table.cell(*column, value),
            },
        }
        *column = column.saturating_add(1);
    }
}

impl Visitor for Cells<'_> {
    fn open(&mut self, tag: &BytesStart<'_>) {
        match tag.local_name().as_ref() {
            "row" => self.column = 0,
            "c" => self.begin(tag),
            "v" | "t" => self.in_value = true,
            "rPh" => self.in_phonetic = true,
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "row" => self.table.end_row(),
            "c" if !self.value.is_empty() => self.end(),
            "c" => self.column = self.column.saturating_add(1),
            "v" | "t" => self.in_value = false,
            "rPh" => self.in_phonetic = false,
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.in_value && !self.in_phonetic {
            self.value.push_str(text);
        }
    }
}

/// The column of `BC12`, from 0.
fn column_of(reference: &str) -> Option<u32> {
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic);
    let column =
        letters.take(4).fold(0, |column, letter| column * 26 + u32::from(letter.to_ascii_uppercase() - b'A') + 1);
    column.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns() {
        #[track_caller]
        fn check(reference: &str, expect: Option<u32>) {
            assert_eq!(column_of(reference), expect);
        }
        check("A1", Some(0));
        check("z9", Some(25));
        check("AA1", Some(26));
        check("XFD1048576", Some(16383));
        check("12", None);
        check("", None);
    }
}
