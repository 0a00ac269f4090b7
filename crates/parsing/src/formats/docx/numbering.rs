//! The numbers that Word shows before paragraphs, which its text does not have (ECMA-376 part 1, 17.9).

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::formats::numerals::{self, System};
use crate::formats::xml::{attribute, number};

/// Levels that a list has.
const LEVELS: usize = 9;

/// The definitions of a document's lists.
#[derive(Default)]
pub struct Numbering {
    /// The abstract list of each list, and where its levels start anew.
    lists: HashMap<String, List>,
    levels: HashMap<(String, usize), Level>,
}

#[derive(Default)]
struct List {
    definition: String,
    starts: HashMap<usize, u32>,
}

#[derive(Default)]
struct Level {
    start: Option<u32>,
    format: String,
    /// `%1.%2.` for `3.1.`
    text: String,
    style: Option<String>,
}

/// How far each list is; for one part of the document.
#[derive(Default)]
pub struct Counters {
    by_definition: HashMap<String, [Option<u32>; LEVELS]>,
    seen: Vec<(String, usize)>,
}

impl Numbering {
    /// Reads `numbering.xml`, as far as it can be read.
    pub fn read(xml: &str) -> Self {
        let mut numbering = Self::default();
        let (mut definition, mut list, mut level) = (String::new(), None, 0);
        let mut reader = Reader::from_str(xml);
        while let Ok(event) = reader.read_event() {
            let (Event::Start(tag) | Event::Empty(tag)) = event else {
                if matches!(event, Event::Eof) {
                    break;
                }
                continue;
            };
            match tag.local_name().as_ref() {
                // Some programs write definitions after lists.
                "abstractNum" => (definition, list) = (attribute(&tag, "abstractNumId").unwrap_or_default(), None),
                "num" => list = attribute(&tag, "numId"),
                "lvl" | "lvlOverride" => level = number(&tag, "ilvl").unwrap_or(0),
                "abstractNumId" => {
                    if let (Some(list), Some(definition)) = (&list, attribute(&tag, "val")) {
                        numbering.lists.entry(list.clone()).or_default().definition = definition;
                    }
                }
                "startOverride" => {
                    if let (Some(list), Some(start)) = (&list, number(&tag, "val")) {
                        numbering.lists.entry(list.clone()).or_default().starts.insert(level, start);
                    }
                }
                // Within a list these change a definition that others may share; that is too rare to follow.
                name @ ("start" | "numFmt" | "lvlText" | "pStyle") if list.is_none() => {
                    let level = numbering.levels.entry((definition.clone(), level)).or_default();
                    let value = attribute(&tag, "val").unwrap_or_default();
                    match name {
                        "start" => level.start = value.parse().ok(),
                        "numFmt" => level.format = value,
                        "lvlText" => level.text = value,
                        _ => level.style = Some(value),
                    }
                }
                _ => {}
            }
        }
        numbering
    }

    /// The level of a list that belongs to a style.
    pub fn level_of(&self, list: &str, style: &str) -> Option<usize> {
        let definition = &self.lists.get(list)?.definition;
        (0..LEVELS).find(|&level| {
            self.levels.get(&(definition.clone(), level)).is_some_and(|level| level.style.as_deref() == Some(style))
        })
    }

    /// What stands before the next paragraph of a list: its number, nothing for a bullet or an unknown list.
    pub fn next(&self, list: &str, level: usize, counters: &mut Counters) -> Option<String> {
        let level = level.min(LEVELS - 1);
        let List { definition, starts } = self.lists.get(list)?;
        let of = |level: usize| self.levels.get(&(definition.clone(), level));
        let start = |level: usize| of(level).and_then(|level| level.start).unwrap_or(1);

        let first = !counters.seen.iter().any(|(seen, at)| seen == list && *at == level);
        if first {
            counters.seen.push((list.to_owned(), level));
        }
        let counts = counters.by_definition.entry(definition.clone()).or_default();
        counts[level] = match (starts.get(&level), counts[level]) {
            (Some(anew), _) if first => Some(*anew),
            (_, Some(count)) => Some(count.saturating_add(1)),
            (_, None) => Some(start(level)),
        };
        counts[level + 1..].fill(None);
        for (above, count) in counts.iter_mut().enumerate().take(level) {
            count.get_or_insert(start(above));
        }
        let shown = of(level)?;
        if matches!(shown.format.as_str(), "bullet" | "none") {
            return None;
        }
        let mut label = shown.text.clone();
        for (index, count) in counts.iter().enumerate().take(level + 1) {
            let format = of(index).map_or("", |level| level.format.as_str());
            let number = numerals::show(count.unwrap_or(1), System::of_name(format));
            label = label.replace(&format!("%{}", index + 1), &number);
        }
        Some(label.trim().to_owned()).filter(|label| !label.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_may_follow_lists() {
        let numbering = Numbering::read(
            "<w:numbering xmlns:w='w'><w:num w:numId='1'><w:abstractNumId w:val='7'/></w:num>\
             <w:abstractNum w:abstractNumId='7'><w:lvl w:ilvl='0'><w:numFmt w:val='decimal'/><w:lvlText w:val='%1.'/>\
             </w:lvl></w:abstractNum></w:numbering>",
        );
        assert_eq!(numbering.next("1", 0, &mut Counters::default()).as_deref(), Some("1."));
    }

    #[test]
    fn numbers_run_on_and_start_anew() {
        let level = |level: usize, format: &str, text: &str| {
            format!(
                "<w:lvl w:ilvl='{level}'><w:start w:val='1'/><w:numFmt w:val='{format}'/><w:lvlText w:val='{text}'/></w:lvl>"
            )
        };
        let levels = [level(0, "decimal", "%1."), level(1, "lowerLetter", "%1.%2)"), level(2, "bullet", "o")].concat();
        let numbering = Numbering::read(&format!(
            "<w:numbering xmlns:w='w'><w:abstractNum w:abstractNumId='7'>{levels}</w:abstractNum>\
             <w:num w:numId='1'><w:abstractNumId w:val='7'/></w:num>\
             <w:num w:numId='2'><w:abstractNumId w:val='7'/><w:lvlOverride w:ilvl='0'><w:startOverride w:val='1'/>\
             </w:lvlOverride></w:num></w:numbering>"
        ));
        let mut counters = Counters::default();
        let mut check = |list: &str, level: usize, expect: Option<&str>| {
            assert_eq!(numbering.next(list, level, &mut counters).as_deref(), expect);
        };
        check("1", 0, Some("1."));
        check("1", 1, Some("1.a)"));
        check("1", 1, Some("1.b)"));
        check("1", 0, Some("2."));
        check("1", 1, Some("2.a)"));
        check("1", 2, None);
        check("2", 0, Some("1."));
        check("2", 0, Some("2."));
        check("9", 0, None);
    }
}
