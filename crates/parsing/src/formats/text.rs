//! Plain text and Markdown: taken as they are.

use sheaf_domain::Failure;

use crate::charset;
use crate::output::Output;

/// One page with the decoded text.
pub fn parse(bytes: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
    let text = decode(bytes, None, output);
    output.page(&text)
}

/// Decodes, and notes it when some bytes made no sense.
pub fn decode<'a>(bytes: &'a [u8], label: Option<&[u8]>, output: &mut Output<'_>) -> std::borrow::Cow<'a, str> {
    let decoded = charset::decode(bytes, label);
    if decoded.replaced {
        output.problem(None, "some bytes are not valid in the file's encoding and were replaced");
    }
    decoded.text
}

#[cfg(test)]
mod tests {
    use crate::formats::read;

    #[test]
    fn text_is_decoded_and_cleaned() {
        #[track_caller]
        fn check(bytes: &[u8], expect: &str, problems: usize) {
            let document = read(bytes, "a.txt").expect("text");
            assert_eq!(document.text(), expect);
            assert_eq!(document.problems.len(), problems);
        }
        check(b"one\r\ntwo\r\n", "one\ntwo", 0);
        check(
            b"n\0ul and a good many other characters around it so that this is text",
            "nul and a good many other characters around it so that this is text",
            0,
        );
        check(
            "caf\u{e9} na\u{ef}ve d\u{e9}j\u{e0} "
                .as_bytes()
                .iter()
                .copied()
                .chain(*b"\xff and so on for quite a while, so that one byte is few")
                .collect::<Vec<_>>()
                .as_slice(),
            "café naïve déjà \u{fffd} and so on for quite a while, so that one byte is few",
            1,
        );
    }

    #[test]
    fn words_are_counted() {
        assert_eq!(read(b"It's 3 words, no: five.", "a.txt").expect("text").words, 5);
        assert_eq!(read("日本語".as_bytes(), "a.txt").expect("text").words, 3);
    }
}
