//! Amounts of money as people write them, and as numbers.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// Signs and codes of currencies; the code is what is given out.
const CURRENCIES: [(&str, &str); 37] = [
    ("US$", "USD"),
    ("CA$", "CAD"),
    ("A$", "AUD"),
    ("R$", "BRL"),
    ("$", "USD"),
    ("€", "EUR"),
    ("£", "GBP"),
    ("¥", "JPY"),
    ("USD", "USD"),
    ("EUR", "EUR"),
    ("Euro", "EUR"),
    ("euros", "EUR"),
    ("GBP", "GBP"),
    ("CHF", "CHF"),
    ("JPY", "JPY"),
    ("CNY", "CNY"),
    ("SEK", "SEK"),
    ("NOK", "NOK"),
    ("DKK", "DKK"),
    ("PLN", "PLN"),
    ("CAD", "CAD"),
    ("AUD", "AUD"),
    ("INR", "INR"),
    ("dollars", "USD"),
    ("pounds", "GBP"),
    ("₹", "INR"),
    ("₩", "KRW"),
    ("zł", "PLN"),
    ("BRL", "BRL"),
    ("CZK", "CZK"),
    ("HKD", "HKD"),
    ("HUF", "HUF"),
    ("KRW", "KRW"),
    ("MXN", "MXN"),
    ("NZD", "NZD"),
    ("SGD", "SGD"),
    ("ZAR", "ZAR"),
];

static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
    let names: Vec<String> = CURRENCIES.iter().map(|(name, _)| regex::escape(name)).collect();
    let (names, number) = (names.join("|"), r"\d{1,3}(?:[.,' \u{a0}]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?");
    let pattern = format!(
        r"(?:(?P<before>{names})[ \u{{a0}}]?(?P<after_sign>{number})|(?P<number>{number})[ \u{{a0}}]?(?P<after>{names}))"
    );
    Regex::new(&pattern).expect("the pattern is valid: a test compiles it")
});

const NUMBER: &str = r"\d{1,3}(?:[.,' \u{a0}]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d+)?";

static NUMBERS: LazyLock<Regex> = LazyLock::new(|| Regex::new(NUMBER).expect("a test compiles it"));

/// The numbers in a text. One such as 1.234 may be read in two ways, and both are given.
pub fn numbers(text: &str) -> impl Iterator<Item = f64> + '_ {
    NUMBERS.find_iter(text).flat_map(|found| {
        let number = found.as_str();
        let as_written = number.replace(',', ".").parse::<f64>().ok();
        let sign = if text[..found.start()].ends_with(['-', '−']) { -1.0 } else { 1.0 };
        let readings = [plain(number).parse::<f64>().ok(), as_written];
        readings.into_iter().flatten().flat_map(move |value| [value, sign * value])
    })
}

/// An amount in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    pub place: Range<usize>,
    /// With a point before the fraction and nothing between thousands.
    pub number: String,
    /// ISO 4217.
    pub currency: &'static str,
}

/// The amounts in a text.
pub fn find(text: &str) -> Vec<Amount> {
    PATTERN
        .captures_iter(text)
        .filter_map(|captures| {
            let whole = captures.get(0)?;
            let number = captures.name("after_sign").or_else(|| captures.name("number"))?.as_str();
            let name = captures.name("before").or_else(|| captures.name("after"))?.as_str();
            let goes_on = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            let alone =
                !goes_on(text[..whole.start()].chars().next_back()) && !goes_on(text[whole.end()..].chars().next());
            let currency = CURRENCIES.iter().find(|(known, _)| *known == name)?.1;
            alone.then(|| Amount { place: whole.range(), number: plain(number), currency })
        })
        .collect()
}

/// The last mark stands before the fraction when one or two digits follow it.
fn plain(number: &str) -> String {
    let fraction = number.rfind(['.', ',']).filter(|at| (1..=2).contains(&(number.len() - at - 1)));
    let digits = |part: &str| part.chars().filter(char::is_ascii_digit).collect::<String>();
    match fraction {
        Some(at) => format!("{}.{}", digits(&number[..at]), digits(&number[at..])),
        None => digits(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_found_and_written_as_numbers() {
        let check = |text: &str, expect: &[(&str, &str, &str)]| {
            let found = find(text);
            let found: Vec<_> = found.iter().map(|a| (&text[a.place.clone()], a.number.as_str(), a.currency)).collect();
            assert_eq!(found, expect, "{text}");
        };
        check("Total: $1,234.50.", &[("$1,234.50", "1234.50", "USD")]);
        check("1.234,50 € und 12 EUR", &[("1.234,50 €", "1234.50", "EUR"), ("12 EUR", "12", "EUR")]);
        check("CHF 1'000'000", &[("CHF 1'000'000", "1000000", "CHF")]);
        check("£9.5, US$ 7", &[("£9.5", "9.5", "GBP"), ("US$ 7", "7", "USD")]);
        check("R$ 1.200,00 or 80 zł", &[("R$ 1.200,00", "1200.00", "BRL"), ("80 zł", "80", "PLN")]);
        check("12 EUROPE, chapter 3", &[]);
    }
}
