//! The text of a page's own content, character by character.

use std::ffi::{c_int, c_ulong, c_ushort};
use std::ptr;

use sheaf_domain::PageBox;

use super::accents::{composed, has_accents};
use super::{Handle, Page};

/// The text of an open page.
pub struct TextLayer<'a> {
    page: &'a Page<'a>,
    handle: Handle,
}

impl Page<'_> {
    /// Its text; absent when it cannot be made out.
    pub fn text_layer(&self) -> Option<TextLayer<'_>> {
        // SAFETY: the page is open.
        let handle = unsafe { (self.document.library.functions.text_load)(self.handle) };
        (!handle.is_null()).then_some(TextLayer { page: self, handle })
    }
}

impl TextLayer<'_> {
    /// In the order of the file.
    pub fn text(&self) -> String {
        let raw = self.raw();
        if !has_accents(&raw) {
            return raw;
        }
        self.composed(&raw).into_iter().map(|(_, c)| c).collect()
    }

    /// The share of its characters of which the fonts do not say what they are, 0 to 1.
    pub fn unmapped(&self) -> f32 {
        let f = &self.page.document.library.functions;
        // SAFETY: the text is open, and every character that is asked for is there.
        let (count, unmapped) = unsafe {
            let count = (f.text_count)(self.handle).max(0);
            (count, (0..count).filter(|&character| (f.text_unmapped)(self.handle, character) == 1).count())
        };
        if count == 0 { 0.0 } else { unmapped as f32 / count as f32 }
    }

    /// The characters of [`Self::text`], each with what [`Self::place`] knows it by.
    pub fn characters(&self) -> Vec<(usize, char)> {
        let raw = self.raw();
        if !has_accents(&raw) {
            return raw.chars().enumerate().collect();
        }
        self.composed(&raw)
    }

    fn composed(&self, raw: &str) -> Vec<(usize, char)> {
        composed(raw, |accent, letter| {
            let (Some(accent), Some([left, top, right, bottom])) = (self.sides(accent), self.sides(letter)) else {
                return false;
            };
            let (x, y) = (f32::midpoint(accent[0], accent[2]), f32::midpoint(accent[1], accent[3]));
            (left..=right).contains(&x) && (bottom..=top).contains(&y)
        })
    }

    /// As PDFium has it.
    fn raw(&self) -> String {
        String::from_utf16_lossy(&self.units())
    }

    /// The characters of [`Self::raw`] in UTF-16.
    fn units(&self) -> Vec<c_ushort> {
        let f = &self.page.document.library.functions;
        // SAFETY: the text is open.
        let count = unsafe { (f.text_count)(self.handle) }.max(0);
        // A character may take two units, and PDFium adds a NUL.
        let mut units = vec![0; 2 * count.unsigned_abs() as usize + 2];
        let written = match count {
            0 => 0,
            // SAFETY: the text is open and the buffer has room for `count` characters and the NUL.
            count => unsafe { (f.text_get)(self.handle, 0, count, units.as_mut_ptr()) },
        };
        units.truncate(written.max(0).unsigned_abs() as usize);
        units.truncate(units.iter().rposition(|&unit| unit != 0).map_or(0, |last| last + 1));
        units
    }

    /// One of the [`Self::characters`] as it stands on the page: from the foot of its font to its head. Absent for one that
    /// was put in by PDFium, such as the end of a line.
    pub fn place(&self, character: usize) -> Option<PageBox> {
        self.page.shown(self.sides(character)?)
    }

    /// Left, top, right and bottom in the points of the page's content.
    fn sides(&self, character: usize) -> Option<[f32; 4]> {
        let f = &self.page.document.library.functions;
        let character = c_int::try_from(character).ok()?;
        let mut sides = [0.0; 4];
        // SAFETY: the text is open; a place that is not there gives -1, and a character that is not there leaves the four
        // floats, left, top, right and bottom by the header, alone.
        let known = unsafe {
            let index = (f.text_index)(self.handle, character);
            index >= 0 && (f.text_box)(self.handle, index, &mut sides) != 0
        };
        known.then_some(sides)
    }
}

impl Drop for TextLayer<'_> {
    fn drop(&mut self) {
        // SAFETY: the text is open, closed once, and cannot outlive its page.
        unsafe { (self.page.document.library.functions.text_close)(self.handle) };
    }
}

/// A string that PDFium gives in UTF-16 with a NUL at its end: once asked for its length in bytes, then for itself.
pub(super) fn utf16(mut get: impl FnMut(*mut c_ushort, c_ulong) -> c_ulong) -> String {
    let bytes = get(ptr::null_mut(), 0);
    let mut units = vec![0; usize::try_from(bytes / 2).unwrap_or(0)];
    if units.len() < 2 || get(units.as_mut_ptr(), bytes / 2 * 2) != bytes {
        return String::new();
    }
    String::from_utf16_lossy(&units).trim_end_matches('\0').to_owned()
}
