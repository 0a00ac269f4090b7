//! Days as people write them, and as ISO 8601.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// In English, German, French, Spanish, Italian, Portuguese and Dutch; of those that begin alike the longer one first.
const MONTHS: [(&str, u32); 84] = [
    ("january", 1),
    ("janvier", 1),
    ("gennaio", 1),
    ("janeiro", 1),
    ("januari", 1),
    ("januar", 1),
    ("enero", 1),
    ("jan", 1),
    ("fevereiro", 2),
    ("february", 2),
    ("febbraio", 2),
    ("februari", 2),
    ("februar", 2),
    ("février", 2),
    ("fevrier", 2),
    ("febrero", 2),
    ("feb", 2),
    ("march", 3),
    ("marzo", 3),
    ("março", 3),
    ("maart", 3),
    ("märz", 3),
    ("mars", 3),
    ("mar", 3),
    ("aprile", 4),
    ("april", 4),
    ("avril", 4),
    ("abril", 4),
    ("apr", 4),
    ("maggio", 5),
    ("mayo", 5),
    ("maio", 5),
    ("may", 5),
    ("mai", 5),
    ("mei", 5),
    ("giugno", 6),
    ("junio", 6),
    ("junho", 6),
    ("june", 6),
    ("juni", 6),
    ("juin", 6),
    ("jun", 6),
    ("juillet", 7),
    ("luglio", 7),
    ("julio", 7),
    ("julho", 7),
    ("july", 7),
    ("juli", 7),
    ("jul", 7),
    ("augustus", 8),
    ("august", 8),
    ("agosto", 8),
    ("août", 8),
    ("aout", 8),
    ("aug", 8),
    ("septiembre", 9),
    ("september", 9),
    ("septembre", 9),
    ("settembre", 9),
    ("setembro", 9),
    ("sept", 9),
    ("sep", 9),
    ("october", 10),
    ("oktober", 10),
    ("octobre", 10),
    ("octubre", 10),
    ("ottobre", 10),
    ("outubro", 10),
    ("oct", 10),
    ("okt", 10),
    ("noviembre", 11),
    ("november", 11),
    ("novembre", 11),
    ("novembro", 11),
    ("nov", 11),
    ("diciembre", 12),
    ("december", 12),
    ("dezember", 12),
    ("décembre", 12),
    ("decembre", 12),
    ("dicembre", 12),
    ("dezembro", 12),
    ("dec", 12),
    ("dez", 12),
];

static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
    let months: Vec<&str> = MONTHS.iter().map(|(name, _)| *name).collect();
    let month = months.join("|");
    let pattern = format!(
        r"(?i)\b(?:(?P<iy>\d{{4}})-(?P<im>\d{{1,2}})-(?P<id>\d{{1,2}})\b|(?P<dd>\d{{1,2}})(?:st|nd|rd|th|er|º|°)?\.?\s+(?:(?:of|de|di)\s+)?(?P<dm>{month})\b\.?,?\s+(?:de\s+)?(?P<dy>\d{{4}})\b|(?P<mm>{month})\b\.?\s+(?P<md>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<my>\d{{4}})\b|(?P<pd>\d{{1,2}})\.(?P<pm>\d{{1,2}})\.(?P<py>\d{{4}})\b|(?P<sa>\d{{1,2}})/(?P<sb>\d{{1,2}})/(?P<sy>\d{{4}})\b)"
    );
    Regex::new(&pattern).expect("the pattern is valid: a test compiles it")
});

/// Whether a word is the name of a month.
pub fn is_month(word: &str) -> bool {
    let word = word.trim_end_matches(|c: char| !c.is_alphabetic()).to_lowercase();
    MONTHS.iter().any(|(known, _)| *known == word)
}

/// What comes first in a day such as 3/4/2026.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlashOrder {
    DayFirst,
    MonthFirst,
}

/// The order in which texts of one document write days with slashes: that of those which can be read in one way only. `None`
/// where there are no such days, or both orders.
pub fn slash_order<'a>(texts: impl Iterator<Item = &'a str>) -> Option<SlashOrder> {
    let mut found = None;
    for captures in texts.flat_map(|text| PATTERN.captures_iter(text)) {
        let number = |name: &str| captures.name(name).and_then(|found| found.as_str().parse::<u32>().ok());
        let (Some(a), Some(b), Some(year)) = (number("sa"), number("sb"), number("sy")) else { continue };
        let order = match (day(year, b, a), day(year, a, b)) {
            (Some(_), None) => SlashOrder::DayFirst,
            (None, Some(_)) => SlashOrder::MonthFirst,
            (Some(_), Some(_)) | (None, None) => continue,
        };
        if found.is_some_and(|known| known != order) {
            return None;
        }
        found = Some(order);
    }
    found
}

/// The days in a text: where, and in ISO 8601. A day such as 3/4/2026, which may be in March or in April, has no ISO form
/// unless the document's `order` is known; what no calendar has is no day.
pub fn find(text: &str, order: Option<SlashOrder>) -> impl Iterator<Item = (std::ops::Range<usize>, String)> + '_ {
    PATTERN.captures_iter(text).filter_map(move |captures| {
        let whole = captures.get(0)?;
        // `1.2.3.2024` is a version, not a day behind a number.
        let before = &text.as_bytes()[..whole.start()];
        let is_part = before.ends_with(b".") && before.len() > 1 && before[before.len() - 2].is_ascii_digit();
        if is_part {
            return None;
        }
        Some((whole.range(), iso(&captures, order)?))
    })
}

fn iso(captures: &Captures<'_>, order: Option<SlashOrder>) -> Option<String> {
    let number = |name: &str| captures.name(name).and_then(|found| found.as_str().parse::<u32>().ok());
    let month = |name: &str| {
        let name = captures.name(name)?.as_str().to_lowercase();
        MONTHS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
    };
    if let (Some(a), Some(b), Some(year)) = (number("sa"), number("sb"), number("sy")) {
        return match (day(year, a, b), day(year, b, a)) {
            (Some(month_first), Some(day_first)) if month_first != day_first => Some(match order {
                Some(SlashOrder::MonthFirst) => month_first,
                Some(SlashOrder::DayFirst) => day_first,
                None => String::new(),
            }),
            (Some(found), _) | (None, Some(found)) => Some(found),
            (None, None) => None,
        };
    }
    let (year, month, date) = number("iy")
        .zip(number("im"))
        .zip(number("id"))
        .or_else(|| number("dy").zip(month("dm")).zip(number("dd")))
        .or_else(|| number("my").zip(month("mm")).zip(number("md")))
        .or_else(|| number("py").zip(number("pm")).zip(number("pd")))
        .map(|((year, month), day)| (year, month, day))?;
    day(year, month, date)
}

fn day(year: u32, month: u32, day: u32) -> Option<String> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    ((1..=last).contains(&day) && (1000..=9999).contains(&year)).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_found_and_written_as_iso() {
        let check = |text: &str, expect: &[(&str, &str)]| {
            let found: Vec<_> =
                find(text, slash_order([text].into_iter())).map(|(range, iso)| (text[range].to_owned(), iso)).collect();
            let found: Vec<_> = found.iter().map(|(value, iso)| (value.as_str(), iso.as_str())).collect();
            assert_eq!(found, expect, "{text}");
        };
        check("on 2026-11-30, or", &[("2026-11-30", "2026-11-30")]);
        check("the 3rd of May 2024.", &[("3rd of May 2024", "2024-05-03")]);
        check("Sept. 9, 1999", &[("Sept. 9, 1999", "1999-09-09")]);
        check("am 1. März 2020 und 24.12.2021", &[("1. März 2020", "2020-03-01"), ("24.12.2021", "2021-12-24")]);
        check(
            "5/6/2020 31/12/2020 12/31/2020",
            &[("5/6/2020", ""), ("31/12/2020", "2020-12-31"), ("12/31/2020", "2020-12-31")],
        );
        check("31/12/2020 12/31/2020", &[("31/12/2020", "2020-12-31"), ("12/31/2020", "2020-12-31")]);
        check(
            "le 1er septembre 2024, 5 de mayo de 2023",
            &[("1er septembre 2024", "2024-09-01"), ("5 de mayo de 2023", "2023-05-05")],
        );
        check("3/4/2020, 31/12/2020", &[("3/4/2020", "2020-04-03"), ("31/12/2020", "2020-12-31")]);
        check("3/4/2020, 12/31/2020", &[("3/4/2020", "2020-03-04"), ("12/31/2020", "2020-12-31")]);
        check("3/4/2020 and 4/4/2020", &[("3/4/2020", ""), ("4/4/2020", "2020-04-04")]);
        check("2023-02-29 32 May 2020 1.2.3.2024", &[]);
    }
}
