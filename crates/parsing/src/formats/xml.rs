//! XML of any vocabulary: the text of its elements, a line for each element that has some.
//! Document types are skipped, and of entities only the five predefined ones and character references are resolved.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};
use sheaf_domain::Failure;

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
    let mut reader = Reader::from_str(&decoded);
    let (mut page, mut depth) = (String::new(), 0);
    loop {
        match reader.read_event() {
            Ok(Event::Text(text)) => page.push_str(&text.xml10_content()),
            Ok(Event::CData(text)) => page.push_str(&text.xml10_content()),
            Ok(Event::GeneralRef(reference)) => page.extend(resolve(&reference)),
            Ok(Event::Start(_)) => {
                depth += 1;
                if depth > output.limits().depth {
                    return Err(too_deep());
                }
                end_line(&mut page);
            }
            Ok(Event::End(_)) => {
                depth = depth.saturating_sub(1);
                end_line(&mut page);
            }
            Ok(Event::Eof) => break,
            Ok(Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_)) => {}
            Err(_) => return Err(corrupt(format!("this is not valid XML at byte {}", reader.error_position()))),
        }
    }
    output.page(&page)
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

fn end_line(page: &mut String) {
    page.truncate(page.trim_end().len());
    if !page.is_empty() {
        page.push('\n');
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
