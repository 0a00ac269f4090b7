//! The orders of the table: what is not known comes last in both directions, what is equal goes by path.

use std::cmp::Ordering;

use sheaf_domain::{ClusterId, SortKey};

use super::select::Selection;

impl Selection<'_> {
    /// Which of two lines comes first in the query's order.
    pub(super) fn order(&self, a: u32, b: u32) -> Ordering {
        let (x, y) = (&self.columns.lines[a as usize], &self.columns.lines[b as usize]);
        let by_value = match self.query.sort {
            SortKey::Path if !self.query.descending => Ordering::Equal,
            SortKey::Path => self.columns.path(b).cmp(self.columns.path(a)),
            SortKey::Kind => self.known_first(x.kind.map(|kind| kind.name()), y.kind.map(|kind| kind.name())),
            SortKey::Pages => self.known_first(x.pages, y.pages),
            SortKey::Words => self.known_first(x.words, y.words),
            SortKey::Language => self.known_first(self.columns.language(x), self.columns.language(y)),
            SortKey::Cluster => self.known_first::<ClusterId>(
                x.place.and_then(|place| place.cluster),
                y.place.and_then(|place| place.cluster),
            ),
            SortKey::Probability => {
                // Probabilities are not negative, so their bits are ordered as they are.
                let bits = |line: &super::Line| line.place.map(|place| place.probability.max(0.0).to_bits());
                self.known_first(bits(x), bits(y))
            }
            SortKey::Status => self.known_first(Some(x.status.name()), Some(y.status.name())),
        };
        by_value.then(a.cmp(&b))
    }

    fn known_first<T: Ord>(&self, x: Option<T>, y: Option<T>) -> Ordering {
        match (x, y) {
            (Some(x), Some(y)) if self.query.descending => y.cmp(&x),
            (Some(x), Some(y)) => x.cmp(&y),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
    }

    /// The query's page of these lines, which are sorted no further than that needs.
    pub(super) fn cut(&self, mut lines: Vec<u32>) -> Vec<u32> {
        let start = (self.query.offset as usize).min(lines.len());
        let end = start.saturating_add(self.query.effective_limit() as usize).min(lines.len());
        if start == end {
            return Vec::new();
        }
        if self.query.sort != SortKey::Path || self.query.descending {
            if end < lines.len() {
                lines.select_nth_unstable_by(end, |&a, &b| self.order(a, b));
                lines.truncate(end);
            }
            if start > 0 {
                lines.select_nth_unstable_by(start, |&a, &b| self.order(a, b));
            }
            lines[start..].sort_unstable_by(|&a, &b| self.order(a, b));
        }
        lines[start..end].to_vec()
    }
}
