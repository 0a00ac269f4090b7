//! Lists of terms with ids and synonyms, looked for in a text all at once (Aho and Corasick, 1975).

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

/// The most names of one list, synonyms included.
const MOST: usize = 500_000;

/// A thing with its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: String,
    /// The term first, then its synonyms.
    pub names: Vec<String>,
}

/// Reads CSV of `id,term,synonyms` with a heading; the columns may stand in any order and `id` and `synonyms` be absent.
///
/// # Errors
/// What is wrong with it, and in which line.
pub fn read(csv: &str) -> Result<Vec<Entry>, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(csv.as_bytes());
    let heading = reader.headers().map_err(|error| format!("the list is no CSV: {error}"))?.clone();
    let column = |names: &[&str]| {
        heading
            .iter()
            .position(|cell| names.iter().any(|name| cell.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name)))
    };
    let term = column(&["term", "name", "label"])
        .ok_or("the first line has to name the columns: id,term,synonyms (only term is needed)")?;
    let (id, synonyms) = (column(&["id", "identifier"]), column(&["synonyms", "synonym", "aliases"]));
    let mut entries = Vec::new();
    let mut names = 0;
    for record in reader.records() {
        let record = record.map_err(|error| format!("the list is no CSV: {error}"))?;
        let cell = |at: Option<usize>| at.and_then(|at| record.get(at)).unwrap_or_default();
        let name = cell(Some(term));
        if name.is_empty() {
            continue;
        }
        let others = cell(synonyms).split('|').map(str::trim).filter(|other| !other.is_empty());
        let all: Vec<String> = std::iter::once(name).chain(others).map(str::to_owned).collect();
        names += all.len();
        if names > MOST {
            return Err(format!("the list has more than {MOST} names"));
        }
        let own = cell(id);
        entries.push(Entry { id: if own.is_empty() { name.to_owned() } else { own.to_owned() }, names: all });
    }
    match entries.is_empty() {
        true => Err("the list has no terms below its first line".to_owned()),
        false => Ok(entries),
    }
}

/// A list that is ready to be looked for.
#[derive(Debug)]
pub struct Dictionary {
    automaton: AhoCorasick,
    /// The entry of each pattern.
    ids: Vec<String>,
}

/// A term in a text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TermHit<'a> {
    pub start: usize,
    pub end: usize,
    pub id: &'a str,
}

impl Dictionary {
    /// # Errors
    /// When the list is too large.
    pub fn new(entries: &[Entry], match_case: bool) -> Result<Self, String> {
        // A name that two entries have belongs to the first.
        let mut known = HashMap::new();
        let (mut names, mut ids) = (Vec::new(), Vec::new());
        for entry in entries {
            for name in &entry.names {
                let key = if match_case { name.clone() } else { name.to_ascii_lowercase() };
                if known.insert(key, ()).is_none() {
                    names.push(name.as_str());
                    ids.push(entry.id.clone());
                }
            }
        }
        let automaton = AhoCorasickBuilder::new()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(!match_case)
            .build(&names)
            .map_err(|error| format!("the list is too large: {error}"))?;
        Ok(Self { automaton, ids })
    }

    /// Whole words only; where terms overlap, the one that begins first, and of these the longest.
    pub fn find<'a>(&'a self, text: &str) -> Vec<TermHit<'a>> {
        let mut hits: Vec<TermHit<'a>> = self
            .automaton
            .find_overlapping_iter(text)
            .filter(|hit| is_word(text, hit.start(), hit.end()))
            .map(|hit| TermHit { start: hit.start(), end: hit.end(), id: &self.ids[hit.pattern().as_usize()] })
            .collect();
        hits.sort_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end)));
        let mut end = 0;
        hits.retain(|hit| {
            let free = hit.start >= end;
            if free {
                end = hit.end;
            }
            free
        });
        hits
    }
}

/// Whether no letter or digit goes on before or after.
fn is_word(text: &str, start: usize, end: usize) -> bool {
    let goes_on = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.is_char_boundary(start)
        && text.is_char_boundary(end)
        && !goes_on(text[..start].chars().next_back())
        && !goes_on(text[end..].chars().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_people_write_them() {
        let entry =
            |id: &str, names: &[&str]| Entry { id: id.into(), names: names.iter().map(|n| (*n).into()).collect() };
        let check = |csv: &str, expect: &[Entry]| assert_eq!(read(csv).expect("a list"), expect, "{csv}");
        check("id,term,synonyms\n7, liver ,hepar|jecur\n", &[entry("7", &["liver", "hepar", "jecur"])]);
        check("Term\nliver\n\nheart", &[entry("liver", &["liver"]), entry("heart", &["heart"])]);
        for wrong in ["", "liver\nheart", "id,term\n"] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn whole_words_and_the_longest_first() {
        let entries = read("id,term,synonyms\n1,alpha,\n2,alpha beta,ab\n3,β-catenin,").expect("a list");
        let check = |case: bool, text: &str, expect: &[(&str, &str)]| {
            let dictionary = Dictionary::new(&entries, case).expect("small");
            let found: Vec<_> = dictionary.find(text).iter().map(|hit| (&text[hit.start..hit.end], hit.id)).collect();
            assert_eq!(found, expect, "{text}");
        };
        check(false, "Alpha beta, alphabet; ab alpha", &[("Alpha beta", "2"), ("ab", "2"), ("alpha", "1")]);
        check(true, "Alpha beta alpha", &[("alpha", "1")]);
        check(true, "(β-catenin)", &[("β-catenin", "3")]);
        check(true, "éalpha alpha2", &[]);
    }
}
