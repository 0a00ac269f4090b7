//! What was written on a page beside its own content: values of form fields, and free text.

use std::ffi::c_int;

use sheaf_domain::PageBox;

use super::Page;
use super::text::utf16;

/// Subtypes of annotations (`fpdf_annot.h`).
const FREE_TEXT: c_int = 3;
const WIDGET: c_int = 20;

/// Types of form fields whose value a person has written or chosen (`fpdf_formfill.h`).
const WRITTEN: std::ops::RangeInclusive<c_int> = COMBO_BOX..=TEXT_FIELD;
const COMBO_BOX: c_int = 4;
const TEXT_FIELD: c_int = 6;

/// Something that was written on a page.
pub struct Note {
    pub text: String,
    /// The whole field or frame that it is in.
    pub place: Option<PageBox>,
}

impl Page<'_> {
    /// What was written on the page: values of form fields and free text, in the order of the file.
    pub fn notes(&self) -> Vec<Note> {
        let f = &self.document.library.functions;
        // SAFETY: the page is open.
        let count = unsafe { (f.annotation_count)(self.handle) };
        (0..count).filter_map(|index| self.note(index)).filter(|note| !note.text.trim().is_empty()).collect()
    }

    fn note(&self, index: c_int) -> Option<Note> {
        /// `FPDF_ANNOT_FLAG_HIDDEN`: neither shown nor printed.
        const HIDDEN: c_int = 2;
        let (f, form) = (&self.document.library.functions, self.document.form);
        // SAFETY: the page is open; an index that is not there gives null.
        let annotation = unsafe { (f.annotation_get)(self.handle, index) };
        if annotation.is_null() {
            return None;
        }
        // SAFETY: the annotation is open until it is closed; the form is open where it is used; the buffers have the
        // lengths that are given in bytes; the four floats are written to or left alone.
        unsafe {
            let visible = (f.annotation_flags)(annotation) & HIDDEN == 0;
            let text = match (f.annotation_subtype)(annotation) {
                FREE_TEXT if visible => {
                    Some(utf16(|buffer, bytes| (f.annotation_string)(annotation, c"Contents".as_ptr(), buffer, bytes)))
                }
                WIDGET if visible && !form.is_null() && WRITTEN.contains(&(f.field_type)(form, annotation)) => {
                    Some(utf16(|buffer, bytes| (f.field_value)(form, annotation, buffer, bytes)))
                }
                _ => None,
            };
            let mut sides = [0.0; 4];
            let placed = (f.annotation_box)(annotation, &mut sides) != 0;
            (f.annotation_close)(annotation);
            let place = if placed { self.shown(sides) } else { None };
            text.map(|text| Note { text, place })
        }
    }
}
