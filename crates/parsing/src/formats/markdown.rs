//! The text of a page as Markdown: headings, paragraphs, lists and tables, with one way to write each.

use crate::limits::Limits;

/// A page that grows by blocks.
///
/// It takes no more than the limit on text and a little: what is longer fails when it is put out as a page.
#[derive(Clone, Debug)]
pub struct Markdown {
    text: String,
    room: usize,
    after_item: bool,
}

impl Markdown {
    /// An empty page.
    pub fn new(limits: &Limits) -> Self {
        Self { text: String::new(), room: limits.text_bytes, after_item: false }
    }

    /// Whether more was written than a document may have.
    pub fn is_full(&self) -> bool {
        self.text.len() > self.room
    }

    /// The page so far, which begins anew.
    pub fn take(&mut self) -> String {
        self.after_item = false;
        std::mem::take(&mut self.text)
    }

    /// A heading of a level from 1; levels below 6 are written as 6.
    pub fn heading(&mut self, level: usize, text: &str) {
        let text = one_line(text);
        if self.begin(&text, "\n\n") {
            self.text.push_str(&"#".repeat(level.clamp(1, 6)));
            self.text.push(' ');
            self.text.push_str(&text);
        }
    }

    /// A paragraph; it may have several lines.
    pub fn paragraph(&mut self, text: &str) {
        let text = text.trim_end().trim_matches('\n');
        if self.begin(text, "\n\n") {
            self.text.push_str(text);
        }
    }

    /// An item of a list at a level from 0, with its number when it has one.
    pub fn item(&mut self, level: usize, label: Option<&str>, text: &str) {
        let gap = if self.after_item { "\n" } else { "\n\n" };
        let text = text.trim();
        if self.begin(text, gap) {
            self.text.push_str(&"  ".repeat(level.min(8)));
            self.text.push_str(label.unwrap_or("-"));
            self.text.push(' ');
            self.text.push_str(text);
            self.after_item = true;
        }
    }

    /// A table; of one column, its cells are paragraphs, for such tables are frames.
    pub fn table(&mut self, table: &Table) {
        if table.is_empty() {
            return;
        }
        let columns = table.columns();
        if columns.len() < 2 {
            for row in table.rows() {
                row.for_each(|(_, text)| self.paragraph(text));
            }
            return;
        }
        self.begin("|", "\n\n");
        for (index, row) in table.rows().enumerate() {
            if index > 0 {
                self.text.push('\n');
            }
            self.row(row, &columns);
            if index == 0 {
                self.text.push_str("\n|");
                columns.iter().for_each(|_| self.text.push_str(" --- |"));
            }
            if self.is_full() {
                return;
            }
        }
    }

    fn row<'a>(&mut self, row: impl Iterator<Item = (u32, &'a str)>, columns: &[u32]) {
        let mut at = 0;
        self.text.push('|');
        for (column, text) in row {
            let Ok(place) = columns.binary_search(&column) else { continue };
            while at < place {
                self.text.push_str("  |");
                at += 1;
            }
            self.text.push(' ');
            for part in text.split('|').enumerate() {
                if part.0 > 0 {
                    self.text.push_str("\\|");
                }
                self.text.push_str(part.1);
            }
            self.text.push_str(" |");
            at += 1;
        }
        // Cells that are missing at a row's end are empty by the rules of Markdown.
    }

    /// Makes room for a block that begins with `text`; tells whether it should be written at all.
    fn begin(&mut self, text: &str, gap: &str) -> bool {
        if text.trim().is_empty() || self.is_full() {
            return false;
        }
        if !self.text.is_empty() {
            self.text.push_str(gap);
        }
        self.after_item = false;
        true
    }
}

/// The cells of a table that have text: what is empty costs nothing, however far apart the others are.
#[derive(Clone, Debug)]
pub struct Table {
    text: String,
    /// For each cell its column and where in `text` it ends.
    cells: Vec<(u32, usize)>,
    /// For each row that has any, how many cells there are up to its end.
    rows: Vec<usize>,
    room: usize,
}

impl Table {
    /// An empty table.
    pub fn new(limits: &Limits) -> Self {
        Self { text: String::new(), cells: Vec::new(), rows: Vec::new(), room: limits.text_bytes }
    }

    /// Whether it has no text.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Whether it has more text than a document may have; from then on it takes nothing.
    pub fn is_full(&self) -> bool {
        self.text.len() + 4 * self.cells.len() > self.room
    }

    /// Ends a row; the next cell is in another one.
    pub fn end_row(&mut self) {
        if self.rows.last().copied().unwrap_or(0) < self.cells.len() {
            self.rows.push(self.cells.len());
        }
    }

    /// A cell of the row; columns rise within a row.
    pub fn cell(&mut self, column: u32, text: &str) {
        if self.is_full() {
            return;
        }
        let before = self.text.len();
        push_line(&mut self.text, text);
        if self.text.len() > before {
            self.cells.push((column, self.text.len()));
        }
    }

    /// The columns that have text anywhere, in order.
    fn columns(&self) -> Vec<u32> {
        let mut columns: Vec<u32> = self.cells.iter().map(|cell| cell.0).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// The cells of each row.
    fn rows(&self) -> impl Iterator<Item = impl Iterator<Item = (u32, &str)>> {
        // The last row may not have been ended.
        let open = (self.rows.last().copied().unwrap_or(0) < self.cells.len()).then_some(self.cells.len());
        let ends = self.rows.iter().copied().chain(open);
        let starts = std::iter::once(0).chain(self.rows.iter().copied());
        starts.zip(ends).map(move |(start, end)| {
            (start..end).map(move |index| {
                let from = if index == 0 { 0 } else { self.cells[index - 1].1 };
                let (column, to) = self.cells[index];
                (column, &self.text[from..to])
            })
        })
    }
}

/// Text on one line, with single spaces.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    push_line(&mut line, text);
    line
}

fn push_line(line: &mut String, text: &str) {
    for (index, word) in text.split_whitespace().enumerate() {
        if index > 0 {
            line.push(' ');
        }
        line.push_str(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(write: impl FnOnce(&mut Markdown)) -> String {
        let mut page = Markdown::new(&Limits::default());
        write(&mut page);
        page.take()
    }

    fn table(rows: &[&[(u32, &str)]]) -> Table {
        let mut table = Table::new(&Limits::default());
        for row in rows {
            row.iter().for_each(|(column, text)| table.cell(*column, text));
            table.end_row();
        }
        table
    }

    #[test]
    fn blocks() {
        let text = page(|page| {
            page.heading(2, "Two\nlines");
            page.paragraph("one\ntwo\n\n");
            page.paragraph("  ");
            page.item(0, None, "first");
            page.item(1, Some("a)"), "second");
            page.paragraph("end");
        });
        assert_eq!(text, "## Two lines\n\none\ntwo\n\n- first\n  a) second\n\nend");
    }

    #[test]
    fn tables() {
        #[track_caller]
        fn check(rows: &[&[(u32, &str)]], expect: &str) {
            assert_eq!(page(|page| page.table(&table(rows))), expect);
        }
        check(&[], "");
        check(&[&[(0, " ")]], "");
        check(&[&[(0, "a"), (1, "b|c")], &[], &[(1, "d\ne")]], "| a | b\\|c |\n| --- | --- |\n|  | d e |");
        check(&[&[(0, "frame")], &[(0, "text")]], "frame\n\ntext");
        check(&[&[(0, "A1")], &[(16383, "XFD1048576")]], "| A1 |\n| --- | --- |\n|  | XFD1048576 |");
    }

    #[test]
    fn what_is_too_long_stops_growing() {
        let limits = Limits { text_bytes: 100, ..Limits::default() };
        let (mut page, mut table) = (Markdown::new(&limits), Table::new(&limits));
        for column in 0..1000 {
            page.paragraph("some words");
            table.cell(column, "cell");
            table.end_row();
        }
        assert!(page.is_full() && page.take().len() < 200);
        assert!(table.is_full() && table.cells.len() < 100);
        page.table(&table);
        assert!(page.take().len() < 300);
    }
}
