//! JSON, JSON lines and notebooks: the text values with their keys, in reading order.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use sheaf_domain::Failure;

use crate::formats::{corrupt, text};
use crate::limits::nested_too_deep;
use crate::output::Output;

/// Records that cannot be read are named up to this many.
const NAMED: usize = 10;
/// What the error for too deep nesting says, and that of serde_json.
const TOO_DEEP: &str = "deeper than the limit";
const DEEPEST: &str = "recursion limit exceeded";

/// One page with a line `key: value` for each value that has text.
pub fn parse(bytes: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
    let decoded = text::decode(bytes, None, output);
    let page = lines_of(decoded.trim_start_matches('\u{feff}'), output.limits().depth)?;
    output.page(&page)
}

/// One page with the text of all records; records that cannot be read become a problem each, up to a few.
pub fn parse_lines(bytes: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
    let decoded = text::decode(bytes, None, output);
    let depth = output.limits().depth;
    let (mut page, mut good, mut bad) = (String::new(), 0, 0);
    for (index, line) in decoded.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match lines_of(line, depth) {
            Ok(text) => {
                good += 1;
                page.push_str(&text);
                page.push('\n');
            }
            Err(_) => {
                bad += 1;
                if bad <= NAMED {
                    output.problem(None, format!("line {} is not valid JSON and was left out", index + 1));
                }
            }
        }
    }
    if good == 0 {
        return Err(corrupt("no line of this file is valid JSON"));
    }
    if bad > NAMED {
        output.problem(None, format!("{} more lines are not valid JSON and were left out", bad - NAMED));
    }
    output.page(&page)
}

/// One page with the sources of a Jupyter notebook's cells; outputs are left out.
pub fn parse_notebook(bytes: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
    let decoded = text::decode(bytes, None, output);
    let notebook: Value = serde_json::from_str(&decoded).map_err(|error| failure(&error))?;
    let cells = notebook["cells"].as_array().ok_or_else(|| corrupt("the notebook has no cells"))?;
    let mut page = String::new();
    for cell in cells {
        match &cell["source"] {
            Value::String(source) => page.push_str(source),
            Value::Array(lines) => lines.iter().filter_map(Value::as_str).for_each(|line| page.push_str(line)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
        }
        page.push_str("\n\n");
    }
    output.page(&page)
}

fn lines_of(json: &str, depth: u32) -> Result<String, Failure> {
    let read = |json: &str| {
        let mut page = String::new();
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let lines = Lines { page: &mut page, key: "", depth };
        lines.deserialize(&mut deserializer).and_then(|()| deserializer.end()).map(|()| page)
    };
    // Where it is broken is told by its own columns.
    read(&plainer(json)).or_else(|error| read(json).and(Err(error))).map_err(|error| failure(&error))
}

/// The same JSON with its numbers as strings: a number may have more digits than any type holds, and 1.50 is not 1.5. Halves of
/// surrogate pairs that stand alone, which programs write that cut strings by UTF-16 units, become U+FFFD.
fn plainer(json: &str) -> String {
    let bytes = json.as_bytes();
    let mut quoted = String::with_capacity(json.len() + json.len() / 8);
    let (mut at, mut kept) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let end = end_of_string(bytes, at);
                while let Some(half) = lone_half(bytes, at, end) {
                    quoted.push_str(&json[kept..half]);
                    quoted.push_str("\\ufffd");
                    (at, kept) = (half + ESCAPE, half + ESCAPE);
                }
                at = end;
            }
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
                let end = at + bytes[at..].iter().take_while(|byte| is_part(byte)).count();
                let follows = bytes[end..].iter().find(|byte| !byte.is_ascii_whitespace());
                let token = &json[at..end];
                if is_number(token) && matches!(follows, None | Some(b',' | b']' | b'}')) {
                    quoted.push_str(&json[kept..at]);
                    quoted.extend(["\"", token, "\""]);
                    kept = end;
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    quoted.push_str(&json[kept..]);
    quoted
}

/// The length of `\ud800`.
const ESCAPE: usize = 6;

/// The first escape from `start` on that is half of a surrogate pair without its other half (RFC 8259, section 8.2).
fn lone_half(bytes: &[u8], start: usize, end: usize) -> Option<usize> {
    let unit = |at: usize| {
        let escape = bytes.get(at..at + ESCAPE).filter(|escape| escape.starts_with(b"\\u"))?;
        u16::from_str_radix(str::from_utf8(&escape[2..]).ok()?, 16).ok()
    };
    let mut at = start;
    while at < end {
        match (bytes[at], unit(at)) {
            (b'\\', Some(0xd800..=0xdbff)) if matches!(unit(at + ESCAPE), Some(0xdc00..=0xdfff)) => at += 2 * ESCAPE,
            (b'\\', Some(0xd800..=0xdfff)) => return Some(at),
            (b'\\', _) => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// Behind the string that begins here.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// By the grammar of JSON (RFC 8259, section 6).
fn is_number(token: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match token.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (token, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}

fn failure(error: &serde_json::Error) -> Failure {
    let said = error.to_string();
    if said.starts_with(TOO_DEEP) {
        return nested_too_deep("values");
    }
    if said.starts_with(DEEPEST) {
        return nested_too_deep("values").with_hint("Save the file in a flatter form: JSON is read to a depth of 127.");
    }
    corrupt(format!("this is not valid JSON at line {}, column {}", error.line(), error.column()))
}

/// Writes values as they are read, so that nothing but the text is kept.
struct Lines<'a> {
    page: &'a mut String,
    key: &'a str,
    depth: u32,
}

impl Lines<'_> {
    fn line(self, value: &str) {
        if !self.key.is_empty() {
            self.page.push_str(self.key);
            self.page.push_str(": ");
        }
        self.page.push_str(value);
        self.page.push('\n');
    }

    fn deeper<E: Error>(&self) -> Result<u32, E> {
        self.depth.checked_sub(1).ok_or_else(|| E::custom(TOO_DEEP))
    }
}

impl<'de> DeserializeSeed<'de> for Lines<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Lines<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        if !value.trim().is_empty() {
            self.line(value);
        }
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.line(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.line(&value.to_string());
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.line(&value.to_string());
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.line(&value.to_string());
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        let depth = self.deeper()?;
        while values.next_element_seed(Lines { page: &mut *self.page, key: self.key, depth })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        let depth = self.deeper()?;
        while let Some(key) = values.next_key::<String>()? {
            values.next_value_seed(Lines { page: &mut *self.page, key: &key, depth })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use sheaf_domain::FailureCode;

    use crate::formats::read;

    #[test]
    fn values_in_reading_order() {
        #[track_caller]
        fn check(json: &str, expect: &str) {
            assert_eq!(read(json.as_bytes(), "a.json").expect("json").text(), expect);
        }
        check(r#"{"b": "two", "a": ["one", 1, null, {"c": true}]}"#, "b: two\na: one\na: 1\nc: true");
        check(r#""alone""#, "alone");
        check(r#"["\u0000 \ud83d\ude00"]"#, " 😀");
        check(r#"["cut \ud83d", "\ude00\ud83d\ud83d\ude00", "\\ud83d"]"#, "cut \u{fffd}\n\u{fffd}\u{fffd}😀\n\\ud83d");
    }

    #[test]
    fn numbers_keep_every_digit() {
        #[track_caller]
        fn check(json: &str, expect: &str) {
            assert_eq!(read(json.as_bytes(), "a.json").expect("json").text(), expect);
        }
        check(
            r#"{"big": 12345678901234567890123, "price": 1.50, "all": [-0, 1e999 ,1E+2], "said": "\"7, \\"}"#,
            "big: 12345678901234567890123\nprice: 1.50\nall: -0\nall: 1e999\nall: 1E+2\nsaid: \"7, \\",
        );
        check(" 0.10 ", "0.10");
        for broken in ["[01]", "[1.]", "[.5]", "[-]", "[1e]", "{1: 2}", "{\"a\" 1}", "[1 2]", "[+1]", "1 2", "[1"] {
            assert!(read(broken.as_bytes(), "a.json").is_err(), "{broken}");
        }
    }

    #[test]
    fn broken_and_deep_json_is_refused() {
        #[track_caller]
        fn check(json: &str, code: FailureCode, words: &str) {
            let failure = read(json.as_bytes(), "a.json").expect_err("refused");
            assert_eq!(failure.code, code);
            assert!(failure.message.contains(words), "{failure}");
        }
        check("{\"a\":\n nonsense}", FailureCode::CorruptFile, "line 2");
        check("{} {}", FailureCode::CorruptFile, "line 1");
        check(&"[".repeat(100_000), FailureCode::NestedTooDeep, "deep");
    }

    #[test]
    fn good_records_survive_bad_ones() {
        let document = read(b"{\"t\":\"first\"}\nnot json\n{\"t\":\"third\"}\n", "a.jsonl").expect("good lines");
        assert_eq!(document.text(), "t: first\n\nt: third");
        assert_eq!(document.problems[0].message, "line 2 is not valid JSON and was left out");
    }
}
