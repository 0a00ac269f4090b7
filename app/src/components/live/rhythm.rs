//! When the live page asks, when it listens, and what it says about that. It knows no browser and no clock: it is told of every
//! two seconds.

/// Ticks without an event after which the page asks as well: the server tells something every two seconds.
const SILENT: u32 = 5;

/// The longest pause before listening is tried again, in ticks: about a minute.
const LONGEST_PAUSE: u32 = 32;

/// How the page hears about its batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// Nothing was heard yet.
    #[default]
    Starting,
    /// It is told.
    Live,
    /// It asks.
    Asking,
    /// It asks and gets no answer.
    Lost,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    pub ask: bool,
    pub listen: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// To be opened after so many ticks.
    Closed {
        pause: u32,
    },
    Opening,
    /// Ticks since the last event.
    Open {
        silent: u32,
    },
}

/// The state of both ways.
#[derive(Clone, Copy, Debug)]
pub struct Rhythm {
    line: Line,
    /// How often listening failed since it last worked.
    failures: u32,
    /// Whether the last question was answered; absent before the first.
    answered: Option<bool>,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self { line: Line::Closed { pause: 0 }, failures: 0, answered: None }
    }
}

impl Rhythm {
    /// Two seconds passed, or the page has just come alive.
    pub fn tick(&mut self) -> Turn {
        match &mut self.line {
            Line::Closed { pause: 0 } => {
                self.line = Line::Opening;
                Turn { ask: self.failures > 0, listen: true }
            }
            Line::Closed { pause } => {
                *pause -= 1;
                Turn { ask: true, listen: false }
            }
            Line::Opening => Turn { ask: true, listen: false },
            Line::Open { silent } => {
                *silent += 1;
                Turn { ask: *silent >= SILENT, listen: false }
            }
        }
    }

    /// An event came.
    pub fn heard(&mut self) {
        *self = Self { line: Line::Open { silent: 0 }, failures: 0, answered: None };
    }

    /// The stream broke, or could not be opened. The page asks at once and listens again later, each time later.
    pub fn broke(&mut self) {
        self.failures += 1;
        let pause = 1 << self.failures.min(LONGEST_PAUSE.ilog2());
        self.line = Line::Closed { pause };
    }

    /// A question was answered, or was not. When the server is back, it is listened to at once.
    pub fn answered(&mut self, answered: bool) {
        let is_back = answered && self.answered == Some(false);
        if let (true, Line::Closed { pause }) = (is_back, &mut self.line) {
            *pause = 0;
        }
        self.answered = Some(answered);
    }

    /// Whether events come as they should, so that an answer is old news.
    pub fn is_live(&self) -> bool {
        matches!(self.line, Line::Open { silent } if silent < SILENT)
    }

    pub fn link(&self) -> Link {
        match self.answered {
            _ if self.is_live() => Link::Live,
            Some(true) => Link::Asking,
            Some(false) => Link::Lost,
            None if self.failures > 0 => Link::Asking,
            None => Link::Starting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Turn = Turn { ask: false, listen: false };
    const ASK: Turn = Turn { ask: true, listen: false };

    #[test]
    fn it_listens_first_and_asks_nothing_while_it_is_told() {
        let mut rhythm = Rhythm::default();
        assert_eq!(rhythm.link(), Link::Starting);
        assert_eq!(rhythm.tick(), Turn { ask: false, listen: true });
        for _ in 0..20 {
            rhythm.heard();
            assert_eq!((rhythm.link(), rhythm.tick()), (Link::Live, NOTHING));
        }
    }

    #[test]
    fn it_asks_when_the_stream_does_not_open_or_falls_silent() {
        let mut rhythm = Rhythm::default();
        rhythm.tick();
        assert_eq!(rhythm.tick(), ASK, "it is still opening");
        rhythm.answered(true);
        assert_eq!(rhythm.link(), Link::Asking);
        rhythm.heard();
        let turns: Vec<bool> = (0..6).map(|_| rhythm.tick().ask).collect();
        assert_eq!(turns, [false, false, false, false, true, true]);
        rhythm.answered(true);
        assert_eq!(rhythm.link(), Link::Asking);
        rhythm.heard();
        assert_eq!(rhythm.link(), Link::Live);
    }

    #[test]
    fn it_tries_the_stream_again_later_each_time() {
        let mut rhythm = Rhythm::default();
        let mut pauses = Vec::new();
        rhythm.tick();
        for _ in 0..7 {
            rhythm.broke();
            assert_eq!(rhythm.link(), Link::Asking);
            let mut pause = 0;
            while !rhythm.tick().listen {
                pause += 1;
            }
            pauses.push(pause);
        }
        assert_eq!(pauses, [2, 4, 8, 16, 32, 32, 32]);
        rhythm.heard();
        rhythm.broke();
        assert!(!rhythm.tick().listen && !rhythm.tick().listen && rhythm.tick().listen, "it worked in between");
    }

    #[test]
    fn a_server_that_is_back_is_listened_to_at_once() {
        let mut rhythm = Rhythm::default();
        rhythm.tick();
        for _ in 0..5 {
            rhythm.broke();
        }
        rhythm.answered(false);
        assert_eq!((rhythm.link(), rhythm.tick()), (Link::Lost, ASK));
        rhythm.answered(true);
        assert_eq!(rhythm.link(), Link::Asking);
        assert_eq!(rhythm.tick(), Turn { ask: true, listen: true });
    }
}
