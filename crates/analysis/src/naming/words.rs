//! Splits a text into words as a reader would name them: no numbers, addresses or single letters.

/// Bytes of the longest word; what is longer is not one.
const LONGEST: usize = 40;

/// Bytes of the longest word in katakana: at three each, what foreign terms put together take.
const LONGEST_KATAKANA: usize = 72;
/// The most ideographs between kana that are one word.
const LONGEST_COMPOUND: usize = 5;
/// Articles and pronouns that French, Catalan and Italian write together with the word behind them.
const ELIDED: &[&str] = &[
    "all", "c", "d", "dall", "dell", "gl", "j", "jusqu", "l", "lorsqu", "m", "n", "nell", "puisqu", "qu", "quell",
    "quest", "quoiqu", "s", "sull", "t", "un",
];

/// A word of a text, or what holds words.
pub(super) enum Word<'text, 'word> {
    /// In lower case.
    Whole(&'word str),
    /// Ideographs without a space between them, which only counting can split.
    Run(&'text str),
}

/// Calls `visit` with each word of `text`.
///
/// Japanese changes script where words change: runs of katakana and short ones of ideographs are words, and hiragana are
/// endings and particles, which name nothing. A piece of text is Japanese when it has kana or the whole text `is_japanese`.
pub(super) fn words<'text>(text: &'text str, is_japanese: bool, mut visit: impl FnMut(Word<'text, '_>)) {
    let mut word = String::new();
    for part in text.split_whitespace() {
        if is_address(part) {
            continue;
        }
        if part.chars().any(|c| script(c).is_some()) {
            signs(part, is_japanese, &mut word, &mut visit);
        } else {
            part.chars().for_each(|c| add(c, &mut word, &mut visit));
            finish(&mut word, &mut visit);
        }
    }
}

/// The words of a part in which some signs are written without spaces.
fn signs<'text>(part: &'text str, is_japanese: bool, word: &mut String, visit: &mut impl FnMut(Word<'text, '_>)) {
    let is_japanese =
        is_japanese || part.chars().any(|c| matches!(script(c), Some(Script::Hiragana | Script::Katakana)));
    let mut rest = part;
    while let Some(first) = rest.chars().next() {
        let Some(of) = script(first) else {
            add(first, word, visit);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        finish(word, visit);
        let end = rest.find(|c| script(c) != Some(of)).unwrap_or(rest.len());
        let (run, behind) = rest.split_at(end);
        rest = behind;
        let count = run.chars().count();
        match of {
            Script::Hiragana => {}
            Script::Katakana if count > 1 && run.len() <= LONGEST_KATAKANA => visit(Word::Whole(run)),
            Script::Katakana => {}
            Script::Ideographs if is_japanese && count <= LONGEST_COMPOUND => {
                if count > 1 {
                    visit(Word::Whole(run));
                }
            }
            Script::Ideographs => visit(Word::Run(run)),
        }
    }
    finish(word, visit);
}

/// Takes a character of a script that has spaces.
fn add<'text>(c: char, word: &mut String, visit: &mut impl FnMut(Word<'text, '_>)) {
    match c {
        _ if c.is_ascii_alphanumeric() => word.push(c.to_ascii_lowercase()),
        // Typographic and plain apostrophes are the same letter of a word.
        '\'' | '’' if !word.is_empty() => word.push('\''),
        // Soft hyphens and joiners are not seen.
        '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{feff}' => {}
        _ if c.is_alphanumeric() || is_mark(c) => word.extend(c.to_lowercase()),
        _ => finish(word, visit),
    }
}

fn finish<'text>(word: &mut String, visit: &mut impl FnMut(Word<'text, '_>)) {
    let bare = word.trim_end_matches('\'');
    let bare = bare.strip_suffix("'s").unwrap_or(bare);
    let bare = match bare.split_once('\'') {
        Some((article, noun)) if ELIDED.contains(&article) => noun,
        Some(_) | None => bare,
    };
    let is_plain = bare.len() >= 2 && bare.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_word = bare.len() <= LONGEST && (is_plain || is_mostly_letters(bare));
    if is_word {
        visit(Word::Whole(bare));
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

/// A script that is written without spaces.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Ideographs,
    Hiragana,
    Katakana,
}

fn script(c: char) -> Option<Script> {
    match c as u32 {
        0x3041..=0x309F => Some(Script::Hiragana),
        0x30A1..=0x30FA | 0x30FC..=0x30FF => Some(Script::Katakana),
        0x3005 | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x323AF => Some(Script::Ideographs),
        _ => None,
    }
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
            words(text, false, |word| match word {
                Word::Whole(word) => found.push(word.to_owned()),
                Word::Run(run) => found.push(format!("<{run}>")),
            });
            assert_eq!(found, expect, "{text:?}");
        };
        check("The Bank’s 3 top-up fees, don't!", &["the", "bank", "top", "up", "fees", "don't"]);
        check("see https://example.org/a or mail x@y.org", &["see", "or", "mail"]);
        check("a b 12 3rd mp3 2024-10", &["mp3"]);
        check("中国银行ok", &["<中国银行>", "ok"]);
        check("l’option d'un dell'anno aujourd'hui", &["option", "un", "anno", "aujourd'hui"]);
        check("パッケージの管理ツールを使用します。", &["パッケージ", "管理", "ツール", "使用"]);
        check("", &[]);
    }
}
