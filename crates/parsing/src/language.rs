//! The language of a text.

/// Words that are frequent in English and in no other language of the detector; together they are some 15 % of a text.
const ENGLISH: &[&str] = &[
    "the", "and", "that", "with", "this", "from", "have", "which", "were", "they", "their", "been", "there", "would",
    "are", "but", "you", "these", "about", "should",
];
/// So many of them, and one word in so many, make a text English.
const FEWEST_ENGLISH: usize = 8;
const ONE_IN: usize = 12;

/// Letters of an alphabet that take as much text as one ideograph, kana or syllable of Hangul.
const LETTERS_A_SIGN: usize = 2;
/// One kana in so many signs makes a text Japanese: names in a Chinese text are fewer, and no Japanese text has so few.
const SIGNS_A_KANA: usize = 10;

/// ISO 639-3 code of the language of `sample`, only when its script or the detector (whatlang, by trigrams) is sure. The
/// detector is not asked about what is plainly English: it compares a text with some forty languages, which takes longer
/// than reading a short one.
pub fn detect(sample: &str) -> Option<String> {
    if let Some(code) = by_script(sample) {
        return Some(code.to_owned());
    }
    if is_plainly_english(sample) {
        return Some("eng".to_owned());
    }
    let found = whatlang::detect(sample)?;
    found.is_reliable().then(|| found.lang().code().to_owned())
}

/// Japanese, Chinese or Korean where most of the text is written in signs that only these have, whatever commands and names
/// in other letters are among them. The detector counts letters alike, and takes a manual full of commands for English.
fn by_script(sample: &str) -> Option<&'static str> {
    let (mut kana, mut ideographs, mut hangul, mut letters) = (0, 0, 0, 0);
    for c in sample.chars() {
        match c {
            'ぁ'..='ゖ' | 'ァ'..='ヺ' | 'ー' | 'ｦ'..='ﾝ' => kana += 1,
            '㐀'..='䶿' | '一'..='鿿' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}' => ideographs += 1,
            'ᄀ'..='ᇿ' | 'ㄱ'..='ㆎ' | '가'..='힣' => hangul += 1,
            _ => letters += usize::from(c.is_alphabetic()),
        }
    }
    let signs = kana + ideographs + hangul;
    if signs == 0 || signs * LETTERS_A_SIGN < letters {
        None
    } else if hangul > kana + ideographs {
        Some("kor")
    } else if kana * SIGNS_A_KANA >= signs {
        Some("jpn")
    } else {
        Some("cmn")
    }
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
        check(
            "apt-get install でパッケージをインストールします。次に dpkg --configure を実行してください。",
            Some("jpn"),
        );
        check("用 apt-get install 命令安装软件包，然后运行 dpkg --configure 完成配置。", Some("cmn"));
        check("apt-get install 명령으로 패키지를 설치한 다음 dpkg 명령을 실행하십시오.", Some("kor"));
        check(&format!("{english} (Tokyo: 東京, とうきょう)"), Some("eng"));
        check("", None);
    }
}
