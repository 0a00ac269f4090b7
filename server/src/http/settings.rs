//! What is said about a batch before its files: fields of a form, or of JSON with the same names.

use std::str::FromStr;

use serde_json::{Map, Value};
use sheaf_domain::status::UnknownName;
use sheaf_engine::BatchRequest;

use super::failure::HttpFailure;

/// Takes a field of a form. An empty value is as none.
pub fn take(request: &mut BatchRequest, name: &str, value: &str) -> Result<(), HttpFailure> {
    if name == "passwords" {
        request.passwords = sheaf_domain::Passwords::from_lines(value); // Spaces belong to them.
        return Ok(());
    }
    let value = value.trim();
    let number = || value.parse().map_err(|_| HttpFailure::invalid(format!("`{name}`: `{value}` is no whole number")));
    match name {
        "name" => request.name = value.to_owned(),
        _ if value.is_empty() => {} // Left open in the form.
        "model" => request.params.model = choice(name, value)?,
        "on_error" => request.policy.on_error = choice(name, value)?,
        "priority" => request.policy.priority = choice(name, value)?,
        "clusters" => {
            let clusters: u64 = number()?;
            request.params.clusters = Some(u32::try_from(clusters).unwrap_or(u32::MAX));
        }
        "seed" => request.params.seed = number()?,
        other => return Err(HttpFailure::invalid(format!("there is no field `{other}`"))),
    }
    request.params.clone().check()?;
    Ok(())
}

/// Takes all fields of an object: text, numbers, nothing, and a list of passwords.
pub fn take_all(fields: &Map<String, Value>) -> Result<BatchRequest, HttpFailure> {
    let mut request = BatchRequest::default();
    for (name, value) in fields {
        match value {
            Value::Null => {}
            Value::String(text) => take(&mut request, name, text)?,
            Value::Number(number) => take(&mut request, name, &number.to_string())?,
            Value::Array(lines) if name == "passwords" => {
                let lines: Option<Vec<&str>> = lines.iter().map(Value::as_str).collect();
                let lines = lines.ok_or_else(|| HttpFailure::invalid("`passwords`: not a list of texts"))?;
                take(&mut request, name, &lines.join("\n"))?;
            }
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                return Err(HttpFailure::invalid(format!("`{name}`: neither a text nor a number")));
            }
        }
    }
    Ok(request)
}

/// One of the names of an enum.
fn choice<T: FromStr<Err = UnknownName>>(name: &str, value: &str) -> Result<T, HttpFailure> {
    value.parse().map_err(|error| HttpFailure::invalid(format!("`{name}`: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_as_a_form() {
        let read = |json: &str| {
            let fields: Map<String, Value> = serde_json::from_str(json).expect("JSON");
            take_all(&fields)
        };
        let request = read(r#"{"name":" Letters ","model":"fast","clusters":"3","seed":7,"passwords":["a"," b"]}"#);
        let request = request.map_err(|failure| failure.0).expect("understood");
        assert_eq!((request.name.as_str(), request.params.clusters, request.params.seed), ("Letters", Some(3), 7));
        assert_eq!(request.passwords.iter().collect::<Vec<_>>(), ["a", " b"]);
        assert!(read(r#"{"name":null,"clusters":""}"#).is_ok_and(|request| request.params.clusters.is_none()));
        for wrong in [r#"{"colour":"red"}"#, r#"{"seed":true}"#, r#"{"passwords":[1]}"#, r#"{"clusters":1}"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
