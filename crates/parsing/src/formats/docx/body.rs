//! From a part in WordprocessingML to text.

use quick_xml::events::BytesStart;
use sheaf_domain::Failure;

use super::Context;
use super::numbering::Counters;
use crate::formats::xml::{Visitor, attribute, walk_part};

/// The visible text of a part: paragraphs apart by an empty line, rows by a line, cells by a tab.
///
/// # Errors
/// `corrupt_file` for bad XML, `document_limit` for elements nested too deep.
pub fn text(name: &str, xml: &str, context: &Context) -> Result<String, Failure> {
    let mut body = Body::new(context);
    walk_part(name, xml, context.depth, &mut body)?;
    Ok(body.text)
}

/// What stands before the next visible character, the larger of all that was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    None,
    Space,
    Line,
    Paragraph,
}

/// The text so far and where in the part the reader is.
struct Body<'a> {
    context: &'a Context,
    counters: Counters,
    text: String,
    gap: Gap,
    /// What the paragraph says of itself, and what it begins with because of that: `## `, `- `, `3.1. `.
    style: String,
    list: Option<String>,
    list_level: Option<usize>,
    prefix: String,
    /// Whether the paragraph, and the one before it, is an item of a list.
    is_item: bool,
    was_item: bool,
    /// Depth in `t`, in properties, in content that is a second version of other content, in tables.
    in_text: u32,
    in_properties: u32,
    skipped: u32,
    tables: u32,
    first_cell: bool,
}

impl<'a> Body<'a> {
    fn new(context: &'a Context) -> Self {
        Self {
            context,
            counters: Counters::default(),
            text: String::new(),
            gap: Gap::None,
            style: String::new(),
            list: None,
            list_level: None,
            prefix: String::new(),
            is_item: false,
            was_item: false,
            in_text: 0,
            in_properties: 0,
            skipped: 0,
            tables: 0,
            first_cell: false,
        }
    }

    /// The end of a paragraph; within a table's cell only a space.
    fn separate(&mut self) {
        self.gap = self.gap.max(if self.tables == 0 { Gap::Paragraph } else { Gap::Space });
    }

    /// Rows and cells of a table within a cell are not told apart.
    fn begin_row(&mut self) {
        self.first_cell = true;
        if self.tables == 1 && self.gap < Gap::Paragraph && !self.text.is_empty() {
            self.text.truncate(self.text.trim_end_matches(['\t', '\n']).len());
            self.text.push('\n');
            self.gap = Gap::None;
        }
    }

    fn begin_cell(&mut self) {
        if self.tables == 1 && !self.first_cell {
            if self.gap >= Gap::Line {
                self.write("");
            }
            self.gap = Gap::None;
            self.text.push('\t');
        }
        self.first_cell = false;
    }

    fn begin_paragraph(&mut self) {
        self.style.clear();
        self.prefix.clear();
        (self.list, self.list_level, self.is_item) = (None, None, false);
    }

    /// Makes the prefix of what the paragraph said of itself, else of what its style does.
    fn end_properties(&mut self) {
        let Context { styles, numbering, .. } = self.context;
        let (list, level) = match &self.list {
            Some(list) => (Some(list.as_str()), self.list_level),
            None => styles.list(&self.style).map_or((None, None), |(list, level)| (Some(list), level)),
        };
        // List 0 takes a paragraph out of the list of its style.
        let list = list.filter(|list| *list != "0");
        let level = list.and_then(|list| level.or_else(|| numbering.level_of(list, &self.style))).unwrap_or(0).min(8);
        let label = list.and_then(|list| numbering.next(list, level, &mut self.counters));
        let label = label.map(|label| format!("{label} "));
        if let Some(heading) = styles.heading(&self.style) {
            self.prefix = format!("{} {}", "#".repeat(usize::from(heading.min(6))), label.unwrap_or_default());
        } else if list.is_some() || self.style.starts_with("List") {
            self.is_item = true;
            self.prefix = format!("{}{}", "  ".repeat(level), label.unwrap_or_else(|| "- ".to_owned()));
        }
    }

    fn write(&mut self, text: &str) {
        if self.skipped > 0 {
            return;
        }
        let fresh = self.text.is_empty() || self.text.ends_with(['\t', '\n']);
        match self.gap {
            _ if fresh => {}
            Gap::None => {}
            Gap::Space => self.text.push(' '),
            Gap::Line => self.text.push('\n'),
            Gap::Paragraph if self.is_item && self.was_item => self.text.push('\n'),
            Gap::Paragraph => self.text.push_str("\n\n"),
        }
        self.gap = Gap::None;
        self.was_item = self.is_item;
        if self.tables == 0 {
            self.text.push_str(&self.prefix);
        }
        self.prefix.clear();
        self.text.push_str(text);
    }
}

impl Visitor for Body<'_> {
    fn open(&mut self, tag: &BytesStart<'_>) {
        match tag.local_name().as_ref() {
            "Fallback" | "moveFrom" | "rt" => self.skipped += 1,
            "p" => {
                self.separate();
                self.begin_paragraph();
            }
            "pPr" => self.in_properties += 1,
            "t" => self.in_text += 1,
            "tbl" => {
                self.separate();
                self.tables += 1;
            }
            "tr" => self.begin_row(),
            "tc" => self.begin_cell(),
            "pStyle" => self.style = attribute(tag, "val").unwrap_or_default(),
            "ilvl" => self.list_level = attribute(tag, "val").and_then(|level| level.parse().ok()),
            "numId" => self.list = attribute(tag, "val"),
            "tab" if self.in_properties == 0 => self.write("\t"),
            "br" | "cr" if self.in_properties == 0 => self.gap = self.gap.max(Gap::Line),
            "noBreakHyphen" => self.write("-"),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "Fallback" | "moveFrom" | "rt" => self.skipped = self.skipped.saturating_sub(1),
            "p" => self.separate(),
            "pPr" => {
                self.in_properties = self.in_properties.saturating_sub(1);
                self.end_properties();
            }
            "t" => self.in_text = self.in_text.saturating_sub(1),
            "tbl" => {
                self.tables = self.tables.saturating_sub(1);
                self.separate();
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.in_text > 0 {
            self.write(text);
        }
    }
}
