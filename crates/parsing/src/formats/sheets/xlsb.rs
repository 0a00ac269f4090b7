//! Excel workbooks of the binary kind ([MS-XLSB]): the package of an `.xlsx` with records in the place of XML.

use std::collections::HashMap;

use sheaf_domain::Failure;

use super::numbers::{Calendar, Format, compact, error_name};
use super::put;
use super::strings::Strings;
use crate::formats::compound::{u16_at, u32_at};
use crate::formats::corrupt;
use crate::formats::markdown::Table;
use crate::formats::ooxml::{self, target};
use crate::formats::package::Package;
use crate::limits::Limits;
use crate::output::Output;

/// One page for each sheet of the package whose workbook is the part `main`.
pub fn parse(package: &mut Package<'_>, main: &str, output: &mut Output<'_>) -> Result<(), Failure> {
    let book = Book::read(package, main)?;
    output.metadata = ooxml::metadata(package)?;
    let relations = package.relations(main)?;
    let mut lost = 0;
    for (name, relation) in &book.sheets {
        let part = relations.iter().find(|known| known.id == *relation).map(|known| known.target.clone());
        let records = match part {
            Some(part) => package.bytes(&part)?,
            None => None,
        };
        match records {
            Some(records) => put(name, &cells(&records, &book, output.limits()), "", output)?,
            None => lost += 1,
        }
    }
    if lost == book.sheets.len() {
        return Err(corrupt("this Excel file has lost its sheets"));
    }
    if lost > 0 {
        output.problem(None, format!("{lost} sheets are named by the file and are not in it"));
    }
    Ok(())
}

/// What the sheets of a workbook share.
#[derive(Default)]
struct Book {
    /// Name and id of the relation of each sheet.
    sheets: Vec<(String, String)>,
    calendar: Calendar,
    strings: Strings,
    formats: Vec<Format>,
}

impl Book {
    fn read(package: &mut Package<'_>, main: &str) -> Result<Self, Failure> {
        let workbook = package.bytes(main)?.ok_or_else(|| corrupt("this Excel file has no workbook part"))?;
        let mut book = Self::default();
        for (kind, data) in Records(&workbook) {
            // A record that is too short is passed over, here and below.
            match kind {
                153 if u32_at(data, 0).is_some_and(|flags| flags & 1 != 0) => book.calendar = Calendar::From1904,
                156 => book.sheets.extend(sheet(data)),
                _ => {}
            }
        }
        let relations = package.relations(main)?;
        if let Some(name) = target(&relations, "/sharedStrings")
            && let Some(shared) = package.bytes(&name)?
        {
            for (_, data) in Records(&shared).filter(|(kind, _)| *kind == 19) {
                book.strings.push(&text(data, 1).map(|(text, _)| text).unwrap_or_default());
                book.strings.end();
            }
        }
        if let Some(name) = target(&relations, "/styles")
            && let Some(styles) = package.bytes(&name)?
        {
            book.formats = formats(&styles);
        }
        Ok(book)
    }

    fn number(&self, style: u32, value: f64) -> String {
        let format = self.formats.get(style as usize).copied().unwrap_or_default();
        format.show(value, self.calendar)
    }
}

fn sheet(data: &[u8]) -> Option<(String, String)> {
    let (relation, end) = text(data, 8)?;
    let (name, _) = text(data, end)?;
    Some((name, relation))
}

/// The format of each style of cells: records 44 give codes numbers, records 47 between 617 and 618 are the styles.
fn formats(styles: &[u8]) -> Vec<Format> {
    let (mut codes, mut formats, mut of_cells) = (HashMap::new(), Vec::new(), false);
    for (kind, data) in Records(styles) {
        match kind {
            44 => {
                if let (Some(id), Some((code, _))) = (u16_at(data, 0), text(data, 2)) {
                    codes.insert(id, Format::of_code(&code));
                }
            }
            617 => of_cells = true,
            618 => break,
            47 if of_cells => {
                let id = u16_at(data, 2).unwrap_or(0);
                formats.push(codes.get(&id).copied().unwrap_or_else(|| Format::built_in(u32::from(id))));
            }
            _ => {}
        }
    }
    formats
}

/// The cells of a sheet: a record for each row, then one for each of its cells.
fn cells(records: &[u8], book: &Book, limits: &Limits) -> Table {
    let mut table = Table::new(limits);
    let mut begun = false;
    for (kind, data) in Records(records) {
        if table.is_full() {
            break;
        }
        match kind {
            0 => {
                if begun {
                    table.end_row();
                }
                begun = true;
            }
            2..=11 | 62 => {
                if let Some((column, text)) = cell(kind, data, book) {
                    table.cell(column, &text);
                }
            }
            _ => {}
        }
    }
    table
}

/// Column and text of a cell.
fn cell(kind: u32, data: &[u8], book: &Book) -> Option<(u32, String)> {
    let (column, style) = (u32_at(data, 0)?, u32_at(data, 4)? & 0xff_ffff);
    let text = match kind {
        2 => book.number(style, compact(u32_at(data, 8)?)),
        5 | 9 => {
            let bits = u64::from(u32_at(data, 8)?) | u64::from(u32_at(data, 12)?) << 32;
            book.number(style, f64::from_bits(bits))
        }
        3 | 11 => error_name(*data.get(8)?).to_owned(),
        4 | 10 => if *data.get(8)? == 0 { "FALSE" } else { "TRUE" }.to_owned(),
        7 => book.strings.get(u32_at(data, 8)? as usize)?.to_owned(),
        // A text with its own formats has a byte of flags before it.
        62 => text(data, 9)?.0,
        _ => text(data, 8)?.0,
    };
    Some((column, text))
}

/// A text at a place, counted in units of UTF-16, and where it ends; none is empty.
fn text(data: &[u8], at: usize) -> Option<(String, usize)> {
    let count = u32_at(data, at)?;
    let start = at + 4;
    if count == u32::MAX {
        return Some((String::new(), start));
    }
    let end = start.checked_add(usize::try_from(count).ok()?.checked_mul(2)?)?;
    let units: Vec<u16> =
        data.get(start..end)?.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
    Some((String::from_utf16_lossy(&units), end))
}

/// Kind and data of each record: the kind in one or two bytes and the length in one to four, seven bits in each, the lowest
/// first ([MS-XLSB] 2.1.4).
struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = (u32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let kind = self.sevens(2)?;
        let length = self.sevens(4)? as usize;
        let (data, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some((kind, data))
    }
}

impl Records<'_> {
    fn sevens(&mut self, most: u32) -> Option<u32> {
        let mut value = 0;
        for place in 0..most {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u32::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                break;
            }
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use proptest::prelude::{any, proptest};
    use zip::write::SimpleFileOptions;

    use super::*;
    use crate::formats::read;

    fn record(kind: u32, data: &[u8]) -> Vec<u8> {
        let mut record = if kind < 128 { vec![kind as u8] } else { vec![kind as u8 | 0x80, (kind >> 7) as u8] };
        assert!(data.len() < 128 << 7, "two bytes of length");
        record.extend([data.len() as u8 | 0x80, (data.len() >> 7) as u8]);
        record.extend_from_slice(data);
        record
    }

    fn wide(text: &str) -> Vec<u8> {
        let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        [&(units.len() as u32 / 2).to_le_bytes()[..], &units].concat()
    }

    fn cell(kind: u32, column: u32, style: u32, value: &[u8]) -> Vec<u8> {
        record(kind, &[&column.to_le_bytes()[..], &style.to_le_bytes(), value].concat())
    }

    fn workbook(sheet: &[Vec<u8>]) -> Vec<u8> {
        const TYPE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let relations = |of: &[(&str, &str)]| {
            let rows: Vec<String> = of
                .iter()
                .map(|(kind, target)| format!("<Relationship Id='r{kind}' Type='{TYPE}/{kind}' Target='{target}'/>"))
                .collect();
            format!("<Relationships>{}</Relationships>", rows.concat()).into_bytes()
        };
        let styles = [
            record(44, &[&164_u16.to_le_bytes()[..], &wide("yyyy\\-mm\\-dd")].concat()),
            record(47, &[0; 16]),
            record(617, &[0; 4]),
            record(47, &[0; 16]),
            record(47, &[&[0, 0, 164, 0][..], &[0; 12]].concat()),
            record(618, &[]),
        ];
        let parts = [
            ("[Content_Types].xml", b"application/vnd.ms-excel.sheet.binary.macroEnabled.main".to_vec()),
            ("_rels/.rels", relations(&[("officeDocument", "xl/workbook.bin")])),
            ("xl/workbook.bin", record(156, &[&[0; 8][..], &wide("rworksheet"), &wide("Nets")].concat())),
            (
                "xl/_rels/workbook.bin.rels",
                relations(&[
                    ("worksheet", "worksheets/sheet1.bin"),
                    ("sharedStrings", "sharedStrings.bin"),
                    ("styles", "styles.bin"),
                ]),
            ),
            ("xl/sharedStrings.bin", record(19, &[&[0][..], &wide("Fänge")].concat())),
            ("xl/styles.bin", styles.concat()),
            ("xl/worksheets/sheet1.bin", sheet.concat()),
        ];
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in parts {
            zip.start_file(name, SimpleFileOptions::default()).expect("memory");
            zip.write_all(&bytes).expect("memory");
        }
        zip.finish().expect("memory").into_inner()
    }

    #[test]
    fn cells_of_every_kind() {
        let sheet = [
            record(0, &[0; 16]),
            cell(7, 0, 0, &0_u32.to_le_bytes()),
            cell(6, 1, 0, &wide("day")),
            cell(62, 2, 0, &[&[1][..], &wide("rich")].concat()),
            record(0, &[1; 16]),
            cell(2, 0, 0, &((1250_u32 << 2) | 3).to_le_bytes()),
            cell(5, 1, 1, &45000_f64.to_le_bytes()),
            cell(10, 2, 0, &[1, 0]),
            record(0, &[2; 16]),
            cell(1, 0, 0, &[]),
            cell(9, 1, 0, &0.1_f64.to_le_bytes()),
            cell(3, 2, 0, &[7]),
            cell(8, 3, 0, &wide("sum")),
            record(5, &[0; 3]),
        ];
        let document = read(&workbook(&sheet), "nets.xlsb").expect("a workbook");
        let text = document.text();
        let rows: Vec<Vec<&str>> = text
            .lines()
            .filter(|line| line.starts_with('|') && !line.contains("---"))
            .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
            .collect();
        assert_eq!(
            rows,
            [vec!["Fänge", "day", "rich"], vec!["12.5", "2023-03-15", "TRUE"], vec!["", "0.1", "#DIV/0!", "sum"]]
        );
        assert!(text.starts_with("# Nets"), "{text}");
    }

    proptest! {
        #[test]
        fn noise_is_never_a_panic(noise in any::<Vec<u8>>()) {
            let _ = cells(&noise, &Book::default(), &Limits::default());
            let _ = (formats(&noise), sheet(&noise));
        }
    }
}
