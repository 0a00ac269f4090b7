//! Questions about the look of one document's pages, one after the other: it stays open between them, for its fonts and
//! images are what costs.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;

use super::cage;
use super::job::{self, Finished};
use crate::canvas::Canvas;
use crate::formats::{Opened, Pdfium, Source};
use crate::hints::Hints;
use crate::limits::Limits;
use crate::protocol::{PageReply, PageRequest, Request};

/// A request with the file that came with it.
pub type Incoming = Option<(Request, Option<File>)>;

/// The first question.
pub struct Wanted {
    pub file: File,
    pub hints: Hints,
    pub limits: Limits,
    pub page: u32,
    pub what: PageRequest,
}

/// Answers it, and those that come next about the same document; gives back the first request for something else.
///
/// # Errors
/// Those of `next` and `answer`, after which nobody listens.
pub fn serve(
    wanted: Wanted,
    pdfium: &Pdfium,
    canvas: &mut Canvas,
    next: &mut dyn FnMut() -> io::Result<Incoming>,
    answer: &mut dyn FnMut(Finished<PageReply>) -> io::Result<()>,
) -> io::Result<Incoming> {
    let Wanted { file, hints, mut limits, mut page, mut what } = wanted;
    let same = identity(&file)?;
    cage::allow_processor_time(limits.wall)?;
    let bytes = match job::read(file, &limits) {
        Ok(bytes) => bytes,
        Err(failure) => {
            answer(Finished { result: Err(failure), panicked: false })?;
            return next();
        }
    };
    let source = Source::new(&bytes, &hints);
    let opened = job::caught(|| Opened::new(&source, pdfium));
    let opened = match opened.result {
        Ok(opened) => opened,
        Err(failure) => {
            answer(Finished { result: Err(failure), panicked: opened.panicked })?;
            return next();
        }
    };
    loop {
        let finished = job::caught(|| match &what {
            PageRequest::Picture(purpose) => opened.picture(page, *purpose, &limits, canvas).map(PageReply::Picture),
            PageRequest::Boxes(quote) => opened.boxes(page, quote).map(PageReply::Boxes),
        });
        let panicked = finished.panicked;
        answer(finished)?;
        match next()? {
            Some((Request::Page { hints: theirs, limits: bounds, page: number, what: wanted }, Some(file)))
                if !panicked && theirs == hints && identity(&file)? == same =>
            {
                (limits, page, what) = (bounds, number, wanted);
                cage::allow_processor_time(limits.wall)?;
            }
            other => return Ok(other),
        }
    }
}

/// What tells one file from another, and from itself when it was changed.
fn identity(file: &File) -> io::Result<(u64, u64, u64, i64, i64)> {
    let about = file.metadata()?;
    Ok((about.dev(), about.ino(), about.len(), about.mtime(), about.mtime_nsec()))
}
