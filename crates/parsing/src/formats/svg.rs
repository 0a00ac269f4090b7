//! The text of SVG drawings: titles, descriptions and texts, a line each.

use quick_xml::events::BytesStart;
use sheaf_domain::{Failure, FailureCode};

use crate::formats::markdown::one_line;
use crate::formats::xml::{Visitor, walk};
use crate::formats::{corrupt, text};
use crate::output::Output;

/// One page.
pub fn parse(bytes: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
    let decoded = text::decode(bytes, None, output);
    let mut drawing = Drawing::default();
    walk(&decoded, output.limits().depth, &mut drawing).map_err(|failure| match failure.code {
        FailureCode::CorruptFile => corrupt(format!("this drawing is not valid XML {}", failure.message)),
        _ => failure,
    })?;
    output.metadata.title = drawing.title;
    output.page(&drawing.page)
}

#[derive(Default)]
struct Drawing {
    page: String,
    line: String,
    title: Option<String>,
    /// Depth in elements with text, and in those that are no text.
    inside: u32,
    dropped: u32,
}

impl Drawing {
    fn end_line(&mut self) {
        let line = one_line(&self.line);
        self.line.clear();
        if !line.is_empty() {
            self.page.push_str(&line);
            self.page.push('\n');
        }
    }
}

impl Visitor for Drawing {
    fn open(&mut self, tag: &BytesStart<'_>) {
        match tag.local_name().as_ref() {
            "style" | "script" | "metadata" => self.dropped += 1,
            "text" | "title" | "desc" | "foreignObject" => self.inside += 1,
            // Programs write each line of a text as a span.
            "tspan" | "textPath" | "br" => self.line.push(' '),
            "p" | "div" | "li" => self.end_line(),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "style" | "script" | "metadata" => self.dropped = self.dropped.saturating_sub(1),
            "text" | "title" | "desc" | "foreignObject" => {
                self.inside = self.inside.saturating_sub(1);
                if name == "title" && self.title.is_none() {
                    self.title = Some(one_line(&self.line));
                }
                self.end_line();
            }
            "p" | "div" | "li" => self.end_line(),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.inside > 0 && self.dropped == 0 {
            self.line.push_str(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use sheaf_domain::FailureCode;

    use crate::formats::read;

    #[test]
    fn texts_are_lines() {
        let svg = "<svg><title>Plan</title><style>text{}</style><g><text>One <tspan>two</tspan><tspan>three</tspan></text>\
                   <path d='M0 0'/></g><text>&lt;four&gt;</text></svg>";
        let document = read(svg.as_bytes(), "a.svg").expect("svg");
        assert_eq!(document.text(), "Plan\nOne two three\n<four>");
        assert_eq!(document.metadata.title.as_deref(), Some("Plan"));
    }

    #[test]
    fn drawings_without_text_and_broken_ones() {
        assert_eq!(read(b"<svg><path/></svg>", "a.svg").expect_err("no text").code, FailureCode::NoText);
        assert_eq!(read(b"<svg><text>", "a.svg").expect_err("cut off").code, FailureCode::CorruptFile);
    }
}
