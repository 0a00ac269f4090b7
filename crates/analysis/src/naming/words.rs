//! Splits a text into words as a reader would name them: no numbers, addresses or single letters.

/// Bytes of the longest word; what is longer is not one.
const LONGEST: usize = 40;

/// Calls `visit` with each word of `text` in lower case. Runs of Chinese and Japanese characters, which are written
/// without spaces, come as overlapping pairs.
pub(super) fn words(text: &str, mut visit: impl FnMut(&str)) {
    let mut word = String::new();
    for part in text.split_whitespace() {
        if is_address(part) {
            continue;
        }
        let mut previous = None;
        for c in part.chars() {
            if is_spaceless(c) {
                finish(&mut word, &mut visit);
                if let Some(previous) = previous {
                    visit(&String::from_iter([previous, c]));
                }
                previous = Some(c);
                continue;
            }
            previous = None;
            match c {
                _ if c.is_ascii_alphanumeric() => word.push(c.to_ascii_lowercase()),
                // Typographic and plain apostrophes are the same letter of a word.
                '\'' | '’' if !word.is_empty() => word.push('\''),
                // Soft hyphens and joiners are not seen.
                '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{feff}' => {}
                _ if c.is_alphanumeric() || is_mark(c) => word.extend(c.to_lowercase()),
                _ => finish(&mut word, &mut visit),
            }
        }
        finish(&mut word, &mut visit);
    }
}

fn finish(word: &mut String, visit: &mut impl FnMut(&str)) {
    let bare = word.trim_end_matches('\'');
    let bare = bare.strip_suffix("'s").unwrap_or(bare);
    let is_plain = bare.len() >= 2 && bare.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_word = bare.len() <= LONGEST && (is_plain || is_mostly_letters(bare));
    if is_word {
        visit(bare);
    }
    word.clear();
}

/// Whether there are at least two characters, the first a letter, and more letters than others.
fn is_mostly_letters(bare: &str) -> bool {
    bare.chars().nth(1).is_some()
        && bare.chars().next().is_some_and(char::is_alphabetic)
        && bare.chars().filter(|c| c.is_alphabetic()).count() * 2 > bare.chars().count()
}

fn is_address(part: &str) -> bool {
    // One look at each byte is enough for nearly all.
    part.starts_with("www.")
        || part.bytes().any(|byte| byte == b':' || byte == b'@')
            && (part.contains("://") || (part.contains('@') && part.contains('.')))
}

/// Ideographs and kana.
fn is_spaceless(c: char) -> bool {
    matches!(c as u32, 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x323AF)
}

/// Vowel signs and the like, which belong to words in Indic and other scripts.
fn is_mark(c: char) -> bool {
    !c.is_ascii() && unicode_normalization::char::is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_a_reader_would_name() {
        let check = |text: &str, expect: &[&str]| {
            let mut found = Vec::new();
            words(text, |word| found.push(word.to_owned()));
            assert_eq!(found, expect, "{text:?}");
        };
        check("The Bank’s 3 top-up fees, don't!", &["the", "bank", "top", "up", "fees", "don't"]);
        check("see https://example.org/a or mail x@y.org", &["see", "or", "mail"]);
        check("a b 12 3rd mp3 2024-10", &["mp3"]);
        check("中国银行 ok", &["中国", "国银", "银行", "ok"]);
        check("", &[]);
    }
}
