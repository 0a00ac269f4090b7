//! PDFium by its C interface: the few dozen functions that are needed, each handle closed when it is dropped.
//! All `unsafe` for it is here.
//!
//! PDFium is not thread-safe: a [`Library`] is neither `Send` nor `Sync`, and all handles borrow from it.

mod accents;
mod looks;
mod notes;
mod text;

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_ulong, c_ushort, c_void};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::path::Path;
use std::ptr;

pub use looks::Colours;

use text::utf16;

/// Values of `FPDF_GetLastError` (`fpdfview.h`).
const ERROR_PASSWORD: c_ulong = 4;
const ERROR_SECURITY: c_ulong = 5;

/// What PDFium is told about the program around a form: version 1 and no callback at all. The struct of the header is
/// shorter than this; PDFium keeps the pointer while the form is open.
type FormFill = [usize; 64];

type Handle = *mut c_void;

macro_rules! functions {
    ($($field:ident = $symbol:literal: fn($($arg:ty),*) $(-> $ret:ty)?;)+) => {
        /// Pointers into the library, which is never unloaded: when a process ends, one thread may run its destructors while
        /// another one drops this.
        struct Functions { $($field: unsafe extern "C" fn($($arg),*) $(-> $ret)?,)+ }

        impl Functions {
            fn load(path: &Path) -> Result<Self, libloading::Error> {
                // SAFETY: the operator chose this library; PDFium's initialisers do nothing that asks for more.
                let library = ManuallyDrop::new(unsafe { libloading::Library::new(path) }?);
                // SAFETY: the types are those of PDFium's public headers, which keep them from build to build.
                unsafe { Ok(Self { $($field: *library.get($symbol)?,)+ }) }
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
    text_box = b"FPDFText_GetLooseCharBox\0": fn(Handle, c_int, *mut [f32; 4]) -> c_int;
    text_index = b"FPDFText_GetCharIndexFromTextIndex\0": fn(Handle, c_int) -> c_int;
    to_device = b"FPDF_PageToDevice\0":
        fn(Handle, c_int, c_int, c_int, c_int, c_int, f64, f64, *mut c_int, *mut c_int) -> c_int;
    text_unmapped = b"FPDFText_HasUnicodeMapError\0": fn(Handle, c_int) -> c_int;
    text_get = b"FPDFText_GetText\0": fn(Handle, c_int, c_int, *mut c_ushort) -> c_int;
    annotation_count = b"FPDFPage_GetAnnotCount\0": fn(Handle) -> c_int;
    annotation_get = b"FPDFPage_GetAnnot\0": fn(Handle, c_int) -> Handle;
    annotation_close = b"FPDFPage_CloseAnnot\0": fn(Handle);
    annotation_subtype = b"FPDFAnnot_GetSubtype\0": fn(Handle) -> c_int;
    annotation_box = b"FPDFAnnot_GetRect\0": fn(Handle, *mut [f32; 4]) -> c_int;
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

    /// Opens a document, with a password if one is given.
    ///
    /// # Errors
    /// Whether a password is wanted, or nothing helps.
    pub fn open<'a>(&'a self, bytes: &'a [u8], password: Option<&str>) -> Result<Document<'a>, OpenError> {
        let f = &self.functions;
        let password = password.map(CString::new).transpose().map_err(|_| OpenError::Password)?;
        let password = password.as_ref();
        // SAFETY: PDFium reads from `bytes` until the document is closed, and `Document` borrows them; the password it
        // reads here only.
        let handle = unsafe {
            (f.load)(bytes.as_ptr().cast(), bytes.len(), password.map_or(ptr::null(), |password| password.as_ptr()))
        };
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

impl Drop for Page<'_> {
    fn drop(&mut self) {
        // SAFETY: the page is open, and closed once.
        unsafe { (self.document.library.functions.page_close)(self.handle) };
    }
}

/// The bytes of a word whose first C `int` is `value`.
fn first_int(value: c_uint) -> [u8; size_of::<usize>()] {
    let mut word = [0; size_of::<usize>()];
    word[..size_of::<c_uint>()].copy_from_slice(&value.to_ne_bytes());
    word
}
