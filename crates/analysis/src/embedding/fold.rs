//! How BERT's normaliser sees one character: dropped, a gap, a token of its own, or letters of a word.
//! It follows `BertNormalizer` (clean text, spaced ideographs, accents stripped, lower case) and `BertPreTokenizer`.

use unicode_categories::UnicodeCategories;
use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// Characters below this are looked up in a table: Latin, Greek, Cyrillic, Arabic, general punctuation and more.
const TABLE_LEN: usize = 0x3000;

/// What becomes of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Folded {
    /// Control and format characters, and accents on their own.
    Dropped,
    /// Ends a word.
    Gap,
    /// Ends a word and is a token of its own: punctuation and ideographs.
    Alone(char),
    /// One lower-case letter, digit or symbol of a word.
    Letter(char),
    /// Becomes several characters, each to be looked at by [`expand`].
    Several,
}

/// The table for the common characters.
pub(super) struct FoldTable(Vec<Folded>);

impl FoldTable {
    pub(super) fn new() -> Self {
        Self((0..TABLE_LEN as u32).map(|code| char::from_u32(code).map_or(Folded::Dropped, fold)).collect())
    }

    /// The fate of `c`.
    #[inline]
    pub(super) fn get(&self, c: char) -> Folded {
        self.0.get(c as usize).copied().unwrap_or_else(|| fold(c))
    }
}

/// Calls `visit` with what each character becomes into which `c` is taken apart; never with [`Folded::Several`].
pub(super) fn expand(c: char, mut visit: impl FnMut(Folded)) {
    decompose_canonical(c, |part| {
        if !is_nonspacing_mark(part) {
            part.to_lowercase().for_each(|lower| visit(classify(lower)));
        }
    });
}

fn fold(c: char) -> Folded {
    match c {
        '\t' | '\n' | '\r' => return Folded::Gap,
        '\0' | '\u{fffd}' => return Folded::Dropped,
        _ if c.is_other() => return Folded::Dropped,
        _ if c.is_whitespace() => return Folded::Gap,
        _ => {}
    }
    let (mut first, mut count) = (Folded::Dropped, 0_usize);
    expand(c, |folded| {
        first = folded;
        count += 1;
    });
    match (count, is_ideograph(c)) {
        (0 | 1, false) => first,
        (0 | 1, true) => match first {
            Folded::Letter(letter) => Folded::Alone(letter),
            other @ (Folded::Dropped | Folded::Gap | Folded::Alone(_) | Folded::Several) => other,
        },
        (2.., _) => Folded::Several,
    }
}

fn classify(c: char) -> Folded {
    if c.is_whitespace() {
        Folded::Gap
    } else if c.is_ascii_punctuation() || c.is_punctuation() || is_ideograph(c) {
        Folded::Alone(c)
    } else {
        Folded::Letter(c)
    }
}

fn is_nonspacing_mark(c: char) -> bool {
    is_combining_mark(c) && c.is_mark_nonspacing()
}

/// The blocks that BERT calls Chinese characters.
fn is_ideograph(c: char) -> bool {
    matches!(c as u32,
        0x4E00..=0x9FFF | 0x3400..=0x4DBF | 0x20000..=0x2A6DF | 0x2A700..=0x2B73F
        | 0x2B740..=0x2B81F | 0x2B920..=0x2CEAF | 0xF900..=0xFAFF | 0x2F800..=0x2FA1F)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_folded_as_bert_does() {
        let check = |c: char, expect: Folded| assert_eq!(fold(c), expect, "{c:?}");
        check('A', Folded::Letter('a'));
        check('é', Folded::Letter('e'));
        check('\u{301}', Folded::Dropped);
        check('\u{ad}', Folded::Dropped);
        check('\u{a0}', Folded::Gap);
        check('$', Folded::Alone('$'));
        check('£', Folded::Letter('£'));
        check('“', Folded::Alone('“'));
        check('中', Folded::Alone('中'));
        check('한', Folded::Several);
    }
}
