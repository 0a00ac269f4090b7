//! Tables on slides: groups of shapes that say so, whose cells stand where their rectangles do.

use super::records::{Record, Records};
use super::shapes::{Text, text_box};
use crate::formats::compound::{u16_at, u32_at};
use crate::formats::markdown::{Markdown, Table};
use crate::limits::Limits;

const SHAPE: u16 = 0xf004;
const PROPERTIES: [u16; 3] = [0xf00b, 0xf121, 0xf122];
const TEXT_BOX: u16 = 0xf00d;
const PLACE: u16 = 0xf00f;
/// The property of a group that is a table ([MS-ODRAW] 2.3.4.36).
const IS_TABLE: u16 = 0x39f;

/// The table that a group of shapes is, as Markdown.
pub fn read(group: Record<'_>, outline: &[Text], limits: &Limits) -> Option<String> {
    let mut shapes = Records(group.data).filter(|record| record.kind == SHAPE);
    // The first shape stands for the group.
    if !Records(shapes.next()?.data).any(says_table) {
        return None;
    }
    let mut cells: Vec<(i32, i32, String)> = shapes.filter_map(|shape| cell(shape.data, outline)).collect();
    cells.sort();
    let mut columns: Vec<i32> = cells.iter().map(|cell| cell.1).collect();
    columns.sort_unstable();
    columns.dedup();
    let mut table = Table::new(limits);
    let mut row = None;
    for (top, left, text) in &cells {
        if row.replace(top).is_some_and(|before| before != top) {
            table.end_row();
        }
        table.cell(columns.binary_search(left).unwrap_or(0) as u32, text);
    }
    let mut page = Markdown::new(limits);
    page.table(&table);
    Some(page.take())
}

fn says_table(record: Record<'_>) -> bool {
    let properties = || record.data.chunks_exact(6).take(usize::from(record.instance));
    PROPERTIES.contains(&record.kind)
        && properties().any(|property| u16_at(property, 0).is_some_and(|id| id & 0x3fff == IS_TABLE))
}

/// Where a cell begins, from above and from the left, and its text; lines between cells have none.
fn cell(shape: &[u8], outline: &[Text]) -> Option<(i32, i32, String)> {
    let place = Records(shape).find(|record| record.kind == PLACE)?.data;
    let number = |at| u32_at(place, at).map(|number| number as i32);
    let mut texts = Vec::new();
    Records(shape)
        .filter(|record| record.kind == TEXT_BOX)
        .for_each(|record| text_box(record.data, outline, &mut texts));
    let text: Vec<String> = texts.into_iter().map(|text| text.text).collect();
    Some((number(4)?, number(0)?, text.join(" ")))
}
