//! Sentences of a text (UAX #29), over line breaks within a paragraph. Headings, lines of a form, rows of a table of amounts and
//! the names above a paper are sentences of their own; an initial, an abbreviation or the number of a day ends none.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// What ends with a point inside a sentence, before a word with a capital letter.
const ABBREVIATIONS: [&str; 34] = [
    "Abb.", "Abs.", "Art.", "Bd.", "Co.", "Corp.", "Dr.", "Eq.", "Eqs.", "Fig.", "Figs.", "Inc.", "Ltd.", "Mr.",
    "Mrs.", "Ms.", "No.", "Nos.", "Nr.", "Prof.", "Ref.", "Refs.", "Sec.", "St.", "Tab.", "Vol.", "approx.", "bzw.",
    "ca.", "cf.", "e.g.", "i.e.", "vs.", "z.B.",
];
/// A line that is so much shorter than those around it was ended on purpose.
const SHORT: f64 = 0.6;
/// The lines before and after it that say how long a line is.
const AROUND: usize = 3;
/// Characters before the colon of a line such as `Due date: 3 May 2026`.
const LABEL: usize = 40;

/// Where the sentences of a text are, in bytes, without white space around them.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    // Places stay the same: a break within a paragraph becomes a space, and one that ends something stays.
    let unwrapped = unwrapped(text);
    let mut found: Vec<Range<usize>> = Vec::new();
    for (start, sentence) in unwrapped.split_sentence_bound_indices() {
        let from = start + (sentence.len() - sentence.trim_start().len());
        let range = from..from + sentence.trim().len();
        if range.is_empty() {
            continue;
        }
        match found.last_mut() {
            Some(last) if goes_on(&unwrapped, last, &range) => last.end = range.end,
            Some(_) | None => found.push(range),
        }
    }
    found
}

/// The text with a space for each line break that is only where a line was full.
fn unwrapped(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let lines: Vec<&str> = text.split('\n').collect();
    let lengths: Vec<usize> = lines.iter().map(|line| line.trim().chars().count()).collect();
    for (number, line) in lines.iter().enumerate() {
        whole.push_str(line);
        let Some(next) = lines.get(number + 1) else { break };
        whole.push(if wraps(line, next, &lengths, number) { ' ' } else { '\n' });
    }
    whole
}

/// Whether a line goes on in the next one.
fn wraps(line: &str, next: &str, lengths: &[usize], number: usize) -> bool {
    let (line, next) = (line.trim(), next.trim());
    let Some(first) = next.chars().next().filter(|_| !line.is_empty()) else { return false };
    let begins_anew = first.is_uppercase() || first.is_ascii_digit();
    if begins_anew && (ends_with_amount(line) || is_row(next)) {
        return false;
    }
    if !first.is_uppercase() {
        return !(line.ends_with(['.', ':', '!', '?']) && is_numbered(next));
    }
    if is_labelled(next) {
        return false;
    }
    let around = &lengths[number.saturating_sub(AROUND)..lengths.len().min(number + AROUND + 1)];
    let widest = around.iter().copied().max().unwrap_or_default() as f64;
    let word = next.split_whitespace().next().map_or(0, |word| word.chars().count());
    (lengths[number] + word) as f64 >= SHORT * widest || line.ends_with([',', '-', '&', '('])
}

/// Whether a line is a row of a table of amounts: words, and an amount behind them.
fn is_row(line: &str) -> bool {
    ends_with_amount(line) && line.split_whitespace().filter(|word| word.contains(char::is_alphabetic)).count() > 1
}

/// Whether a line ends as those of an invoice do: `24,90 €`, `$808.56`, `EUR 1,204.55`, `1,204.55`.
fn ends_with_amount(line: &str) -> bool {
    const SIGNS: [char; 6] = ['€', '£', '$', '¥', '₹', '₩'];
    let mut words = line.split_whitespace().rev();
    let (last, before) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_number = |word: &str| word.ends_with(|c: char| c.is_ascii_digit());
    let is_code = |word: &str| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let cents = last.rsplit_once(['.', ',']).is_some_and(|(whole, cents)| {
        is_number(whole) && cents.len() == 2 && cents.bytes().all(|byte| byte.is_ascii_digit())
    });
    let has_sign = last.contains(SIGNS) && (is_number(last.trim_matches(SIGNS)) || is_number(before));
    cents || has_sign || (is_code(last) && is_number(before)) || (is_code(before) && is_number(last))
}

/// Whether a line is a numbered heading or paragraph: `1. Purpose`.
fn is_numbered(line: &str) -> bool {
    let Some((number, rest)) = line.split_once(' ') else { return false };
    number.ends_with('.')
        && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && rest.trim_start().starts_with(char::is_uppercase)
}

/// Whether a line says first what it is about, as those of a form do.
fn is_labelled(line: &str) -> bool {
    let Some((label, rest)) = line.split_once(':') else { return false };
    label.chars().count() <= LABEL
        && !label.contains(['.', ',', ';', '(', ')'])
        && (rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// Whether what looks like two sentences is one.
fn goes_on(text: &str, first: &Range<usize>, second: &Range<usize>) -> bool {
    if text[first.end..second.start].contains('\n') {
        return false;
    }
    let before = &text[first.clone()];
    let Some(word) = before.split_whitespace().next_back().filter(|word| word.ends_with('.')) else { return false };
    let bare = word.trim_start_matches(['(', '[', '"', '\u{201c}']);
    let stem = bare.trim_end_matches('.');
    let is_initial = stem.chars().count() == 1 && stem.chars().all(char::is_uppercase);
    // `30. April 2026`
    let is_day = (1..=2).contains(&stem.len()) && stem.bytes().all(|byte| byte.is_ascii_digit());
    let month = text[second.clone()].split_whitespace().next().unwrap_or_default();
    is_initial || ABBREVIATIONS.contains(&bare) || (is_day && super::dates::is_month(month))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[&str]) {
        let found: Vec<&str> = sentences(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, expect, "{text:?}");
    }

    #[test]
    fn sentences_go_over_lines_but_not_over_paragraphs() {
        check("One. Two is\nlonger. \n\nThree", &["One.", "Two is\nlonger.", "Three"]);
        check("Kopf\n\nText über Öl. Ende.", &["Kopf", "Text über Öl.", "Ende."]);
        check(" \n ", &[]);
        check("", &[]);
    }

    #[test]
    fn headings_and_lines_of_a_form_are_their_own() {
        check(
            "Results\nCells with high levels of it also had a lot\nof the other, as we show. EGFR was seen by\nMueller too.",
            &[
                "Results",
                "Cells with high levels of it also had a lot\nof the other, as we show.",
                "EGFR was seen by\nMueller too.",
            ],
        );
        check(
            "Date of this agreement: 14 June 2025\nCommencement Date: 01/07/2025\nExpiry Date: 30/06/2028\nTotal\n$ 5",
            &[
                "Date of this agreement: 14 June 2025",
                "Commencement Date: 01/07/2025",
                "Expiry Date: 30/06/2028\nTotal\n$ 5",
            ],
        );
    }

    #[test]
    fn rows_of_a_table_of_amounts_are_their_own() {
        check(
            "Beschreibung Menge Gesamt\n1 Bogen A5 0,89 € 890,00 €\nNettobetrag 914,90 €\nGesamtbetrag 1.088,73 €",
            &[
                "Beschreibung Menge Gesamt",
                "1 Bogen A5 0,89 € 890,00 €",
                "Nettobetrag 914,90 €",
                "Gesamtbetrag 1.088,73 €",
            ],
        );
        check("VAT @ 20% £70.64\nTotal\n£423.84\nThanks", &["VAT @ 20% £70.64", "Total\n£423.84", "Thanks"]);
        check(
            "between A and Fabrikam, Inc.\n1. Purpose of it",
            &["between A and Fabrikam, Inc.", "1.", "Purpose of it"],
        );
    }

    #[test]
    fn a_point_inside_a_sentence_ends_none() {
        check("Bis zum 30. April 2026 gilt es. Dann nicht.", &["Bis zum 30. April 2026 gilt es.", "Dann nicht."]);
        check(
            "Seen by J. Smith (cf. Fig. A). Dr. No was there.",
            &["Seen by J. Smith (cf. Fig. A).", "Dr. No was there."],
        );
        check("It was 12. The rest went.", &["It was 12.", "The rest went."]);
    }
}
