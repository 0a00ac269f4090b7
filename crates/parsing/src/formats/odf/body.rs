//! From the elements of a document to the text of its pages.

use quick_xml::events::BytesStart;

use super::cells::Cells;
use super::lists::{Lists, label};
use super::paragraph::{Kind, Paragraph};
use super::styles::{LEVELS, Styles};
use crate::formats::markdown::{Markdown, one_line};
use crate::formats::xml::{Visitor, attribute, number};
use crate::limits::Limits;

/// Which part of the XML is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    Body,
    Headers,
    Footers,
}

/// Elements whose text is not the document's, or is there twice.
const DROPPED: &[&str] =
    &["tracked-changes", "note-citation", "binary-data", "ruby-text", "scripts", "event-listeners", "forms", "desc"];

/// What stands outside of the flow of text and follows at the page's end.
struct Aside {
    is_comment: bool,
    author: String,
    text: String,
}

/// Reads one region.
pub struct Body<'a> {
    region: Region,
    styles: &'a Styles,
    limits: &'a Limits,
    /// Depth in the region, in dropped elements.
    inside: u32,
    dropped: u32,
    in_spreadsheet: bool,
    pages: Vec<String>,
    /// Whether a sheet or slide is open, whose end is the page's.
    paged: bool,
    title: String,
    page: Markdown,
    paragraphs: Vec<Paragraph>,
    lists: Lists,
    headings: [u32; LEVELS],
    cells: Option<Cells>,
    tables: u32,
    /// The notes and comments that are open, and those that have ended.
    asides: Vec<Aside>,
    ended: Vec<Aside>,
    in_creator: bool,
    /// What the frame is for, on a slide; depth in the speaker's notes.
    class: Option<String>,
    in_notes: u32,
    notes: String,
}

impl<'a> Body<'a> {
    pub fn new(region: Region, styles: &'a Styles, limits: &'a Limits) -> Self {
        Self {
            region,
            styles,
            limits,
            inside: 0,
            dropped: 0,
            in_spreadsheet: false,
            pages: Vec::new(),
            paged: false,
            title: String::new(),
            page: Markdown::new(limits),
            paragraphs: Vec::new(),
            lists: Lists::default(),
            headings: [0; LEVELS],
            cells: None,
            tables: 0,
            asides: Vec::new(),
            ended: Vec::new(),
            in_creator: false,
            class: None,
            in_notes: 0,
            notes: String::new(),
        }
    }

    /// The pages: of a text one, of sheets and slides one each.
    pub fn into_pages(mut self) -> Vec<String> {
        if self.pages.is_empty() {
            self.end_page();
        }
        self.pages
    }

    fn is_region(&self, name: &str) -> bool {
        match self.region {
            Region::Body => matches!(name, "text" | "spreadsheet" | "presentation" | "drawing"),
            Region::Headers => matches!(name, "header" | "header-left" | "header-first"),
            Region::Footers => matches!(name, "footer" | "footer-left" | "footer-first"),
        }
    }

    fn begin_page(&mut self, title: String) {
        // What stands before the first slide, such as a heading for all, belongs to it.
        self.paged = true;
        self.title = title;
        self.notes.clear();
    }

    fn end_page(&mut self) {
        let rest = self.page.take();
        if !rest.is_empty() && !self.title.is_empty() {
            self.page.heading(1, &self.title);
        }
        self.page.paragraph(&rest);
        if !self.notes.trim().is_empty() {
            self.page.heading(3, "Notes");
            self.page.paragraph(&self.notes);
        }
        for Aside { is_comment, author, text } in self.ended.drain(..) {
            match (is_comment, author.trim()) {
                (false, _) => self.page.paragraph(&text),
                (true, "") => self.page.paragraph(&format!("Comment: {}", text.trim())),
                (true, author) => self.page.paragraph(&format!("Comment by {author}: {}", text.trim())),
            }
        }
        self.pages.push(self.page.take());
        self.title.clear();
        self.notes.clear();
        self.paged = false;
    }

    /// Puts a paragraph where it belongs.
    fn end_paragraph(&mut self) {
        let Some(paragraph) = self.paragraphs.pop() else { return };
        let text = paragraph.text.trim_end();
        if text.trim().is_empty() {
            return;
        }
        if let Some(aside) = self.asides.last_mut() {
            aside.text.push_str(text);
            aside.text.push('\n');
        } else if self.in_notes > 0 {
            if self.class.as_deref() == Some("notes") {
                self.notes.push_str(text);
                self.notes.push_str("\n\n");
            }
        } else if let Some(cells) = &mut self.cells {
            cells.text.push_str(text);
            cells.text.push('\n');
        } else if self.class.as_deref() == Some("title") && self.paged {
            self.title = one_line(&format!("{} {text}", self.title));
        } else if let Kind::Heading(level) = paragraph.kind {
            let text = self.number_heading(level, &paragraph) + text;
            self.page.heading(level, &text);
        } else if let Some(level) = self.lists.level() {
            let label = self.lists.label(self.styles);
            self.page.item(level, label.as_deref(), text);
        } else {
            self.page.paragraph(text);
        }
    }

    /// What stands before a heading: its number and a space, or nothing.
    fn number_heading(&mut self, level: usize, heading: &Paragraph) -> String {
        let number = if self.lists.level().is_some() {
            self.lists.label(self.styles)
        } else {
            let at = (level - 1).min(LEVELS - 1);
            if heading.unnumbered
                || self.styles.list_of(&heading.style).is_none() && self.styles.outline()[at].format.is_empty()
            {
                return String::new();
            }
            self.headings[at] = self.headings[at].saturating_add(1);
            self.headings[at + 1..].fill(0);
            label(self.styles.outline(), &self.headings, at)
        };
        number.map(|number| format!("{number} ")).unwrap_or_default()
    }

    fn open_paragraph(&mut self, tag: &BytesStart<'_>, is_heading: bool) {
        let style = attribute(tag, "style-name").unwrap_or_default();
        let kind = match is_heading {
            true => Kind::Heading(number(tag, "outline-level").unwrap_or(1).clamp(1, LEVELS)),
            false if self.styles.is_title(&style) => Kind::Heading(1),
            false => Kind::Plain,
        };
        let unnumbered = !is_heading || attribute(tag, "is-list-header").is_some_and(|value| value == "true");
        self.paragraphs.push(Paragraph::new(kind, style, unnumbered));
    }

    fn open_table(&mut self, tag: &BytesStart<'_>) {
        self.tables += 1;
        if self.tables == 1 && self.asides.is_empty() {
            if self.in_spreadsheet {
                self.begin_page(attribute(tag, "name").unwrap_or_default());
            }
            self.cells = Some(Cells::new(self.limits));
        }
    }

    fn close_table(&mut self) {
        self.tables = self.tables.saturating_sub(1);
        if self.tables > 0 {
            return;
        }
        if let Some(cells) = self.cells.take() {
            let beside = self.in_spreadsheet.then(|| self.page.take());
            self.page.table(&cells.table);
            self.page.paragraph(&beside.unwrap_or_default());
        }
        if self.in_spreadsheet {
            self.end_page();
        }
    }

    /// An element within the only table that is told apart; tables in its cells are not.
    fn table_part(&mut self, tag: &BytesStart<'_>) {
        let (1, Some(cells)) = (self.tables, &mut self.cells) else { return };
        match tag.local_name().as_ref() {
            "table-row" => cells.begin_row(number(tag, "number-rows-repeated")),
            "table-cell" | "covered-table-cell" => {
                let value = ["string-value", "date-value", "time-value", "boolean-value", "value"];
                let value = value.iter().find_map(|name| attribute(tag, name));
                cells.begin_cell(number(tag, "number-columns-repeated"), value);
            }
            _ => {}
        }
    }

    fn open_inside(&mut self, tag: &BytesStart<'_>) {
        match tag.local_name().as_ref() {
            "p" => self.open_paragraph(tag, false),
            "h" => self.open_paragraph(tag, true),
            "s" => self.space(&" ".repeat(number(tag, "c").unwrap_or(1).min(64))),
            "tab" => self.space("\t"),
            "line-break" => self.space("\n"),
            "list" => {
                let goes_on = attribute(tag, "continue-numbering").is_some_and(|value| value == "true")
                    || attribute(tag, "continue-list").is_some();
                self.lists.begin(attribute(tag, "style-name"), goes_on);
            }
            "list-item" => self.lists.item(number(tag, "start-value"), self.styles),
            "table" => self.open_table(tag),
            "table-row" | "table-cell" | "covered-table-cell" => self.table_part(tag),
            "note" => self.asides.push(Aside { is_comment: false, author: String::new(), text: String::new() }),
            "annotation" if tag.name().as_ref().starts_with("office:") => {
                self.asides.push(Aside { is_comment: true, author: String::new(), text: String::new() });
            }
            "creator" => self.in_creator = true,
            "page" => self.begin_page(String::new()),
            "notes" => self.in_notes += 1,
            "frame" | "custom-shape" => self.class = attribute(tag, "class"),
            _ => {}
        }
    }

    fn close_inside(&mut self, name: &str) {
        match name {
            "p" | "h" => self.end_paragraph(),
            "list" => self.lists.end(),
            "table" => self.close_table(),
            "table-row" | "table-cell" | "covered-table-cell" if self.tables == 1 => {
                if let Some(cells) = &mut self.cells {
                    if name == "table-row" { cells.end_row() } else { cells.end_cell() }
                }
            }
            "note" | "annotation" => self.ended.extend(self.asides.pop()),
            "creator" => self.in_creator = false,
            "page" => self.end_page(),
            "notes" => self.in_notes = self.in_notes.saturating_sub(1),
            "frame" | "custom-shape" => self.class = None,
            _ => {}
        }
    }

    fn space(&mut self, space: &str) {
        if let Some(paragraph) = self.paragraphs.last_mut() {
            paragraph.text.push_str(space);
        }
    }
}

impl Visitor for Body<'_> {
    fn open(&mut self, tag: &BytesStart<'_>) {
        let name = tag.local_name();
        let name = name.as_ref();
        if self.inside > 0 || self.is_region(name) {
            self.inside += 1;
        }
        if self.dropped > 0 || DROPPED.contains(&name) {
            self.dropped += 1;
        } else if self.inside > 1 {
            self.open_inside(tag);
        } else if self.inside == 1 {
            self.in_spreadsheet = name == "spreadsheet";
        }
    }

    fn close(&mut self, name: &str) {
        if self.dropped > 0 {
            self.dropped -= 1;
        } else if self.inside > 1 {
            self.close_inside(name);
        }
        self.inside = self.inside.saturating_sub(1);
    }

    fn text(&mut self, text: &str) {
        if self.dropped > 0 || self.inside == 0 {
            return;
        }
        if self.in_creator {
            if let Some(aside) = self.asides.last_mut() {
                aside.author.push_str(text);
            }
        } else if let Some(paragraph) = self.paragraphs.last_mut() {
            paragraph.push(text);
        }
    }
}
