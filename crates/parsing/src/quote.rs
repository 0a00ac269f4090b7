//! A quote from a page's text, as whoever looks for its place on the page knows it.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// A stretch of the text of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// How many visible characters stand before it on the page.
    pub before: u32,
    /// The words themselves.
    pub text: String,
}

impl Quote {
    /// The longest quote that is looked for, in bytes: several pages of print.
    pub const LONGEST: usize = 64 << 10;

    /// The quote at `range`, in bytes, of the text of a page. Absent when that is not a stretch of it, shows nothing or is
    /// longer than [`Self::LONGEST`].
    pub fn of(page: &str, range: Range<usize>) -> Option<Self> {
        let text = page.get(range.clone()).filter(|text| text.len() <= Self::LONGEST && text.contains(is_visible))?;
        let before = page[..range.start].chars().filter(|&character| is_visible(character)).count();
        Some(Self { before: u32::try_from(before).ok()?, text: text.to_owned() })
    }
}

/// Whether a character can be seen. Cleaning a text ([`crate::charset::clean`]) leaves those as they are.
pub fn is_visible(character: char) -> bool {
    let is_dropped = matches!(character, '\u{ad}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    !(character.is_whitespace() || character.is_control() || is_dropped)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;
    use crate::charset;

    #[test]
    fn a_quote_knows_what_stands_before_it() {
        let check = |range: Range<usize>, expect: Option<(u32, &str)>| {
            let found = Quote::of("Ä b\ncd ", range.clone());
            assert_eq!(found.as_ref().map(|quote| (quote.before, quote.text.as_str())), expect, "{range:?}");
        };
        check(0..2, Some((0, "Ä")));
        check(3..6, Some((1, "b\nc")));
        check(6..8, Some((3, "d ")));
        check(7..8, None);
        check(1..2, None);
        check(3..99, None);
        check(6..6, None);
        assert_eq!(Quote::of(&"a".repeat(Quote::LONGEST + 1), 0..Quote::LONGEST + 1), None);
    }

    proptest! {
        #[test]
        fn what_can_be_seen_survives_cleaning(text in any::<String>()) {
            let visible = |text: &str| text.chars().filter(|&character| is_visible(character)).collect::<String>();
            assert_eq!(visible(&charset::clean(&text)), visible(&text));
        }
    }
}
