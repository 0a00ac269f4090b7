//! How an upload goes: bytes, rate and time left.

use std::collections::VecDeque;

use crate::format::{bytes, duration};

/// The rate is the mean over this many milliseconds.
const WINDOW: f64 = 5000.0;

/// The state of one upload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transfer {
    pub sent: f64,
    pub total: f64,
    /// Moments in milliseconds and what was sent by then, oldest first.
    samples: VecDeque<(f64, f64)>,
}

impl Transfer {
    /// Notes what the browser reports. `now` is in milliseconds from any start.
    pub fn note(&mut self, now: f64, sent: f64, total: f64) {
        self.sent = sent;
        self.total = total;
        self.samples.push_back((now, sent));
        while self.samples.len() > 2 && self.samples.front().is_some_and(|(at, _)| now - at > WINDOW) {
            self.samples.pop_front();
        }
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
        if self.is_sent() {
            return format!("{} sent. Sheaf is storing them.", whole_bytes(self.total));
        }
        let mut line = format!("{} of {}", whole_bytes(self.sent), whole_bytes(self.total));
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
        assert_eq!(transfer.rate(), None);
        for second in 0..20_u32 {
            let speed = if second < 10 { 0.0 } else { f64::from(second - 9) * 1000.0 };
            transfer.note(f64::from(second) * 1000.0, speed, 100_000.0);
        }
        assert_eq!(transfer.rate(), Some(1000.0));
        assert_eq!(transfer.line(), "10.0 kB of 100 kB · 1.0 kB/s · 1 min 30 s left");
    }

    #[test]
    fn when_all_is_sent_it_says_so() {
        let mut transfer = Transfer::default();
        transfer.note(0.0, 500.0, 500.0);
        assert_eq!(transfer.line(), "500 B sent. Sheaf is storing them.");
    }
}
