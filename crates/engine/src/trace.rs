//! Which request started what is going on now, as W3C Trace Context has it, so that what a worker logs can be found by it.

use std::fmt;
use std::str::FromStr;

tokio::task_local! {
    static CURRENT: Trace;
}

/// A trace and the span in it that asks: the header `traceparent`, version 00.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    trace: u128,
    span: u64,
    flags: u8,
}

/// It is no `traceparent` of a version that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no traceparent")]
pub struct NoTrace;

impl Trace {
    /// A trace of its own, for a request that came without one.
    pub fn new() -> Self {
        let (trace, span) = (uuid::Uuid::new_v4().as_u128(), uuid::Uuid::new_v4().as_u64_pair().1);
        Self { trace, span, flags: 1 }
    }

    /// Of the ids that W3C Trace Context has; absent when one is zero, which means none.
    pub fn of_ids(trace: u128, span: u64, flags: u8) -> Option<Self> {
        (trace != 0 && span != 0).then_some(Self { trace, span, flags })
    }

    /// The ids of the trace and of the span in it, and the flags.
    pub const fn ids(&self) -> (u128, u64, u8) {
        (self.trace, self.span, self.flags)
    }

    /// The id by which everything is found that belongs together: 32 hexadecimal digits.
    pub fn id(&self) -> impl fmt::Display + use<> {
        let trace = self.trace;
        fmt::from_fn(move |f| write!(f, "{trace:032x}"))
    }

    /// Runs something as a part of this trace.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }

    /// The trace that the present task is a part of.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|trace| *trace).ok()
    }
}

impl Default for Trace {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }
}

impl FromStr for Trace {
    type Err = NoTrace;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('-');
        let mut part = |length: usize| {
            let part = parts.next().filter(|part| part.len() == length).ok_or(NoTrace)?;
            // The header has lower case only, and `from_str_radix` would take a sign.
            let is_hex = part.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'));
            is_hex.then(|| u128::from_str_radix(part, 16).unwrap_or_default()).ok_or(NoTrace)
        };
        let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
        let span = u64::try_from(span).map_err(|_| NoTrace)?;
        let flags = u8::try_from(flags).map_err(|_| NoTrace)?;
        if version != 0 || parts.next().is_some() {
            return Err(NoTrace);
        }
        Self::of_ids(trace, span, flags).ok_or(NoTrace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_written() {
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let trace: Trace = header.parse().expect("valid");
        assert_eq!(trace.to_string(), header);
        assert_eq!(trace.id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        let own = Trace::new();
        assert_eq!(own.to_string().parse(), Ok(own));
        for wrong in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(wrong.parse::<Trace>(), Err(NoTrace), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_task_knows_its_trace() {
        assert_eq!(Trace::current(), None);
        let trace = Trace::new();
        assert_eq!(trace.scope(async { Trace::current() }).await, Some(trace));
    }
}
