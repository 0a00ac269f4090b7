//! A paragraph while it is read, and where it belongs when it ends.

/// What a paragraph is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Plain,
    Heading(usize),
}

/// The text of a paragraph so far. White space is as in HTML: any run of it is one space, none at the start.
#[derive(Clone, Debug)]
pub struct Paragraph {
    pub text: String,
    pub kind: Kind,
    /// Whether the heading has no number, whatever its level has.
    pub unnumbered: bool,
    pub style: String,
}

impl Paragraph {
    /// An empty one.
    pub fn new(kind: Kind, style: String, unnumbered: bool) -> Self {
        Self { text: String::new(), kind, unnumbered, style }
    }

    /// Adds characters of the XML.
    pub fn push(&mut self, text: &str) {
        for character in text.chars() {
            if !matches!(character, ' ' | '\t' | '\r' | '\n') {
                self.text.push(character);
            } else if !self.text.is_empty() && !self.text.ends_with([' ', '\t', '\n']) {
                self.text.push(' ');
            }
        }
    }
}
