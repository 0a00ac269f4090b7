//! One document in the child, from open file to last frame.

use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use sheaf_domain::{Failure, FailureCode};

use crate::formats::{Opened, Pdfium, Source};
use crate::hints::Hints;
use crate::limits::Limits;
use crate::output::Output;
use crate::protocol::{Reply, Summary};

/// How a job went; after a panic the process should not be used again.
pub struct Finished<T> {
    pub result: Result<T, Failure>,
    pub panicked: bool,
}

/// Parses `file`, sending what it is and its pages through `send`.
///
/// # Errors
/// Those of `send`, after which nobody listens. Everything else is a result.
pub fn run(
    file: File,
    hints: &Hints,
    limits: &Limits,
    range: Option<(u32, u32)>,
    pdfium: &Pdfium,
    send: &mut dyn FnMut(&Reply) -> io::Result<()>,
) -> io::Result<Finished<Summary>> {
    let mut broken = None;
    let mut send = |reply: &Reply| {
        let sent = send(reply);
        sent.map_err(|error| {
            broken = Some(error);
            Failure::new(FailureCode::Cancelled, "nobody listens")
        })
    };
    let finished = caught(|| parse(file, hints, limits, range, pdfium, &mut send));
    broken.map_or(Ok(finished), Err)
}

/// The failure for a panic.
pub fn panicked() -> Failure {
    Failure::new(FailureCode::WorkerCrashed, "the parser met something in this file that it was not made for")
}

fn parse(
    file: File,
    hints: &Hints,
    limits: &Limits,
    range: Option<(u32, u32)>,
    pdfium: &Pdfium,
    send: &mut dyn FnMut(&Reply) -> Result<(), Failure>,
) -> Result<Summary, Failure> {
    let bytes = read(file, limits)?;
    if bytes.is_empty() {
        return Err(Failure::new(FailureCode::EmptyFile, "the file is empty"));
    }
    let source = Source::new(&bytes, hints);
    // The kind first: should opening fail or kill, it is known what did it.
    send(&Reply::Open { kind: source.kind, pages: None })?;
    let opened = Opened::new(&source, pdfium)?;
    let pages = opened.page_count();
    send(&Reply::Open { kind: source.kind, pages })?;
    let range = range.filter(|_| pages.is_some());
    let mut emit = |page| send(&Reply::Page(page));
    let mut output = Output::new(limits, &mut emit);
    if let (Some((first, last)), Some(pages)) = (range, pages) {
        output = output.part(first.max(1), first > 1 || last < pages);
    }
    opened.parse(range, &mut output)?;
    output.finish()
}

/// Runs a job whose panic is a failure.
pub fn caught<T>(job: impl FnOnce() -> Result<T, Failure>) -> Finished<T> {
    let result = catch_unwind(AssertUnwindSafe(job));
    let panicked = result.is_err();
    let result = result.unwrap_or_else(|_| Err(self::panicked()));
    Finished { result, panicked }
}

/// All of a file.
pub fn read(file: File, limits: &Limits) -> Result<Vec<u8>, Failure> {
    let storage = |error: io::Error| {
        Failure::new(FailureCode::Storage, format!("the stored file cannot be read: {}", error.kind()))
    };
    let length = file.metadata().map_err(storage)?.len();
    if length > limits.file_bytes {
        return Err(limits.file_too_large(length));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.take(limits.file_bytes).read_to_end(&mut bytes).map_err(storage)?;
    Ok(bytes)
}
