//! Accents that are drawn over a letter as a sign of their own, as TeX does with its old fonts: the two are one letter.

use unicode_normalization::char::compose;

/// The character and its place before this, of each that is left.
///
/// An accent and the letter after it become one character at the letter's place where `is_over` says that the first is drawn
/// over the second, and where there is such a character.
pub(super) fn composed(text: &str, is_over: impl Fn(usize, usize) -> bool) -> Vec<(usize, char)> {
    let mut characters: Vec<(usize, char)> = Vec::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        if let Some(&(accent_at, accent)) = characters.last()
            && let Some(mark) = mark(accent)
            && let Some(letter) = compose(with_dot(c), mark)
            && is_over(accent_at, at)
        {
            characters.pop();
            characters.push((at, letter));
        } else {
            characters.push((at, c));
        }
    }
    characters
}

/// Whether there is anything to compose.
pub(super) fn has_accents(text: &str) -> bool {
    text.chars().any(|c| mark(c).is_some())
}

/// The combining mark of an accent that stands alone.
fn mark(accent: char) -> Option<char> {
    Some(match accent {
        '`' | 'ˋ' => '\u{300}',
        '´' | 'ˊ' => '\u{301}',
        'ˆ' => '\u{302}',
        '˜' => '\u{303}',
        '¯' | 'ˉ' => '\u{304}',
        '˘' => '\u{306}',
        '˙' => '\u{307}',
        '¨' => '\u{308}',
        '˚' => '\u{30a}',
        '˝' => '\u{30b}',
        'ˇ' => '\u{30c}',
        '¸' => '\u{327}',
        '˛' => '\u{328}',
        '\u{300}'..='\u{304}' | '\u{306}'..='\u{308}' | '\u{30a}'..='\u{30c}' | '\u{327}' | '\u{328}' => accent,
        _ => return None,
    })
}

/// Under an accent, `i` and `j` have no dot.
fn with_dot(c: char) -> char {
    match c {
        'ı' => 'i',
        'ȷ' => 'j',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accent_over_a_letter_is_part_of_it() {
        let check = |text: &str, is_over: bool, expect: &str| {
            let found: String = composed(text, |_, _| is_over).into_iter().map(|(_, c)| c).collect();
            assert_eq!(found, expect, "{text}");
        };
        check("Versi´on", true, "Versión");
        check("Garc´ıa", true, "García");
        check("A˜no ¨Uber", true, "Año Über");
        check("Versi\u{301}on", true, "Versión");
        check("Versi´on `a`", false, "Versi´on `a`");
        check("´ 5 ´", true, "´ 5 ´");
        assert_eq!(composed("a´ob", |accent, letter| (accent, letter) == (1, 2)), [(0, 'a'), (2, 'ó'), (3, 'b')]);
    }
}
