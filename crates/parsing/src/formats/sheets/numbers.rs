//! What the number of a cell means by its format: an amount, or a point in time.

use crate::formats::dates::civil;

/// How a number is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Number,
    /// Days since the start of the workbook's calendar.
    Date,
    /// Days, as hours, minutes and seconds.
    Duration,
}

/// The day from which a workbook counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Calendar {
    #[default]
    From1900,
    From1904,
}

impl Format {
    /// The format that Excel has under a number of its own (ECMA-376 part 1, 18.8.30).
    pub fn built_in(id: u32) -> Self {
        match id {
            14..=22 | 27..=36 | 45 | 47 | 50..=58 => Self::Date,
            46 => Self::Duration,
            _ => Self::Number,
        }
    }

    /// The format that a code such as `yyyy\-mm\-dd` describes: of a date when it has a letter for one outside of quotes.
    pub fn of_code(code: &str) -> Self {
        // Of the sections for positive, negative and zero, the first will do.
        let mut characters = code.chars();
        while let Some(character) = characters.next() {
            match character {
                ';' => break,
                '"' => while characters.next().is_some_and(|inner| inner != '"') {},
                '\\' | '_' | '*' => {
                    characters.next();
                }
                '[' => {
                    let inner: String = characters.by_ref().take_while(|inner| *inner != ']').collect();
                    let first = inner.chars().next().map(|first| first.to_ascii_lowercase());
                    if inner.chars().all(|each| Some(each.to_ascii_lowercase()) == first)
                        && matches!(first, Some('h' | 'm' | 's'))
                    {
                        return Self::Duration;
                    }
                }
                'd' | 'D' | 'm' | 'M' | 'y' | 'Y' | 'h' | 'H' | 's' | 'S' => return Self::Date,
                // `General` and `E+00` have no letter of a date but these.
                'G' | 'g' => break,
                _ => {}
            }
        }
        Self::Number
    }

    /// The number as text.
    pub fn show(self, value: f64, calendar: Calendar) -> String {
        match self {
            Self::Number => amount(value),
            Self::Date => date(value, calendar).unwrap_or_else(|| amount(value)),
            Self::Duration => duration(value).unwrap_or_else(|| amount(value)),
        }
    }
}

/// A number in 30 bits ([MS-XLS] 2.5.217): whole or the upper half of a float, perhaps a hundred times too large.
pub fn compact(bits: u32) -> f64 {
    let value = match bits & 2 {
        0 => f64::from_bits(u64::from(bits & !3) << 32),
        _ => f64::from(bits as i32 >> 2),
    };
    if bits & 1 != 0 { value / 100.0 } else { value }
}

/// An error in the place of a value, by its number ([MS-XLS] 2.5.10).
pub fn error_name(code: u8) -> &'static str {
    match code {
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0f => "#VALUE!",
        0x17 => "#REF!",
        0x1d => "#NAME?",
        0x24 => "#NUM!",
        _ => "#N/A",
    }
}

/// A number with at most the 15 digits that Excel keeps; whole ones, such as those of accounts, as they are.
pub fn amount(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e17 {
        return if value == 0.0 { "0".to_owned() } else { format!("{value}") };
    }
    let rounded = format!("{value:.14e}").parse().unwrap_or(value);
    match rounded.abs() {
        size if (1e-6..1e15).contains(&size) => format!("{rounded}"),
        _ => format!("{rounded:e}"),
    }
}

fn duration(days: f64) -> Option<String> {
    let seconds = (days * 86_400.0).round();
    if !(0.0..1e12).contains(&seconds) {
        return None;
    }
    let seconds = seconds as u64;
    Some(format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60))
}

/// ISO 8601: a date, a time, or both, as the number has them.
fn date(value: f64, calendar: Calendar) -> Option<String> {
    // 9999-12-31 is the last day.
    if !(0.0..2_958_466.0).contains(&value) {
        return None;
    }
    let mut day = value.floor() as i64;
    let mut second = ((value - value.floor()) * 86_400.0).round() as i64;
    if second == 86_400 {
        (day, second) = (day + 1, 0);
    }
    let time = match second % 60 {
        0 => format!("{:02}:{:02}", second / 3600, second / 60 % 60),
        rest => format!("{:02}:{:02}:{rest:02}", second / 3600, second / 60 % 60),
    };
    if day == 0 && calendar == Calendar::From1900 {
        return Some(time);
    }
    // Days since 1970-01-01. The calendar from 1900 has a 29 February in that year, which was none.
    let since_1970 = match calendar {
        Calendar::From1904 => day - 24_107,
        Calendar::From1900 if day < 60 => day - 25_568,
        Calendar::From1900 => day - 25_569,
    };
    let (year, month, day) = civil(since_1970);
    let date = format!("{year:04}-{month:02}-{day:02}");
    Some(if second == 0 { date } else { format!("{date} {time}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        #[track_caller]
        fn check(code: &str, expect: Format) {
            assert_eq!(Format::of_code(code), expect, "{code}");
        }
        check("General", Format::Number);
        check("0.00E+00", Format::Number);
        check("#,##0.00 \"days\"", Format::Number);
        check("[Red]0.0;[Blue]-0.0", Format::Number);
        check("[$-409]d\\-mmm\\-yy;@", Format::Date);
        check("yyyy-mm-dd hh:mm", Format::Date);
        check("[h]:mm:ss", Format::Duration);
        check("0.0\\ \\m", Format::Number);
        check("\"never closed", Format::Number);
    }

    #[test]
    fn values() {
        #[track_caller]
        fn check(format: Format, value: f64, expect: &str) {
            assert_eq!(format.show(value, Calendar::From1900), expect);
        }
        check(Format::Number, 0.1 + 0.2, "0.3");
        check(Format::Number, 42.0, "42");
        check(Format::Number, -0.0, "0");
        check(Format::Number, 1e300, "1e300");
        check(Format::Number, 1_234_567_890_123_456.0, "1234567890123456");
        check(Format::Number, 1.5e-9, "1.5e-9");
        check(Format::Date, 45_306.0, "2024-01-15");
        check(Format::Date, 45_306.75, "2024-01-15 18:00");
        check(Format::Date, 1.0, "1900-01-01");
        check(Format::Date, 61.0, "1900-03-01");
        check(Format::Date, 0.5, "12:00");
        check(Format::Date, -3.0, "-3");
        check(Format::Date, f64::NAN, "NaN");
        check(Format::Duration, 1.5, "36:00:00");
        assert_eq!(Format::Date.show(0.0, Calendar::From1904), "1904-01-01");
    }
}
