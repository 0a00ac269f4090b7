//! Sentences of a text (UAX #29), over line breaks within a paragraph.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// Where the sentences of a text are, in bytes, without white space around them.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    // A single line break is only where a line was full; it keeps its length, so places stay the same.
    let bytes = text.as_bytes();
    let is_wrap = |at: usize| {
        let blank = |byte: Option<&u8>| byte.is_none_or(|byte| *byte == b'\n');
        bytes[at] == b'\n' && !blank(at.checked_sub(1).and_then(|at| bytes.get(at))) && !blank(bytes.get(at + 1))
    };
    let unwrapped: String = text.char_indices().map(|(at, c)| if c == '\n' && is_wrap(at) { ' ' } else { c }).collect();
    let bounds = unwrapped.split_sentence_bound_indices();
    bounds
        .map(|(start, sentence)| {
            let from = start + (sentence.len() - sentence.trim_start().len());
            from..from + sentence.trim().len()
        })
        .filter(|range| !range.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_go_over_lines_but_not_over_paragraphs() {
        let check = |text: &str, expect: &[&str]| {
            let found: Vec<&str> = sentences(text).into_iter().map(|range| &text[range]).collect();
            assert_eq!(found, expect, "{text:?}");
        };
        check("One. Two is\nlonger. \n\nThree", &["One.", "Two is\nlonger.", "Three"]);
        check("Kopf\n\nText über Öl. Ende.", &["Kopf", "Text über Öl.", "Ende."]);
        check(" \n ", &[]);
        check("", &[]);
    }
}
