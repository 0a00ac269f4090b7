//! Values that documents are filtered by besides those that they have names for: sizes and dates.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::status::UnknownName;

/// The size of a document in five steps of ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SizeClass {
    /// Below 10 kB.
    Tiny,
    /// Below 100 kB.
    Small,
    /// Below 1 MB.
    Medium,
    /// Below 10 MB.
    Large,
    /// All above.
    Huge,
}

impl SizeClass {
    /// Every class, the smallest first.
    pub const ALL: [Self; 5] = [Self::Tiny, Self::Small, Self::Medium, Self::Large, Self::Huge];

    /// The name in URLs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tiny => "tiny",
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
            Self::Huge => "huge",
        }
    }

    /// The sizes in bytes; the largest that a database can hold ends the last.
    pub const fn bytes(self) -> Range<u64> {
        match self {
            Self::Tiny => 0..10_000,
            Self::Small => 10_000..100_000,
            Self::Medium => 100_000..1_000_000,
            Self::Large => 1_000_000..10_000_000,
            Self::Huge => 10_000_000..i64::MAX as u64,
        }
    }
}

impl fmt::Display for SizeClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SizeClass {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|class| class.name() == text).ok_or_else(|| UnknownName::new("size", text))
    }
}

/// A year, a month of a year, or a day: `2026`, `2026-11` or `2026-11-30` (ISO 8601). Only its form is checked, for documents
/// say what they like.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(String);

impl Day {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Day {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = text.bytes().zip(b"dddd-dd-dd").all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            _ => byte == *form,
        });
        let is_whole = matches!(text.len(), 4 | 7 | 10);
        if fits && is_whole { Ok(Self(text.to_owned())) } else { Err(UnknownName::new("date", text)) }
    }
}

impl TryFrom<String> for Day {
    type Error = UnknownName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_one_of_three_forms() {
        let check = |text: &str, expect: bool| assert_eq!(text.parse::<Day>().is_ok(), expect, "{text:?}");
        check("2026", true);
        check("2026-11", true);
        check("2026-11-30", true);
        for text in ["", "26", "2026-", "2026-1", "2026-11-3", "2026-11-30T", "November", "20261130", "%2026"] {
            check(text, false);
        }
    }

    #[test]
    fn every_size_is_in_one_class() {
        for bytes in [0, 9_999, 10_000, 999_999, 1_000_000, 9_999_999, 10_000_000, 1 << 40] {
            let of = SizeClass::ALL.into_iter().filter(|class| class.bytes().contains(&bytes)).count();
            assert_eq!(of, 1, "{bytes}");
        }
    }
}
