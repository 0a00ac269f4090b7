//! How an upload goes: bytes, rate and time left.

use std::collections::VecDeque;

use crate::format::{bytes, count, duration};

/// The rate is the mean over this many milliseconds.
const WINDOW: f64 = 5000.0;

/// The state of one upload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transfer {
    pub sent: f64,
    pub total: f64,
    /// Files that arrived, and all of them.
    pub files: (u64, u64),
    /// While the files are compared with what the server has: how many were, and of how many.
    pub compared: Option<(u64, u64)>,
    /// While there is no connection.
    pub waiting: Option<Waiting>,
    /// Moments in milliseconds and what was sent by then, oldest first.
    samples: VecDeque<(f64, f64)>,
}

/// A pause before the next try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub seconds: u64,
    /// What the server said, if it did.
    pub why: Option<String>,
}

impl Waiting {
    /// The line that says so.
    pub fn line(&self) -> String {
        let why =
            self.why.as_deref().map_or("The connection to Sheaf is lost".to_owned(), |why| format!("Not now: {why}"));
        format!("{why}. Trying again in {} s; what has arrived is kept.", self.seconds)
    }
}

impl Transfer {
    /// So much is to be sent.
    pub fn begin(&mut self, files: u64, bytes: u64) {
        self.files = (0, files);
        self.total = bytes as f64;
    }

    /// Notes what the browser reports. `now` is in milliseconds from any start.
    pub fn note(&mut self, now: f64, sent: f64) {
        self.waiting = None;
        self.sent = sent;
        self.samples.push_back((now, sent));
        while self.samples.len() > 2 && self.samples.front().is_some_and(|(at, _)| now - at > WINDOW) {
            self.samples.pop_front();
        }
    }

    /// So many more files arrived; with them, so many bytes of all.
    pub fn acknowledge(&mut self, files: u64, bytes: u64) {
        self.waiting = None;
        self.files.0 += files;
        self.sent = bytes as f64;
    }

    /// Bytes a second, once there is enough to tell.
    pub fn rate(&self) -> Option<f64> {
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        let seconds = (last.0 - first.0) / 1000.0;
        (seconds >= 0.5 && last.1 > first.1).then(|| (last.1 - first.1) / seconds)
    }

    /// Whether all bytes are sent and the server has yet to answer.
    pub fn is_sent(&self) -> bool {
        self.total > 0.0 && self.sent >= self.total
    }

    /// The line under the bar.
    pub fn line(&self) -> String {
        if let Some((done, all)) = self.compared {
            return format!("Comparing with what has arrived: {} of {} files", count(done), count(all));
        }
        if self.is_sent() {
            return format!("{} sent. Sheaf is storing them.", whole_bytes(self.total));
        }
        let files = match self.files {
            (_, 0 | 1) => String::new(),
            (done, all) => format!("{} of {} files · ", count(done), count(all)),
        };
        let mut line = format!("{files}{} of {}", whole_bytes(self.sent), whole_bytes(self.total));
        if let Some(rate) = self.rate() {
            line.push_str(&format!(" · {}/s · ", whole_bytes(rate)));
            line.push_str(&format!("{} left", duration(whole((self.total - self.sent) / rate).max(1))));
        }
        line
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "negative and huge values saturate")]
fn whole(value: f64) -> u64 {
    value.ceil() as u64
}

fn whole_bytes(value: f64) -> String {
    bytes(whole(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let mut transfer = Transfer::default();
        transfer.begin(3000, 100_000);
        assert_eq!(transfer.rate(), None);
        for second in 0..20_u32 {
            let speed = if second < 10 { 0.0 } else { f64::from(second - 9) * 1000.0 };
            transfer.note(f64::from(second) * 1000.0, speed);
        }
        assert_eq!(transfer.rate(), Some(1000.0));
        assert_eq!(transfer.line(), "0 of 3,000 files · 10.0 kB of 100 kB · 1.0 kB/s · 1 min 30 s left");
    }

    #[test]
    fn when_all_is_sent_it_says_so() {
        let mut transfer = Transfer::default();
        transfer.begin(1, 500);
        transfer.note(0.0, 500.0);
        assert_eq!(transfer.line(), "500 B sent. Sheaf is storing them.");
    }

    #[test]
    fn a_pause_says_why_and_ends_with_the_next_byte() {
        let waiting = Some(Waiting { seconds: 4, why: None });
        let mut transfer = Transfer { waiting, ..Transfer::default() };
        let line = transfer.waiting.as_ref().map(Waiting::line);
        assert_eq!(
            line.as_deref(),
            Some("The connection to Sheaf is lost. Trying again in 4 s; what has arrived is kept.")
        );
        transfer.note(0.0, 1.0);
        assert_eq!(transfer.waiting, None);
    }
}
