//! Images: each is a page, or several (TIFF), that shows something and has no text of its own.

use std::io::Cursor;

use image::{DynamicImage, GenericImageView, ImageDecoder, ImageError, ImageFormat, ImageReader, Rgb, RgbImage};
use sheaf_domain::{DocumentKind, Failure, FailureCode};

use crate::document::PageState;
use crate::formats::{corrupt, tiff};
use crate::limits::Limits;
use crate::output::Output;

/// Memory that decoding may take beside the picture itself, in bytes.
const SCRATCH: u64 = 512 << 20;

/// The format that the decoder knows a kind as; absent for what is no image.
fn format(kind: DocumentKind) -> Option<ImageFormat> {
    Some(match kind {
        DocumentKind::Png => ImageFormat::Png,
        DocumentKind::Jpeg => ImageFormat::Jpeg,
        DocumentKind::Tiff => ImageFormat::Tiff,
        DocumentKind::Webp => ImageFormat::WebP,
        DocumentKind::Bmp => ImageFormat::Bmp,
        DocumentKind::Gif => ImageFormat::Gif,
        _ => return None,
    })
}

/// Whether a kind is read here.
pub fn is_image(kind: DocumentKind) -> bool {
    format(kind).is_some()
}

/// How many pages an image has.
pub fn page_count(bytes: &[u8], kind: DocumentKind) -> u32 {
    if kind == DocumentKind::Tiff { tiff::directories(bytes).len().max(1) as u32 } else { 1 }
}

/// A pictured page for each picture; each is decoded once, to see that it can be.
pub fn parse(bytes: &[u8], kind: DocumentKind, output: &mut Output<'_>) -> Result<(), Failure> {
    let count = page_count(bytes, kind);
    let mut readable = 0;
    for page in 1..=count {
        match decode(bytes, kind, page, output.limits()) {
            Ok(_) => {
                readable += 1;
                output.page_in_state("", PageState::Pictured)?;
            }
            Err(failure) if count == 1 || failure.code != FailureCode::CorruptFile => return Err(failure),
            Err(_) => output.page_in_state("", PageState::Damaged)?,
        }
    }
    if readable == 0 { Err(corrupt("none of the pictures in this file can be decoded")) } else { Ok(()) }
}

/// A page (from 1) as it is meant to be seen: upright, transparent parts white.
pub fn decode(bytes: &[u8], kind: DocumentKind, page: u32, limits: &Limits) -> Result<RgbImage, Failure> {
    let format = format(kind).ok_or_else(|| corrupt("this is no image"))?;
    let turned = (kind == DocumentKind::Tiff && page > 1).then(|| tiff::beginning_with(bytes, page)).flatten();
    let mut reader = ImageReader::with_format(Cursor::new(turned.as_deref().unwrap_or(bytes)), format);
    let mut bounds = image::Limits::default();
    bounds.max_alloc = Some(SCRATCH);
    reader.limits(bounds);
    let mut decoder = reader.into_decoder().map_err(|error| broken(kind, &error))?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > limits.pixels {
        let message =
            format!("this image has {width} × {height} pixels; at most {} million are read", limits.pixels / 1_000_000);
        return Err(Failure::new(FailureCode::TooManyPixels, message));
    }
    if pixels == 0 {
        return Err(corrupt("this image has no pixels"));
    }
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| broken(kind, &error))?;
    picture.apply_orientation(orientation);
    Ok(on_white(picture))
}

fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let mut flat = RgbImage::new(picture.width(), picture.height());
    for (x, y, pixel) in picture.pixels() {
        let [r, g, b, a] = pixel.0.map(u16::from);
        let over = |value: u16| ((value * a + 255 * (255 - a)) / 255) as u8;
        flat.put_pixel(x, y, Rgb([over(r), over(g), over(b)]));
    }
    flat
}

fn broken(kind: DocumentKind, error: &ImageError) -> Failure {
    let what = kind.label();
    match error {
        ImageError::Limits(_) => {
            Failure::new(FailureCode::TooManyPixels, format!("this {what} takes too much memory to decode"))
        }
        ImageError::Unsupported(_) => {
            Failure::new(FailureCode::UnsupportedKind, format!("this {what} is of a variety that is not read"))
                .with_hint("Save it as PNG and add that.")
        }
        _ => corrupt(format!("this {what} is damaged and cannot be decoded")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageBuffer, Rgba, RgbaImage};

    fn png(picture: &RgbaImage) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).expect("encodable");
        bytes.into_inner()
    }

    #[test]
    fn what_is_transparent_is_white() {
        let picture: RgbaImage = ImageBuffer::from_pixel(2, 1, Rgba([0, 0, 0, 0]));
        let seen = decode(&png(&picture), DocumentKind::Png, 1, &Limits::default()).expect("readable");
        assert_eq!(seen.get_pixel(0, 0), &Rgb([255, 255, 255]));
    }

    #[test]
    fn too_many_pixels_are_refused_and_half_a_file_is_damaged() {
        let bytes = png(&ImageBuffer::from_fn(64, 64, |x, y| Rgba([(x * y) as u8, x as u8, y as u8, 255])));
        let limits = Limits { pixels: 64 * 63, ..Limits::default() };
        let code = |result: Result<RgbImage, Failure>| result.map(|_| ()).map_err(|failure| failure.code);
        assert_eq!(code(decode(&bytes, DocumentKind::Png, 1, &limits)), Err(FailureCode::TooManyPixels));
        let half = &bytes[..bytes.len() / 2];
        assert_eq!(code(decode(half, DocumentKind::Png, 1, &Limits::default())), Err(FailureCode::CorruptFile));
    }
}
