//! Texts side by side.

use proptest::prelude::*;
use sheaf_domain::{DiffCounts, DiffRow, DiffSpan};

use super::{MAX_WORDS, compare};

/// Each row as `first | second`, with what differs in brackets, and what is folded away as its count.
fn drawn(first: &str, second: &str) -> Vec<String> {
    let side = |spans: &[DiffSpan]| {
        let draw = |span: &DiffSpan| if span.is_changed { format!("[{}]", span.text) } else { span.text.clone() };
        spans.iter().map(draw).collect::<String>()
    };
    let row = |row: &DiffRow| match row {
        DiffRow::Words { a, b } => format!("{} | {}", side(a), side(b)),
        DiffRow::Same { words, begin, end } => format!("{words}: {begin} … {end}"),
    };
    compare(first, second).1.iter().map(row).collect()
}

#[track_caller]
fn check(first: &str, second: &str, expected: &[&str]) {
    assert_eq!(drawn(first, second), expected);
}

#[test]
fn words_are_compared_and_shown_as_they_are() {
    check("", "", &[]);
    check("One two three.", "one TWO, three", &["One two three. | one TWO, three"]);
    check("One two three.", "One 2 three.", &["One [two] three. | One [2] three."]);
    check("One three.", "One two and three.", &["One three. | One [two and] three."]);
    check("Pay 1.5 now", "Pay 15 now", &["Pay [1.5] now | Pay [15] now"]);
    check("* An infor-\nmation’s end", "An information's end", &["* An information’s end | An information's end"]);
    check("Jean-\nPaul came", "Jean- Paul came", &["Jean- Paul came | Jean- Paul came"]);
    check("今日は晴れ", "今日は雨", &["今日は[晴れ] | 今日は[雨]"]);
    check("a – b", "a b", &["a – b | a b"]);
}

#[test]
fn what_is_the_same_is_folded_away() {
    let sentence = |n: usize| {
        format!("Sentence {n} has exactly these many words so that one row takes it up to here now, it ends{n}. ")
    };
    let text: String = (0..40).map(sentence).collect();
    let changed = text.replace("ends20.", "stops.");
    let rows = drawn(&text, &changed);
    assert_eq!(rows.len(), 5, "{rows:#?}");
    assert!(rows[2].contains("[ends20.]") && rows[2].contains("[stops.]"), "{rows:#?}");
    assert!(rows[0].ends_with("ends17.") && !rows[1].contains('['), "one row stands before the change: {rows:#?}");

    let rows = drawn(&text, &text);
    assert_eq!(rows.len(), 1, "nothing but what is the same: {rows:#?}");
    let rows = drawn(&text, &text[..text.len() / 2]);
    assert!(rows.iter().skip(3).all(|row| row.ends_with("] | ") || row.ends_with(" | ")), "{rows:#?}");
}

#[test]
fn long_texts_are_cut_and_bounded() {
    let text: String = (0..MAX_WORDS + 10).map(|i| format!("w{} ", i % 977)).collect();
    let other: String = (0..MAX_WORDS + 10).map(|i| format!("v{} ", i % 1_009)).collect();
    let (counts, rows) = compare(&text, &other);
    let most = MAX_WORDS as u64;
    assert_eq!(counts, DiffCounts { kept: 0, removed: most, added: most, is_cut: true });
    assert!((1_250..1_300).contains(&rows.len()), "long replacements stand side by side: {}", rows.len());
    let mixed: String = (0..30_000_u64).map(|i| format!("w{} ", i.wrapping_mul(2_654_435_761) >> 7 & 1_023)).collect();
    let began = std::time::Instant::now();
    let (counts, _) = compare(&text, &mixed);
    assert_eq!((counts.kept + counts.removed, counts.kept + counts.added), (most, 30_000));
    assert!(began.elapsed().as_secs() < 60, "texts with little in common take {:?}", began.elapsed());
    let long = "x".repeat(1_000_000);
    assert!(drawn(&long, "x").iter().all(|row| row.len() < 10_000), "a word without an end is cut");
}

proptest! {
    /// Nothing is lost or made up: each side's words are those of its text.
    #[test]
    fn each_side_is_its_text(first in "([a-d]{1,2}[.]? ){0,200}", second in "([a-d]{1,2}[.]? ){0,200}") {
        let (counts, rows) = compare(&first, &second);
        let mut sides = [Vec::new(), Vec::new()];
        let mut same = 0;
        for row in &rows {
            match row {
                DiffRow::Words { a, b } => {
                    for (side, spans) in sides.iter_mut().zip([a, b]) {
                        side.extend(spans.iter().flat_map(|span| span.text.split_whitespace().map(str::to_owned)));
                    }
                }
                DiffRow::Same { words, .. } => same += words,
            }
        }
        for (side, text) in sides.iter().zip([&first, &second]) {
            prop_assert_eq!(side.len() as u64 + same, text.split_whitespace().count() as u64);
            if same == 0 {
                prop_assert_eq!(side.join(" "), text.trim_end());
            }
        }
        prop_assert_eq!(counts.kept + counts.removed, first.split_whitespace().count() as u64);
        prop_assert_eq!(counts.kept + counts.added, second.split_whitespace().count() as u64);
    }
}
