//! Looks a quote up in a page: letter by letter, else without regard to spacing and typography, else with a misread letter here
//! and there. A quote that says something else than the page is never found.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

/// Words that a quote needs to be found with misread letters.
const FUZZY_WORDS: usize = 4;
/// One word of so many may have a misread letter.
const MISREAD_SHARE: usize = 6;
/// Letters that a word needs to be allowed a misread one: `now` and `not` are two words.
const MISREAD_LETTERS: usize = 6;
/// Bytes of the longest quote that is looked for: several pages of print.
const LONGEST: usize = 64 << 10;

/// How a quote was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Match {
    /// Letter by letter.
    Exact,
    /// Apart from capitals, spacing, hyphens between letters, and the forms of quotation marks, dashes and ligatures.
    Normalised,
    /// With single letters of long words misread, as text recognition does.
    Fuzzy,
}

/// Where a quote stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// In bytes of the page, on character boundaries.
    pub range: Range<usize>,
    pub how: Match,
}

/// The first place of `quote` in `page`, by the strictest way that finds one; `None`: the page does not say this, or the quote
/// has no letter or digit, or is very long.
///
/// Whatever the way, a quote begins and ends with whole words and numbers (`5 mg` is not in `1.5 mg`), and numbers, signs and
/// short words have to be the same. The third way changes letters only, one in a word, never their number: `typical` is not
/// `atypical`. Cost: linear in the page, but for the third way at worst words of the page times words of the quote.
pub fn locate(page: &str, quote: &str) -> Option<Located> {
    let quote = quote.trim();
    if quote.len() > LONGEST || !quote.contains(char::is_alphanumeric) {
        return None;
    }
    if let Some(start) = find_whole(page, quote) {
        return Some(Located { range: start..start + quote.len(), how: Match::Exact });
    }
    let (page_form, quote_form) = (Form::of(page), Form::of(quote));
    let wanted = quote_form.text.trim();
    if wanted.is_empty() {
        return None;
    }
    if let Some(start) = find_whole(&page_form.text, wanted) {
        return Some(Located { range: page_form.place(start..start + wanted.len()), how: Match::Normalised });
    }
    let range = find_misread(&page_form.text, wanted)?;
    Some(Located { range: page_form.place(range), how: Match::Fuzzy })
}

/// The first place where `wanted` stands as whole words.
fn find_whole(text: &str, wanted: &str) -> Option<usize> {
    let is_whole = |start: &usize| !is_cut(text, *start) && !is_cut(text, start + wanted.len());
    // Places may overlap: each search begins one character after the last one.
    let step = wanted.chars().next()?.len_utf8();
    let mut from = 0;
    while let Some(start) = text.get(from..)?.find(wanted).map(|at| from + at) {
        if is_whole(&start) {
            return Some(start);
        }
        from = start + step;
    }
    None
}

/// Whether a cut at `at` would go through a word or a number, or take its sign from it.
fn is_cut(text: &str, at: usize) -> bool {
    let (before, after) = (&text[..at], &text[at..]);
    let (mut left, mut right) = (before.chars().rev(), after.chars());
    let (Some(l), Some(r)) = (left.next(), right.next()) else { return false };
    let (l2, r2) = (left.next(), right.next());
    let is_digit = |letter: Option<char>| letter.is_some_and(char::is_numeric);
    let joins = |letter: char| matches!(letter, '.' | ',' | '/' | ':' | '\'' | '’');
    let in_word = l.is_alphanumeric() && r.is_alphanumeric();
    let in_number = joins(l) && is_digit(l2) && r.is_numeric() || l.is_numeric() && joins(r) && is_digit(r2);
    let in_contraction = matches!(r, '\'' | '’') && l.is_alphabetic() && r2.is_some_and(char::is_alphabetic);
    let signed = matches!(l, '-' | '−' | '+' | '±' | '<' | '>' | '=' | '~' | '≥' | '≤' | '$' | '€' | '£')
        && r.is_numeric()
        && !l2.is_some_and(char::is_alphanumeric);
    let unit = l.is_numeric() && matches!(r, '%' | '‰' | '°' | '€' | '$' | '£');
    in_word || in_number || in_contraction || signed || unit
}

/// A text in the form in which typography makes no difference, and where each of its bytes comes from.
struct Form {
    text: String,
    /// For each byte of `text` the bytes of the character that it was made from.
    from: Vec<Range<usize>>,
}

impl Form {
    fn of(text: &str) -> Self {
        let mut form = Self { text: String::with_capacity(text.len()), from: Vec::with_capacity(text.len()) };
        let mut letters = text.char_indices().peekable();
        while let Some((at, letter)) = letters.next() {
            let from = at..at + letter.len_utf8();
            match letter {
                '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => {}
                '-' | '‐' | '‑' if form.ends_with_letter() && joins_words(&text[from.end..]) => {
                    while letters.next_if(|(_, next)| next.is_whitespace()).is_some() {}
                }
                _ if letter.is_whitespace() => {
                    if !form.text.is_empty() && !form.text.ends_with(' ') {
                        form.push(' ', &from);
                    }
                }
                '‘' | '’' | '‚' | '´' | '`' | '′' => form.push('\'', &from),
                '“' | '”' | '„' | '«' | '»' | '″' => form.push('"', &from),
                '‐' | '‑' | '‒' | '–' | '—' | '−' => form.push('-', &from),
                // A raised 2 is no 2: what counts stays as it is.
                _ if letter.is_numeric() => form.push(letter, &from),
                _ => {
                    for plain in [letter].into_iter().nfkd().flat_map(char::to_lowercase) {
                        form.push(plain, &from);
                    }
                }
            }
        }
        form
    }

    fn push(&mut self, letter: char, from: &Range<usize>) {
        self.text.push(letter);
        self.from.resize(self.text.len(), from.clone());
    }

    fn ends_with_letter(&self) -> bool {
        self.text.chars().next_back().is_some_and(char::is_alphabetic)
    }

    /// The bytes that a stretch was made from.
    fn place(&self, range: Range<usize>) -> Range<usize> {
        self.from[range.start].start..self.from[range.end - 1].end
    }
}

/// Whether what follows a hyphen goes on with a letter, at once or after a break: the same stretch may be quoted with a space.
fn joins_words(after: &str) -> bool {
    after.trim_start().starts_with(char::is_alphabetic)
}

/// Words, numbers and signs with their places; full stops, commas, brackets and quotation marks are left out.
fn tokens(text: &str) -> Vec<(&str, Range<usize>)> {
    let mut tokens = Vec::new();
    let mut start = None;
    for (at, letter) in text.char_indices().chain([(text.len(), ' ')]) {
        // A point within a number belongs to it.
        let inside = letter.is_alphanumeric()
            || unicode_normalization::char::is_combining_mark(letter)
            || start.is_some() && !letter.is_whitespace() && at < text.len() && is_cut(text, at);
        match (start, inside) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                tokens.push((&text[from..at], from..at));
                start = None;
            }
            (None, false) | (Some(_), true) => {}
        }
        let silent = matches!(letter, '.' | ',' | ';' | ':' | '"' | '\'' | '(' | ')' | '[' | ']' | '!' | '?' | '*');
        if !inside && !letter.is_whitespace() && !silent {
            tokens.push((&text[at..at + letter.len_utf8()], at..at + letter.len_utf8()));
        }
    }
    tokens
}

/// The first run of words that is the wanted one but for misread letters.
fn find_misread(text: &str, wanted: &str) -> Option<Range<usize>> {
    let (of_text, of_quote) = (tokens(text), tokens(wanted));
    let count = of_quote.len();
    if count < FUZZY_WORDS {
        return None;
    }
    let most = count / MISREAD_SHARE;
    let found = of_text.windows(count).find(|window| {
        let mut misread = 0;
        window.iter().zip(&of_quote).all(|((a, _), (b, _))| {
            a == b || {
                misread += 1;
                misread <= most && is_misread(a, b)
            }
        })
    })?;
    Some(found.first()?.1.start..found.last()?.1.end)
}

/// Whether two long words of letters differ in one letter.
fn is_misread(a: &str, b: &str) -> bool {
    let letters = a.chars().count();
    letters >= MISREAD_LETTERS
        && letters == b.chars().count()
        && a.chars().chain(b.chars()).all(char::is_alphabetic)
        && a.chars().zip(b.chars()).filter(|(a, b)| a != b).count() == 1
}

#[cfg(test)]
mod tests;
