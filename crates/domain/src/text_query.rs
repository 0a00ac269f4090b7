//! What people type into a search field, and where a text has it. Nothing that is typed is an error: what is no syntax is
//! words.

use std::ops::Range;

use crate::folded::{FoldedWord, folded_words};

/// Terms of one search; what is over is left out.
const MOST_TERMS: usize = 32;
/// Words of one phrase.
const MOST_WORDS: usize = 32;

/// A word, or words that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Folded; at least one.
    pub words: Vec<String>,
    /// Whether the last word is only the beginning of one.
    pub prefix: bool,
}

/// A search for words: every group of `all` has a term that is there, and no term of `none` is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextQuery {
    pub all: Vec<Vec<Term>>,
    pub none: Vec<Term>,
}

impl TextQuery {
    /// Reads `words`, `"a phrase"`, `-not`, `begin*` and `one OR other`. Where only words are left that must not be there,
    /// they are words to find.
    pub fn parse(text: &str) -> Self {
        let mut query = Self::default();
        let mut joins = false;
        for piece in pieces(text).into_iter().take(4 * MOST_TERMS) {
            if !piece.quoted && !piece.not && piece.text == "OR" && !query.all.is_empty() {
                joins = true;
                continue;
            }
            let mut words: Vec<String> = folded_words(piece.text).map(|word| word.folded).collect();
            words.truncate(MOST_WORDS);
            if words.is_empty() || query.terms() == MOST_TERMS {
                continue;
            }
            let term = Term { words, prefix: piece.prefix };
            match query.all.last_mut() {
                _ if piece.not => query.none.push(term),
                Some(group) if joins => group.push(term),
                Some(_) | None => query.all.push(vec![term]),
            }
            joins = false;
        }
        if query.all.is_empty() {
            query.all = std::mem::take(&mut query.none).into_iter().map(|term| vec![term]).collect();
        }
        query
    }

    /// Whether there is nothing to find.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The terms to find.
    pub fn wanted(&self) -> impl Iterator<Item = &Term> {
        self.all.iter().flatten()
    }

    fn terms(&self) -> usize {
        self.wanted().count() + self.none.len()
    }

    /// Where `text` has the wanted terms, in order and without overlap, in bytes; at most `limit`.
    pub fn hits(&self, text: &str, limit: usize) -> Vec<Range<usize>> {
        let terms: Vec<&Term> = self.wanted().collect();
        let longest = terms.iter().map(|term| term.words.len()).max().unwrap_or_default();
        let mut hits: Vec<Range<usize>> = Vec::new();
        if longest == 0 {
            return hits;
        }
        let mut words = folded_words(text);
        let mut window: std::collections::VecDeque<FoldedWord> = words.by_ref().take(longest).collect();
        while !window.is_empty() && hits.len() < limit {
            let found = terms.iter().filter(|term| term.begins(&window)).map(|term| term.words.len()).max();
            let passed = found.unwrap_or(1);
            if let (Some(length), Some(first)) = (found, window.front()) {
                let end = window.get(length - 1).map_or(first.end, |last| last.end);
                hits.push(first.start..end);
            }
            window.drain(..passed.min(window.len()));
            window.extend(words.by_ref().take(passed));
        }
        hits
    }
}

impl Term {
    /// Whether these words begin with it.
    fn begins(&self, window: &std::collections::VecDeque<FoldedWord>) -> bool {
        let last = self.words.len() - 1;
        window.len() > last
            && self.words.iter().zip(window).enumerate().all(|(i, (wanted, word))| {
                if self.prefix && i == last { word.folded.starts_with(wanted) } else { word.folded == *wanted }
            })
    }
}

struct Piece<'a> {
    text: &'a str,
    quoted: bool,
    not: bool,
    prefix: bool,
}

/// Cuts at spaces, except between quotation marks; a mark without a second is none.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    const MARKS: [char; 4] = ['"', '“', '”', '„'];
    let mut pieces = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let not = rest.starts_with('-');
        let body = if not { &rest[1..] } else { rest };
        let opened = body.chars().next().filter(|c| MARKS.contains(c)).map_or(0, char::len_utf8);
        let closed = if opened > 0 { body[opened..].find(MARKS).map(|at| opened + at) } else { None };
        let (inside, after) = match closed {
            Some(end) => {
                let mark = body[end..].chars().next().map_or(0, char::len_utf8);
                (&body[opened..end], &body[end + mark..])
            }
            None => body.split_at(body.find(char::is_whitespace).unwrap_or(body.len())),
        };
        let quoted = closed.is_some();
        let (prefix, after) = match (quoted, after.strip_prefix('*')) {
            (true, Some(after)) => (true, after),
            (true, None) => (false, after),
            (false, _) => (inside.ends_with('*'), after),
        };
        pieces.push(Piece { text: inside, quoted, not, prefix });
        rest = after.trim_start();
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(query: &TextQuery) -> String {
        let term = |term: &Term| format!("{}{}", term.words.join("+"), if term.prefix { "*" } else { "" });
        let groups = query.all.iter().map(|group| group.iter().map(term).collect::<Vec<_>>().join("|"));
        groups.chain(query.none.iter().map(|none| format!("-{}", term(none)))).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_people_type_is_understood() {
        let check = |text: &str, expect: &str| assert_eq!(shown(&TextQuery::parse(text)), expect, "{text}");
        check("annual report", "annual report");
        check("\"annual report\" -draft budg*", "annual+report budg* -draft");
        check("cat OR dog OR \"guinea pig\" food", "cat|dog|guinea+pig food");
        check("OR", "or");
        check("cat OR", "cat");
        check("-only", "only");
        check("\"open end", "open end");
        check("“Zürich West” e-mail", "zurich+west e+mail");
        check("AND ( ) * \"\" NEAR(", "and near");
        check("", "");
    }

    #[test]
    fn hits_stand_where_the_words_are() {
        let check = |query: &str, text: &str, expect: &[&str]| {
            let hits = TextQuery::parse(query).hits(text, 100);
            let found: Vec<&str> = hits.iter().map(|hit| &text[hit.clone()]).collect();
            assert_eq!(found, expect, "{query}");
        };
        let text = "The Annual\nReport of Café Noir: annually reported";
        check("annual", text, &["Annual"]);
        check("annual*", text, &["Annual", "annually"]);
        check("\"annual report\" cafe", text, &["Annual\nReport", "Café"]);
        check("report -annual", text, &["Report"]);
        check("nothing", text, &[]);
    }

    proptest! {
        #[test]
        fn nothing_that_is_typed_breaks(text in "[a-c\"“ *\\-ORé東()]{0,40}", body in "[a-cA-C é東\\-]{0,60}") {
            let query = TextQuery::parse(&text);
            prop_assert!(query.terms() <= MOST_TERMS);
            prop_assert!(query.wanted().all(|term| !term.words.is_empty()));
            prop_assert_eq!(query.is_empty(), folded_words(&text).next().is_none());
            let mut end = 0;
            for hit in query.hits(&body, 1000) {
                prop_assert!(hit.start >= end && body.get(hit.clone()).is_some());
                end = hit.end;
            }
        }

        #[test]
        fn a_word_of_a_text_is_found_in_it(words in prop::collection::vec("[a-z]{1,6}", 1..8), at in 0_usize..8) {
            let text = words.join(", ");
            let word = &words[at % words.len()];
            let hits = TextQuery::parse(&format!("\"{word}\"")).hits(&text, 100);
            prop_assert_eq!(hits.len(), words.iter().filter(|other| *other == word).count());
        }
    }
}
