//! The piece table ([MS-DOC] 2.4.1): from the position of a character in the text to its bytes in the file.

use sheaf_domain::{Failure, FailureCode};

use crate::formats::compound::{u16_at, u32_at};
use crate::formats::corrupt;
use crate::limits::Limits;

/// The text of a document as units of UTF-16, and where each lies in the file.
pub struct Pieces {
    pub units: Vec<u16>,
    /// For each piece the first unit, the first byte, and how many bytes a unit has.
    pieces: Vec<(usize, usize, usize)>,
    /// Whether a piece reaches beyond the file.
    pub cut_off: bool,
}

impl Pieces {
    /// Reads all text.
    ///
    /// # Errors
    /// `corrupt_file` when there is no piece table; `document_limit` when there is too much text: pieces may share bytes.
    pub fn read(clx: &[u8], document: &[u8], limits: &Limits) -> Result<Self, Failure> {
        let table =
            find(clx).ok_or_else(|| corrupt("this Word file is damaged: it has lost the list of its pieces"))?;
        let count = table.len().saturating_sub(4) / 12;
        let mut pieces = Self { units: Vec::new(), pieces: Vec::new(), cut_off: false };
        for index in 0..count {
            let number = |at: usize| u32_at(table, at).unwrap_or(0);
            let length = number(4 * index + 4).saturating_sub(number(4 * index)) as usize;
            if pieces.units.len() + length > limits.text_bytes {
                return Err(Failure::new(FailureCode::TooMuchText, "this Word file has more text than is allowed"));
            }
            let place = number(4 * (count + 1) + 8 * index + 2);
            let narrow = place & 0x4000_0000 != 0;
            let place = (place & 0x3fff_ffff) as usize;
            if narrow { pieces.narrow(document, place / 2, length) } else { pieces.wide(document, place, length) }
        }
        Ok(pieces)
    }

    /// Where in the file a unit lies.
    pub fn place(&self, unit: usize) -> Option<usize> {
        let index = self.pieces.partition_point(|piece| piece.0 <= unit).checked_sub(1)?;
        let (first, place, width) = self.pieces[index];
        Some(place + (unit - first) * width)
    }

    /// A piece in Windows' western encoding.
    fn narrow(&mut self, document: &[u8], place: usize, length: usize) {
        let bytes = document.get(place..).unwrap_or_default();
        self.pieces.push((self.units.len(), place, 1));
        self.cut_off |= bytes.len() < length;
        let text = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&bytes[..bytes.len().min(length)]).0;
        self.units.extend(text.encode_utf16());
    }

    fn wide(&mut self, document: &[u8], place: usize, length: usize) {
        let bytes = document.get(place..).unwrap_or_default();
        self.pieces.push((self.units.len(), place, 2));
        self.cut_off |= bytes.len() / 2 < length;
        self.units.extend((0..length).map_while(|unit| u16_at(bytes, 2 * unit)));
    }
}

/// The table within the records that may stand before it.
fn find(mut clx: &[u8]) -> Option<&[u8]> {
    loop {
        match clx.first()? {
            1 => clx = clx.get(3 + usize::from(u16_at(clx, 1)?)..)?,
            2 => return clx.get(5..).map(|table| &table[..table.len().min(u32_at(clx, 1).unwrap_or(0) as usize)]),
            _ => return None,
        }
    }
}
