//! From a part in WordprocessingML to text.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use sheaf_domain::Failure;

use super::styles::{Headings, attribute};
use crate::formats::corrupt;
use crate::formats::xml::{resolve, too_deep};

/// The visible text of a part: paragraphs apart by an empty line, rows by a line, cells by a tab.
///
/// # Errors
/// `corrupt_file` for bad XML, `document_limit` for elements nested deeper than `depth`.
pub fn text(xml: &str, styles: &Headings, depth: u32) -> Result<String, Failure> {
    let mut reader = Reader::from_str(xml);
    let mut body = Body::new(styles);
    let mut nested = 0;
    loop {
        let event = reader.read_event();
        match event {
            Ok(Event::Start(tag)) => {
                nested += 1;
                if nested > depth {
                    return Err(too_deep());
                }
                body.open(&tag);
            }
            Ok(Event::Empty(tag)) => {
                body.open(&tag);
                body.close(tag.local_name().as_ref());
            }
            Ok(Event::End(tag)) => {
                nested = nested.saturating_sub(1);
                body.close(tag.local_name().as_ref());
            }
            Ok(Event::Text(text)) => body.characters(&text.xml10_content()),
            Ok(Event::CData(text)) => body.characters(&text.xml10_content()),
            Ok(Event::GeneralRef(reference)) => {
                if let Some(character) = resolve(&reference) {
                    body.characters(character.encode_utf8(&mut [0; 4]));
                }
            }
            Ok(Event::Eof) if nested == 0 => return Ok(body.text),
            Ok(Event::Eof) => return Err(corrupt("this Office file is damaged: a part of it is cut off")),
            Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_)) => {}
            Err(_) => return Err(corrupt("this Office file is damaged: a part of it is not valid XML")),
        }
    }
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
    styles: &'a Headings,
    text: String,
    gap: Gap,
    /// What the next paragraph begins with: `## ` or `- `.
    prefix: String,
    /// Depth in `t`, in properties, in content that is a second version of other content, in tables.
    in_text: u32,
    in_properties: u32,
    skipped: u32,
    tables: u32,
    first_cell: bool,
    list_level: usize,
}

impl<'a> Body<'a> {
    fn new(styles: &'a Headings) -> Self {
        Self {
            styles,
            text: String::new(),
            gap: Gap::None,
            prefix: String::new(),
            in_text: 0,
            in_properties: 0,
            skipped: 0,
            tables: 0,
            first_cell: false,
            list_level: 0,
        }
    }

    fn open(&mut self, tag: &BytesStart<'_>) {
        match tag.local_name().as_ref() {
            "Fallback" | "moveFrom" | "rt" => self.skipped += 1,
            "p" => {
                self.separate();
                self.prefix.clear();
                self.list_level = 0;
            }
            "pPr" => self.in_properties += 1,
            "t" => self.in_text += 1,
            "tbl" => {
                self.separate();
                self.tables += 1;
            }
            "tr" => self.begin_row(),
            "tc" => self.begin_cell(),
            "pStyle" => self.style(&attribute(tag, "val").unwrap_or_default()),
            "ilvl" => self.list_level = attribute(tag, "val").and_then(|level| level.parse().ok()).unwrap_or(0).min(8),
            "numId" if self.prefix.is_empty() && attribute(tag, "val").as_deref() != Some("0") => {
                self.prefix = format!("{}- ", "  ".repeat(self.list_level));
            }
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
            "pPr" => self.in_properties = self.in_properties.saturating_sub(1),
            "t" => self.in_text = self.in_text.saturating_sub(1),
            "tbl" => {
                self.tables = self.tables.saturating_sub(1);
                self.separate();
            }
            _ => {}
        }
    }

    fn characters(&mut self, text: &str) {
        if self.in_text > 0 {
            self.write(text);
        }
    }

    /// The end of a paragraph; within a table's cell only a space.
    fn separate(&mut self) {
        self.gap = self.gap.max(if self.tables == 0 { Gap::Paragraph } else { Gap::Space });
    }

    /// Rows and cells of a table within a cell are not told apart.
    fn begin_row(&mut self) {
        self.first_cell = true;
        if self.tables == 1 && self.gap < Gap::Paragraph {
            self.gap = Gap::Line;
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

    fn style(&mut self, style: &str) {
        if let Some(level) = self.styles.level(style) {
            self.prefix = format!("{} ", "#".repeat(usize::from(level.min(6))));
        } else if style.starts_with("List") {
            self.prefix = "- ".to_owned();
        }
    }

    fn write(&mut self, text: &str) {
        if self.skipped > 0 {
            return;
        }
        let fresh = self.text.is_empty() || self.text.ends_with('\t');
        match self.gap {
            _ if fresh => {}
            Gap::None => {}
            Gap::Space => self.text.push(' '),
            Gap::Line => self.text.push('\n'),
            Gap::Paragraph => self.text.push_str("\n\n"),
        }
        self.gap = Gap::None;
        if self.tables == 0 {
            self.text.push_str(&self.prefix);
        }
        self.prefix.clear();
        self.text.push_str(text);
    }
}
