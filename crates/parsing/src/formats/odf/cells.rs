//! The table that is being read. How often a file says that cells and rows are repeated is not believed beyond what the
//! limit on text allows.

use crate::formats::markdown::Table;
use crate::limits::Limits;

/// The columns and rows of the largest sheet.
const COLUMNS: u32 = 16_384;
const ROWS: u32 = 1 << 20;

/// A table, its row and its cell.
pub struct Cells {
    pub table: Table,
    column: u32,
    /// The cells of the row: their first column, how many columns they fill, their text.
    row: Vec<(u32, u32, String)>,
    repeat_row: u32,
    repeat_cell: u32,
    /// The text of the cell, and what stands in when it has none: its value.
    pub text: String,
    value: Option<String>,
}

impl Cells {
    /// A table without cells.
    pub fn new(limits: &Limits) -> Self {
        Self {
            table: Table::new(limits),
            column: 0,
            row: Vec::new(),
            repeat_row: 1,
            repeat_cell: 1,
            text: String::new(),
            value: None,
        }
    }

    pub fn begin_row(&mut self, repeat: Option<u32>) {
        self.column = 0;
        self.row.clear();
        self.repeat_row = repeat.unwrap_or(1).min(ROWS);
    }

    pub fn begin_cell(&mut self, repeat: Option<u32>, value: Option<String>) {
        self.text.clear();
        self.value = value;
        self.repeat_cell = repeat.unwrap_or(1).min(COLUMNS);
    }

    pub fn end_cell(&mut self) {
        let text = std::mem::take(&mut self.text);
        let text = if text.trim().is_empty() { self.value.take().unwrap_or_default() } else { text };
        if !text.trim().is_empty() && !self.table.is_full() {
            self.row.push((self.column, self.repeat_cell, text));
        }
        self.column = self.column.saturating_add(self.repeat_cell);
    }

    pub fn end_row(&mut self) {
        if self.row.is_empty() {
            return;
        }
        for _ in 0..self.repeat_row {
            for (first, repeat, text) in &self.row {
                for column in *first..first.saturating_add(*repeat) {
                    if self.table.is_full() {
                        return;
                    }
                    self.table.cell(column, text);
                }
            }
            self.table.end_row();
        }
    }
}
