//! From bytes in some encoding to clean text.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;

/// The encoding is guessed by this many bytes.
const SAMPLE: usize = 256 << 10;

/// Text that was decoded.
pub struct Decoded<'a> {
    pub text: Cow<'a, str>,
    /// Whether some bytes made no sense and became U+FFFD.
    pub replaced: bool,
}

/// Decodes by byte-order mark, else as UTF-8 when that fits, else by `label` (what the document says of itself), else
/// by a guess (chardetng).
pub fn decode<'a>(bytes: &'a [u8], label: Option<&[u8]>) -> Decoded<'a> {
    if let Some(text) = utf_32(bytes) {
        return Decoded { replaced: text.contains('\u{fffd}'), text: Cow::Owned(text) };
    }
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        return with(encoding, &bytes[length..]);
    }
    // Before UTF-8, which it may be as well.
    if let Some(encoding) = wide(bytes) {
        return with(encoding, bytes);
    }
    if let Ok(text) = str::from_utf8(bytes) {
        return Decoded { text: Cow::Borrowed(text), replaced: false };
    }
    if is_mostly_utf8(bytes) {
        return with(encoding_rs::UTF_8, bytes);
    }
    // A document that says UTF-8 and is not was mislabelled: guess.
    let labelled = label.and_then(Encoding::for_label).filter(|&encoding| encoding != encoding_rs::UTF_8);
    with(labelled.unwrap_or_else(|| guess(bytes)), bytes)
}

/// The encoding that Windows knows by a number; those of DOS and what is unknown are left to the caller.
pub fn of_codepage(number: u32) -> Option<&'static Encoding> {
    Some(match number {
        866 => encoding_rs::IBM866,
        874 => encoding_rs::WINDOWS_874,
        932 => encoding_rs::SHIFT_JIS,
        936 | 20936 => encoding_rs::GBK,
        949 | 1361 => encoding_rs::EUC_KR,
        950 => encoding_rs::BIG5,
        1200 => encoding_rs::UTF_16LE,
        1201 => encoding_rs::UTF_16BE,
        1250 => encoding_rs::WINDOWS_1250,
        1251 => encoding_rs::WINDOWS_1251,
        1252 | 28591 | 20127 => encoding_rs::WINDOWS_1252,
        1253 => encoding_rs::WINDOWS_1253,
        1254 => encoding_rs::WINDOWS_1254,
        1255 => encoding_rs::WINDOWS_1255,
        1256 => encoding_rs::WINDOWS_1256,
        1257 => encoding_rs::WINDOWS_1257,
        1258 => encoding_rs::WINDOWS_1258,
        10000 | 32768 => encoding_rs::MACINTOSH,
        10007 => encoding_rs::X_MAC_CYRILLIC,
        20866 => encoding_rs::KOI8_R,
        21866 => encoding_rs::KOI8_U,
        28592 => encoding_rs::ISO_8859_2,
        28595 => encoding_rs::ISO_8859_5,
        28597 => encoding_rs::ISO_8859_7,
        28605 => encoding_rs::ISO_8859_15,
        50220..=50222 => encoding_rs::ISO_2022_JP,
        51932 => encoding_rs::EUC_JP,
        51949 => encoding_rs::EUC_KR,
        54936 => encoding_rs::GB18030,
        65001 => encoding_rs::UTF_8,
        _ => return None,
    })
}

/// The encoding that 8-bit text most likely has.
pub fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(&bytes[..bytes.len().min(SAMPLE)], true);
    detector.guess(None, Utf8Detection::Deny)
}

/// Text as pages have it: `\n` line ends, no control characters but tab, nothing after the last visible character and
/// no empty line before the first.
pub fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut after_return = false;
    for character in text.chars() {
        match character {
            '\r' | '\u{c}' | '\u{b}' | '\u{85}' | '\u{2028}' | '\u{2029}' => clean.push('\n'),
            '\n' if after_return => {}
            '\n' | '\t' => clean.push(character),
            // Soft hyphens and byte-order marks are invisible and split words.
            '\u{ad}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {}
            character if character.is_control() => {}
            character => clean.push(character),
        }
        after_return = character == '\r';
    }
    clean.truncate(clean.trim_end().len());
    let blank = clean.len() - clean.trim_start().len();
    let first_line = clean[..blank].rfind('\n').map_or(0, |end| end + 1);
    clean.drain(..first_line);
    clean
}

fn with<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Decoded<'a> {
    let (text, replaced) = encoding.decode_without_bom_handling(bytes);
    Decoded { text, replaced }
}

/// Whether this is UTF-8 with a few broken places: most of what is not ASCII is well-formed.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().bytes().filter(|byte| !byte.is_ascii()).count();
        bad += chunk.invalid().len();
    }
    good > 2 * bad
}

/// UTF-32 with a byte-order mark. That of the little-endian one is also how UTF-16 begins that has a NUL first.
fn utf_32(bytes: &[u8]) -> Option<String> {
    let read: fn([u8; 4]) -> u32 = match bytes.get(..4)? {
        b"\0\0\xfe\xff" => u32::from_be_bytes,
        b"\xff\xfe\0\0" => u32::from_le_bytes,
        _ => return None,
    };
    let units = || bytes[4..].chunks_exact(4).map(|unit| char::from_u32(read([unit[0], unit[1], unit[2], unit[3]])));
    let is_likely = units().take(64).all(|unit| unit.is_some());
    is_likely.then(|| units().map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

/// UTF-16 without a byte-order mark: every other byte of mostly Latin text is zero.
fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(4096) & !1];
    let zeros = |offset: usize| sample.iter().skip(offset).step_by(2).filter(|&&byte| byte == 0).count();
    let (even, odd, half) = (zeros(0), zeros(1), sample.len() / 4);
    match (even, odd) {
        _ if sample.len() < 4 => None,
        (0, odd) if odd > half => Some(encoding_rs::UTF_16LE),
        (even, 0) if even > half => Some(encoding_rs::UTF_16BE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[test]
    fn encodings() {
        #[track_caller]
        fn check(bytes: &[u8], label: Option<&str>, expect: &str) {
            assert_eq!(decode(bytes, label.map(str::as_bytes)).text, expect);
        }
        check(b"plain", None, "plain");
        check("caf\u{e9}".as_bytes(), None, "café");
        check(b"\xef\xbb\xbfmarked", None, "marked");
        check(b"\xff\xfeh\0i\0", None, "hi");
        check(b"\xfe\xff\0h\0i", None, "hi");
        check(b"h\0i\0", None, "hi");
        check(b"\0\0\xfe\xff\0\0\0h\0\x01\xf6\0", None, "h😀");
        check(b"\xff\xfe\0\0h\0\0\0\0\xf6\x01\0", None, "h😀");
        check(b"\xff\xfe\0\0h\0i\0", None, "\0hi");
        check(b"caf\xe9 au lait, d\xe9j\xe0 vu", None, "café au lait, déjà vu");
        check(b"\xef\xf0\xe8\xe2\xe5\xf2", Some("windows-1251"), "привет");
        check("привет мир, как дела \u{fffd}".as_bytes(), Some("latin1"), "привет мир, как дела \u{fffd}");
    }

    #[test]
    fn cleaning() {
        #[track_caller]
        fn check(text: &str, expect: &str) {
            assert_eq!(clean(text), expect, "{text:?}");
        }
        check("a\r\nb\rc\n", "a\nb\nc");
        check("a\0b\u{7}c", "abc");
        check("a\tb", "a\tb");
        check("\n\n  indented\n", "  indented");
        check(" \n\t\r\n ", "");
        check("hy\u{ad}phen", "hyphen");
        check("one\u{c}two", "one\ntwo");
        check("\u{202e}bidi stays", "\u{202e}bidi stays");
    }

    proptest! {
        #[test]
        fn clean_text_stays_as_it_is(text in any::<String>()) {
            let once = clean(&text);
            assert_eq!(clean(&once), once);
            assert!(!once.contains('\0') && !once.contains('\r'));
        }
    }
}
