//! The texts of the shapes of a slide or its notes, and the comments on it.

use super::records::{Record, Records, walk};
use crate::formats::compound::{u32_at, utf16};

const OUTLINE_REFERENCE: u16 = 0xf9e;
const TEXT_HEADER: u16 = 0xf9f;
const TEXT_WIDE: u16 = 0xfa0;
const TEXT_NARROW: u16 = 0xfa8;
const STRING: u16 = 0xfba;
const COMMENT: u16 = 0x2ee0;
const TEXT_BOX: u16 = 0xf00d;

/// What a text is on its slide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Title,
    Body,
    Notes,
    Other,
}

impl Kind {
    /// The kind of the text that follows, when a record says it ([MS-PPT] 2.13.33).
    pub fn of(record: Record<'_>) -> Option<Self> {
        if record.kind != TEXT_HEADER {
            return None;
        }
        Some(match u32_at(record.data, 0)? {
            0 | 6 => Self::Title,
            1 | 7 | 8 => Self::Body,
            2 => Self::Notes,
            _ => Self::Other,
        })
    }
}

/// A text with its paragraphs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub kind: Kind,
    pub text: String,
}

impl Text {
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    pub fn paragraphs(&self) -> impl Iterator<Item = String> {
        self.text.split('\r').map(|paragraph| paragraph.replace('\u{b}', "\n"))
    }
}

/// What is on a slide: its texts, and comments as author and text.
#[derive(Default)]
pub struct Shown {
    pub texts: Vec<Text>,
    pub comments: Vec<(String, String)>,
}

/// Reads the shapes of a slide; `outline` are the texts that shapes name instead of having them.
pub fn read(slide: &[u8], outline: &[Text]) -> Shown {
    let mut shown = Shown::default();
    walk(slide, &mut |record| {
        match record.kind {
            TEXT_BOX => text_box(record.data, outline, &mut shown.texts),
            COMMENT => {
                let part = |instance| {
                    let strings = Records(record.data).find(|inner| inner.kind == STRING && inner.instance == instance);
                    strings.map(|string| utf16(string.data)).unwrap_or_default()
                };
                shown.comments.push((part(0), part(1)));
            }
            _ => return true,
        }
        false
    });
    // Some shapes that no list of shapes has any more still have their text in the outline.
    for text in outline.iter().filter(|text| !text.is_blank()) {
        if !shown.texts.contains(text) {
            shown.texts.push(text.clone());
        }
    }
    shown
}

/// All texts of a stream, wherever they are.
pub fn loose(stream: &[u8]) -> Vec<Text> {
    let mut texts = Vec::new();
    let mut kind = Kind::Other;
    walk(stream, &mut |record| {
        if let Some(found) = Kind::of(record) {
            kind = found;
        } else if let Some(text) = text_of(record) {
            texts.push(Text { kind, text });
        }
        true
    });
    texts.retain(|text| !text.is_blank());
    texts
}

fn text_box(records: &[u8], outline: &[Text], texts: &mut Vec<Text>) {
    let mut kind = Kind::Other;
    for record in Records(records) {
        if let Some(found) = Kind::of(record) {
            kind = found;
        } else if let Some(text) = text_of(record) {
            // The number of the slide is a star until it is shown.
            if text.trim() != "*" {
                texts.push(Text { kind, text });
            }
        } else if record.kind == OUTLINE_REFERENCE {
            let index = u32_at(record.data, 0).map(|index| index as usize);
            texts.extend(index.and_then(|index| outline.get(index)).cloned());
        }
    }
}

/// The text that a record is.
pub fn text_of(record: Record<'_>) -> Option<String> {
    match record.kind {
        TEXT_WIDE => Some(utf16(record.data)),
        // The lower half of UTF-16.
        TEXT_NARROW => Some(record.data.iter().map(|byte| char::from(*byte)).collect()),
        _ => None,
    }
}
