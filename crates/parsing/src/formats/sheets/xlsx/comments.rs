//! Comments on cells, of both kinds that Excel has had: the text and who wrote it.

use std::collections::HashMap;

use quick_xml::events::BytesStart;
use sheaf_domain::Failure;

use crate::formats::markdown::Markdown;
use crate::formats::ooxml::targets;
use crate::formats::package::{Package, Relation};
use crate::formats::xml::{Visitor, attribute, number, walk};
use crate::limits::Limits;

/// Nesting that no list of people has.
const DEPTH: u32 = 16;
/// How a comment begins that stands in for a thread, for older programs.
const STAND_IN: &str = "[Threaded comment]";

/// The names of those who write in threads, by their ids.
#[derive(Default)]
pub struct People(HashMap<String, String>);

/// Reads the people of a workbook, as far as they can be read.
///
/// # Errors
/// Those of the package.
pub fn people(package: &mut Package<'_>, relations: &[Relation]) -> Result<People, Failure> {
    let mut people = People::default();
    for part in targets(relations, "/person") {
        let xml = package.part(part)?.unwrap_or_default();
        let _ = walk(&xml, DEPTH, &mut people);
    }
    Ok(people)
}

impl Visitor for People {
    fn open(&mut self, tag: &BytesStart<'_>) {
        if let (Some(id), Some(name)) = (attribute(tag, "id"), attribute(tag, "displayName")) {
            self.0.insert(id, name);
        }
    }

    fn close(&mut self, _name: &str) {}

    fn text(&mut self, _text: &str) {}
}

/// Writes the comments of a part, as far as they can be read.
pub fn write(xml: &str, threads: bool, people: &People, limits: &Limits, page: &mut Markdown) {
    let mut comments =
        Comments { threads, people, page, authors: Vec::new(), author: None, text: String::new(), in_text: 0 };
    let _ = walk(xml, limits.depth, &mut comments);
}

struct Comments<'a> {
    threads: bool,
    people: &'a People,
    page: &'a mut Markdown,
    /// The names that the part lists, of the older kind.
    authors: Vec<String>,
    author: Option<String>,
    text: String,
    in_text: u32,
}

impl Visitor for Comments<'_> {
    fn open(&mut self, tag: &BytesStart<'_>) {
        match tag.local_name().as_ref() {
            "author" => {
                self.text.clear();
                self.in_text = 1;
            }
            "comment" => {
                self.text.clear();
                self.author = number(tag, "authorId").and_then(|index: usize| self.authors.get(index).cloned());
            }
            "threadedComment" => {
                self.text.clear();
                self.author = attribute(tag, "personId").and_then(|id| self.people.0.get(&id).cloned());
            }
            "t" => self.in_text = 1,
            "text" if self.threads => self.in_text = 1,
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "author" => {
                self.in_text = 0;
                self.authors.push(self.text.trim().to_owned());
            }
            "t" | "text" => self.in_text = 0,
            "comment" | "threadedComment" => {
                let text = self.text.trim();
                if !text.is_empty() && !text.starts_with(STAND_IN) {
                    let author = self.author.take().filter(|author| !author.is_empty() && !author.starts_with("tc="));
                    let author = author.map(|author| format!(" by {author}")).unwrap_or_default();
                    self.page.paragraph(&format!("Comment{author}: {text}"));
                }
                self.text.clear();
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.in_text > 0 {
            self.text.push_str(text);
        }
    }
}
