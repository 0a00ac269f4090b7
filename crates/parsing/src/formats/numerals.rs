//! Numbers as lists show them.

/// A way to write numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    Decimal,
    LowerLetter,
    UpperLetter,
    LowerRoman,
    UpperRoman,
}

impl System {
    /// By the name that Word has for it; an unknown one is decimal.
    pub fn of_name(name: &str) -> Self {
        match name {
            "lowerLetter" => Self::LowerLetter,
            "upperLetter" => Self::UpperLetter,
            "lowerRoman" => Self::LowerRoman,
            "upperRoman" => Self::UpperRoman,
            _ => Self::Decimal,
        }
    }

    /// By its first number, as OpenDocument does.
    pub fn of_letter(first: &str) -> Self {
        match first {
            "a" => Self::LowerLetter,
            "A" => Self::UpperLetter,
            "i" => Self::LowerRoman,
            "I" => Self::UpperRoman,
            _ => Self::Decimal,
        }
    }
}

/// A number in a system.
pub fn show(count: u32, system: System) -> String {
    match system {
        System::Decimal => count.to_string(),
        System::LowerLetter => letters(count).to_lowercase(),
        System::UpperLetter => letters(count),
        System::LowerRoman => roman(count).to_lowercase(),
        System::UpperRoman => roman(count),
    }
}

/// A to Z, then AA, BB and so on.
fn letters(count: u32) -> String {
    let (letter, times) = (count.saturating_sub(1) % 26, count.saturating_sub(1) / 26 + 1);
    char::from(b'A' + letter as u8).to_string().repeat(times.min(8) as usize)
}

fn roman(mut count: u32) -> String {
    const NUMERALS: [(u32, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    if count > 4999 {
        return count.to_string();
    }
    let mut roman = String::new();
    for (value, numeral) in NUMERALS {
        while count >= value {
            roman.push_str(numeral);
            count -= value;
        }
    }
    roman
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems() {
        #[track_caller]
        fn check(count: u32, format: &str, expect: &str) {
            assert_eq!(show(count, System::of_name(format)), expect);
        }
        check(4, "decimal", "4");
        check(28, "upperLetter", "BB");
        check(1994, "lowerRoman", "mcmxciv");
        check(0, "lowerLetter", "a");
    }
}
