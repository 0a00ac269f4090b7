//! The words of one document, few enough to keep for every document of a batch.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::grams::{PLACES, grams};
use super::language::Language;
use super::words::{Word, words};

/// The most words kept of a document.
pub const MAX_TERMS: usize = 64;
/// Bytes of a text that are looked at, at most: from its beginning, middle and end.
const MAX_BYTES: usize = 3 << 18;
/// Forms of one word that are kept, at most, the most frequent first.
const MAX_FORMS: usize = 2;

/// The most frequent words of a document with their counts, most frequent first; stop words left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// In lower case, a space between them: a form of a word and its stem by turns.
    words: String,
    /// For each form how often it occurs.
    counts: Vec<u32>,
}

/// A word, how often it occurs, and where first.
type Form = (String, u32, usize);

impl Terms {
    /// Counts the words of `text`. `language` is its ISO 639-3 code, if known; it decides on stop words and stems.
    pub fn of(text: &str, language: Option<&str>) -> Self {
        let is_japanese = language == Some("jpn");
        let language = Language::of(language);
        let mut counts: FxHashMap<String, (u32, usize)> = FxHashMap::default();
        let mut runs = Vec::new();
        // Places between which those of the words in a run fit.
        let mut seen = 0;
        for part in parts(text) {
            words(part, is_japanese, |word| match word {
                Word::Whole(word) => {
                    seen += 1;
                    match counts.get_mut(word) {
                        Some((count, _)) => *count += 1,
                        None if language.is_stop_word(word) => {}
                        None => {
                            counts.insert(word.to_owned(), (1, seen * PLACES));
                        }
                    }
                }
                Word::Run(run) => {
                    runs.push((seen + 1, run));
                    seen += run.chars().count();
                }
            });
        }
        for (gram, (count, first)) in grams(&runs) {
            if !language.is_stop_word(gram) {
                let (all, _) = counts.entry(gram.to_owned()).or_insert((0, first));
                *all += count;
            }
        }
        Self::choose(counts, &language)
    }

    /// The strongest stems, and their most frequent forms; ties by first occurrence.
    fn choose(counts: FxHashMap<String, (u32, usize)>, language: &Language) -> Self {
        let mut by_stem: FxHashMap<String, Vec<Form>> = FxHashMap::default();
        for (word, (count, first)) in counts {
            by_stem.entry(language.stem(&word)).or_default().push((word, count, first));
        }
        let mut stems: Vec<(String, Vec<Form>)> = by_stem.into_iter().collect();
        for (_, forms) in &mut stems {
            forms.sort_by_key(|&(_, count, first)| (Reverse(count), first));
        }
        let total = |forms: &[Form]| forms.iter().map(|&(_, count, _)| count).sum::<u32>();
        stems.sort_by_key(|(_, forms)| (Reverse(total(forms)), forms[0].2));
        let mut terms = Self::default();
        for (stem, forms) in stems.into_iter().take(MAX_TERMS) {
            for (word, count, _) in forms.into_iter().take(MAX_FORMS) {
                for part in [&word, &stem] {
                    if !terms.words.is_empty() {
                        terms.words.push(' ');
                    }
                    terms.words.push_str(part);
                }
                terms.counts.push(count);
            }
        }
        terms
    }

    /// Form, stem and count of each word.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, u32)> {
        let mut parts = self.words.split(' ');
        self.counts.iter().map_while(move |&count| Some((parts.next()?, parts.next()?, count)))
    }

    /// Whether there are no words.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}

/// The text, or three parts of a very long one.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let third = MAX_BYTES / 3;
    let cut = |from: usize, to: usize| &text[text.floor_char_boundary(from)..text.floor_char_boundary(to)];
    let len = text.len();
    let spans = if len <= MAX_BYTES {
        vec![(0, len)]
    } else {
        vec![(0, third), (len / 2 - third / 2, len / 2 + third / 2), (len - third, len)]
    };
    spans.into_iter().map(move |(from, to)| cut(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_counted_by_stem_without_stop_words() {
        let terms = Terms::of("The films and the film. Films, 1999; a director of films!", Some("eng"));
        let found: Vec<_> = terms.iter().collect();
        assert_eq!(found, [("films", "film", 3), ("film", "film", 1), ("director", "director", 1)]);
    }

    #[test]
    fn terms_are_bounded_whatever_the_text() {
        let text: String = (0..200_000)
            .map(|i| format!("w{}x ", "abcdefghij".chars().cycle().skip(i % 10).take(1 + i % 30).collect::<String>()))
            .collect();
        let terms = Terms::of(&text, None);
        assert!(terms.iter().count() <= MAX_TERMS * MAX_FORMS);
    }
}
