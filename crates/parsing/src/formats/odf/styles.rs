//! What the styles of a document mean for its paragraphs: headings, and the numbers of lists.

use std::collections::HashMap;

use quick_xml::events::BytesStart;

use crate::formats::xml::{Visitor, attribute, number};
use crate::limits::Limits;

/// Levels that a list has.
pub const LEVELS: usize = 10;
/// Styles beyond this many are not looked at.
const MOST: usize = 100_000;

/// The styles of a document, by name.
pub struct Styles {
    paragraphs: HashMap<String, Paragraph>,
    lists: HashMap<String, [Level; LEVELS]>,
    /// The numbers of headings.
    outline: [Level; LEVELS],
    /// The list style that is being read; none of a name is the outline.
    list: Option<String>,
    in_list: bool,
    most: usize,
}

#[derive(Default)]
struct Paragraph {
    parent: Option<String>,
    list: Option<String>,
}

/// How the items of one level are numbered; an empty format is a bullet or nothing.
#[derive(Clone, Debug, Default)]
pub struct Level {
    pub format: String,
    pub prefix: String,
    pub suffix: String,
    /// The first number, when it is not 1.
    pub start: Option<u32>,
    /// How many levels are shown: 2 for `3.1`.
    pub shown: usize,
}

impl Styles {
    /// No styles.
    pub fn new(limits: &Limits) -> Self {
        Self {
            paragraphs: HashMap::new(),
            lists: HashMap::new(),
            outline: Default::default(),
            list: None,
            in_list: false,
            most: MOST.min(limits.text_bytes),
        }
    }

    /// Whether a style is that of the document's title, or based on it.
    pub fn is_title(&self, style: &str) -> bool {
        self.chain(style).any(|style| style == "Title")
    }

    /// The list style that a paragraph style brings.
    pub fn list_of(&self, style: &str) -> Option<&str> {
        let mut chain = self.chain(style);
        chain.find_map(|style| self.paragraphs.get(style)?.list.as_deref()).filter(|list| !list.is_empty())
    }

    /// The levels of a list style.
    pub fn levels(&self, list: &str) -> Option<&[Level; LEVELS]> {
        self.lists.get(list)
    }

    /// The levels of headings.
    pub fn outline(&self) -> &[Level; LEVELS] {
        &self.outline
    }

    /// A style and those that it is based on; a style may be based on itself.
    fn chain<'a>(&'a self, style: &'a str) -> impl Iterator<Item = &'a str> {
        std::iter::successors(Some(style), |style| self.paragraphs.get(*style)?.parent.as_deref()).take(16)
    }

    fn level(&mut self, tag: &BytesStart<'_>, format: String) {
        let level: usize = number(tag, "level").unwrap_or(1);
        let levels = match &self.list {
            Some(list) if self.lists.len() < self.most => self.lists.entry(list.clone()).or_default(),
            Some(_) => return,
            None => &mut self.outline,
        };
        if let Some(place) = level.checked_sub(1).and_then(|level| levels.get_mut(level)) {
            *place = Level {
                format,
                prefix: attribute(tag, "num-prefix").unwrap_or_default(),
                suffix: attribute(tag, "num-suffix").unwrap_or_default(),
                start: number(tag, "start-value"),
                shown: number(tag, "display-levels").unwrap_or(1),
            };
        }
    }
}

impl Visitor for Styles {
    fn open(&mut self, tag: &BytesStart<'_>) {
        match tag.local_name().as_ref() {
            "style" if self.paragraphs.len() < self.most => {
                if let Some(name) = attribute(tag, "name") {
                    let (parent, list) = (attribute(tag, "parent-style-name"), attribute(tag, "list-style-name"));
                    self.paragraphs.insert(name, Paragraph { parent, list });
                }
            }
            "list-style" => (self.in_list, self.list) = (true, Some(attribute(tag, "name").unwrap_or_default())),
            "outline-style" => (self.in_list, self.list) = (true, None),
            "list-level-style-number" | "outline-level-style" if self.in_list => {
                self.level(tag, attribute(tag, "num-format").unwrap_or_default());
            }
            "list-level-style-bullet" if self.in_list => self.level(tag, String::new()),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        if matches!(name, "list-style" | "outline-style") {
            self.in_list = false;
        }
    }

    fn text(&mut self, _text: &str) {}
}
