//! From pixels to a picture of the wanted size.

use image::codecs::webp::WebPEncoder;
use image::imageops::{self, FilterType};
use image::{ExtendedColorType, ImageEncoder, RgbImage};
use sheaf_domain::Failure;

use crate::canvas::Canvas;
use crate::formats::corrupt;
use crate::picture::{Content, Drawn, PictureFor};

/// Scales a picture down to what is wanted, never up, and encodes it, or puts its pixels on the canvas. `dpi` is that of
/// `picture`.
pub fn encode(picture: RgbImage, dpi: Option<u32>, purpose: PictureFor, canvas: &mut Canvas) -> Result<Drawn, Failure> {
    let scale = match purpose {
        PictureFor::Eye { width } => f64::from(width.max(1)) / f64::from(picture.width()),
        PictureFor::Recognition { pixels, .. } => {
            (pixels as f64 / (f64::from(picture.width()) * f64::from(picture.height()))).sqrt()
        }
    };
    let picture = if scale < 1.0 { shrink(&picture, scale) } else { picture };
    let (width, height) = picture.dimensions();
    let dpi = dpi.map(|dpi| (f64::from(dpi) * scale.min(1.0)).round() as u32);
    let content = match purpose {
        PictureFor::Eye { .. } => Content::File(webp(&picture)?.into()),
        PictureFor::Recognition { .. } => {
            let grey = imageops::grayscale(&picture).into_raw();
            canvas.pixels(grey.len()).map_err(|_| too_large())?.copy_from_slice(&grey);
            Content::Canvas
        }
    };
    Ok(Drawn { width, height, dpi, content })
}

fn shrink(picture: &RgbImage, scale: f64) -> RgbImage {
    let side = |length: u32| ((f64::from(length) * scale).floor() as u32).max(1);
    imageops::resize(picture, side(picture.width()), side(picture.height()), FilterType::Triangle)
}

/// Lossless WebP.
fn webp(picture: &RgbImage) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    WebPEncoder::new_lossless(&mut bytes)
        .write_image(picture.as_raw(), picture.width(), picture.height(), ExtendedColorType::Rgb8)
        .map_err(|_| too_large())?;
    Ok(bytes)
}

fn too_large() -> Failure {
    corrupt("this page is too large to make a picture of")
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;
    use crate::canvas;

    fn canvas() -> Canvas {
        Canvas::new(canvas::new().expect("memory"))
    }

    #[test]
    fn pictures_shrink_and_never_grow() {
        let size = |purpose| {
            let made = encode(RgbImage::new(400, 200), Some(200), purpose, &mut canvas()).expect("encodable");
            (made.width, made.height, made.dpi)
        };
        assert_eq!(size(PictureFor::Eye { width: 100 }), (100, 50, Some(50)));
        assert_eq!(size(PictureFor::Eye { width: 1000 }), (400, 200, Some(200)));
        assert_eq!(size(PictureFor::Recognition { dpi: 300, pixels: 20_000 }), (200, 100, Some(100)));
    }

    #[test]
    fn for_the_eye_it_is_webp_and_for_recognition_it_is_grey() {
        let (white, mut canvas) = (RgbImage::from_pixel(4, 3, Rgb([255; 3])), canvas());
        let mut content = |purpose| encode(white.clone(), None, purpose, &mut canvas).expect("encodable").content;
        assert!(matches!(content(PictureFor::Eye { width: 4 }), Content::File(file) if file.starts_with(b"RIFF")));
        assert_eq!(content(PictureFor::Recognition { dpi: 300, pixels: 1000 }), Content::Canvas);
        assert_eq!(canvas.pixels(13).expect("mapped"), [[255; 12].as_slice(), &[0]].concat());
    }
}
