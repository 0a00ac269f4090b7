//! What the styles of a document mean for its paragraphs.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::formats::xml::attribute;

/// What the styles of paragraphs say about them, by the style's id.
#[derive(Default)]
pub struct Styles(HashMap<String, Style>);

#[derive(Default)]
struct Style {
    heading: Option<u8>,
    list: Option<String>,
    level: Option<usize>,
    based_on: Option<String>,
}

impl Styles {
    /// Reads `styles.xml`, as far as it can be read: a style is a heading by its name, in English whatever Word's
    /// language, or by its outline level.
    pub fn read(xml: &str) -> Self {
        let mut styles: HashMap<String, Style> = HashMap::new();
        let mut id = String::new();
        let mut reader = Reader::from_str(xml);
        while let Ok(event) = reader.read_event() {
            let (Event::Start(tag) | Event::Empty(tag)) = event else {
                if matches!(event, Event::Eof) {
                    break;
                }
                continue;
            };
            if tag.local_name().as_ref() == "style" {
                id = attribute(&tag, "styleId").unwrap_or_default();
            }
            let value = attribute(&tag, "val").unwrap_or_default();
            let style = styles.entry(id.clone()).or_default();
            match tag.local_name().as_ref() {
                "name" => style.heading = level_of_name(&value),
                // Level 9 is body text.
                "outlineLvl" if style.heading.is_none() => {
                    style.heading = value.parse::<u8>().ok().filter(|level| *level < 9).map(|level| level + 1);
                }
                "numId" => style.list = Some(value),
                "ilvl" => style.level = value.parse().ok(),
                "basedOn" => style.based_on = Some(value),
                _ => {}
            }
        }
        Self(styles)
    }

    /// The heading level of a style, from 1: by its definition, else by its id, for a package may lack definitions.
    pub fn heading(&self, style: &str) -> Option<u8> {
        self.0.get(style).and_then(|style| style.heading).or_else(|| level_of_name(style))
    }

    /// The list that a style, or one that it is based on, puts its paragraphs in, and at which level.
    pub fn list(&self, style: &str) -> Option<(&str, Option<usize>)> {
        let mut style = self.0.get(style)?;
        // A style may be based on itself.
        for _ in 0..16 {
            if let Some(list) = &style.list {
                return Some((list, style.level));
            }
            style = self.0.get(style.based_on.as_ref()?)?;
        }
        None
    }
}

/// `heading 2`, `Heading2`: 2; `Title`: 1.
fn level_of_name(name: &str) -> Option<u8> {
    let name = name.to_ascii_lowercase();
    if name == "title" {
        return Some(1);
    }
    name.strip_prefix("heading")?.trim().parse().ok().filter(|level| (1..=9).contains(level))
}
