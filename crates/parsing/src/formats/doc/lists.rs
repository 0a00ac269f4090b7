//! The lists of a document ([MS-DOC] 2.9.131 ff.) and the numbers of their paragraphs.

use std::collections::HashMap;
use std::ops::Range;

use crate::formats::compound::{u16_at, u32_at};
use crate::formats::numerals::{self, System};

const LEVELS: usize = 9;
/// Lists beyond this many are not looked at.
const MOST: usize = 4096;

/// How the lists are numbered.
#[derive(Default)]
pub struct Lists {
    /// The levels by the list's own number.
    levels: HashMap<u32, Vec<Level>>,
    /// The numbers of lists in the order in which paragraphs name them, from 1.
    overrides: Vec<u32>,
}

#[derive(Default)]
struct Level {
    start: u32,
    format: u8,
    /// The text before a paragraph; units below 9 stand for the number of that level.
    text: Vec<u16>,
}

/// How far the lists are.
#[derive(Default)]
pub struct Counters(HashMap<u32, [u32; LEVELS]>);

impl Lists {
    /// Reads the lists, whose levels follow right after their table.
    pub fn read(stream: &[u8], place: Range<usize>, overrides: &[u8]) -> Self {
        let mut lists = Self::default();
        let count = (u32_at(overrides, 0).unwrap_or(0) as usize).min(MOST);
        lists.overrides = (0..count).map_while(|index| u32_at(overrides, 4 + 16 * index)).collect();
        let table = stream.get(place.clone()).unwrap_or_default();
        let mut rest = stream.get(place.end..).unwrap_or_default();
        for index in 0..usize::from(u16_at(table, 0).unwrap_or(0)).min(MOST) {
            let Some(list) = table.get(2 + 28 * index..2 + 28 * (index + 1)) else { break };
            let levels = if list[26] & 1 != 0 { 1 } else { LEVELS };
            let read: Vec<Level> = (0..levels).map_while(|_| level(&mut rest)).collect();
            lists.levels.insert(u32_at(list, 0).unwrap_or(0), read);
        }
        lists
    }

    /// What stands before the next paragraph of a list: a number, or nothing for a bullet.
    pub fn next(&self, list: u16, at: usize, counters: &mut Counters) -> Option<String> {
        let id = *self.overrides.get(usize::from(list).checked_sub(1)?)?;
        let levels = self.levels.get(&id)?;
        let at = at.min(levels.len().checked_sub(1)?);
        let counts = counters.0.entry(id).or_default();
        counts[at] = if counts[at] == 0 { levels[at].start.max(1) } else { counts[at].saturating_add(1) };
        counts[at + 1..].fill(0);
        if matches!(levels[at].format, 23 | 255) {
            return None;
        }
        let mut label = String::new();
        for unit in &levels[at].text {
            match levels.get(usize::from(*unit)) {
                Some(level) => {
                    label.push_str(&numerals::show(counts[usize::from(*unit)].max(1), system(level.format)));
                }
                None => label.extend(char::from_u32(u32::from(*unit))),
            }
        }
        Some(label.trim().to_owned()).filter(|label| !label.is_empty())
    }
}

fn level(rest: &mut &[u8]) -> Option<Level> {
    let head = rest.get(..28)?;
    let properties = usize::from(head[24]) + usize::from(head[25]);
    let length = usize::from(u16_at(rest, 28 + properties)?);
    let text = rest.get(30 + properties..30 + properties + 2 * length)?;
    let level = Level {
        start: u32_at(head, 0)?.min(1 << 20),
        format: head[4],
        text: (0..length).filter_map(|unit| u16_at(text, 2 * unit)).collect(),
    };
    *rest = &rest[30 + properties + 2 * length..];
    Some(level)
}

fn system(format: u8) -> System {
    match format {
        1 => System::UpperRoman,
        2 => System::LowerRoman,
        3 => System::UpperLetter,
        4 => System::LowerLetter,
        _ => System::Decimal,
    }
}
