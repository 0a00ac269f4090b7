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
/// What the error for too deep nesting says, ours and serde_json's own (at 128).
const TOO_DEEP: &str = "recursion limit exceeded";

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
    let mut page = String::new();
    let mut deserializer = serde_json::Deserializer::from_str(json);
    Lines { page: &mut page, key: "", depth }
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end())
        .map_err(|error| failure(&error))?;
    Ok(page)
}

fn failure(error: &serde_json::Error) -> Failure {
    if error.to_string().starts_with(TOO_DEEP) {
        return nested_too_deep("values");
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
