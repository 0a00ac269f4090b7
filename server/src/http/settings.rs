//! What is said about a batch before its files: fields of a form, or of JSON with the same names.

use std::str::FromStr;

use serde_json::{Map, Value};
use sheaf_domain::status::UnknownName;
use sheaf_domain::{BatchId, Failure, NewWebhook};
use sheaf_engine::{BatchRequest, Engine};

use super::failure::HttpFailure;

/// What is said about a batch before its files.
#[derive(Default)]
pub struct Settings {
    pub request: BatchRequest,
    /// Who hears of this batch, and of no other.
    pub webhook_url: Option<String>,
}

impl Settings {
    /// Takes a field of a form. An empty value is as none.
    pub fn take(&mut self, name: &str, value: &str) -> Result<(), HttpFailure> {
        let Self { request, webhook_url } = self;
        if name == "passwords" {
            request.passwords = sheaf_domain::Passwords::from_lines(value); // Spaces belong to them.
            return Ok(());
        }
        let value = value.trim();
        let number =
            || value.parse().map_err(|_| HttpFailure::invalid(format!("`{name}`: `{value}` is no whole number")));
        match name {
            "name" => request.name = value.to_owned(),
            _ if value.is_empty() => {} // Left open in the form.
            "model" => request.params.model = choice(name, value)?,
            "on_error" => request.policy.on_error = choice(name, value)?,
            "priority" => request.policy.priority = choice(name, value)?,
            "clusters" => request.params.clusters = Some(small(number()?)),
            "method" => request.params.method = Some(choice(name, value)?),
            "similarity" => request.params.similarity = Some(small(number()?)),
            "least" => request.params.least = Some(small(number()?)),
            "webhook_url" => *webhook_url = Some(value.to_owned()),
            "seed" => request.params.seed = number()?,
            other => return Err(HttpFailure::invalid(format!("there is no field `{other}`"))),
        }
        Ok(())
    }

    /// Takes all fields of an object: text, numbers, nothing, and a list of passwords.
    pub fn of_object(fields: &Map<String, Value>) -> Result<Self, HttpFailure> {
        let mut settings = Self::default();
        for (name, value) in fields {
            match value {
                Value::Null => {}
                Value::String(text) => settings.take(name, text)?,
                Value::Number(number) => settings.take(name, &number.to_string())?,
                Value::Array(lines) if name == "passwords" => {
                    let lines: Option<Vec<&str>> = lines.iter().map(Value::as_str).collect();
                    let lines = lines.ok_or_else(|| HttpFailure::invalid("`passwords`: not a list of texts"))?;
                    settings.take(name, &lines.join("\n"))?;
                }
                Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                    return Err(HttpFailure::invalid(format!("`{name}`: neither a text nor a number")));
                }
            }
        }
        settings.request.params.clone().check()?;
        Ok(settings)
    }

    /// Refuses parameters that do not fit together, and a webhook's address, before a batch is made.
    pub fn check(&self, engine: &Engine) -> Result<(), Failure> {
        self.request.params.clone().check()?;
        match &self.webhook_url {
            Some(url) => engine.check_webhook(url).map(drop),
            None => Ok(()),
        }
    }

    /// The webhook that hears of the batch, if one was asked for.
    pub async fn add_webhook(&self, engine: &Engine, batch: BatchId) -> Result<Option<NewWebhook>, Failure> {
        match &self.webhook_url {
            Some(url) => engine.add_webhook(url, Some(batch)).await.map(Some),
            None => Ok(None),
        }
    }
}

/// What is too large for a parameter is out of its bounds all the same.
fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// One of the names of an enum.
fn choice<T: FromStr<Err = UnknownName>>(name: &str, value: &str) -> Result<T, HttpFailure> {
    value.parse().map_err(|error| HttpFailure::invalid(format!("`{name}`: {error}")))
}

#[cfg(test)]
mod tests {
    use sheaf_domain::Method;

    use super::*;

    #[test]
    fn an_object_is_read_as_a_form() {
        let read = |json: &str| {
            let fields: Map<String, Value> = serde_json::from_str(json).expect("JSON");
            Settings::of_object(&fields).map(|settings| settings.request)
        };
        let request = read(r#"{"name":" Letters ","model":"fast","clusters":"3","seed":7,"passwords":["a"," b"]}"#);
        let request = request.map_err(|failure| failure.0).expect("understood");
        assert_eq!((request.name.as_str(), request.params.clusters, request.params.seed), ("Letters", Some(3), 7));
        assert_eq!(request.passwords.iter().collect::<Vec<_>>(), ["a", " b"]);
        let request = read(r#"{"similarity":"40","least":3,"method":"dbscan"}"#).map_err(|failure| failure.0);
        assert_eq!(Method::of(&request.expect("understood").params), Ok(Method::Dbscan { similarity: 40, least: 3 }));
        assert!(read(r#"{"name":null,"clusters":""}"#).is_ok_and(|request| request.params.clusters.is_none()));
        for wrong in [
            r#"{"colour":"red"}"#,
            r#"{"seed":true}"#,
            r#"{"passwords":[1]}"#,
            r#"{"clusters":1}"#,
            r#"{"method":"dbscan"}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
