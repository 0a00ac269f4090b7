//! From a part in WordprocessingML to text.

use quick_xml::events::BytesStart;
use sheaf_domain::Failure;

use super::Context;
use super::math::Math;
use super::numbering::Counters;
use crate::formats::markdown::{Markdown, Table};
use crate::formats::symbols;
use crate::formats::xml::{Visitor, attribute, number, relation_id, walk_part};

/// The visible text of a part: paragraphs apart by an empty line, tables as in Markdown.
///
/// # Errors
/// `corrupt_file` for bad XML, `document_limit` for elements nested too deep.
pub fn text(name: &str, xml: &str, context: &Context<'_>) -> Result<Text, Failure> {
    let mut body = Body::new(context);
    walk_part(name, xml, context.limits.depth, &mut body)?;
    Ok(Text { text: body.text, parts: body.parts })
}

/// The text of a part, and the ids of its relations to charts and diagrams.
pub struct Text {
    pub text: String,
    pub parts: Vec<String>,
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
    context: &'a Context<'a>,
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
    /// The table that is being read, its next column, and the text before it.
    table: Option<Table>,
    column: u32,
    span: u32,
    before_table: String,
    /// What the next text begins with because it is a comment.
    speaker: Option<String>,
    math: Math,
    in_math: u32,
    /// Ids of the relations to charts, diagrams and pieces in HTML.
    parts: Vec<String>,
}

impl<'a> Body<'a> {
    fn new(context: &'a Context<'a>) -> Self {
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
            table: None,
            column: 0,
            span: 1,
            before_table: String::new(),
            speaker: None,
            math: Math::default(),
            in_math: 0,
            parts: Vec::new(),
        }
    }

    /// The end of a paragraph; within a table's cell only a space.
    fn separate(&mut self) {
        self.gap = self.gap.max(if self.tables == 0 { Gap::Paragraph } else { Gap::Space });
    }

    /// Rows and cells of a table within a cell are not told apart.
    fn begin_table(&mut self) {
        self.separate();
        self.tables += 1;
        if self.tables == 1 {
            self.before_table = std::mem::take(&mut self.text);
            self.table = Some(Table::new(self.context.limits));
        }
    }

    fn end_table(&mut self) {
        self.tables = self.tables.saturating_sub(1);
        if self.tables == 0 {
            self.text = std::mem::take(&mut self.before_table);
            self.gap = Gap::Paragraph;
            self.prefix.clear();
            self.is_item = false;
            let mut table = Markdown::new(self.context.limits);
            if let Some(cells) = self.table.take() {
                table.table(&cells);
            }
            self.write(&table.take());
        }
        self.separate();
    }

    fn begin_cell(&mut self) {
        if self.tables == 1 {
            self.text.clear();
            self.gap = Gap::None;
        }
    }

    fn end_cell(&mut self) {
        if let (1, Some(table)) = (self.tables, &mut self.table) {
            table.cell(self.column, &self.text);
            self.text.clear();
            self.column += std::mem::replace(&mut self.span, 1);
        }
    }

    fn begin_formula_part(&mut self, tag: &BytesStart<'_>) {
        if let Some(text) = self.math.open(tag) {
            self.write(&text);
        }
    }

    /// A part without content is not written.
    fn end_formula_part(&mut self, name: &str) {
        let Some(text) = self.math.close(name) else { return };
        if text == "}" && self.text.ends_with(['{']) {
            self.text.truncate(self.text.len() - 2);
        } else {
            self.write(&text);
        }
    }

    /// Says whose comment the next paragraph is.
    fn begin_comment(&mut self, author: Option<String>) {
        self.begin_paragraph();
        let author = author.filter(|author| !author.trim().is_empty());
        self.speaker = Some(match author {
            Some(author) => format!("Comment by {}: ", author.trim()),
            None => "Comment: ".to_owned(),
        });
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

    /// A character that the font shows, not its code.
    fn symbol(&mut self, tag: &BytesStart<'_>) {
        let code = attribute(tag, "char").and_then(|code| u32::from_str_radix(&code, 16).ok());
        let font = attribute(tag, "font").unwrap_or_default();
        if let Some(character) = code.and_then(|code| symbols::of_font(&font, code)) {
            self.write(character.encode_utf8(&mut [0; 4]));
        }
    }

    fn write(&mut self, text: &str) {
        // Space before a paragraph, such as the tab after a footnote's number, is layout.
        let is_margin = text.trim().is_empty() && (self.gap >= Gap::Line || self.text.is_empty());
        if self.skipped > 0 || is_margin {
            return;
        }
        if self.gap >= Gap::Line {
            self.text.truncate(self.text.trim_end_matches(['\t', ' ']).len());
        }
        let fresh = self.text.is_empty() || self.text.ends_with('\n');
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
        // In a cell, only numbers of items say something.
        if self.tables == 0 || self.is_item && self.prefix.contains(char::is_alphanumeric) {
            self.text.push_str(&self.prefix);
        }
        self.prefix.clear();
        self.text.push_str(&self.speaker.take().unwrap_or_default());
        self.text.push_str(text);
    }
}

impl Visitor for Body<'_> {
    fn open(&mut self, tag: &BytesStart<'_>) {
        if self.in_math > 0 {
            self.begin_formula_part(tag);
        }
        match tag.local_name().as_ref() {
            "Fallback" | "moveFrom" | "rt" => self.skipped += 1,
            "p" => {
                self.separate();
                self.begin_paragraph();
            }
            "pPr" => self.in_properties += 1,
            "t" => self.in_text += 1,
            "tbl" => self.begin_table(),
            "tr" if self.tables == 1 => self.column = 0,
            "tc" => self.begin_cell(),
            // A cell over several columns.
            "gridSpan" if self.tables == 1 => {
                self.span = number(tag, "val").unwrap_or(1_u32).clamp(1, 63);
            }
            "chart" | "relIds" | "altChunk" if self.skipped == 0 => {
                self.parts.extend(relation_id(tag).or_else(|| attribute(tag, "dm")))
            }
            "comment" => self.begin_comment(attribute(tag, "author")),
            "pStyle" => self.style = attribute(tag, "val").unwrap_or_default(),
            "ilvl" => self.list_level = attribute(tag, "val").and_then(|level| level.parse().ok()),
            "numId" => self.list = attribute(tag, "val"),
            "tab" if self.in_properties == 0 => self.write("\t"),
            "br" | "cr" if self.in_properties == 0 => self.gap = self.gap.max(Gap::Line),
            "oMath" => self.in_math += 1,
            "noBreakHyphen" => self.write("-"),
            "sym" => self.symbol(tag),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        if self.in_math > 0 && name != "oMath" {
            self.end_formula_part(name);
        }
        match name {
            "Fallback" | "moveFrom" | "rt" => self.skipped = self.skipped.saturating_sub(1),
            "p" => self.separate(),
            "pPr" => {
                self.in_properties = self.in_properties.saturating_sub(1);
                self.end_properties();
            }
            "t" => self.in_text = self.in_text.saturating_sub(1),
            "oMath" => self.in_math = self.in_math.saturating_sub(1),
            "tbl" => self.end_table(),
            "tr" => {
                if let (1, Some(table)) = (self.tables, &mut self.table) {
                    table.end_row();
                }
            }
            "tc" => self.end_cell(),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.in_text > 0 {
            self.write(text);
        }
    }
}
