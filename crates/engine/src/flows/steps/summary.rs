//! Sentences that say most: those nearest to the words of the whole text (Radev et al., "Centroid-based summarization of
//! multiple documents", 2004), without repeating each other, in the order of the text.

use std::collections::HashMap;

use sheaf_analysis::Terms;
use sheaf_domain::flow::FoundValue;

use super::{Passage, joined, proven, sentences};

/// Sentences that are looked at: more say hardly more.
const SENTENCES: usize = 4000;
/// Words of a sentence, from and to.
const WORDS: std::ops::RangeInclusive<usize> = 5..=80;
/// Sentences that are this much alike say the same.
const ALIKE: f64 = 0.7;

struct Sentence<'a> {
    passage: &'a Passage<'a>,
    place: std::ops::Range<usize>,
    words: HashMap<String, f64>,
}

/// The best sentences.
pub fn run(step: &str, count: u32, passages: &[Passage<'_>], language: Option<&str>) -> Vec<FoundValue> {
    let whole = weights(&joined(passages), language);
    let mut candidates: Vec<Sentence<'_>> = Vec::new();
    for passage in passages {
        for place in sentences(passage.text) {
            let text = &passage.text[place.clone()];
            if WORDS.contains(&text.split_whitespace().count()) && candidates.len() < SENTENCES {
                candidates.push(Sentence { passage, place, words: weights(text, language) });
            }
        }
    }
    let mut ranked: Vec<(f64, usize)> =
        candidates.iter().enumerate().map(|(at, sentence)| (cosine(&sentence.words, &whole), at)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut chosen: Vec<usize> = Vec::new();
    for (score, at) in ranked {
        let repeats = chosen.iter().any(|&other| cosine(&candidates[at].words, &candidates[other].words) > ALIKE);
        if chosen.len() < count as usize && score > 0.0 && !repeats {
            chosen.push(at);
        }
    }
    chosen.sort_unstable();
    chosen
        .into_iter()
        .zip(0..)
        .map(|(at, row)| {
            let Sentence { passage, place, words: _ } = &candidates[at];
            let value = passage.text[place.clone()].split_whitespace().collect::<Vec<_>>().join(" ");
            let value =
                FoundValue { step: step.to_owned(), field: "sentence".to_owned(), row, value, ..FoundValue::default() };
            proven(value, passage, place.start, place.end)
        })
        .collect()
}

fn weights(text: &str, language: Option<&str>) -> HashMap<String, f64> {
    Terms::of(text, language).iter().map(|(stem, _, uses)| (stem.to_owned(), 1.0 + f64::from(uses).ln())).collect()
}

fn cosine(a: &HashMap<String, f64>, b: &HashMap<String, f64>) -> f64 {
    // Summed in one order, so that the last digit is always the same.
    let mut shared: Vec<(&String, f64)> = a.iter().filter_map(|(word, x)| Some((word, x * b.get(word)?))).collect();
    shared.sort_by(|a, b| a.0.cmp(b.0));
    let squared = |of: &HashMap<String, f64>| {
        let mut squares: Vec<f64> = of.values().map(|x| x * x).collect();
        squares.sort_by(f64::total_cmp);
        squares.iter().sum::<f64>().sqrt()
    };
    let length = squared(a) * squared(b);
    if length > 0.0 { shared.iter().map(|(_, product)| product).sum::<f64>() / length } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentences_about_the_matter_are_chosen_in_order() {
        let text = "The weather was mild and pleasant on that day. Insulin regulates glucose in the blood of patients. \
                    Glucose in the blood of patients is regulated by insulin. High glucose levels damage the vessels of \
                    patients over many years. Short one.";
        let passages = [Passage { page: 2, start: 10, text }];
        let values = run("s", 2, &passages, Some("eng"));
        assert_eq!(values.len(), 2);
        assert!(values.iter().all(|value| value.value.contains("lucose")), "{values:?}");
        assert!(values[0].start < values[1].start && values[0].page == Some(2));
        assert_eq!(run("s", 2, &[], None), []);
    }
}
