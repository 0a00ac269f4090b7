//! HTML by html5ever's tokenizer: no tree is built, so that nesting costs nothing.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use sheaf_domain::Failure;

use crate::formats::text;
use crate::output::Output;

/// Elements that begin and end a line of their own.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "br",
    "caption",
    "center",
    "dd",
    "details",
    "dialog",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "legend",
    "li",
    "main",
    "nav",
    "ol",
    "optgroup",
    "option",
    "p",
    "pre",
    "search",
    "section",
    "select",
    "summary",
    "table",
    "tbody",
    "tfoot",
    "thead",
    "title",
    "tr",
    "ul",
];
/// Blocks that have an empty line around them.
const PARAGRAPHS: &[&str] =
    &["article", "blockquote", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "section", "table", "ul"];
/// Elements whose content nobody reads.
const DROPPED: &[&str] = &["script", "style", "template", "iframe"];

/// One page with the visible text; the title and author become metadata.
pub fn parse(bytes: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
    let html = text::decode(bytes, label(bytes), output);
    let page = to_text(&html);
    output.metadata.title = page.title.filter(|title| !title.trim().is_empty());
    output.metadata.author = page.author;
    output.metadata.producer = page.generator;
    output.page(&page.text)
}

/// The text of an HTML document or fragment, and what its head says.
pub struct HtmlPage {
    pub text: String,
    pub title: Option<String>,
    pub author: Option<String>,
    pub generator: Option<String>,
}

/// Turns HTML into text: a line for each block, `- ` before list items, `#` before headings, tabs between cells.
pub fn to_text(html: &str) -> HtmlPage {
    written(html, Writer::default())
}

/// [`to_text`] for HTML that is XML, where `<title/>` ends at once.
pub fn xml_to_text(html: &str) -> HtmlPage {
    written(html, Writer { is_xml: true, ..Writer::default() })
}

fn written(html: &str, writer: Writer) -> HtmlPage {
    let tokenizer = Tokenizer::new(Sink(RefCell::new(writer)), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    // No token asks for a script to be run, so that everything is taken at once.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let Writer { text, title, author, generator, .. } = tokenizer.sink.0.into_inner();
    HtmlPage { text, title, author, generator }
}

/// The encoding that a `meta` element near the start names.
fn label(bytes: &[u8]) -> Option<&[u8]> {
    let head = &bytes[..bytes.len().min(2048)].to_ascii_lowercase();
    let at = head.windows(8).position(|window| window == b"charset=")? + 8;
    let rest = &bytes[at..];
    let start = rest.iter().position(|byte| !matches!(byte, b'"' | b'\'' | b' '))?;
    let length = rest[start..].iter().position(|byte| !byte.is_ascii_alphanumeric() && !b"-_:.".contains(byte))?;
    Some(&rest[start..start + length])
}

struct Sink(RefCell<Writer>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut writer = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => return writer.tag(&tag),
            Token::CharacterTokens(text) => writer.characters(&text),
            Token::DoctypeToken(_)
            | Token::CommentToken(_)
            | Token::NullCharacterToken
            | Token::EOFToken
            | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }
}

/// The text so far, and where in it the next word goes.
#[derive(Default)]
struct Writer {
    is_xml: bool,
    text: String,
    /// Line ends and spaces that stand before the next word, if one comes.
    lines: usize,
    space: bool,
    /// What the next word's line begins with.
    prefix: &'static str,
    /// Depth in `pre`, in dropped elements and in `title`.
    preformatted: u32,
    dropped: u32,
    in_title: bool,
    in_option: bool,
    first_cell: bool,
    /// Where in the text the row began.
    row: usize,
    title: Option<String>,
    author: Option<String>,
    generator: Option<String>,
}

impl Writer {
    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let (name, starts) = (&*tag.name, tag.kind == TagKind::StartTag);
        if self.is_xml && tag.self_closing && (DROPPED.contains(&name) || matches!(name, "title" | "textarea")) {
            return TokenSinkResult::Continue;
        }
        // Of a long list to choose from, a reader sees one line at most.
        self.in_option = starts && name == "option";
        if DROPPED.contains(&name) {
            self.dropped = if starts { self.dropped + 1 } else { self.dropped.saturating_sub(1) };
        }
        if BLOCKS.contains(&name) {
            self.lines = self.lines.max(if PARAGRAPHS.contains(&name) { 2 } else { 1 });
            self.space = false;
        }
        match (name, starts) {
            ("pre", true) => self.preformatted += 1,
            ("pre", false) => self.preformatted = self.preformatted.saturating_sub(1),
            ("title", starts) => {
                self.in_title = starts && self.title.is_none();
            }
            ("tr", true) => {
                self.first_cell = true;
                self.row = self.text.len();
            }
            ("td" | "th", true) => {
                if !self.first_cell {
                    self.cell();
                }
                self.first_cell = false;
            }
            ("li", true) => self.prefix = "- ",
            ("h1", true) => self.prefix = "# ",
            ("h2", true) => self.prefix = "## ",
            ("h3", true) => self.prefix = "### ",
            ("h4" | "h5" | "h6", true) => self.prefix = "#### ",
            ("h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "li", false) => self.prefix = "",
            ("meta", true) => self.meta(tag),
            ("img" | "area", true) => self.alternative(tag),
            _ => {}
        }
        match name {
            "script" if starts => TokenSinkResult::RawData(RawKind::ScriptData),
            "style" | "iframe" | "noembed" | "noframes" | "xmp" if starts => TokenSinkResult::RawData(RawKind::Rawtext),
            "title" | "textarea" if starts => TokenSinkResult::RawData(RawKind::Rcdata),
            "plaintext" if starts => TokenSinkResult::Plaintext,
            _ => TokenSinkResult::Continue,
        }
    }

    /// A new cell in a row that has one: also an empty one keeps its place.
    fn cell(&mut self) {
        if self.text.len() == self.row {
            self.begin_word(false);
        }
        self.lines = 0;
        self.space = false;
        self.text.push('\t');
    }

    fn characters(&mut self, text: &str) {
        if self.dropped > 0 || self.in_option {
            return;
        }
        if self.in_title {
            self.title.get_or_insert_default().push_str(text);
            return;
        }
        if self.preformatted > 0 {
            self.begin_word(false);
            self.text.push_str(text);
            return;
        }
        for (index, word) in text.split(char::is_whitespace).enumerate() {
            self.space |= index > 0;
            if !word.is_empty() {
                self.begin_word(true);
                self.text.push_str(word);
            }
        }
    }

    /// Writes the white space that has gathered.
    fn begin_word(&mut self, spaced: bool) {
        let fresh = self.text.is_empty() || self.text.ends_with('\t');
        if self.lines > 0 && !fresh {
            for _ in 0..self.lines {
                self.text.push('\n');
            }
        } else if self.space && spaced && !fresh && !self.text.ends_with('\n') {
            self.text.push(' ');
        }
        if self.lines > 0 || self.text.is_empty() {
            self.text.push_str(self.prefix);
            self.prefix = "";
        }
        self.lines = 0;
        self.space = false;
    }

    fn meta(&mut self, tag: &Tag) {
        let content = attribute(tag, "content").map(str::to_owned);
        match attribute(tag, "name").map(str::to_ascii_lowercase).as_deref() {
            Some("author") => self.author = content,
            Some("generator") => self.generator = content,
            Some(_) | None => {}
        }
    }

    fn alternative(&mut self, tag: &Tag) {
        if let Some(alternative) = attribute(tag, "alt").filter(|alternative| !alternative.trim().is_empty()) {
            self.space = true;
            self.characters(alternative);
            self.space = true;
        }
    }
}

fn attribute<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|attribute| &*attribute.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::read;

    #[test]
    fn visible_text() {
        #[track_caller]
        fn check(html: &str, expect: &str) {
            assert_eq!(to_text(html).text, expect, "{html}");
        }
        check("<p>One <b>two</b>\n three</p><p>Four", "One two three\n\nFour");
        check("<h2>Head</h2>text", "## Head\n\ntext");
        check("<ul><li>a</li><li><p>b</p></li></ul>", "- a\n\n- b");
        check("a<script>alert('<p>')</script>b<style>p{}</style>", "ab");
        check("<table><tr><td>a<td>b<tr><td><td>d</table>", "a\tb\n\td");
        check("5 &lt; 6 &amp; &eacute;&#x4e2d;", "5 < 6 & é中");
        check("<pre>a\n  b</pre>c", "a\n  b\n\nc");
        check("<img alt='a cat' onerror=alert(1)>sat", "a cat sat");
        check("bro<i>ken</i><br>line", "broken\nline");
        check("<select><option>1<option>2</select>after&nbsp; <p>&nbsp;<p>all", "after\n\nall");
        check("<!-- no --><noscript>yes</noscript>", "yes");
    }

    #[test]
    fn deep_nesting_costs_nothing() {
        let html = format!("{}deep", "<div><b>".repeat(200_000));
        assert_eq!(to_text(&html).text, "deep");
    }

    #[test]
    fn head_becomes_metadata() {
        let html = b"<html><head><title>On  ships</title><meta name=Author content='A. Sailor'></head>Ahoy";
        let document = read(html, "a").expect("html");
        assert_eq!(document.metadata.title.as_deref(), Some("On ships"));
        assert_eq!(document.metadata.author.as_deref(), Some("A. Sailor"));
        assert_eq!(document.text(), "Ahoy");
    }

    #[test]
    fn the_document_names_its_encoding() {
        let html = b"<html><meta charset=\"windows-1251\"><p>\xef\xf0\xe8\xe2\xe5\xf2";
        assert_eq!(read(html, "a").expect("html").text(), "привет");
    }
}
