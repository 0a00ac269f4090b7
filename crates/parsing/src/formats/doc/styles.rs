//! The style sheet ([MS-DOC] 2.9.271): which styles are headings, and which are in lists.

use super::properties::{Paragraph, apply};
use crate::formats::compound::u16_at;

/// The number of the style “Title” among Word's own.
const TITLE: u16 = 62;

/// The styles by their index.
#[derive(Default)]
pub struct Styles(Vec<Style>);

#[derive(Default)]
struct Style {
    built_in: u16,
    based_on: usize,
    says: Paragraph,
}

impl Styles {
    /// Reads the sheet as far as it can be read.
    pub fn read(sheet: &[u8]) -> Self {
        Self::try_read(sheet).unwrap_or_default()
    }

    fn try_read(sheet: &[u8]) -> Option<Self> {
        let head = usize::from(u16_at(sheet, 0)?);
        let base = usize::from(u16_at(sheet, 4)?);
        let mut rest = sheet.get(2 + head..)?;
        let mut styles = Vec::new();
        while let Some(length) = u16_at(rest, 0) {
            let length = usize::from(length);
            let Some(style) = rest.get(2..2 + length) else { break };
            styles.push(one(style, base).unwrap_or_default());
            rest = rest.get(2 + length + length % 2..).unwrap_or_default();
        }
        Some(Self(styles))
    }

    /// What a paragraph is after its style, and the styles that this is based on, have filled in what it does not say.
    pub fn complete(&self, paragraph: Paragraph) -> Paragraph {
        let mut complete = paragraph;
        let mut index = usize::from(paragraph.style);
        // A style may be based on itself.
        for _ in 0..16 {
            let Some(style) = self.0.get(index) else { break };
            complete.outline = complete.outline.or(style.says.outline);
            complete.level = complete.level.or(style.says.level);
            complete.list = complete.list.or(style.says.list);
            index = style.based_on;
        }
        complete
    }

    /// The level of the heading that a paragraph is.
    pub fn heading(&self, paragraph: &Paragraph) -> Option<usize> {
        let mut index = usize::from(paragraph.style);
        for _ in 0..16 {
            let style = self.0.get(index)?;
            match style.built_in {
                level @ 1..=9 => return Some(usize::from(level)),
                TITLE => return Some(1),
                _ => index = style.based_on,
            }
        }
        None
    }
}

fn one(style: &[u8], base: usize) -> Option<Style> {
    let based_on = usize::from(u16_at(style, 2)? >> 4);
    let mut read = Style { built_in: u16_at(style, 0)? & 0xfff, based_on, says: Paragraph::default() };
    let is_paragraph = u16_at(style, 2)? & 0xf == 1;
    // The name in UTF-16, with a zero at its end; then the properties.
    let name = usize::from(u16_at(style, base)?);
    let at = base + 2 + 2 * (name + 1);
    if is_paragraph && let Some(length) = u16_at(style, at) {
        let properties = style.get(at + 2..at + 2 + usize::from(length)).unwrap_or_default();
        apply(properties.get(2..).unwrap_or_default(), &mut read.says);
    }
    Some(read)
}
