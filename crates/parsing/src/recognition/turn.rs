//! Quarter turns of a picture of grey pixels, and of the boxes found on it.

use image::{GrayImage, imageops};

use sheaf_domain::WordBox;

use crate::picture::Picture;

/// Ten-thousandths: the unit of boxes.
const WHOLE: u16 = 10_000;

/// By how much a picture is turned clockwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    None,
    Right,
    Over,
    Left,
}

impl Turn {
    /// By 0, 90, 180 or 270 degrees clockwise.
    pub fn by_degrees(degrees: u32) -> Option<Self> {
        Some(match degrees {
            0 => Self::None,
            90 => Self::Right,
            180 => Self::Over,
            270 => Self::Left,
            _ => return None,
        })
    }

    /// The picture, turned.
    pub fn apply(self, picture: &Picture) -> Picture {
        let Some(pixels) = GrayImage::from_raw(picture.width, picture.height, picture.bytes.to_vec()) else {
            return picture.clone();
        };
        let turned = match self {
            Self::None => pixels,
            Self::Right => imageops::rotate90(&pixels),
            Self::Over => imageops::rotate180(&pixels),
            Self::Left => imageops::rotate270(&pixels),
        };
        let (width, height) = turned.dimensions();
        Picture { width, height, dpi: picture.dpi, bytes: turned.into_raw().into() }
    }

    /// A box on the turned picture as one on the picture before.
    pub fn undo(self, word: WordBox) -> WordBox {
        let WordBox { left, top, width, height, .. } = word;
        let from_end = |start: u16, length: u16| WHOLE.saturating_sub(start).saturating_sub(length);
        let (left, top, width, height) = match self {
            Self::None => (left, top, width, height),
            Self::Right => (top, from_end(left, width), height, width),
            Self::Over => (from_end(left, width), from_end(top, height), width, height),
            Self::Left => (from_end(top, height), left, height, width),
        };
        WordBox { left, top, width, height, ..word }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of 10 by 20 pixels with one dark pixel.
    fn dotted(x: u32, y: u32) -> Picture {
        let mut bytes = vec![255; 200];
        bytes[(y * 10 + x) as usize] = 0;
        Picture { width: 10, height: 20, dpi: None, bytes: bytes.into() }
    }

    #[test]
    fn boxes_find_back_to_what_was_turned() {
        for turn in [Turn::None, Turn::Right, Turn::Over, Turn::Left] {
            let turned = turn.apply(&dotted(2, 5));
            let at = turned.bytes.iter().position(|&pixel| pixel == 0).expect("the dot is still there") as u32;
            let share = |pixels: u32, of: u32| (pixels * 10_000 / of) as u16;
            let found = WordBox {
                start: 0,
                length: 1,
                left: share(at % turned.width, turned.width),
                top: share(at / turned.width, turned.height),
                width: share(1, turned.width),
                height: share(1, turned.height),
            };
            let back = turn.undo(found);
            assert_eq!((back.left, back.top, back.width, back.height), (2000, 2500, 1000, 500), "{turn:?}");
        }
    }
}
