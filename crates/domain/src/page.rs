//! Pages of a document: where their text is, and what was recognised on them.

use serde::{Deserialize, Serialize};

/// A word and where it stands. The box is in ten-thousandths of the page's width and height, from the top left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordBox {
    /// Where it begins in the page's text, in bytes.
    pub start: u32,
    /// In bytes.
    pub length: u32,
    pub left: u16,
    pub top: u16,
    pub width: u16,
    pub height: u16,
}

/// What text recognition found on a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageRecognition {
    /// From 1.
    pub page: u32,
    /// Mean over the words, weighted by their letters, 0 to 1.
    pub confidence: f32,
    pub words: Vec<WordBox>,
}

/// A box on a page, in shares (0 to 1) of its width and height as it is shown, from the top left.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageBox {
    pub left: f32,
    pub top: f32,
    pub width: f32,
    pub height: f32,
}

impl PageBox {
    /// Where it ends on the right.
    pub fn right(&self) -> f32 {
        self.left + self.width
    }

    /// Where it ends below.
    pub fn bottom(&self) -> f32 {
        self.top + self.height
    }

    /// The smallest box around both.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let (left, top) = (self.left.min(other.left), self.top.min(other.top));
        let (right, bottom) = (self.right().max(other.right()), self.bottom().max(other.bottom()));
        Self { left, top, width: right - left, height: bottom - top }
    }
}

/// Parts of one line stand at most so many times their height apart.
const GAP: f32 = 2.0;
/// Parts of one line share at least this much of the lower one's height.
const SHARED: f32 = 0.5;

impl PageBox {
    /// From the places of characters or words in reading order, each with whether a new line begins with it, to one box for
    /// each stretch of a line.
    pub fn lines(places: impl IntoIterator<Item = (Self, bool)>) -> Vec<Self> {
        let mut lines: Vec<Self> = Vec::new();
        for (place, begins_line) in places {
            match lines.last_mut() {
                // All that was written into one frame has the place of the frame.
                Some(line) if *line == place => {}
                Some(line) if !begins_line && line.goes_on_with(&place) => *line = line.with(&place),
                Some(_) | None => lines.push(place),
            }
        }
        lines
    }

    /// Whether `next` stands beside its end, be it on a line that runs across or down.
    fn goes_on_with(&self, next: &Self) -> bool {
        // How far two stretches are apart, or, below zero, how much they share.
        let apart = |one: (f32, f32), other: (f32, f32)| one.0.max(other.0) - one.1.min(other.1);
        let beside = |one: (f32, f32), other: (f32, f32), gap: f32| {
            let lower = (one.1 - one.0).min(other.1 - other.0);
            -apart(one, other) >= SHARED * lower && gap <= GAP * lower
        };
        let (across, next_across) = ((self.left, self.right()), (next.left, next.right()));
        let (down, next_down) = ((self.top, self.bottom()), (next.top, next.bottom()));
        beside(down, next_down, apart(across, next_across)) || beside(across, next_across, apart(down, next_down))
    }
}

impl From<&WordBox> for PageBox {
    fn from(word: &WordBox) -> Self {
        let share = |value: u16| f32::from(value) / 10_000.0;
        Self { left: share(word.left), top: share(word.top), width: share(word.width), height: share(word.height) }
    }
}

/// Where a quote stands on a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuoteBoxes {
    /// The page, from 1.
    pub page: u32,
    /// Where the quote begins in the page's text, in bytes.
    pub start: u32,
    /// Where it ends, in bytes.
    pub end: u32,
    /// The quote itself.
    pub text: String,
    /// One for each stretch of a line, in reading order.
    pub boxes: Vec<PageBox>,
}

/// One page as a document's own page shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageView {
    /// From 1.
    pub number: u32,
    pub text: String,
    /// Absent for a page whose text was in the file.
    pub recognition: Option<PageRecognition>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_line_become_one_box() {
        #[track_caller]
        fn check(places: &[([f32; 4], bool)], expect: &[[f32; 4]]) {
            let place = |&[left, top, width, height]: &[f32; 4]| PageBox { left, top, width, height };
            let lines = PageBox::lines(places.iter().map(|(sides, begins_line)| (place(sides), *begins_line)));
            assert_eq!(lines.len(), expect.len(), "{lines:?}");
            for (found, expect) in lines.iter().zip(expect.iter().map(place)) {
                let near = |one: f32, other: f32| (one - other).abs() < 1e-5;
                assert!(near(found.left, expect.left) && near(found.right(), expect.right()), "{found:?}");
                assert!(near(found.top, expect.top) && near(found.bottom(), expect.bottom()), "{found:?}");
            }
        }
        let (one, next, below) = ([0.1, 0.1, 0.05, 0.02], [0.16, 0.101, 0.05, 0.02], [0.1, 0.13, 0.05, 0.02]);
        check(&[(one, true), (next, false)], &[[0.1, 0.1, 0.11, 0.021]]);
        check(&[(one, true), (next, true)], &[one, next]);
        check(&[(one, true), (one, true)], &[one]);
        check(&[(one, true), (next, false), (below, true)], &[[0.1, 0.1, 0.11, 0.021], below]);
        // The next column, and a line that runs down.
        check(&[(one, true), ([0.6, 0.1, 0.05, 0.02], false)], &[one, [0.6, 0.1, 0.05, 0.02]]);
        check(&[([0.5, 0.1, 0.02, 0.01], true), ([0.5, 0.11, 0.02, 0.01], false)], &[[0.5, 0.1, 0.02, 0.02]]);
        check(&[], &[]);
    }
}
