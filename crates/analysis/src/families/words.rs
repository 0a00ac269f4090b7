//! The words of a text as two renditions of it have in common, whatever their format.

use unicode_normalization::UnicodeNormalization;

/// Calls `each` with every word of `text`, in lower case and compatibility form (NFKC).
///
/// Line breaks, punctuation, bullets and the marks of Markdown part words and are no words. Hyphens and apostrophes are left
/// out, with a line break behind a hyphen: what one rendition hyphenates at the end of a line another does not. So is the
/// target of a Markdown link. A script that is written without spaces has a word for each character.
pub fn words(text: &str, mut each: impl FnMut(&str)) {
    let mut word = String::new();
    let mut flush = |word: &mut String| {
        if !word.is_empty() {
            each(word);
            word.clear();
        }
    };
    let mut rest = text.nfkc().flat_map(char::to_lowercase).peekable();
    let mut before = ' ';
    while let Some(c) = rest.next() {
        match c {
            '-' | '\u{2010}' | '\u{2011}' if !word.is_empty() => {
                // A hyphen at the end of a line.
                while rest.next_if(|next| matches!(next, '\r' | '\n')).is_some() {}
            }
            '\'' | '\u{2019}' | '\u{2018}' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{feff}' => {}
            '(' if before == ']' => {
                flush(&mut word);
                while rest.next_if(|&next| next != ')' && next != '\n').is_some() {}
            }
            c if is_unspaced(c) => {
                flush(&mut word);
                word.push(c);
                flush(&mut word);
            }
            c if c.is_alphanumeric() => word.push(c),
            _ => flush(&mut word),
        }
        before = c;
    }
    flush(&mut word);
}

/// Whether words of this character's script are not set apart: Thai, Lao, Khmer, kana and the ideographs.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{0e00}'..='\u{0eff}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn renditions_have_the_same_words() {
        let check = |text: &str, expect: &str| {
            let mut found = Vec::new();
            words(text, |word| found.push(word.to_owned()));
            assert_eq!(found.join(" "), expect, "{text:?}");
        };
        check("The state-of-the-art\r\nreport", "the stateoftheart report");
        check("a hyphen-\nated word", "a hyphenated word");
        check("# It\u{2019}s **bold**\n\n- one\n- two", "its bold one two");
        check("see [the page](https://example.org/a-b) now", "see the page now");
        check("\u{feff}ﬁne e\u{301}tude ÉTUDE", "fine étude étude");
        check("東京 Tower", "東 京 tower");
        check("  \n * - |", "");
    }
}
