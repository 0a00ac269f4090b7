//! From tokens to text: groups, encodings, destinations.

use std::collections::HashMap;

use encoding_rs::Encoding;
use sheaf_domain::{DocumentMetadata, Failure};

use super::group::{Destination, Group, Properties, codepage, destination};
use super::tokens::{Token, Tokens};
use crate::charset;
use crate::formats::flow::{Flow, Place};
use crate::formats::symbols;
use crate::limits::{Limits, nested_too_deep};

/// Groups in groups; real files have dozens.
const DEEPEST: usize = 4096;

/// What a file says.
pub struct Read {
    pub text: String,
    pub metadata: DocumentMetadata,
    /// Whether it ends within a group.
    pub cut_off: bool,
}

pub struct Reader<'a> {
    groups: Vec<Group>,
    group: Group,
    /// The encoding of the document, those of fonts that have another, and the font that texts begin with.
    encoding: &'static Encoding,
    fonts: HashMap<i32, &'static Encoding>,
    default_font: i32,
    /// Bytes that were not decoded yet, for a character may have two.
    bytes: Vec<u8>,
    /// The first half of a character beyond U+FFFF, and how many stand-ins are to be left out.
    high: Option<u16>,
    stand_ins: u32,
    headings: HashMap<i32, usize>,
    /// The style or font that a table defines just now.
    defined: i32,
    body: Flow<'a>,
    /// What stands above and below the body: headers; footers, then notes and comments with their authors.
    headers: String,
    footers: String,
    asides: String,
    /// How much text a document may have.
    most: usize,
    commenter: String,
    /// The text of a destination that is no flow.
    short: String,
    created: [i32; 5],
    metadata: DocumentMetadata,
}

impl<'a> Reader<'a> {
    pub fn new(limits: &'a Limits) -> Self {
        Self {
            groups: Vec::new(),
            group: Group::new(),
            encoding: encoding_rs::WINDOWS_1252,
            fonts: HashMap::new(),
            default_font: -1,
            bytes: Vec::new(),
            high: None,
            stand_ins: 0,
            headings: HashMap::new(),
            defined: 0,
            body: Flow::new(limits),
            headers: String::new(),
            footers: String::new(),
            asides: String::new(),
            most: limits.text_bytes,
            commenter: String::new(),
            short: String::new(),
            created: [0; 5],
            metadata: DocumentMetadata::default(),
        }
    }

    /// Reads a whole file.
    ///
    /// # Errors
    /// `document_limit` for groups nested too deep.
    pub fn read(mut self, bytes: &[u8]) -> Result<Read, Failure> {
        let mut tokens = Tokens::new(bytes);
        while let Some(token) = tokens.next() {
            match token {
                Token::Open => self.open()?,
                Token::Close => {
                    self.close();
                    if self.groups.is_empty() {
                        break;
                    }
                }
                Token::Byte(byte) => self.byte(byte),
                Token::Symbol(symbol) => self.symbol(symbol),
                Token::Word("bin", length) => tokens.leave_out(usize::try_from(length.unwrap_or(0)).unwrap_or(0)),
                Token::Word(word, value) => self.word(word, value),
            }
            // The rest would only make the failure larger.
            if self.is_full() {
                break;
            }
        }
        let cut_off = !self.groups.is_empty() && !self.is_full();
        while !self.groups.is_empty() {
            self.close();
        }
        Ok(self.finish(cut_off))
    }

    fn finish(mut self, cut_off: bool) -> Read {
        self.decode();
        let mut all = [self.headers, self.body.finish(), self.footers, self.asides].to_vec();
        all.retain(|text| !text.trim().is_empty());
        let [year, month, day, hour, minute] = self.created;
        let created = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}");
        self.metadata.created = (year > 0).then_some(created);
        Read { text: all.join("\n\n"), metadata: self.metadata, cut_off }
    }

    fn is_full(&self) -> bool {
        self.body.is_full() || self.headers.len() + self.footers.len() + self.asides.len() > self.most
    }

    fn open(&mut self) -> Result<(), Failure> {
        self.decode();
        if self.groups.len() >= DEEPEST {
            return Err(nested_too_deep("groups"));
        }
        self.groups.push(self.group);
        self.group.optional = false;
        Ok(())
    }

    fn close(&mut self) {
        self.decode();
        self.stand_ins = 0;
        let Some(outer) = self.groups.pop() else { return };
        let inner = std::mem::replace(&mut self.group, outer);
        if inner.destination != outer.destination {
            self.end_destination(inner.destination);
        }
    }

    /// Keeps what a destination has gathered.
    fn end_destination(&mut self, ended: Destination) {
        let text = std::mem::take(&mut self.short);
        let text = text.trim();
        let value = || Some(text.trim_end_matches(';').to_owned()).filter(|value| !value.is_empty());
        match ended {
            Destination::Header => add_new(&mut self.headers, text),
            Destination::Footer => add_new(&mut self.footers, text),
            Destination::Note => add(&mut self.asides, text),
            Destination::Comment if self.commenter.is_empty() => add(&mut self.asides, &format!("Comment: {text}")),
            Destination::Comment => {
                let author = std::mem::take(&mut self.commenter);
                add(&mut self.asides, &format!("Comment by {author}: {text}"));
            }
            Destination::CommentAuthor => self.commenter = text.to_owned(),
            Destination::Label => self.body.label = text.to_owned(),
            Destination::Title => self.metadata.title = value(),
            Destination::Author => self.metadata.author = value(),
            Destination::Producer => self.metadata.producer = value(),
            Destination::Body
            | Destination::Skipped
            | Destination::Frame
            | Destination::Fonts
            | Destination::Styles
            | Destination::Created => {}
        }
    }

    fn word(&mut self, word: &str, value: Option<i32>) {
        let optional = std::mem::take(&mut self.group.optional);
        if word == "u" {
            self.unicode(value.unwrap_or(0));
            return;
        }
        if self.stand_ins > 0 {
            self.stand_ins -= 1;
            return;
        }
        self.decode();
        // Whatever is skipped stays so, but for the Unicode version of a text that is there twice.
        if self.group.destination == Destination::Skipped && word != "ud" {
            return;
        }
        if let Some(destination) = destination(word) {
            self.begin_destination(destination);
            return;
        }
        if optional {
            self.group.destination = Destination::Skipped;
            return;
        }
        self.property(word, value);
    }

    fn begin_destination(&mut self, destination: Destination) {
        let ends_flow = matches!(destination, Destination::Header | Destination::Footer | Destination::Note);
        if ends_flow || destination != self.group.destination {
            self.short.clear();
        }
        // A text box stands within a paragraph, whose text goes on after it.
        self.group.destination = destination;
    }

    fn property(&mut self, word: &str, value: Option<i32>) {
        let on = value != Some(0);
        let size = |value: Option<i32>| usize::try_from(value.unwrap_or(0)).unwrap_or(0);
        let page = |value: Option<i32>| charset::of_codepage(value.unwrap_or(0).unsigned_abs());
        match word {
            "ansicpg" => self.encoding = page(value).unwrap_or(encoding_rs::WINDOWS_1252),
            "cpg" => self.fonts.extend(page(value).map(|found| (self.defined, found))),
            "mac" => self.encoding = encoding_rs::MACINTOSH,
            "deff" => self.default_font = value.unwrap_or(0),
            "f" if self.group.destination == Destination::Fonts => self.defined = value.unwrap_or(0),
            "f" => self.group.font = value.unwrap_or(0),
            "fcharset" => {
                if let Some(found) = codepage(value.unwrap_or(0)).and_then(charset::of_codepage) {
                    self.fonts.insert(self.defined, found);
                }
            }
            "uc" => self.group.fallback = value.unwrap_or(1).unsigned_abs().min(8),
            "v" | "deleted" => self.group.hidden = on,
            "plain" => (self.group.hidden, self.group.font) = (false, self.default_font),
            "s" if self.group.destination == Destination::Styles => self.defined = value.unwrap_or(0),
            "s" => self.group.paragraph.style = value.unwrap_or(0),
            "outlinelevel" if self.group.destination == Destination::Styles => {
                if size(value) < 9 {
                    self.headings.entry(self.defined).or_insert(size(value) + 1);
                }
            }
            "outlinelevel" => self.group.paragraph.outline = Some(size(value)).filter(|level| *level < 9),
            "ilvl" => self.group.paragraph.level = size(value),
            "intbl" => self.group.paragraph.in_table = on,
            "pard" if self.group.destination != Destination::Styles => self.group.paragraph = Properties::default(),
            "par" | "sect" | "page" => self.end_paragraph(),
            "cell" | "nestcell" if self.is_body() => self.body.end_cell(),
            "row" if self.is_body() => self.body.end_row(),
            "yr" | "mo" | "dy" | "hr" | "min" if self.group.destination == Destination::Created => {
                let place = ["yr", "mo", "dy", "hr", "min"].iter().position(|name| *name == word).unwrap_or(0);
                self.created[place] = value.unwrap_or(0).clamp(0, 9999);
            }
            _ => self.character(word),
        }
    }

    fn is_body(&self) -> bool {
        self.group.destination == Destination::Body
    }

    fn end_paragraph(&mut self) {
        if !self.is_body() {
            self.write("\n");
            return;
        }
        let Properties { style, outline, in_table, level } = self.group.paragraph;
        let heading = outline.map(|level| level + 1).or_else(|| self.headings.get(&style).copied());
        self.body.end_paragraph(Place { in_table, level, heading });
    }

    /// Words that stand for characters.
    fn character(&mut self, word: &str) {
        let text = match word {
            "line" | "lbr" => "\n",
            "tab" | "nestrow" => "\t",
            "emdash" => "\u{2014}",
            "endash" => "\u{2013}",
            "emspace" | "enspace" | "qmspace" => " ",
            "bullet" => "\u{2022}",
            "lquote" => "\u{2018}",
            "rquote" => "\u{2019}",
            "ldblquote" => "\u{201c}",
            "rdblquote" => "\u{201d}",
            _ => return,
        };
        self.write(text);
    }

    fn symbol(&mut self, symbol: u8) {
        match symbol {
            b'*' => {
                self.decode();
                self.group.optional = true;
            }
            _ if self.stand_ins > 0 => self.stand_ins -= 1,
            b'\\' | b'{' | b'}' => self.bytes.push(symbol),
            b'~' => {
                self.decode();
                self.write("\u{a0}");
            }
            b'_' => {
                self.decode();
                self.write("-");
            }
            b'\n' | b'\r' => {
                self.decode();
                self.end_paragraph();
            }
            _ => {}
        }
    }

    fn byte(&mut self, byte: u8) {
        if self.stand_ins > 0 {
            self.stand_ins -= 1;
        } else if self.group.destination != Destination::Skipped {
            self.bytes.push(byte);
        }
    }

    fn unicode(&mut self, value: i32) {
        self.decode();
        self.stand_ins = self.group.fallback;
        // Written as a signed number of 16 bits.
        let unit = (value & 0xffff) as u16;
        let units = match self.high.take() {
            Some(high) => vec![high, unit],
            None if (0xd800..0xdc00).contains(&unit) => {
                self.high = Some(unit);
                return;
            }
            None => vec![unit],
        };
        let text = String::from_utf16_lossy(&units);
        self.write(&text.chars().filter_map(symbols::of_private).collect::<String>());
    }

    /// Turns the bytes that have gathered into text.
    fn decode(&mut self) {
        if self.bytes.is_empty() {
            return;
        }
        let font = if self.group.font < 0 { self.default_font } else { self.group.font };
        let encoding = self.fonts.get(&font).copied().unwrap_or(self.encoding);
        let bytes = std::mem::take(&mut self.bytes);
        self.write(&encoding.decode_without_bom_handling(&bytes).0);
    }

    fn write(&mut self, text: &str) {
        if self.group.hidden {
            return;
        }
        match self.group.destination {
            Destination::Body => self.body.text.push_str(text),
            Destination::Skipped | Destination::Frame | Destination::Fonts | Destination::Created => {}
            Destination::Styles => self.define_style(text),
            Destination::Header
            | Destination::Footer
            | Destination::Note
            | Destination::Comment
            | Destination::CommentAuthor
            | Destination::Label
            | Destination::Title
            | Destination::Author
            | Destination::Producer => self.short.push_str(text),
        }
    }

    /// The name of a style, ended by a semicolon: of a heading it is English whatever Word's language.
    fn define_style(&mut self, text: &str) {
        self.short.push_str(text);
        if let Some((name, _)) = self.short.split_once(';') {
            let name = name.trim().to_ascii_lowercase();
            let level = match name.strip_prefix("heading ") {
                Some(level) => level.parse().ok().filter(|level| (1..=9).contains(level)),
                None => (name == "title").then_some(1),
            };
            if let Some(level) = level {
                self.headings.insert(self.defined, level);
            }
            self.short.clear();
        }
    }
}

/// Adds a paragraph.
fn add(to: &mut String, text: &str) {
    if !text.is_empty() {
        to.push_str(if to.is_empty() { "" } else { "\n\n" });
        to.push_str(text);
    }
}

/// Adds a header unless it is the one before it: each section has its own, mostly the same.
fn add_new(to: &mut String, text: &str) {
    let last = to.len().checked_sub(text.len()).filter(|_| to.ends_with(text));
    if last.is_none_or(|at| at > 0 && !to[..at].ends_with("\n\n")) {
        add(to, text);
    }
}
