//! From how a child ended to what a person is told.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::process::Signal;
use sheaf_domain::{DocumentKind, Failure, FailureCode};

use crate::limits::Limits;

/// Why a child is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// It was killed for taking too long, or used up its processor time.
    Slow,
    /// It wanted more memory than it may have.
    Hungry,
    /// It recursed too deep.
    Deep,
    /// It broke.
    Crashed,
    /// It said something that makes no sense, and was killed.
    Garbled,
}

/// The cause of death by status and last words.
///
/// An allocation that fails ends in `SIGABRT` without a word from PDFium, or with one from Rust; so do a stack overflow
/// and a panic that cannot unwind, but these say so.
pub fn cause(status: ExitStatus, last_words: &[u8]) -> Death {
    let says = |words: &str| last_words.windows(words.len()).any(|window| window == words.as_bytes());
    match status.signal().and_then(Signal::from_named_raw) {
        Some(Signal::XCPU) => Death::Slow,
        Some(_) if says("overflowed its stack") => Death::Deep,
        Some(Signal::ABORT) if says("panicked") && !says("memory allocation of") => Death::Crashed,
        // A kill that did not come from here is the system's, which had no memory left.
        Some(Signal::ABORT | Signal::KILL) => Death::Hungry,
        Some(_) | None => Death::Crashed,
    }
}

impl Death {
    /// Counts it for whoever watches over the process.
    pub fn count(self) {
        let reason = match self {
            Self::Slow => "time",
            Self::Hungry => "memory",
            Self::Deep => "depth",
            Self::Crashed => "crash",
            Self::Garbled => "nonsense",
        };
        metrics::counter!("sheaf_parser_deaths_total", "reason" => reason).increment(1);
    }

    /// What to tell about a document of which `pages` had arrived.
    pub fn failure(self, kind: Option<DocumentKind>, pages: usize, limits: &Limits) -> Failure {
        let what = kind.map_or("this file", DocumentKind::label);
        let at = match pages {
            0 => String::new(),
            pages => format!(" after page {pages}"),
        };
        match self {
            Self::Slow => Failure::new(
                FailureCode::TimedOut,
                format!("{what}: reading took longer than {} s and was stopped{at}", limits.wall.as_secs_f32()),
            ),
            Self::Hungry => Failure::new(
                FailureCode::OutOfMemory,
                format!("{what}: reading wanted more than {} MiB and was stopped{at}", limits.address_space >> 20),
            ),
            Self::Deep => Failure::new(FailureCode::NestedTooDeep, format!("{what}: it is nested too deep{at}")),
            Self::Crashed => Failure::new(FailureCode::WorkerCrashed, format!("{what}: the parser crashed{at}")),
            Self::Garbled => Failure::new(FailureCode::WorkerCrashed, format!("{what}: the parser gave nonsense{at}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes() {
        #[track_caller]
        fn check(signal: Signal, words: &str, expect: Death) {
            assert_eq!(cause(ExitStatus::from_raw(signal.as_raw()), words.as_bytes()), expect);
        }
        check(Signal::XCPU, "", Death::Slow);
        check(Signal::ABORT, "", Death::Hungry);
        check(Signal::ABORT, "memory allocation of 99 bytes failed", Death::Hungry);
        check(Signal::ABORT, "thread 'parser' has overflowed its stack", Death::Deep);
        check(Signal::ABORT, "panicked in a function that cannot unwind", Death::Crashed);
        check(Signal::KILL, "", Death::Hungry);
        check(Signal::SEGV, "", Death::Crashed);
    }

    #[test]
    fn a_failure_names_the_page_it_got_to() {
        let failure = Death::Crashed.failure(Some(DocumentKind::Pdf), 6, &Limits::default());
        assert_eq!(failure.code, FailureCode::WorkerCrashed);
        assert_eq!(failure.message, "PDF: the parser crashed after page 6");
    }
}
