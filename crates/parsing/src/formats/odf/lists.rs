//! Where in which lists a paragraph stands, and what number it has there.

use super::styles::{LEVELS, Level, Styles};
use crate::formats::numerals;

/// The lists that are open, and how far each level is.
#[derive(Default)]
pub struct Lists {
    open: Vec<Option<String>>,
    counts: [u32; LEVELS],
    /// Whether the next paragraph is the first of its item, and so has its label.
    fresh: bool,
}

impl Lists {
    /// A list begins; one without a style has that of the list around it.
    pub fn begin(&mut self, style: Option<String>, goes_on: bool) {
        let style = style.or_else(|| self.open.last().cloned().flatten());
        if !goes_on && let Some(count) = self.counts.get_mut(self.open.len()) {
            *count = 0;
        }
        self.open.push(style);
    }

    /// The innermost list ends.
    pub fn end(&mut self) {
        self.open.pop();
        self.fresh = false;
    }

    /// An item of the innermost list begins; `start` is a number of its own.
    pub fn item(&mut self, start: Option<u32>, styles: &Styles) {
        let Some(level) = self.open.len().checked_sub(1).filter(|level| *level < LEVELS) else { return };
        let first = self.levels(styles).and_then(|levels| levels[level].start).unwrap_or(1);
        let count = self.counts[level];
        self.counts[level] = start.unwrap_or(if count == 0 { first } else { count.saturating_add(1) });
        self.counts[level + 1..].fill(0);
        self.fresh = true;
    }

    /// The level of the paragraph, from 0; none outside of lists and for an item's further paragraphs.
    pub fn level(&self) -> Option<usize> {
        self.open.len().checked_sub(1).filter(|_| self.fresh)
    }

    /// The number of the paragraph, which is then taken; nothing for a bullet.
    pub fn label(&mut self, styles: &Styles) -> Option<String> {
        self.fresh = false;
        let level = self.open.len().checked_sub(1)?.min(LEVELS - 1);
        label(self.levels(styles)?, &self.counts, level)
    }

    fn levels<'a>(&self, styles: &'a Styles) -> Option<&'a [Level; LEVELS]> {
        styles.levels(self.open.last()?.as_deref()?)
    }
}

/// The number at a level: `(b)`, `3.1`.
pub fn label(levels: &[Level; LEVELS], counts: &[u32; LEVELS], level: usize) -> Option<String> {
    let own = &levels[level];
    if own.format.is_empty() {
        return None;
    }
    let first = (level + 1).saturating_sub(own.shown.max(1));
    let numbers: Vec<String> = (first..=level)
        .filter(|at| !levels[*at].format.is_empty())
        .map(|at| numerals::show(counts[at].max(1), numerals::System::of_letter(&levels[at].format)))
        .collect();
    Some(format!("{}{}{}", own.prefix, numbers.join("."), own.suffix).trim().to_owned())
}
