//! Words of a text as a search compares them: without case and accents. The index of each store is made of them, so that a
//! search finds the same on every store.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Bytes of a folded word that are compared; what is longer is cut.
const LONGEST: usize = 64;

/// A word and where it stands in its text, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldedWord {
    pub start: usize,
    pub end: usize,
    pub folded: String,
}

/// The words of a text in their order: runs of letters and digits; of scripts that write without spaces, each character.
pub fn folded_words(text: &str) -> impl Iterator<Item = FoldedWord> {
    let mut chars = text.char_indices().peekable();
    std::iter::from_fn(move || {
        loop {
            let (start, first) = chars.next()?;
            if !first.is_alphanumeric() {
                continue;
            }
            let mut word = FoldedWord { start, end: start + first.len_utf8(), folded: String::new() };
            push_folded(&mut word.folded, first);
            if !stands_alone(first) {
                while let Some(&(at, next)) = chars.peek() {
                    if stands_alone(next) || !(next.is_alphanumeric() || is_mark(next)) {
                        break;
                    }
                    push_folded(&mut word.folded, next);
                    word.end = at + next.len_utf8();
                    chars.next();
                }
            }
            if !word.folded.is_empty() {
                return Some(word);
            }
        }
    })
}

/// The folded words of a text with a space between them.
pub fn folded_text(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in folded_words(text) {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(&word.folded);
    }
    folded
}

fn is_mark(c: char) -> bool {
    !c.is_ascii() && is_combining_mark(c)
}

fn push_folded(word: &mut String, c: char) {
    if c.is_ascii() {
        if word.len() < LONGEST {
            word.push(c.to_ascii_lowercase());
        }
        return;
    }
    decompose_compatible(c, |part| {
        for lower in part.to_lowercase().filter(|lower| lower.is_alphanumeric() && !is_mark(*lower)) {
            if word.len() + lower.len_utf8() <= LONGEST {
                word.push(lower);
            }
        }
    });
}

/// Whether a character is of a script that puts no space between words: Thai to Khmer, kana, Han (Unicode blocks).
const fn stands_alone(c: char) -> bool {
    matches!(
        c as u32,
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF
        | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_accents_make_no_difference() {
        let check = |text: &str, expect: &str| assert_eq!(folded_text(text), expect, "{text}");
        check("Zürich, CAFÉ e\u{301}tude!", "zurich cafe etude");
        check("don't 3.5 % \u{fb01}nd", "don t 3 5 find");
        check("東京 タワー", "東 京 タ ワ ー");
        check(" \u{301}- ", "");
        check(&"a".repeat(200), &"a".repeat(64));
    }

    #[test]
    fn words_know_where_they_stand() {
        let text = "Die Größe";
        let places: Vec<&str> = folded_words(text).map(|word| &text[word.start..word.end]).collect();
        assert_eq!(places, ["Die", "Größe"]);
    }
}
