//! Paragraphs, lists and tables of formats in which marks end them one after the other (RTF, Word 97).

use crate::formats::markdown::{Markdown, Table, one_line};
use crate::limits::Limits;

/// Where a paragraph stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    pub in_table: bool,
    /// The level in its list, from 0.
    pub level: usize,
    /// The level as a heading, from 1.
    pub heading: Option<usize>,
}

/// Text that flows by itself: the body, a header.
pub struct Flow<'a> {
    limits: &'a Limits,
    page: Markdown,
    /// The paragraph, what its list shows before it, and the cell.
    pub text: String,
    pub label: String,
    cell: String,
    table: Option<Table>,
    column: u32,
}

impl<'a> Flow<'a> {
    pub fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            page: Markdown::new(limits),
            text: String::new(),
            label: String::new(),
            cell: String::new(),
            table: None,
            column: 0,
        }
    }

    /// The text as it is now; the paragraph that was never ended too.
    pub fn finish(mut self) -> String {
        if !self.cell.is_empty() {
            self.end_cell();
        }
        self.end_paragraph(Place::default());
        self.end_table();
        self.page.take()
    }

    /// Whether there is more text than a document may have.
    pub fn is_full(&self) -> bool {
        self.page.is_full() || self.text.len() + self.cell.len() > self.limits.text_bytes
    }

    /// Ends a paragraph.
    pub fn end_paragraph(&mut self, place: Place) {
        let text = std::mem::take(&mut self.text);
        let label = std::mem::take(&mut self.label);
        if place.in_table {
            self.cell.push_str(&format!("{} {text}\n", label.trim()));
            return;
        }
        if text.trim().is_empty() {
            return;
        }
        self.end_table();
        let label = one_line(&label);
        match (place.heading, label.as_str()) {
            (Some(level), "") => self.page.heading(level, &text),
            (Some(level), label) => self.page.heading(level, &format!("{label} {text}")),
            (None, "") => self.page.paragraph(&text),
            (None, label) if label.chars().any(char::is_alphanumeric) => {
                self.page.item(place.level, Some(label), &text);
            }
            (None, _) => self.page.item(place.level, None, &text),
        }
    }

    pub fn end_cell(&mut self) {
        let mut cell = std::mem::take(&mut self.cell);
        cell.push_str(self.label.trim());
        cell.push(' ');
        cell.push_str(&std::mem::take(&mut self.text));
        self.label.clear();
        let table = self.table.get_or_insert_with(|| Table::new(self.limits));
        table.cell(self.column, &cell);
        self.column += 1;
    }

    pub fn end_row(&mut self) {
        self.column = 0;
        if let Some(table) = &mut self.table {
            table.end_row();
        }
    }

    fn end_table(&mut self) {
        if let Some(table) = self.table.take() {
            self.page.table(&table);
        }
        self.column = 0;
    }
}
