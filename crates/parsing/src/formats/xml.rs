//! XML of any vocabulary: the text of its elements, a line for each element that has some.
//! Document types are skipped, and of entities only the five predefined ones and character references are resolved.

use std::borrow::Cow;
use std::str::FromStr;

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::QName;
use sheaf_domain::{Failure, FailureCode};

use crate::formats::{corrupt, text};
use crate::limits::nested_too_deep;
use crate::output::Output;

/// One page.
pub fn parse(bytes: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
    let label = bytes.windows(9).take(200).position(|window| window == b"encoding=").and_then(|at| {
        let value = bytes.get(at + 10..)?;
        value.get(..value.iter().position(|&byte| byte == b'"' || byte == b'\'')?)
    });
    let decoded = text::decode(bytes, label, output);
    let mut lines = Lines::default();
    walk(&decoded, output.limits().depth, &mut lines).map_err(|failure| match failure.code {
        FailureCode::CorruptFile => corrupt(format!("this is not valid XML {}", failure.message)),
        _ => failure,
    })?;
    output.page(&lines.0)
}

/// Takes what a walk over XML comes by, in its order.
pub trait Visitor {
    /// An element begins; one without content ends at once.
    fn open(&mut self, tag: &BytesStart<'_>);
    /// The element of that local name ends.
    fn close(&mut self, name: &str);
    /// Characters, references resolved.
    fn text(&mut self, text: &str);
}

/// Goes through XML once, without a tree.
///
/// # Errors
/// `corrupt_file` for what is not well-formed, with a message that says where; `document_limit` for elements nested deeper
/// than `depth`.
pub fn walk(xml: &str, depth: u32, visitor: &mut impl Visitor) -> Result<(), Failure> {
    steps(xml, depth, true, visitor)
}

fn steps(xml: &str, depth: u32, document_type: bool, visitor: &mut impl Visitor) -> Result<(), Failure> {
    let mut reader = Reader::from_str(xml);
    let mut nested = 0;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                nested += 1;
                if nested > depth {
                    return Err(too_deep());
                }
                visitor.open(&tag);
            }
            Ok(Event::Empty(tag)) => {
                visitor.open(&tag);
                visitor.close(tag.local_name().as_ref());
            }
            Ok(Event::End(tag)) => {
                nested = nested.saturating_sub(1);
                visitor.close(tag.local_name().as_ref());
            }
            Ok(Event::Text(text)) => visitor.text(&text.xml10_content()),
            Ok(Event::CData(text)) => visitor.text(&text.xml10_content()),
            Ok(Event::GeneralRef(reference)) => {
                if let Some(character) = resolve(&reference) {
                    visitor.text(character.encode_utf8(&mut [0; 4]));
                }
            }
            Ok(Event::Eof) if nested == 0 => return Ok(()),
            Ok(Event::Eof) => return Err(corrupt("at its end, where elements are still open")),
            Ok(Event::DocType(_)) if !document_type => {
                return Err(corrupt("by its document type, which it may not have"));
            }
            Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_)) => {}
            Err(_) => return Err(corrupt(format!("at byte {}", reader.error_position()))),
        }
    }
}

/// [`walk`] for a part of an Office package, whose name the failure tells.
///
/// # Errors
/// Those of [`walk`], and `corrupt_file` for a document type, which parts may not have (ECMA-376 part 2, 6.1.4): it is the
/// start of every attack by entities.
pub fn walk_part(name: &str, xml: &str, depth: u32, visitor: &mut impl Visitor) -> Result<(), Failure> {
    steps(xml, depth, false, visitor).map_err(|failure| match failure.code {
        FailureCode::CorruptFile => {
            corrupt(format!("this file is damaged: its part `{name}` is not valid XML {}", failure.message))
        }
        _ => failure,
    })
}

/// The value of an attribute, whatever its namespace; entities of the document's own stay as they are.
pub fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.attributes().flatten().find(|attribute| attribute.key.local_name().as_ref() == name)?;
    Some(unescape(&found.value).map_or_else(|_| found.value.to_string(), Cow::into_owned))
}

/// The attribute `r:id` of an Office part; `id` without a namespace is something else there.
pub fn relation_id(tag: &BytesStart<'_>) -> Option<String> {
    let is_relation = |key: QName<'_>| key.prefix().is_some() && key.local_name().as_ref() == "id";
    Some(tag.attributes().flatten().find(|attribute| is_relation(attribute.key))?.value.into_owned())
}

/// An attribute that is a number.
pub fn number<T: FromStr>(tag: &BytesStart<'_>, name: &str) -> Option<T> {
    attribute(tag, name)?.trim().parse().ok()
}

/// The text of the first element called `name`, whatever its namespace, as far as the XML can be read.
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

/// The character that a reference stands for. Entities of the document's own are never expanded: they are how a small
/// file becomes a large one, or another file.
pub fn resolve(reference: &BytesRef<'_>) -> Option<char> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Some(character);
    }
    match &**reference {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

/// The failure for elements in elements beyond the limit.
pub fn too_deep() -> Failure {
    nested_too_deep("elements")
}

/// A line for each element that has text.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn end_line(&mut self) {
        self.0.truncate(self.0.trim_end().len());
        if !self.0.is_empty() {
            self.0.push('\n');
        }
    }
}

impl Visitor for Lines {
    fn open(&mut self, _tag: &BytesStart<'_>) {
        self.end_line();
    }

    fn close(&mut self, _name: &str) {
        self.end_line();
    }

    fn text(&mut self, text: &str) {
        self.0.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use sheaf_domain::FailureCode;

    use crate::formats::read;

    #[test]
    fn text_of_elements() {
        #[track_caller]
        fn check(xml: &str, expect: &str) {
            assert_eq!(read(xml.as_bytes(), "a.xml").expect("xml").text(), expect);
        }
        check("<?xml version='1.0'?><a><b>one</b> <b>t &lt; &#65;</b><!-- no --></a>", "one\nt < A");
        check("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY e 'expanded'>]><a>x&e;y</a>", "xy");
        check("<a><![CDATA[<raw>]]></a>", "<raw>");
    }

    #[test]
    fn bad_xml_is_refused() {
        #[track_caller]
        fn check(xml: &str, code: FailureCode) {
            assert_eq!(read(xml.as_bytes(), "a.xml").expect_err("refused").code, code);
        }
        check("<?xml version='1.0'?><a><b></a>", FailureCode::CorruptFile);
        check(&"<a>".repeat(10_000), FailureCode::NestedTooDeep);
    }
}
