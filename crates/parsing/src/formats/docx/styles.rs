//! Small facts from the package's other parts: which styles are headings, where the document is, who wrote it.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::formats::xml::resolve;

/// The level, from 1, of each style that is a heading, by the style's id.
#[derive(Default)]
pub struct Headings(HashMap<String, u8>);

impl Headings {
    /// The heading level of a style: by its definition, else by its id, for a package may lack definitions.
    pub fn level(&self, style: &str) -> Option<u8> {
        self.0.get(style).copied().or_else(|| level_of_name(style))
    }
}

/// Reads `styles.xml`: a style is a heading by its name, in English whatever Word's language, or its outline level.
pub fn headings(xml: &str) -> Headings {
    let (mut levels, mut style) = (HashMap::new(), None);
    let mut reader = Reader::from_str(xml);
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                "style" => style = attribute(&tag, "styleId"),
                "name" | "outlineLvl" => {
                    let value = attribute(&tag, "val").unwrap_or_default();
                    let level = match tag.local_name().as_ref() {
                        "name" => level_of_name(&value),
                        // Level 9 is body text.
                        _ => value.parse::<u8>().ok().filter(|level| *level < 9).map(|level| level + 1),
                    };
                    if let (Some(id), Some(level)) = (&style, level) {
                        levels.entry(id.clone()).or_insert(level);
                    }
                }
                _ => {}
            },
            Event::Eof => break,
            _ => {}
        }
    }
    Headings(levels)
}

/// `heading 2`, `Heading2`: 2; `Title`: 1.
fn level_of_name(name: &str) -> Option<u8> {
    let name = name.to_ascii_lowercase();
    if name == "title" {
        return Some(1);
    }
    name.strip_prefix("heading")?.trim().parse().ok().filter(|level| (1..=9).contains(level))
}

/// The target of the first relation whose type ends in `kind`, relative to the package.
pub fn relation(xml: &str, kind: &str) -> Option<String> {
    let mut reader = Reader::from_str(xml);
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "Relationship" => {
                if attribute(&tag, "Type").is_some_and(|found| found.ends_with(kind)) {
                    return attribute(&tag, "Target").map(|target| target.trim_start_matches('/').to_owned());
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    None
}

/// The text of the first element called `name`, whatever its namespace.
pub fn element(xml: &str, name: &str) -> Option<String> {
    let mut reader = Reader::from_str(xml);
    let mut text: Option<String> = None;
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(tag) if tag.local_name().as_ref() == name => text = Some(String::new()),
            Event::Text(part) => {
                if let Some(text) = &mut text {
                    text.push_str(&part.xml10_content());
                }
            }
            Event::GeneralRef(reference) => {
                if let Some(text) = &mut text {
                    text.extend(resolve(&reference));
                }
            }
            Event::End(_) if text.is_some() => break,
            Event::Eof => break,
            _ => {}
        }
    }
    text.filter(|text| !text.trim().is_empty())
}

/// The value of an attribute, whatever its namespace.
pub fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.attributes().flatten().find(|attribute| attribute.key.local_name().as_ref() == name)?;
    Some(found.value.into_owned())
}
