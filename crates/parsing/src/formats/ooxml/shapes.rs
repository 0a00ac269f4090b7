//! The text of shapes (DrawingML) in their order: of a slide, with its title apart, of its notes, of a drawing on a sheet.

use quick_xml::events::BytesStart;
use sheaf_domain::Failure;

use crate::formats::markdown::{Markdown, Table};
use crate::formats::xml::{Visitor, attribute, number, walk_part};
use crate::limits::Limits;

/// What the shapes of a part show.
pub struct Shown {
    pub title: Option<String>,
    pub body: String,
    /// Ids of the relations to charts and diagrams.
    pub parts: Vec<String>,
}

/// Reads a slide or another part with shapes.
///
/// # Errors
/// Those of walking the XML.
pub fn read(name: &str, xml: &str, limits: &Limits) -> Result<Shown, Failure> {
    let mut shapes = Shapes::new(limits, Part::Slide);
    walk_part(name, xml, limits.depth, &mut shapes)?;
    Ok(Shown { title: shapes.title, body: shapes.page.take(), parts: shapes.parts })
}

/// Reads the notes of a slide: only the notes themselves, for the page also shows the slide, its number and the date.
///
/// # Errors
/// Those of walking the XML.
pub fn notes(name: &str, xml: &str, limits: &Limits) -> Result<String, Failure> {
    let mut shapes = Shapes::new(limits, Part::Notes);
    walk_part(name, xml, limits.depth, &mut shapes)?;
    Ok(shapes.page.take())
}

/// Reads the data of a diagram (SmartArt): an item for each paragraph.
///
/// # Errors
/// Those of walking the XML.
pub fn diagram(name: &str, xml: &str, limits: &Limits) -> Result<String, Failure> {
    let mut shapes = Shapes::new(limits, Part::Diagram);
    walk_part(name, xml, limits.depth, &mut shapes)?;
    Ok(shapes.page.take())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Slide,
    Notes,
    Diagram,
}

/// What a paragraph begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Bullet {
    /// By its place: a bullet in the body, else nothing.
    #[default]
    Usual,
    None,
    Sign,
    /// A number, from the given one.
    Number(u32),
}

struct Shapes<'a> {
    limits: &'a Limits,
    part: Part,
    page: Markdown,
    title: Option<String>,
    parts: Vec<String>,
    /// The kind of the placeholder that the shape is; a placeholder without a kind is the body.
    placeholder: Option<String>,
    table: Option<Table>,
    column: u32,
    cell: String,
    paragraph: String,
    level: usize,
    bullet: Bullet,
    /// How far the numbers of each level are.
    numbers: [u32; 9],
    /// Depth in `t`, in fields that are left out, in second versions of content.
    in_text: u32,
    in_field: u32,
    skipped: u32,
}

impl<'a> Shapes<'a> {
    fn new(limits: &'a Limits, part: Part) -> Self {
        Self {
            limits,
            part,
            page: Markdown::new(limits),
            title: None,
            parts: Vec::new(),
            placeholder: None,
            table: None,
            column: 0,
            cell: String::new(),
            paragraph: String::new(),
            level: 0,
            bullet: Bullet::Usual,
            numbers: [0; 9],
            in_text: 0,
            in_field: 0,
            skipped: 0,
        }
    }

    fn end_paragraph(&mut self) {
        let text = std::mem::take(&mut self.paragraph);
        let level = self.level.min(8);
        let bullet = std::mem::take(&mut self.bullet);
        self.level = 0;
        if text.trim().is_empty() {
            return;
        }
        if self.table.is_some() {
            self.cell.push(' ');
            self.cell.push_str(&text);
            return;
        }
        let placeholder = self.placeholder.as_deref();
        if self.part == Part::Notes {
            if placeholder == Some("body") {
                self.page.paragraph(&text);
            }
            return;
        }
        if matches!(placeholder, Some("title" | "ctrTitle")) {
            let title = self.title.get_or_insert_default();
            title.push(' ');
            title.push_str(&text);
            return;
        }
        let is_list = matches!(placeholder, Some("body" | "obj")) || self.part == Part::Diagram;
        self.numbers[level + 1..].fill(0);
        match bullet {
            Bullet::Number(start) => {
                self.numbers[level] = if self.numbers[level] == 0 { start } else { self.numbers[level] + 1 };
                let label = format!("{}.", self.numbers[level]);
                self.page.item(level, Some(&label), &text);
                return;
            }
            Bullet::Sign => self.page.item(level, None, &text),
            Bullet::Usual if is_list => self.page.item(level, None, &text),
            Bullet::Usual | Bullet::None => self.page.paragraph(&text),
        }
        self.numbers[level] = 0;
    }

    fn related(&mut self, tag: &BytesStart<'_>, name: &str) {
        if self.skipped == 0 {
            self.parts.extend(attribute(tag, name));
        }
    }
}

impl Visitor for Shapes<'_> {
    fn open(&mut self, tag: &BytesStart<'_>) {
        match tag.local_name().as_ref() {
            "Fallback" => self.skipped += 1,
            "sp" | "graphicFrame" | "cxnSp" => {
                self.placeholder = None;
                self.numbers = [0; 9];
            }
            "ph" => self.placeholder = Some(attribute(tag, "type").unwrap_or_else(|| "obj".to_owned())),
            "p" => {
                self.paragraph.clear();
                (self.level, self.bullet) = (0, Bullet::Usual);
            }
            "pPr" => self.level = number(tag, "lvl").unwrap_or(0),
            "buNone" => self.bullet = Bullet::None,
            "buChar" | "buBlip" => self.bullet = Bullet::Sign,
            "buAutoNum" => self.bullet = Bullet::Number(number(tag, "startAt").unwrap_or(1).min(1 << 20)),
            "br" => self.paragraph.push('\n'),
            "t" => self.in_text += 1,
            "fld" => {
                let is_number = attribute(tag, "type").is_some_and(|kind| kind == "slidenum");
                self.in_field += u32::from(is_number || self.in_field > 0);
            }
            "tbl" if self.skipped == 0 => self.table = Some(Table::new(self.limits)),
            "tr" => self.column = 0,
            "tc" => self.cell.clear(),
            "chart" => self.related(tag, "id"),
            "relIds" => self.related(tag, "dm"),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "Fallback" => self.skipped = self.skipped.saturating_sub(1),
            "p" => self.end_paragraph(),
            "t" => self.in_text = self.in_text.saturating_sub(1),
            "fld" => self.in_field = self.in_field.saturating_sub(1),
            "tc" => {
                if let Some(table) = &mut self.table {
                    table.cell(self.column, &self.cell);
                }
                self.column += 1;
            }
            "tr" => {
                if let Some(table) = &mut self.table {
                    table.end_row();
                }
            }
            "tbl" => {
                if let Some(table) = self.table.take() {
                    self.page.table(&table);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.in_text > 0 && self.in_field == 0 && self.skipped == 0 {
            self.paragraph.push_str(text);
        }
    }
}
