//! The words of a document that are used most, without those that every text uses.

use sheaf_analysis::Terms;
use sheaf_domain::flow::FoundValue;

use super::{Passage, joined};

/// The most frequent words, as they are written most often.
pub fn run(step: &str, count: u32, passages: &[Passage<'_>], language: Option<&str>) -> Vec<FoundValue> {
    let terms = Terms::of(&joined(passages), language);
    let mut words: Vec<(&str, u32)> = terms.iter().map(|(_, word, uses)| (word, uses)).collect();
    words.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let words = words.into_iter().take(count as usize).zip(0..);
    words
        .map(|((word, _), row)| FoundValue {
            step: step.to_owned(),
            field: "keyword".to_owned(),
            row,
            value: word.to_owned(),
            ..FoundValue::default()
        })
        .collect()
}
