//! What the sheets of a workbook share: their names, strings and number formats.

use std::collections::HashMap;

use quick_xml::events::BytesStart;
use sheaf_domain::Failure;

use crate::formats::corrupt;
use crate::formats::ooxml::target;
use crate::formats::package::Package;
use crate::formats::sheets::numbers::{Calendar, Format};
use crate::formats::sheets::strings::Strings;
use crate::formats::xml::{Visitor, attribute, number, relation_id, walk_part};
use crate::limits::Limits;

/// The parts of a workbook beside its sheets.
pub struct Book {
    pub sheets: Vec<Sheet>,
    pub calendar: Calendar,
    strings: Strings,
    formats: Formats,
}

/// A sheet as the workbook lists it.
pub struct Sheet {
    pub name: String,
    /// Id of the relation to its part.
    pub relation: String,
}

impl Book {
    /// Reads the workbook and the parts that it shares among its sheets.
    ///
    /// # Errors
    /// `corrupt_file` when there is no workbook or a part is no valid XML, and those of the package.
    pub fn read(package: &mut Package<'_>, main: &str, limits: &Limits) -> Result<Self, Failure> {
        let xml = package.part(main)?.ok_or_else(|| corrupt("this Excel file has no workbook part"))?;
        let mut index = Index::default();
        walk_part(main, &xml, limits.depth, &mut index)?;
        let relations = package.relations(main)?;
        let mut shared = Shared::default();
        if let Some(name) = target(&relations, "/sharedStrings")
            && let Some(xml) = package.part(&name)?
        {
            walk_part(&name, &xml, limits.depth, &mut shared)?;
        }
        let mut formats = Formats::default();
        if let Some(name) = target(&relations, "/styles")
            && let Some(xml) = package.part(&name)?
        {
            walk_part(&name, &xml, limits.depth, &mut formats)?;
        }
        Ok(Self { sheets: index.sheets, calendar: index.calendar, strings: shared.strings, formats })
    }

    /// A shared string by its number.
    pub fn string(&self, index: usize) -> Option<&str> {
        self.strings.get(index)
    }

    /// The format of cells with a style.
    pub fn format(&self, style: usize) -> Format {
        self.formats.of_styles.get(style).copied().unwrap_or_default()
    }
}

#[derive(Default)]
struct Index {
    sheets: Vec<Sheet>,
    calendar: Calendar,
}

impl Visitor for Index {
    fn open(&mut self, tag: &BytesStart<'_>) {
        match tag.local_name().as_ref() {
            "sheet" => {
                if let (Some(name), Some(relation)) = (attribute(tag, "name"), relation_id(tag)) {
                    self.sheets.push(Sheet { name, relation });
                }
            }
            "workbookPr" if attribute(tag, "date1904").is_some_and(|value| matches!(value.as_str(), "1" | "true")) => {
                self.calendar = Calendar::From1904;
            }
            _ => {}
        }
    }

    fn close(&mut self, _name: &str) {}

    fn text(&mut self, _text: &str) {}
}

/// Reads the shared strings. How many the part says that it has is not believed.
#[derive(Default)]
struct Shared {
    strings: Strings,
    in_text: bool,
    in_phonetic: bool,
}

impl Visitor for Shared {
    fn open(&mut self, tag: &BytesStart<'_>) {
        match tag.local_name().as_ref() {
            "t" => self.in_text = true,
            "rPh" => self.in_phonetic = true,
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "t" => self.in_text = false,
            "rPh" => self.in_phonetic = false,
            "si" => self.strings.end(),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.in_text && !self.in_phonetic {
            self.strings.push(text);
        }
    }
}

/// The formats of numbers by the styles of cells.
#[derive(Default)]
struct Formats {
    own: HashMap<u32, Format>,
    of_styles: Vec<Format>,
    in_cell_styles: bool,
}

impl Visitor for Formats {
    fn open(&mut self, tag: &BytesStart<'_>) {
        match tag.local_name().as_ref() {
            "numFmt" => {
                if let (Some(id), Some(code)) = (number(tag, "numFmtId"), attribute(tag, "formatCode")) {
                    self.own.insert(id, Format::of_code(&code));
                }
            }
            "cellXfs" => self.in_cell_styles = true,
            "xf" if self.in_cell_styles => {
                let id = number(tag, "numFmtId").unwrap_or(0);
                self.of_styles.push(self.own.get(&id).copied().unwrap_or_else(|| Format::built_in(id)));
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        if name == "cellXfs" {
            self.in_cell_styles = false;
        }
    }

    fn text(&mut self, _text: &str) {}
}
