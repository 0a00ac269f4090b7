//! What a page looks like: its size, its pictures, its pixels.

use std::ffi::c_int;

use sheaf_domain::PageBox;

use super::Page;

/// Objects of a page that are looked at.
const OBJECTS: c_int = 5000;

/// In which colours a page is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// One byte a pixel.
    Grey,
    /// Three bytes a pixel: red, green, blue.
    Rgb,
}

impl Colours {
    /// Bytes that a pixel takes.
    pub fn bytes(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
        }
    }
}

impl Page<'_> {
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

    /// Draws the page on white into `pixels`: `height` rows of `width` pixels from the top, without gaps. Absent when the
    /// room does not fit or there is no memory for it.
    pub fn render(&self, width: u32, height: u32, colours: Colours, pixels: &mut [u8]) -> Option<()> {
        /// `FPDFBitmap_Gray` and `FPDFBitmap_BGR`; `FPDF_ANNOT` and `FPDF_REVERSE_BYTE_ORDER` (`fpdfview.h`).
        const GREY: c_int = 1;
        const BGR: c_int = 2;
        const ANNOTATIONS: c_int = 0x01;
        const REVERSE: c_int = 0x10;
        let f = &self.document.library.functions;
        let (format, flags) = match colours {
            Colours::Grey => (GREY, ANNOTATIONS),
            Colours::Rgb => (BGR, ANNOTATIONS | REVERSE),
        };
        let (w, h) = (c_int::try_from(width).ok()?, c_int::try_from(height).ok()?);
        let stride = w.checked_mul(c_int::try_from(colours.bytes()).ok()?)?;
        if (width as usize).checked_mul(height as usize)?.checked_mul(colours.bytes())? != pixels.len() {
            return None;
        }
        pixels.fill(255);
        // SAFETY: the page is open; the room has `height` rows of `stride` bytes and outlives the bitmap, which PDFium does
        // not free as it does not own it.
        unsafe {
            let bitmap = (f.bitmap_create)(w, h, format, pixels.as_mut_ptr().cast(), stride);
            if bitmap.is_null() {
                return None;
            }
            (f.render)(bitmap, self.handle, 0, 0, w, h, 0, flags);
            (f.bitmap_destroy)(bitmap);
        }
        Some(())
    }

    /// From left, top, right and bottom in the points of the page's content to shares of the page as it is shown: cropped
    /// and turned. What is beyond its edges is cut off; absent when nothing is left.
    pub(super) fn shown(&self, [left, top, right, bottom]: [f32; 4]) -> Option<PageBox> {
        /// The page is placed on a square of so many units, so that their places are exact enough.
        const WHOLE: c_int = 1 << 20;
        let place = |x: f32, y: f32| {
            let (mut across, mut down) = (0, 0);
            let f = &self.document.library.functions;
            // SAFETY: the page is open, and the two numbers are written to.
            let known = unsafe {
                let (x, y) = (f64::from(x), f64::from(y));
                (f.to_device)(self.handle, 0, 0, WHOLE, WHOLE, 0, x, y, &mut across, &mut down)
            };
            let share = |at: c_int| (f64::from(at) / f64::from(WHOLE)).clamp(0.0, 1.0) as f32;
            (known != 0).then(|| (share(across), share(down)))
        };
        let (one, other) = (place(left, top)?, place(right, bottom)?);
        let (left, right) = (one.0.min(other.0), one.0.max(other.0));
        let (top, bottom) = (one.1.min(other.1), one.1.max(other.1));
        let shown = PageBox { left, top, width: right - left, height: bottom - top };
        (shown.width > 0.0 && shown.height > 0.0).then_some(shown)
    }
}
