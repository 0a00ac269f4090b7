//! Word 6 and 95: the plain text only, which lies in one piece unless the file was saved fast.

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
    let text = charset::guess(bytes).decode_without_bom_handling(bytes).0;

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
