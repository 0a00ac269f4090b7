//! What parent and child say to each other: frames of a little-endian `u32` length and a postcard body.
//!
//! The parent opens with [`Request::Hello`]; each [`Request::Job`] is answered by at most one [`Reply::Open`], a
//! [`Reply::Page`] for each page, and one [`Reply::Done`] or [`Reply::Failed`]; each [`Request::Page`] by one
//! [`Reply::OfPage`] or [`Reply::Failed`]. Several jobs may come at once; they are done in their order, and the answers may
//! come together. A child that dies has answered for none of which the last frame did not arrive.

use std::io::{self, Read, Write};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sheaf_domain::{DocumentKind, DocumentMetadata, Failure, PageBox, Problem};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::archive::Stop;
use crate::archive::level::Level;
use crate::document::ParsedPage;
use crate::hints::Hints;
use crate::limits::Limits;
use crate::picture::{Drawn, PictureFor};
use crate::protections::Protections;
use crate::quote::Quote;

/// Both sides must have the same; they differ only when the program was replaced while it ran.
pub const VERSION: u16 = 4;

/// The largest frame beside the text of a page: names, metadata, problems.
pub const FRAME_OVERHEAD: usize = 256 << 10;

/// From the parent. Paths travel as the bytes that the system has for them, documents as open files beside the frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// The canvas comes with it.
    Hello { version: u16, address_space: u64, pdfium: Option<Vec<u8>> },
    /// Read the pages of `range` (first and last, from 1), or all; what has no pages of its own is read whole. The document's
    /// file comes with it.
    Job { hints: Hints, limits: Limits, range: Option<(u32, u32)> },
    /// Something about the look of a page, from 1. The document's file comes with it.
    Page { hints: Hints, limits: Limits, page: u32, what: PageRequest },
    /// Try what the cage should refuse.
    Probe,
    /// The archive's file comes with it; answered by [`Reply::Entry`], any [`Reply::Chunk`]s and a [`Reply::EntryEnd`] for
    /// each file in it, and one [`Reply::Unpacked`].
    Unpack { name: String, level: Level },
}

/// What is wanted of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PageRequest {
    Picture(PictureFor),
    /// Where the quote stands on it.
    Boxes(Quote),
}

/// From the child.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    Hello {
        version: u16,
        protections: Protections,
    },
    /// `pages` where they can be counted before they are read.
    Open {
        kind: DocumentKind,
        pages: Option<u32>,
    },
    Page(ParsedPage),
    /// `retire`: the child has done its share, or has grown, and wants to be replaced.
    Done {
        summary: Summary,
        retire: bool,
    },
    Failed {
        failure: Failure,
        retire: bool,
    },
    OfPage {
        reply: PageReply,
        retire: bool,
    },
    /// What a [`Request::Probe`] found to be possible.
    Possible(Vec<String>),
    Entry {
        name: String,
    },
    Chunk(Bytes),
    EntryEnd(Result<(), Failure>),
    Unpacked {
        result: Result<(), Stop>,
        retire: bool,
    },
}

/// The answer to a [`PageRequest`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PageReply {
    /// Its pixels may be on the canvas.
    Picture(Drawn),
    Boxes(Vec<PageBox>),
}

/// What is known when the last page is through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub metadata: DocumentMetadata,
    pub problems: Vec<Problem>,
    pub language: Option<String>,
    pub words: u64,
}

/// The frame of a message.
///
/// # Errors
/// When the message is longer than 4 GiB.
pub fn encode<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    let mut frame = postcard::to_extend(message, vec![0; 4]).map_err(io::Error::other)?;
    let length = u32::try_from(frame.len() - 4).map_err(io::Error::other)?;
    frame[..4].copy_from_slice(&length.to_le_bytes());
    Ok(frame)
}

/// Writes one frame; a writer that gathers is not flushed.
///
/// # Errors
/// Those of the writer.
pub fn write<T: Serialize>(to: &mut impl Write, message: &T) -> io::Result<()> {
    to.write_all(&encode(message)?)
}

/// Reads one frame of at most `bound` bytes; `None` at the end of the stream.
///
/// # Errors
/// Those of the reader; `InvalidData` for a frame that is too long or no such message.
pub fn read<T: DeserializeOwned>(from: &mut impl Read, bound: usize) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut body = vec![0; checked(length, bound)?];
    from.read_exact(&mut body)?;
    decode(&body).map(Some)
}

/// [`read`] for the parent, with the end of the stream as an error; also gives the size of the frame in bytes.
///
/// # Errors
/// As for [`read`], and `UnexpectedEof` at the end of the stream.
pub async fn receive<T: DeserializeOwned>(from: &mut (impl AsyncRead + Unpin), bound: usize) -> io::Result<(T, usize)> {
    let mut length = [0; 4];
    from.read_exact(&mut length).await?;
    let mut body = vec![0; checked(length, bound)?];
    from.read_exact(&mut body).await?;
    Ok((decode(&body)?, body.len()))
}

fn checked(length: [u8; 4], bound: usize) -> io::Result<usize> {
    let length = u32::from_le_bytes(length) as usize;
    if length > bound {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame is longer than allowed"));
    }
    Ok(length)
}

fn decode<T: DeserializeOwned>(body: &[u8]) -> io::Result<T> {
    postcard::from_bytes(body).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, proptest};

    use super::*;
    use crate::document::PageState;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn pages_survive_the_journey(number in any::<u32>(), text in any::<String>()) {
            let reply = Reply::Page(ParsedPage { number, text, state: PageState::Pictured });
            let frame = encode(&reply).expect("small");
            assert_eq!(read(&mut &frame[..], frame.len()).expect("whole"), Some(reply));
        }

        #[test]
        fn jobs_survive_the_journey(name in any::<String>()) {
            let request = Request::Job { hints: name.as_str().into(), limits: Limits::default(), range: Some((3, 7)) };
            let frame = encode(&request).expect("small");
            assert_eq!(read(&mut &frame[..], frame.len()).expect("whole"), Some(request));
        }

        #[test]
        fn a_damaged_frame_is_an_error_or_a_message(
            name in any::<String>(),
            at in any::<proptest::sample::Index>(),
            with in any::<u8>(),
        ) {
            let reply = Reply::Entry { name: name.clone() };
            let request = Request::Job { hints: name.as_str().into(), limits: Limits::default(), range: None };
            for mut frame in [encode(&reply).expect("small"), encode(&request).expect("small")] {
                let at = 4 + at.index(frame.len() - 4);
                frame[at] = with;
                let _ = read::<Reply>(&mut &frame[..], 1 << 16);
                let _ = read::<Request>(&mut &frame[..], 1 << 16);
            }
        }

        #[test]
        fn noise_is_an_error_and_never_a_panic(noise in any::<Vec<u8>>()) {
            let _ = read::<Reply>(&mut &noise[..], 1 << 16);
        }
    }

    #[test]
    fn a_long_frame_is_refused_before_it_is_read() {
        let error = read::<Reply>(&mut &u32::MAX.to_le_bytes()[..], 1024).expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn the_end_between_frames_is_no_error() {
        assert_eq!(read::<Reply>(&mut &[][..], 1024).expect("empty"), None);
    }
}
