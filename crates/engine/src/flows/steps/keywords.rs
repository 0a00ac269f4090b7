//! The words of a document that are used most, without those that every text uses.

use sheaf_analysis::Terms;
use sheaf_domain::flow::FoundValue;

use super::{Passage, joined};

/// The most frequent words, each in the form in which it is written most often.
pub fn run(step: &str, count: u32, passages: &[Passage<'_>], language: Option<&str>) -> Vec<FoundValue> {
    let terms = Terms::of(&joined(passages), language);
    // The strongest stem comes first, and of a stem its most frequent form.
    let mut stems: Vec<&str> = Vec::new();
    let mut words: Vec<&str> = Vec::new();
    for (form, stem, _) in terms.iter() {
        if stems.last() != Some(&stem) {
            stems.push(stem);
            words.push(form);
        }
    }
    words
        .into_iter()
        .take(count as usize)
        .zip(0..)
        .map(|(word, row)| FoundValue {
            step: step.to_owned(),
            field: "keyword".to_owned(),
            row,
            value: word.to_owned(),
            ..FoundValue::default()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_given_as_they_are_written() {
        let text = "The parcel arrived damaged. Another parcel arrived too; both parcels were damaged.";
        let values = run("k", 3, &[Passage { page: 1, start: 0, text }], Some("eng"));
        let words: Vec<&str> = values.iter().map(|value| value.value.as_str()).collect();
        assert_eq!(words, ["parcel", "arrived", "damaged"]);
    }
}
