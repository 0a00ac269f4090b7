//! Identifiers of names: exact, then without case and marks, then with few letters different. What could be two things is
//! left open.

use std::collections::HashMap;

use sheaf_domain::flow::{FoundValue, Resolve};

use super::terms::{self, Entry};

/// Names shorter than this are never matched with letters that differ.
const FUZZY_LETTERS: usize = 5;

/// A table that is ready.
#[derive(Debug)]
pub struct Resolver {
    entries: Vec<Entry>,
    exact: HashMap<String, usize>,
    /// `None` where two entries share the name.
    normalised: HashMap<String, Option<usize>>,
    /// Normalised names with their entries, by their number of letters.
    by_length: HashMap<usize, Vec<(Vec<char>, usize)>>,
    max_edits: usize,
}

/// How a name was matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Exact,
    Normalised,
    Fuzzy,
    Unresolved,
}

impl How {
    const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Normalised => "normalised",
            Self::Fuzzy => "fuzzy",
            Self::Unresolved => "unresolved",
        }
    }
}

impl Resolver {
    /// # Errors
    /// What is wrong with the table.
    pub fn new(resolve: &Resolve) -> Result<Self, String> {
        let entries = terms::read(&resolve.table)?;
        let (mut exact, mut normalised) = (HashMap::new(), HashMap::<String, Option<usize>>::new());
        for (at, entry) in entries.iter().enumerate() {
            for name in &entry.names {
                exact.entry(name.clone()).or_insert(at);
                let known = normalised.entry(plain(name)).or_insert(Some(at));
                if known.is_some_and(|known| entries[known].id != entry.id) {
                    *known = None;
                }
            }
        }
        let mut by_length: HashMap<usize, Vec<(Vec<char>, usize)>> = HashMap::new();
        for (name, at) in &normalised {
            let letters: Vec<char> = name.chars().collect();
            if let Some(at) = at {
                by_length.entry(letters.len()).or_default().push((letters, *at));
            }
        }
        Ok(Self { entries, exact, normalised, by_length, max_edits: resolve.max_edits as usize })
    }

    /// The entry of a name and how it was found.
    pub fn resolve(&self, name: &str) -> (Option<&Entry>, How) {
        if let Some(&at) = self.exact.get(name) {
            return (self.entries.get(at), How::Exact);
        }
        let wanted = plain(name);
        if let Some(&known) = self.normalised.get(&wanted) {
            return known.map_or((None, How::Unresolved), |at| (self.entries.get(at), How::Normalised));
        }
        match self.nearest(&wanted.chars().collect::<Vec<_>>()) {
            Some(at) => (self.entries.get(at), How::Fuzzy),
            None => (None, How::Unresolved),
        }
    }

    /// The only entry at the least distance within bounds.
    fn nearest(&self, wanted: &[char]) -> Option<usize> {
        if wanted.len() < FUZZY_LETTERS {
            return None;
        }
        let mut best: Option<(usize, usize)> = None;
        let mut is_tie = false;
        for length in wanted.len().saturating_sub(self.max_edits)..=wanted.len() + self.max_edits {
            for (name, at) in self.by_length.get(&length).into_iter().flatten() {
                let most = best.map_or(self.max_edits, |(edits, _)| edits);
                let Some(edits) = distance(wanted, name, most) else { continue };
                let same = best.is_some_and(|(_, other)| self.entries[other].id == self.entries[*at].id);
                is_tie = if best.is_some_and(|(least, _)| edits == least) { is_tie || !same } else { false };
                best = Some((edits, *at));
            }
        }
        best.filter(|_| !is_tie).map(|(_, at)| at)
    }

    /// Three fields for each value of the column, in its rows and with its evidence.
    pub fn run(&self, step: &str, source: &[&FoundValue]) -> Vec<FoundValue> {
        let mut known = HashMap::new();
        let mut values = Vec::with_capacity(source.len() * 3);
        for &found in source {
            let (entry, how) = *known.entry(found.value.as_str()).or_insert_with(|| self.resolve(&found.value));
            let id = entry.map_or("", |entry| &entry.id);
            let name = entry.and_then(|entry| entry.names.first()).map_or("", String::as_str);
            for (field, value) in [("id", id), ("name", name), ("how", how.name())] {
                values.push(FoundValue {
                    step: step.to_owned(),
                    field: field.to_owned(),
                    value: value.to_owned(),
                    ..found.clone()
                });
            }
        }
        values
    }
}

/// Letters and digits in lower case.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The edit distance (Levenshtein, 1966), if it is at most `most`.
fn distance(a: &[char], b: &[char], most: usize) -> Option<usize> {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
        if row.iter().all(|cost| *cost > most) {
            return None;
        }
    }
    row.last().copied().filter(|cost| *cost <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_resolved_as_far_as_they_are_clear() {
        let table = "id,term,synonyms\nU1,Liver,hepatic tissue\nU2,Kidney,\nU3,Kidneys x,\nU4,lever,".to_owned();
        let resolver = Resolver::new(&Resolve { column: String::new(), table, max_edits: 1 }).expect("a table");
        let check = |name: &str, id: &str, how: How| {
            let (entry, found) = resolver.resolve(name);
            assert_eq!((entry.map_or("", |entry| &entry.id), found), (id, how), "{name}");
        };
        check("Liver", "U1", How::Exact);
        check("LIVER", "U1", How::Normalised);
        check("Hepatic-Tissue", "U1", How::Normalised);
        check("kidnay", "U2", How::Fuzzy);
        check("laver", "", How::Unresolved);
        check("liv", "", How::Unresolved);
        check("heart", "", How::Unresolved);
    }

    #[test]
    fn distances_are_bounded() {
        let check = |a: &str, b: &str, most: usize, expect: Option<usize>| {
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            assert_eq!(distance(&letters(a), &letters(b), most), expect, "{a} {b}");
        };
        check("kitten", "sitting", 3, Some(3));
        check("kitten", "sitting", 2, None);
        check("", "ab", 2, Some(2));
        check("same", "same", 0, Some(0));
    }
}
