//! Comments on slides, of both kinds that PowerPoint has had: the text and who wrote it.

use std::collections::HashMap;

use quick_xml::events::BytesStart;
use sheaf_domain::Failure;

use crate::formats::markdown::Markdown;
use crate::formats::ooxml::targets;
use crate::formats::package::{Package, Relation};
use crate::formats::xml::{Visitor, attribute, walk};
use crate::limits::Limits;

/// Nesting that no list of authors has.
const DEPTH: u32 = 16;

/// The names of those who comment, by their ids.
#[derive(Default)]
pub struct People(HashMap<String, String>);

/// Reads the authors of all comments, as far as they can be read.
///
/// # Errors
/// Those of the package.
pub fn people(package: &mut Package<'_>, relations: &[Relation]) -> Result<People, Failure> {
    let mut people = People::default();
    for kind in ["/commentAuthors", "/authors"] {
        for part in targets(relations, kind) {
            let xml = package.part(part)?.unwrap_or_default();
            let _ = walk(&xml, DEPTH, &mut people);
        }
    }
    Ok(people)
}

impl Visitor for People {
    fn open(&mut self, tag: &BytesStart<'_>) {
        if matches!(tag.local_name().as_ref(), "cmAuthor" | "author")
            && let (Some(id), Some(name)) = (attribute(tag, "id"), attribute(tag, "name"))
        {
            self.0.insert(id, name);
        }
    }

    fn close(&mut self, _name: &str) {}

    fn text(&mut self, _text: &str) {}
}

/// Writes the comments of a slide, as far as they can be read.
pub fn write(xml: &str, people: &People, limits: &Limits, page: &mut Markdown) {
    let mut comments = Comments { people, page, authors: Vec::new(), text: String::new(), in_text: 0 };
    let _ = walk(xml, limits.depth, &mut comments);
}

struct Comments<'a> {
    people: &'a People,
    page: &'a mut Markdown,
    /// Of the comment, and of the reply within it.
    authors: Vec<String>,
    text: String,
    in_text: u32,
}

impl Comments<'_> {
    fn end(&mut self) {
        let text = std::mem::take(&mut self.text);
        if !text.trim().is_empty() {
            let author = self.authors.last().filter(|author| !author.is_empty());
            let author = author.map(|author| format!(" by {author}")).unwrap_or_default();
            self.page.paragraph(&format!("Comment{author}: {}", text.trim()));
        }
    }
}

impl Visitor for Comments<'_> {
    fn open(&mut self, tag: &BytesStart<'_>) {
        match tag.local_name().as_ref() {
            "cm" | "reply" => {
                let author = attribute(tag, "authorId").and_then(|id| self.people.0.get(&id).cloned());
                self.authors.push(author.unwrap_or_default());
                self.text.clear();
            }
            // The older kind has the text itself, the newer has paragraphs.
            "t" | "text" => self.in_text += 1,
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "t" | "text" => self.in_text = self.in_text.saturating_sub(1),
            "p" => self.text.push('\n'),
            "txBody" => self.end(),
            "cm" | "reply" => {
                self.end();
                self.authors.pop();
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
