//! A text as words: how each is shown, and by what it is compared.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// Longer runs without a space are cut: nobody could read one.
const MAX_CHARACTERS: usize = 60;

/// A word with the marks around it.
#[derive(Debug)]
pub struct Word<'a> {
    pub shown: Cow<'a, str>,
    /// In NFKC and lower case, without marks around it, apostrophes and soft hyphens.
    pub key: String,
    /// Whether it touches the word before.
    pub is_glued: bool,
}

/// The words of a text, at most `most`; and whether there are more. A word that a hyphen parts at the end of a line is
/// one. Marks that stand alone, such as bullets, belong to the word before. In scripts that put no space between words,
/// each character is one.
pub fn words(text: &str, most: usize) -> (Vec<Word<'_>>, bool) {
    let mut words: Vec<Word<'_>> = Vec::new();
    let mut pieces = pieces(text).peekable();
    while let Some((mut piece, mut is_glued, mut ends_line)) = pieces.next() {
        let mut shown = Cow::Borrowed(piece);
        // `infor-` at the end of a line and `mation` on the next.
        while let Some(stem) = shown.strip_suffix('-').filter(|stem| ends_line && ends_with_letter(stem)) {
            let Some((rest, _, rest_ends_line)) = pieces.next_if(|(next, ..)| next.starts_with(char::is_lowercase))
            else {
                break;
            };
            shown = Cow::Owned(format!("{stem}{rest}"));
            ends_line = rest_ends_line;
        }
        if let Cow::Borrowed(whole) = shown {
            // Cut into what can be compared and read.
            while let Some(end) = first_cut(piece) {
                let (head, tail) = piece.split_at(end);
                push(&mut words, Cow::Borrowed(head), is_glued);
                (piece, is_glued) = (tail, true);
            }
            debug_assert!(whole.ends_with(piece), "what is left is its end");
            shown = Cow::Borrowed(piece);
        }
        push(&mut words, shown, is_glued);
        if words.len() > most {
            words.truncate(most);
            return (words, true);
        }
    }
    (words, false)
}

/// What stands between spaces, whether it touches what was before, and whether a line ends after it.
fn pieces(text: &str) -> impl Iterator<Item = (&str, bool, bool)> {
    text.split('\n').flat_map(|line| {
        let mut words = line.split_whitespace().peekable();
        std::iter::from_fn(move || words.next().map(|word| (word, false, words.peek().is_none())))
    })
}

fn ends_with_letter(text: &str) -> bool {
    text.chars().next_back().is_some_and(char::is_alphabetic)
}

/// Where a piece is to be cut, in bytes; absent when it is one word.
fn first_cut(piece: &str) -> Option<usize> {
    let mut before = false;
    for (count, (at, c)) in piece.char_indices().enumerate() {
        let alone = stands_alone(c);
        if at > 0 && (before || alone) && c.is_alphanumeric() || count == MAX_CHARACTERS {
            return Some(at);
        }
        before = alone;
    }
    None
}

/// Of scripts that put no space between words.
const fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn push<'a>(words: &mut Vec<Word<'a>>, shown: Cow<'a, str>, is_glued: bool) {
    let key = key(&shown);
    match words.last_mut() {
        // Marks alone are no word.
        Some(last) if key.is_empty() => {
            let last = last.shown.to_mut();
            last.push_str(if is_glued { "" } else { " " });
            last.push_str(&shown);
        }
        Some(last) if last.key.is_empty() => {
            last.shown = Cow::Owned(format!("{}{}{shown}", last.shown, if is_glued { "" } else { " " }));
            last.key = key;
        }
        Some(_) | None => words.push(Word { shown, key, is_glued }),
    }
}

fn key(shown: &str) -> String {
    let plain = shown.trim_matches(|c: char| !c.is_alphanumeric());
    let counts = |c: &char| !matches!(c, '\u{ad}' | '\'' | '’' | '\u{200b}'..='\u{200d}' | '\u{feff}');
    match plain.is_ascii() {
        true => plain.chars().filter(counts).map(|c| c.to_ascii_lowercase()).collect(),
        false => plain.nfkc().filter(counts).flat_map(char::to_lowercase).map(dash).collect(),
    }
}

/// Hyphens and dashes are one.
const fn dash(c: char) -> char {
    if matches!(c, '\u{2010}'..='\u{2015}') { '-' } else { c }
}
