//! What is there is found where it is; what was made up is not found.

use proptest::prelude::{any, proptest};

use super::*;

/// A page as extraction leaves it: broken lines, hyphens, ligatures, numbers with points.
const PAGE: &str = "The expression of BRCA1 was increased 2.5-fold in treated cells (p < 0.05), whereas TP53 did not change \
    signifi-\ncantly. A dose of 1.5 mg per day was given to 40 patients; 12 of them reported mild headaches.\n\nThe invoice of \
    3 March 2021 over €1,250.00 is due within thirty days. “No liability is accepted” for late deliveries, and the \
    supplier’s well-known warranty covers the first twelve months only. The ﬁrst results were typical of untreated \
    samples and the control group remained stable throughout the observation period of six weeks.";

fn check(quote: &str, expected: Option<(&str, Match)>) {
    let found = locate(PAGE, quote).map(|found| (&PAGE[found.range], found.how));
    assert_eq!(found, expected, "{quote}");
}

#[test]
fn what_is_there_is_found() {
    check("TP53 did not change", Some(("TP53 did not change", Match::Exact)));
    check(" did not change significantly.", Some(("did not change signifi-\ncantly.", Match::Normalised)));
    check("\"No liability is accepted\"", Some(("“No liability is accepted”", Match::Normalised)));
    check("the supplier's well known warranty", None);
    check("the supplier's WELL-KNOWN warranty", Some(("the supplier’s well-known warranty", Match::Normalised)));
    check("The first results", Some(("The ﬁrst results", Match::Normalised)));
    let misread = "the contrcl group remained stable throughout the observation";
    let meant = "the control group remained stable throughout the observation";
    check(misread, Some((meant, Match::Fuzzy)));
    // The first letter of all may be the misread one.
    let meant = "expression of BRCA1 was increased 2.5-fold in treated cells";
    check(&meant.replacen('e', "c", 1), Some((meant, Match::Fuzzy)));
}

#[test]
fn what_says_something_else_is_not_found() {
    for quote in [
        "5 mg per day",
        "1.6 mg per day was given to 40 patients",
        "given to 4",
        "1,250",
        "p > 0.05",
        "TP53 did now change significantly",
        "The first results were atypical of untreated samples",
        "results were typical of treated samples and the control group",
        "12 of them reported severe headaches",
        "BRCA1 was increased 2.5-fold in cells",
        "expression of BRCA2 was increased 2.5-fold in treated cells",
        "The invoice of 13 March 2021",
        "",
        " . ",
    ] {
        check(quote, None);
    }
}

/// Every fabrication changes what a true stretch of the page says: a word too much, one too few, two exchanged, one replaced, or a
/// digit changed.
#[test]
fn two_hundred_fabricated_quotes_are_not_found() {
    let words: Vec<&str> = PAGE.split_whitespace().collect();
    let mut fabricated = Vec::new();
    for start in 0..words.len() - 9 {
        let true_words = &words[start..start + 9];
        assert!(locate(PAGE, &true_words.join(" ")).is_some(), "{true_words:?}");
        let mut one_more = true_words.to_vec();
        one_more.insert(4, "never");
        let mut one_less = true_words.to_vec();
        one_less.remove(4);
        let mut exchanged = true_words.to_vec();
        exchanged.swap(3, 6);
        let mut replaced = true_words.to_vec();
        replaced[4] = "impossible";
        let made: [Vec<&str>; 4] = [one_more, one_less, exchanged, replaced];
        fabricated.extend(made.into_iter().filter(|made| made != true_words).map(|made| made.join(" ")));
        let text = true_words.join(" ");
        fabricated.extend(text.find(|c: char| c.is_ascii_digit()).map(|at| {
            let digit = if text[at..].starts_with('7') { "8" } else { "7" };
            format!("{}{digit}{}", &text[..at], &text[at + 1..])
        }));
    }
    assert!(fabricated.len() >= 200, "{}", fabricated.len());
    for quote in fabricated {
        assert_eq!(locate(PAGE, &quote), None, "{quote}");
    }
}

proptest! {
    #[test]
    fn any_whole_words_are_found_and_any_text_is_survived(from in 0_usize..80, len in 1_usize..20, noise in any::<String>()) {
        let words: Vec<&str> = PAGE.split(' ').collect();
        let end = (from + len).min(words.len());
        let start = from.min(end - 1);
        let quote = words[start..end].join(" ");
        if quote.contains(char::is_alphanumeric) {
            let found = locate(PAGE, &quote).expect("it is there");
            assert_eq!(found.how, Match::Exact);
            // However it is spaced.
            assert!(locate(PAGE, &quote.to_uppercase().replace(' ', " \n ")).is_some() || quote.contains('-'));
        }
        if let Some(found) = locate(&noise, PAGE).or_else(|| locate(PAGE, &noise)) {
            assert!(PAGE.get(found.range).is_some());
        }
    }
}
