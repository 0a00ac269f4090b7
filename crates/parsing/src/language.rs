//! The language of a text.

/// Words that are frequent in English and in no other language of the detector; together they are some 15 % of a text.
const ENGLISH: &[&str] = &[
    "the", "and", "that", "with", "this", "from", "have", "which", "were", "they", "their", "been", "there", "would",
    "are", "but", "you", "these", "about", "should",
];
/// So many of them, and one word in so many, make a text English.
const FEWEST_ENGLISH: usize = 8;
const ONE_IN: usize = 12;

/// ISO 639-3 code of the language of `sample`, only when the detector (whatlang, by trigrams) is sure. It is not asked about
/// what is plainly English: it compares a text with some forty languages, which takes longer than reading a short one.
pub fn detect(sample: &str) -> Option<String> {
    if is_plainly_english(sample) {
        return Some("eng".to_owned());
    }
    let found = whatlang::detect(sample)?;
    found.is_reliable().then(|| found.lang().code().to_owned())
}

fn is_plainly_english(sample: &str) -> bool {
    let (mut words, mut english) = (0, 0);
    for word in sample.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()) {
        words += 1;
        english += usize::from(ENGLISH.iter().any(|known| word.eq_ignore_ascii_case(known)));
    }
    english >= FEWEST_ENGLISH && english * ONE_IN >= words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sure_languages() {
        #[track_caller]
        fn check(sample: &str, expect: Option<&str>) {
            assert_eq!(detect(sample).as_deref(), expect, "{sample}");
        }
        check(
            "The committee met in the spring and agreed that the harbour should be widened before winter.",
            Some("eng"),
        );
        check(
            "Der Ausschuss tagte im Frühjahr und beschloss, dass der Hafen vor dem Winter erweitert wird.",
            Some("deu"),
        );
        let english = "This is the place that they have been looking for, and there are others which would do as well, but \
                       these are the ones you should know about.";
        check(english, Some("eng"));
        let mostly_german = format!("{english} {}", "Das ist der Ort, den sie gesucht haben. ".repeat(40));
        assert!(is_plainly_english(english) && !is_plainly_english(&mostly_german), "that is for the detector to say");
        check("12.50 7.25 A4", None);
        check("", None);
    }
}
