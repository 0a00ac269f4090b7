//! Pages as pictures: for people to look at, and for text recognition.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// What a picture is for, and so its size and encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PictureFor {
    /// For the eye: in colour, at most `width` pixels wide, as lossless WebP (RFC 9649).
    Eye { width: u32 },
    /// For text recognition: eight bits of grey a pixel, at `dpi` where the page has a size, with at most `pixels` pixels.
    Recognition { dpi: u32, pixels: u64 },
}

/// A page as a picture on its way from a child.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    pub dpi: Option<u32>,
    pub content: Content,
}

/// Where the bytes of a picture are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// A whole file.
    File(Bytes),
    /// The first `width * height` bytes of the canvas.
    Canvas,
}

/// A page as a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Pixels an inch; absent when the source does not know.
    pub dpi: Option<u32>,
    /// [`PictureFor::Eye`]: the file. [`PictureFor::Recognition`]: `width * height` bytes, rows from the top.
    pub bytes: Bytes,
}
