//! Word 6 and 95: the plain text only, which lies in one piece unless the file was saved fast.

use encoding_rs::Encoding;
use sheaf_domain::Failure;

use super::story::Fields;
use crate::charset;
use crate::formats::compound::{u16_at, u32_at};
use crate::formats::corrupt;
use crate::formats::flow::{Flow, Place};
use crate::limits::Limits;

/// The text of body, notes and headers.
///
/// # Errors
/// `corrupt_file` when the text lies outside of the file.
pub fn text(document: &[u8], limits: &Limits) -> Result<String, Failure> {
    let number = |at: usize| u32_at(document, at).unwrap_or(0) as usize;
    // A file saved fast has pieces in another order; its text still lies between these.
    let is_fast = u16_at(document, 0x0a).unwrap_or(0) & 4 != 0;
    let (start, end) = (number(0x18), number(0x1c));
    let length: usize = (0..8).map(|story| number(0x34 + 4 * story)).fold(0, usize::saturating_add);
    let end = if is_fast { end } else { end.min(start.saturating_add(length)) };
    let bytes = document
        .get(start..end.min(document.len()))
        .ok_or_else(|| corrupt("this Word file is damaged: its text lies outside of it"))?;
    let text = encoding(document, bytes).decode_without_bom_handling(bytes).0;

    let mut flow = Flow::new(limits);
    let mut fields = Fields::default();
    let mut after_cell = false;
    for character in text.chars() {
        if fields.take(character) || flow.is_full() {
            continue;
        }
        match character {
            '\r' | '\u{c}' => flow.end_paragraph(Place::default()),
            // The mark of a row follows that of its last cell.
            '\u{7}' if after_cell => flow.end_row(),
            '\u{7}' => flow.end_cell(),
            '\u{b}' | '\n' => flow.text.push('\n'),
            '\u{1e}' => flow.text.push('-'),
            '\t' | ' '.. => flow.text.push(character),
            _ => {}
        }
        after_cell = character == '\u{7}' && !after_cell;
    }
    Ok(flow.finish())
}

/// The encoding of the text: the header says whether a Mac wrote it, and in which language, but no more.
fn encoding(document: &[u8], text: &[u8]) -> &'static Encoding {
    /// Languages by the lower ten bits of their number ([MS-LCID]): Chinese, Japanese, Korean and those of other alphabets.
    const FAR: &[u16] = &[0x01, 0x04, 0x08, 0x0d, 0x11, 0x12, 0x1e, 0x1f, 0x20, 0x29];
    const CYRILLIC: &[u16] = &[0x02, 0x19, 0x22, 0x23, 0x2f];
    let language = u16_at(document, 0x06).unwrap_or(0) & 0x3ff;
    let by_mac = document.get(0x12) == Some(&1);
    match language {
        _ if !by_mac || FAR.contains(&language) => charset::guess(text),
        _ if CYRILLIC.contains(&language) => encoding_rs::X_MAC_CYRILLIC,
        _ => encoding_rs::MACINTOSH,
    }
}
