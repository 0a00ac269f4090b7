//! Reads a file of labels: a list of names, a list of objects with a name, or a map from name to description.

use std::path::Path;

use serde_json::{Map, Value};
use sheaf_analysis::classification::Label;
use sheaf_domain::{Failure, FailureCode};

/// What a person may give.
const SHAPES: &str = "Give a JSON list of names, a list of objects with `name`, `description` and `examples`, or a map from name to description.";

/// The labels of a file.
///
/// # Errors
/// `invalid_request` when it cannot be read or understood.
pub fn read(path: &Path) -> Result<Vec<Label>, Failure> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|error| invalid(format!("`{shown}` cannot be read: {error}")))?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let value: Value =
        serde_json::from_slice(bytes).map_err(|error| invalid(format!("`{shown}` is not JSON: {error}")))?;
    understood(value).map_err(|reason| invalid(format!("`{shown}` is not a file of labels: {reason}")))
}

fn invalid(message: String) -> Failure {
    Failure::new(FailureCode::InvalidRequest, message).with_hint(SHAPES)
}

fn understood(value: Value) -> Result<Vec<Label>, String> {
    let labels: Vec<Label> = match value {
        Value::Array(labels) => labels.into_iter().enumerate().map(|(i, of)| one(of, i)).collect::<Result<_, _>>()?,
        // `{"labels": [...]}` is what exports of other tools hold.
        Value::Object(mut map) if map.len() == 1 && map.get("labels").is_some_and(Value::is_array) => {
            return understood(map.remove("labels").unwrap_or_default());
        }
        Value::Object(map) => map.into_iter().map(|(name, of)| named(name, of)).collect::<Result<_, _>>()?,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return Err("it is no list and no map".into());
        }
    };
    match labels.iter().find(|label| label.name.trim().is_empty()) {
        Some(_) => Err("a label has an empty name".into()),
        None => Ok(labels),
    }
}

fn one(value: Value, position: usize) -> Result<Label, String> {
    match value {
        Value::String(name) => Ok(Label::named(name)),
        Value::Number(name) => Ok(Label::named(name.to_string())),
        Value::Object(mut fields) => {
            let name = ["name", "label", "id"].iter().find_map(|field| fields.remove(*field));
            match name {
                Some(Value::String(name)) => described(name, fields),
                Some(_) | None => Err(format!("label {} has no `name`", position + 1)),
            }
        }
        Value::Null | Value::Bool(_) | Value::Array(_) => {
            Err(format!("label {} is no name and no object", position + 1))
        }
    }
}

fn named(name: String, of: Value) -> Result<Label, String> {
    match of {
        Value::Null => Ok(Label::named(name)),
        Value::String(description) => Ok(Label { description: Some(description), ..Label::named(name) }),
        Value::Array(examples) => Ok(Label { examples: texts(&name, examples)?, ..Label::named(name) }),
        Value::Object(fields) => described(name, fields),
        Value::Bool(_) | Value::Number(_) => Err(format!("what is said about label `{name}` is not a text")),
    }
}

fn described(name: String, mut fields: Map<String, Value>) -> Result<Label, String> {
    let description = match fields.remove("description") {
        None | Some(Value::Null) => None,
        Some(Value::String(description)) => Some(description),
        Some(_) => return Err(format!("the description of label `{name}` is not a text")),
    };
    let examples = match fields.remove("examples") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(examples)) => texts(&name, examples)?,
        Some(_) => return Err(format!("the examples of label `{name}` are not a list")),
    };
    Ok(Label { name, description, examples })
}

fn texts(name: &str, examples: Vec<Value>) -> Result<Vec<String>, String> {
    let text = |value| match value {
        Value::String(text) => Ok(text),
        _ => Err(format!("an example of label `{name}` is not a text")),
    };
    examples.into_iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shape_is_understood() {
        let check = |json: &str, expected: &[(&str, Option<&str>, usize)]| {
            let labels = understood(serde_json::from_str(json).expect("JSON")).expect("labels");
            let found: Vec<(&str, Option<&str>, usize)> =
                labels.iter().map(|l| (l.name.as_str(), l.description.as_deref(), l.examples.len())).collect();
            assert_eq!(found, expected, "{json}");
        };
        check(r#"["a", "b"]"#, &[("a", None, 0), ("b", None, 0)]);
        check(r#"[{"name": "a", "description": "x", "examples": ["1", "2"]}]"#, &[("a", Some("x"), 2)]);
        check(r#"{"a": "x", "b": null, "c": ["1"]}"#, &[("a", Some("x"), 0), ("b", None, 0), ("c", None, 1)]);
        check(r#"{"labels": ["a"]}"#, &[("a", None, 0)]);
        assert!(understood(Value::from(3)).is_err());
        assert!(understood(serde_json::json!([{"description": "x"}])).is_err_and(|e| e.contains("label 1")));
    }
}
