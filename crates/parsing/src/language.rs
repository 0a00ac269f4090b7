//! The language of a text.

/// ISO 639-3 code of the language of `sample`, only when the detector (whatlang, by trigrams) is sure.
pub fn detect(sample: &str) -> Option<String> {
    let found = whatlang::detect(sample)?;
    found.is_reliable().then(|| found.lang().code().to_owned())
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
        check("12.50 7.25 A4", None);
        check("", None);
    }
}
