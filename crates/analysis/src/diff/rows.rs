//! Steps to rows: a sentence or a few in each, with what is the same folded away.

use sheaf_domain::{DiffRow, DiffSpan};

use super::Step;
use super::words::Word;

/// A row ends with the sentence once it has so many words…
const ENOUGH: usize = 20;
/// …with any word that is in both texts once it has so many…
const LONG: usize = 50;
/// …and in any case here.
const TOO_LONG: usize = 80;
/// Rows without a change are folded away when there are more of them than this, but for one beside each change.
const CONTEXT: usize = 3;
/// Words of what is folded away that are shown, at each end.
const SHOWN: usize = 8;

/// The rows of two texts.
pub fn rows(a: &[Word<'_>], b: &[Word<'_>], steps: &[Step]) -> Vec<DiffRow> {
    let stretches = stretches(a, steps);
    let is_same = |stretch: &[Step]| stretch.iter().all(|step| matches!(step, Step::Both(..)));
    let mut rows = Vec::new();
    let mut next = 0;
    while next < stretches.len() {
        let same = stretches[next..].iter().take_while(|stretch| is_same(stretch)).count();
        let (head, tail) = (usize::from(next > 0), usize::from(next + same < stretches.len()));
        if same > CONTEXT {
            let (from, to) = (next + head, next + same - tail);
            rows.extend(stretches[next..from].iter().map(|stretch| row(a, b, stretch)));
            rows.push(folded(a, &stretches[from..to].concat()));
            rows.extend(stretches[to..next + same].iter().map(|stretch| row(a, b, stretch)));
        } else {
            rows.extend(stretches[next..next + same].iter().map(|stretch| row(a, b, stretch)));
        }
        next += same;
        if let Some(changed) = stretches.get(next) {
            rows.push(row(a, b, changed));
            next += 1;
        }
    }
    rows
}

/// Where rows begin and end.
fn stretches<'s>(a: &[Word<'_>], steps: &'s [Step]) -> Vec<&'s [Step]> {
    let mut stretches = Vec::new();
    let mut rest = steps;
    while !rest.is_empty() {
        let (mut first, mut second) = (0, 0);
        let end = rest.iter().position(|step| {
            first += usize::from(!matches!(step, Step::Second(_)));
            second += usize::from(!matches!(step, Step::First(_)));
            let length = first.max(second);
            match step {
                Step::Both(word, _) => length >= LONG || (length >= ENOUGH && ends_sentence(&a[*word].shown)),
                Step::First(_) | Step::Second(_) => length >= TOO_LONG,
            }
        });
        let (stretch, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
        stretches.push(stretch);
        rest = after;
    }
    stretches
}

fn ends_sentence(word: &str) -> bool {
    word.trim_end_matches(['"', '\'', '”', '’', ')', ']']).ends_with(['.', '!', '?', '。', '！', '？'])
}

fn row(a: &[Word<'_>], b: &[Word<'_>], stretch: &[Step]) -> DiffRow {
    let first = stretch.iter().filter_map(|step| match *step {
        Step::Both(word, _) => Some((&a[word], false)),
        Step::First(word) => Some((&a[word], true)),
        Step::Second(_) => None,
    });
    let second = stretch.iter().filter_map(|step| match *step {
        Step::Both(_, word) => Some((&b[word], false)),
        Step::Second(word) => Some((&b[word], true)),
        Step::First(_) => None,
    });
    DiffRow::Words { a: spans(first), b: spans(second) }
}

fn spans<'w, 't: 'w>(words: impl Iterator<Item = (&'w Word<'t>, bool)>) -> Vec<DiffSpan> {
    let mut spans: Vec<DiffSpan> = Vec::new();
    for (word, is_changed) in words {
        match spans.last_mut() {
            Some(span) if span.is_changed == is_changed => append(&mut span.text, word),
            Some(span) => {
                // The space stands where nothing is marked.
                let space = if word.is_glued { "" } else { " " };
                let text = match is_changed {
                    true => {
                        span.text.push_str(space);
                        word.shown.to_string()
                    }
                    false => format!("{space}{}", word.shown),
                };
                spans.push(DiffSpan { text, is_changed });
            }
            None => spans.push(DiffSpan { text: word.shown.to_string(), is_changed }),
        }
    }
    spans
}

fn append(text: &mut String, word: &Word<'_>) {
    if !text.is_empty() && !word.is_glued {
        text.push(' ');
    }
    text.push_str(&word.shown);
}

fn folded(a: &[Word<'_>], stretch: &[Step]) -> DiffRow {
    let words: Vec<&Word<'_>> = stretch
        .iter()
        .filter_map(|step| match *step {
            Step::Both(word, _) | Step::First(word) => Some(&a[word]),
            Step::Second(_) => None,
        })
        .collect();
    let joined = |words: &[&Word<'_>]| {
        let mut text = String::new();
        words.iter().for_each(|word| append(&mut text, word));
        text
    };
    let begin = joined(&words[..SHOWN.min(words.len())]);
    let end = joined(&words[words.len().saturating_sub(SHOWN)..]);
    DiffRow::Same { words: words.len() as u64, begin, end }
}
