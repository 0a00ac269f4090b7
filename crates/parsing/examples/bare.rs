//! Pages by PDFium alone, for `cargo xtask bench parsing`: the same PDFs in a loop in this process, without a pool, limits
//! or a cage, to see what those cost.
//!
//!     bare FOLDER text|render
//!
//! Prints one line of JSON: documents, pages, seconds of wall time.

use std::ffi::{c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::time::Instant;

use libloading::{Library, Symbol};
use sheaf_parsing::find_pdfium;

/// What the rivals draw at, in pixels a point.
const SCALE: f32 = 150.0 / 72.0;
/// `FPDFBitmap_Gray` and `FPDF_ANNOT` (`fpdfview.h`).
const GREY: c_int = 1;
const ANNOTATIONS: c_int = 1;

type Handle = *mut c_void;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, mode] = &arguments[..] else { return Err("usage: bare FOLDER text|render".into()) };
    let mut files = Vec::new();
    list(Path::new(folder), &mut files)?;
    files.sort();
    // SAFETY: PDFium's initialisers do nothing that asks for more.
    let library = unsafe { Library::new(find_pdfium().ok_or("there is no PDFium")?)? };
    // SAFETY: it takes nothing, and is called before all others.
    unsafe { library.get::<unsafe extern "C" fn()>(b"FPDF_InitLibrary")?() };
    let started = Instant::now();
    let mut pages = 0;
    for file in &files {
        let bytes = std::fs::read(file)?;
        // SAFETY: the library is initialised and used by this thread alone.
        pages += unsafe { read(&library, &bytes, mode == "render")? };
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(r#"{{"documents": {}, "pages": {pages}, "seconds": {seconds}}}"#, files.len());
    Ok(())
}

/// Reads or draws the pages of one document; how many there were.
///
/// # Safety
/// The library is an initialised PDFium, used by this thread alone.
unsafe fn read(library: &Library, bytes: &[u8], render: bool) -> Result<u32, libloading::Error> {
    // SAFETY: the types are those of PDFium's public headers; what is opened is closed once, pages before their document,
    // and buffers have the sizes that are said.
    unsafe {
        let load: Symbol<unsafe extern "C" fn(*const u8, usize, *const c_char) -> Handle> =
            library.get(b"FPDF_LoadMemDocument64")?;
        let close: Symbol<unsafe extern "C" fn(Handle)> = library.get(b"FPDF_CloseDocument")?;
        let count: Symbol<unsafe extern "C" fn(Handle) -> c_int> = library.get(b"FPDF_GetPageCount")?;
        let page_load: Symbol<unsafe extern "C" fn(Handle, c_int) -> Handle> = library.get(b"FPDF_LoadPage")?;
        let page_close: Symbol<unsafe extern "C" fn(Handle)> = library.get(b"FPDF_ClosePage")?;
        let document = load(bytes.as_ptr(), bytes.len(), std::ptr::null());
        if document.is_null() {
            return Ok(0);
        }
        let mut pages = 0;
        for index in 0..count(document) {
            let page = page_load(document, index);
            if page.is_null() {
                continue;
            }
            if render {
                draw(library, page)?
            } else {
                text(library, page)?
            };
            page_close(page);
            pages += 1;
        }
        close(document);
        Ok(pages)
    }
}

/// # Safety
/// As for [`read`], and the page is open.
unsafe fn text(library: &Library, page: Handle) -> Result<(), libloading::Error> {
    // SAFETY: as for `read`; the buffer has room for twice as many units as there are characters, and a NUL.
    unsafe {
        let load: Symbol<unsafe extern "C" fn(Handle) -> Handle> = library.get(b"FPDFText_LoadPage")?;
        let close: Symbol<unsafe extern "C" fn(Handle)> = library.get(b"FPDFText_ClosePage")?;
        let count: Symbol<unsafe extern "C" fn(Handle) -> c_int> = library.get(b"FPDFText_CountChars")?;
        let get: Symbol<unsafe extern "C" fn(Handle, c_int, c_int, *mut u16) -> c_int> =
            library.get(b"FPDFText_GetText")?;
        let text = load(page);
        let characters = count(text).max(0);
        let mut units = vec![0_u16; 2 * characters.unsigned_abs() as usize + 2];
        get(text, 0, characters, units.as_mut_ptr());
        std::hint::black_box(String::from_utf16_lossy(&units));
        close(text);
    }
    Ok(())
}

/// # Safety
/// As for [`read`], and the page is open.
unsafe fn draw(library: &Library, page: Handle) -> Result<(), libloading::Error> {
    // SAFETY: as for `read`; the buffer has `height` rows of `width` bytes.
    unsafe {
        let width: Symbol<unsafe extern "C" fn(Handle) -> f32> = library.get(b"FPDF_GetPageWidthF")?;
        let height: Symbol<unsafe extern "C" fn(Handle) -> f32> = library.get(b"FPDF_GetPageHeightF")?;
        let create: Symbol<unsafe extern "C" fn(c_int, c_int, c_int, *mut u8, c_int) -> Handle> =
            library.get(b"FPDFBitmap_CreateEx")?;
        let destroy: Symbol<unsafe extern "C" fn(Handle)> = library.get(b"FPDFBitmap_Destroy")?;
        let render: Symbol<unsafe extern "C" fn(Handle, Handle, c_int, c_int, c_int, c_int, c_int, c_int)> =
            library.get(b"FPDF_RenderPageBitmap")?;
        let side = |points: f32| ((points * SCALE).round() as u32).max(1);
        let (width, height) = (side(width(page)), side(height(page)));
        let mut pixels = vec![255_u8; width as usize * height as usize];
        let (width, height) = (width.cast_signed(), height.cast_signed());
        let bitmap = create(width, height, GREY, pixels.as_mut_ptr(), width);
        render(bitmap, page, 0, 0, width, height, 0, ANNOTATIONS);
        destroy(bitmap);
        std::hint::black_box(pixels);
    }
    Ok(())
}

/// The PDFs below a folder.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else if path.extension().is_some_and(|suffix| suffix == "pdf") {
            files.push(path);
        }
    }
    Ok(())
}
