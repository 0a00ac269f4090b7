//! One record: its fields by name, and all of it as it stands in its file, digit by digit and in its order.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A record of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// In the order of the file. Where a name is given twice, the last one counts.
    fields: Vec<(String, Field)>,
    json: String,
}

/// What a field holds, as far as ids, texts and labels are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    Text(String),
    /// As it is written: a number may have more digits than any type holds.
    Number(String),
    Nothing,
    /// A truth value, a list or an object.
    Other,
}

impl Record {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let not_json = |error: &dyn fmt::Display| format!("not JSON ({error})");
        let text = std::str::from_utf8(bytes).map_err(|error| not_json(&error))?.trim();
        if !text.starts_with('{') {
            let any = serde_json::from_str::<&RawValue>(text).map_err(|error| not_json(&error));
            return Err(any.err().unwrap_or_else(|| "not an object".into()));
        }
        let Members(members) = serde_json::from_str(text).map_err(|error| not_json(&error))?;
        let fields = members.into_iter().map(|(name, value)| Ok((name, Field::of(value)?)));
        let fields = fields.collect::<Result<_, _>>().map_err(|error: serde_json::Error| not_json(&error))?;
        Ok(Self { fields, json: compact(text) })
    }

    /// A row of a table.
    pub fn row(header: &[String], cells: impl Iterator<Item = String>) -> Self {
        let fields: Vec<(String, Field)> = header.iter().cloned().zip(cells.map(Field::Text)).collect();
        let member = |(name, value): &(String, Field)| match value {
            Field::Text(value) => format!("{}:{}", quoted(name), quoted(value)),
            Field::Number(_) | Field::Nothing | Field::Other => format!("{}:null", quoted(name)),
        };
        let json = format!("{{{}}}", fields.iter().map(member).collect::<Vec<_>>().join(","));
        Self { fields, json }
    }

    /// The whole record as JSON on one line.
    pub fn json(&self) -> &str {
        &self.json
    }

    pub fn get(&self, name: &str) -> Option<&Field> {
        self.fields.iter().rev().find(|(other, _)| other == name).map(|(_, field)| field)
    }

    /// Names of fields, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name.as_str())
    }

    /// A field as an id or label: a string or a number.
    pub fn cell(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Field::Text(value) if !value.trim().is_empty() => Some(value),
            Field::Number(value) => Some(value),
            Field::Text(_) | Field::Nothing | Field::Other => None,
        }
    }
}

impl Field {
    fn of(value: &RawValue) -> serde_json::Result<Self> {
        Ok(match value.get().as_bytes().first() {
            Some(b'"') => Self::Text(serde_json::from_str(value.get())?),
            Some(b'-' | b'0'..=b'9') => Self::Number(value.get().to_owned()),
            Some(b'n') => Self::Nothing,
            Some(_) | None => Self::Other,
        })
    }
}

/// The members of an object, their values as they are written.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// Valid JSON without the white space between its parts: a record is one line of a file of lines.
fn compact(json: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let is_kept = |letter: &char| {
        if quoted {
            (quoted, escaped) = (escaped || *letter != '"', !escaped && *letter == '\\');
            return true;
        }
        quoted = *letter == '"';
        !letter.is_ascii_whitespace()
    };
    json.chars().filter(is_kept).collect()
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_stays_as_it_is_written() {
        #[track_caller]
        fn check(json: &str, expect: &str) {
            assert_eq!(Record::read(json.as_bytes()).expect("a record").json(), expect);
        }
        check(
            r#" { "z": 1.50, "a" : 12345678901234567890123, "m": [1e999, -0, { "y": null, "b": 0.1 }] } "#,
            r#"{"z":1.50,"a":12345678901234567890123,"m":[1e999,-0,{"y":null,"b":0.1}]}"#,
        );
        check("{\"a\\\" :\": \"x  \\\\\",\n\"b\":\t\"\\u00e4 \"}", "{\"a\\\" :\":\"x  \\\\\",\"b\":\"\\u00e4 \"}");
        check("{}", "{}");
        let deep = format!("{{\"d\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
        check(&deep, &deep);
        let header = ["b".to_owned(), "a\"".to_owned()];
        let row = Record::row(&header, ["1.50", "x\ny"].into_iter().map(str::to_owned));
        assert_eq!(row.json(), "{\"b\":\"1.50\",\"a\\\"\":\"x\\ny\"}");
    }

    #[test]
    fn ids_keep_every_digit() {
        let record = Record::read(br#"{"id": 12345678901234567890123, "v": 1.10, "t": "x", "n": null, "t": "\u00fc"}"#);
        let record = record.expect("a record");
        assert_eq!(record.cell("id"), Some("12345678901234567890123"));
        assert_eq!((record.cell("v"), record.cell("n"), record.cell("no")), (Some("1.10"), None, None));
        assert_eq!(record.get("t"), Some(&Field::Text("ü".into())), "the last one counts");
        assert_eq!(record.names().collect::<Vec<_>>(), ["id", "v", "t", "n", "t"]);
    }

    #[test]
    fn what_is_no_object_is_told() {
        let read = |json: &[u8]| Record::read(json).expect_err("no record");
        assert_eq!(read(b"5"), "not an object");
        assert_eq!(read(b"[{}]"), "not an object");
        for broken in [&b"nonsense"[..], b"{\"a\": oops}", b"{\"a\": \"\xff\"}", b"{\"a\": \"\\ud800\"}", b"{} {}", b""]
        {
            assert!(read(broken).starts_with("not JSON ("), "{}", read(broken));
        }
    }
}
