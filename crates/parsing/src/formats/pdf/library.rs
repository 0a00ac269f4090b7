//! PDFium by its C interface: the dozen functions that are needed, each handle closed when it is dropped.
//! All `unsafe` of this crate is here.
//!
//! PDFium is not thread-safe: a [`Library`] is neither `Send` nor `Sync`, and all handles borrow from it.

use std::ffi::{CStr, c_char, c_int, c_uint, c_ulong, c_ushort, c_void};
use std::marker::PhantomData;
use std::path::Path;
use std::ptr;

/// Values of `FPDF_GetLastError` (`fpdfview.h`).
const ERROR_PASSWORD: c_ulong = 4;
const ERROR_SECURITY: c_ulong = 5;

/// Subtypes of annotations (`fpdf_annot.h`).
const FREE_TEXT: c_int = 3;
const WIDGET: c_int = 20;

/// Types of form fields whose value a person has written or chosen (`fpdf_formfill.h`).
const WRITTEN: std::ops::RangeInclusive<c_int> = COMBO_BOX..=TEXT_FIELD;
const COMBO_BOX: c_int = 4;
const TEXT_FIELD: c_int = 6;

/// What PDFium is told about the program around a form: version 1 and no callback at all. The struct of the header is
/// shorter than this; PDFium keeps the pointer while the form is open.
type FormFill = [usize; 64];

/// Objects of a page that are looked at.
const OBJECTS: c_int = 5000;

type Handle = *mut c_void;

macro_rules! functions {
    ($($field:ident = $symbol:literal: fn($($arg:ty),*) $(-> $ret:ty)?;)+) => {
        /// Pointers into the library, which stays loaded as long as this exists.
        struct Functions { $($field: unsafe extern "C" fn($($arg),*) $(-> $ret)?,)+ _library: libloading::Library }

        impl Functions {
            fn load(path: &Path) -> Result<Self, libloading::Error> {
                // SAFETY: the operator chose this library; PDFium's initialisers do nothing that asks for more.
                let library = unsafe { libloading::Library::new(path) }?;
                // SAFETY: the types are those of PDFium's public headers, which keep them from build to build.
                unsafe { Ok(Self { $($field: *library.get($symbol)?,)+ _library: library }) }
            }
        }
    };
}

functions! {
    init = b"FPDF_InitLibrary\0": fn();
    load = b"FPDF_LoadMemDocument64\0": fn(*const c_void, usize, *const c_char) -> Handle;
    last_error = b"FPDF_GetLastError\0": fn() -> c_ulong;
    close = b"FPDF_CloseDocument\0": fn(Handle);
    page_count = b"FPDF_GetPageCount\0": fn(Handle) -> c_int;
    meta = b"FPDF_GetMetaText\0": fn(Handle, *const c_char, *mut c_void, c_ulong) -> c_ulong;
    form_type = b"FPDF_GetFormType\0": fn(Handle) -> c_int;
    form_open = b"FPDFDOC_InitFormFillEnvironment\0": fn(Handle, *mut FormFill) -> Handle;
    form_close = b"FPDFDOC_ExitFormFillEnvironment\0": fn(Handle);
    page_load = b"FPDF_LoadPage\0": fn(Handle, c_int) -> Handle;
    page_close = b"FPDF_ClosePage\0": fn(Handle);
    page_size = b"FPDF_GetPageSizeByIndexF\0": fn(Handle, c_int, *mut [f32; 2]) -> c_int;
    object_count = b"FPDFPage_CountObjects\0": fn(Handle) -> c_int;
    object_get = b"FPDFPage_GetObject\0": fn(Handle, c_int) -> Handle;
    object_type = b"FPDFPageObj_GetType\0": fn(Handle) -> c_int;
    object_bounds = b"FPDFPageObj_GetBounds\0": fn(Handle, *mut f32, *mut f32, *mut f32, *mut f32) -> c_int;
    bitmap_create = b"FPDFBitmap_CreateEx\0": fn(c_int, c_int, c_int, *mut c_void, c_int) -> Handle;
    bitmap_destroy = b"FPDFBitmap_Destroy\0": fn(Handle);
    render = b"FPDF_RenderPageBitmap\0": fn(Handle, Handle, c_int, c_int, c_int, c_int, c_int, c_int);
    text_load = b"FPDFText_LoadPage\0": fn(Handle) -> Handle;
    text_close = b"FPDFText_ClosePage\0": fn(Handle);
    text_count = b"FPDFText_CountChars\0": fn(Handle) -> c_int;
    text_get = b"FPDFText_GetText\0": fn(Handle, c_int, c_int, *mut c_ushort) -> c_int;
    annotation_count = b"FPDFPage_GetAnnotCount\0": fn(Handle) -> c_int;
    annotation_get = b"FPDFPage_GetAnnot\0": fn(Handle, c_int) -> Handle;
    annotation_close = b"FPDFPage_CloseAnnot\0": fn(Handle);
    annotation_subtype = b"FPDFAnnot_GetSubtype\0": fn(Handle) -> c_int;
    annotation_string = b"FPDFAnnot_GetStringValue\0": fn(Handle, *const c_char, *mut c_ushort, c_ulong) -> c_ulong;
    annotation_flags = b"FPDFAnnot_GetFlags\0": fn(Handle) -> c_int;
    field_type = b"FPDFAnnot_GetFormFieldType\0": fn(Handle, Handle) -> c_int;
    field_value = b"FPDFAnnot_GetFormFieldValue\0": fn(Handle, Handle, *mut c_ushort, c_ulong) -> c_ulong;
}

/// PDFium, loaded and initialised.
pub struct Library {
    functions: Functions,
    _one_thread: PhantomData<*mut ()>,
}

/// In which colours a page is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// One byte a pixel.
    Grey,
    /// Three bytes a pixel: red, green, blue.
    Rgb,
}

/// Why a document cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    Password,
    Broken,
}

/// An open document.
pub struct Document<'a> {
    library: &'a Library,
    handle: Handle,
    /// Null when the document has no form. Closed before the document.
    form: Handle,
    /// PDFium writes through its pointer to this, which must not move.
    form_fill: *mut FormFill,
    _bytes: PhantomData<&'a [u8]>,
}

/// A page of an open document.
pub struct Page<'a> {
    document: &'a Document<'a>,
    index: c_int,
    handle: Handle,
}

impl Library {
    /// Loads the library at `path`. Once in a process.
    ///
    /// # Errors
    /// When there is no such library, or it lacks a function.
    pub fn load(path: &Path) -> Result<Self, libloading::Error> {
        let functions = Functions::load(path)?;
        // SAFETY: called before any other function. It is never undone; the process ends with it.
        unsafe { (functions.init)() };
        Ok(Self { functions, _one_thread: PhantomData })
    }

    /// Opens a document without a password.
    ///
    /// # Errors
    /// Whether a password is wanted, or nothing helps.
    pub fn open<'a>(&'a self, bytes: &'a [u8]) -> Result<Document<'a>, OpenError> {
        let f = &self.functions;
        // SAFETY: PDFium reads from `bytes` until the document is closed, and `Document` borrows them.
        let handle = unsafe { (f.load)(bytes.as_ptr().cast(), bytes.len(), ptr::null()) };
        if handle.is_null() {
            // SAFETY: it has no preconditions.
            return Err(match unsafe { (f.last_error)() } {
                ERROR_PASSWORD | ERROR_SECURITY => OpenError::Password,
                _ => OpenError::Broken,
            });
        }
        let mut document =
            Document { library: self, handle, form: ptr::null_mut(), form_fill: ptr::null_mut(), _bytes: PhantomData };
        document.open_form();
        Ok(document)
    }
}

impl Document<'_> {
    fn open_form(&mut self) {
        let f = &self.library.functions;
        // SAFETY: the document is open.
        if unsafe { (f.form_type)(self.handle) } == 0 {
            return;
        }
        let mut form_fill: Box<FormFill> = Box::new([0; 64]);
        // The version is a C `int` at the very start.
        form_fill[0] = usize::from_ne_bytes(first_int(1));
        self.form_fill = Box::into_raw(form_fill);
        // SAFETY: the document is open and the struct lives until `drop`. Its callbacks are only for a form that a
        // person works with.
        self.form = unsafe { (f.form_open)(self.handle, self.form_fill) };
    }

    /// The number of pages, 0 when there is none that can be found.
    pub fn page_count(&self) -> u32 {
        // SAFETY: the document is open.
        let count = unsafe { (self.library.functions.page_count)(self.handle) };
        u32::try_from(count).unwrap_or(0)
    }

    /// A value of the document's information dictionary.
    pub fn meta(&self, tag: &CStr) -> Option<String> {
        // SAFETY: the document is open, the tag ends in NUL, and the buffer has the length that is given in bytes.
        let text = utf16(|buffer, bytes| unsafe {
            (self.library.functions.meta)(self.handle, tag.as_ptr(), buffer.cast(), bytes)
        });
        (!text.is_empty()).then_some(text)
    }

    /// The page at `index`, from 0; absent when it is broken.
    pub fn page(&self, index: u32) -> Option<Page<'_>> {
        let index = c_int::try_from(index).ok()?;
        // SAFETY: the document is open; an index beyond its end gives null.
        let handle = unsafe { (self.library.functions.page_load)(self.handle, index) };
        (!handle.is_null()).then_some(Page { document: self, index, handle })
    }
}

impl Drop for Document<'_> {
    fn drop(&mut self) {
        let f = &self.library.functions;
        // SAFETY: both handles are open and closed once, the form first, and pages cannot outlive the document.
        unsafe {
            if !self.form.is_null() {
                (f.form_close)(self.form);
            }
            (f.close)(self.handle);
            if !self.form_fill.is_null() {
                drop(Box::from_raw(self.form_fill));
            }
        }
    }
}

impl Page<'_> {
    /// The text of the page's own content, in the order of the file; empty when it has none.
    pub fn text(&self) -> String {
        let f = &self.document.library.functions;
        // SAFETY: the page is open.
        let text = unsafe { (f.text_load)(self.handle) };
        if text.is_null() {
            return String::new();
        }
        // SAFETY: the text page is open.
        let count = unsafe { (f.text_count)(text) }.max(0);
        // A character may take two units, and PDFium adds a NUL.
        let mut units = vec![0; 2 * count.unsigned_abs() as usize + 2];
        let written = match count {
            0 => 0,
            // SAFETY: the text page is open and the buffer has room for `count` characters and the NUL.
            count => unsafe { (f.text_get)(text, 0, count, units.as_mut_ptr()) },
        };
        // SAFETY: it is open, and not used after this.
        unsafe { (f.text_close)(text) };
        units.truncate(written.max(0).unsigned_abs() as usize);
        String::from_utf16_lossy(&units).trim_end_matches('\0').to_owned()
    }

    /// Width and height in points, turned as the page is; those of A4 where it has none that make sense.
    pub fn size(&self) -> (f32, f32) {
        let mut size = [0.0; 2];
        // SAFETY: the document is open, and the struct of the header is two floats.
        let known = unsafe { (self.document.library.functions.page_size)(self.document.handle, self.index, &mut size) };
        let makes_sense = |length: f32| length.is_finite() && length >= 1.0;
        if known != 0 && size.into_iter().all(makes_sense) { (size[0], size[1]) } else { (595.0, 842.0) }
    }

    /// Whether there is anything on the page at all.
    pub fn is_drawn_on(&self) -> bool {
        // SAFETY: the page is open.
        unsafe { (self.document.library.functions.object_count)(self.handle) > 0 }
    }

    /// How much of the page its pictures cover, 0 to 1; overlaps count twice, up to 1.
    pub fn picture_share(&self) -> f32 {
        /// `FPDF_PAGEOBJ_IMAGE` (`fpdf_edit.h`).
        const IMAGE: c_int = 3;
        let f = &self.document.library.functions;
        let (width, height) = self.size();
        // SAFETY: the page is open.
        let count = unsafe { (f.object_count)(self.handle) }.min(OBJECTS);
        let mut covered = 0.0;
        for index in 0..count {
            let (mut left, mut bottom, mut right, mut top) = (0.0, 0.0, 0.0, 0.0);
            // SAFETY: the page is open and owns its objects; one that is not there is null and not used; the four floats
            // are written to or left alone.
            let is_image = unsafe {
                let object = (f.object_get)(self.handle, index);
                !object.is_null()
                    && (f.object_type)(object) == IMAGE
                    && (f.object_bounds)(object, &mut left, &mut bottom, &mut right, &mut top) != 0
            };
            if is_image {
                covered += (right - left).max(0.0) * (top - bottom).max(0.0);
            }
        }
        (covered / (width * height)).min(1.0)
    }

    /// The page on white, scaled to `width` by `height` pixels: rows from the top, without gaps. Absent when there is no
    /// memory for it.
    pub fn render(&self, width: u32, height: u32, colours: Colours) -> Option<Vec<u8>> {
        /// `FPDFBitmap_Gray` and `FPDFBitmap_BGR`; `FPDF_ANNOT` and `FPDF_REVERSE_BYTE_ORDER` (`fpdfview.h`).
        const GREY: c_int = 1;
        const BGR: c_int = 2;
        const ANNOTATIONS: c_int = 0x01;
        const REVERSE: c_int = 0x10;
        let f = &self.document.library.functions;
        let (format, bytes, flags) = match colours {
            Colours::Grey => (GREY, 1, ANNOTATIONS),
            Colours::Rgb => (BGR, 3, ANNOTATIONS | REVERSE),
        };
        let (w, h) = (c_int::try_from(width).ok()?, c_int::try_from(height).ok()?);
        let stride = w.checked_mul(bytes)?;
        let mut pixels = vec![255; (width as usize).checked_mul(height as usize)?.checked_mul(bytes as usize)?];
        // SAFETY: the page is open; the buffer has `height` rows of `stride` bytes and outlives the bitmap, which PDFium does
        // not free as it does not own it.
        unsafe {
            let bitmap = (f.bitmap_create)(w, h, format, pixels.as_mut_ptr().cast(), stride);
            if bitmap.is_null() {
                return None;
            }
            (f.render)(bitmap, self.handle, 0, 0, w, h, 0, flags);
            (f.bitmap_destroy)(bitmap);
        }
        Some(pixels)
    }

    /// What was written on the page: values of form fields and free text, in the order of the file.
    pub fn notes(&self) -> Vec<String> {
        let f = &self.document.library.functions;
        // SAFETY: the page is open.
        let count = unsafe { (f.annotation_count)(self.handle) };
        (0..count).filter_map(|index| self.note(index)).filter(|note| !note.trim().is_empty()).collect()
    }

    fn note(&self, index: c_int) -> Option<String> {
        /// `FPDF_ANNOT_FLAG_HIDDEN`: neither shown nor printed.
        const HIDDEN: c_int = 2;
        let (f, form) = (&self.document.library.functions, self.document.form);
        // SAFETY: the page is open; an index that is not there gives null.
        let annotation = unsafe { (f.annotation_get)(self.handle, index) };
        if annotation.is_null() {
            return None;
        }
        // SAFETY: the annotation is open until the last line; the form is open where it is used; the buffers have the
        // lengths that are given in bytes.
        unsafe {
            let visible = (f.annotation_flags)(annotation) & HIDDEN == 0;
            let note = match (f.annotation_subtype)(annotation) {
                FREE_TEXT if visible => {
                    Some(utf16(|buffer, bytes| (f.annotation_string)(annotation, c"Contents".as_ptr(), buffer, bytes)))
                }
                WIDGET if visible && !form.is_null() && WRITTEN.contains(&(f.field_type)(form, annotation)) => {
                    Some(utf16(|buffer, bytes| (f.field_value)(form, annotation, buffer, bytes)))
                }
                _ => None,
            };
            (f.annotation_close)(annotation);
            note
        }
    }
}

impl Drop for Page<'_> {
    fn drop(&mut self) {
        // SAFETY: the page is open, and closed once.
        unsafe { (self.document.library.functions.page_close)(self.handle) };
    }
}

/// A string that PDFium gives in UTF-16 with a NUL at its end: once asked for its length in bytes, then for itself.
fn utf16(mut get: impl FnMut(*mut c_ushort, c_ulong) -> c_ulong) -> String {
    let bytes = get(ptr::null_mut(), 0);
    let mut units = vec![0; usize::try_from(bytes / 2).unwrap_or(0)];
    if units.len() < 2 || get(units.as_mut_ptr(), bytes / 2 * 2) != bytes {
        return String::new();
    }
    String::from_utf16_lossy(&units).trim_end_matches('\0').to_owned()
}

/// The bytes of a word whose first C `int` is `value`.
fn first_int(value: c_uint) -> [u8; size_of::<usize>()] {
    let mut word = [0; size_of::<usize>()];
    word[..size_of::<c_uint>()].copy_from_slice(&value.to_ne_bytes());
    word
}
