//! The one character that PostgreSQL's text cannot hold. It is written in two others, so that every text comes back as it
//! went in, as from any other store. Columns of `json` need none of this: JSON escapes it by itself.

use std::borrow::Cow;

/// Announces that the next character stands for another: `0` for NUL, `1` for this one itself.
const MARK: char = '\u{1}';

/// A text without NUL; hardly any is changed.
pub fn hide(text: &str) -> Cow<'_, str> {
    if text.contains(['\0', MARK]) {
        Cow::Owned(text.replace(MARK, "\u{1}1").replace('\0', "\u{1}0"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text that was hidden.
pub fn show(text: String) -> String {
    // In this order: what the first replacement leaves is followed by `1` only.
    if text.contains(MARK) { text.replace("\u{1}0", "\0").replace("\u{1}1", "\u{1}") } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_text_comes_back(text in "[\u{0}\u{1}01a-cß]*") {
            let hidden = hide(&text);
            prop_assert!(!hidden.contains('\0'));
            prop_assert_eq!(show(hidden.into_owned()), text);
        }
    }

    #[test]
    fn an_ordinary_text_is_not_copied() {
        assert!(matches!(hide("an ordinary text\n\twith ümlauts"), Cow::Borrowed(_)));
    }
}
