//! Flows as files, in TOML and JSON, and the JSON schema by which editors check them.

use std::str::FromStr;

use sheaf_domain::flow::FlowSpec;
use sheaf_domain::{Failure, FailureCode};

use crate::internal;

/// The format of a flow's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowFile {
    Toml,
    Json,
}

impl FlowFile {
    /// The suffix of its files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Toml => "toml",
            Self::Json => "json",
        }
    }

    /// The media type of its files.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Toml => "application/toml",
            Self::Json => "application/json",
        }
    }

    /// What a text is taken for: JSON begins with a brace.
    pub fn of(text: &str) -> Self {
        if text.trim_start().starts_with('{') { Self::Json } else { Self::Toml }
    }

    /// Reads a flow. It is not checked.
    ///
    /// # Errors
    /// `invalid_flow` with the line that cannot be read.
    pub fn read(self, text: &str) -> Result<FlowSpec, Failure> {
        let read = match self {
            Self::Toml => toml::from_str(text).map_err(|error| error.to_string()),
            Self::Json => serde_json::from_str(text).map_err(|error| error.to_string()),
        };
        read.map_err(|error| {
            Failure::new(FailureCode::InvalidFlow, format!("the file cannot be read as a flow: {error}"))
                .with_hint("docs/flow.schema.json says what a flow may hold.")
        })
    }

    /// Writes a flow.
    ///
    /// # Errors
    /// `internal`, which does not happen.
    pub fn write(self, spec: &FlowSpec) -> Result<String, Failure> {
        match self {
            Self::Toml => toml::to_string_pretty(spec).map_err(internal),
            Self::Json => serde_json::to_string_pretty(spec).map_err(internal),
        }
    }
}

impl FromStr for FlowFile {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "toml" => Ok(Self::Toml),
            "json" => Ok(Self::Json),
            other => Err(Failure::new(FailureCode::InvalidRequest, format!("`{other}` is neither toml nor json"))),
        }
    }
}

/// The schema of a flow's file, as it is published in `docs/flow.schema.json`.
pub fn flow_schema() -> serde_json::Value {
    schemars::schema_for!(FlowSpec).to_value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::templates::templates;

    #[test]
    fn every_template_comes_back_from_both_formats() {
        for template in templates() {
            for format in [FlowFile::Toml, FlowFile::Json] {
                let text = format.write(&template.spec).expect("written");
                assert_eq!(FlowFile::of(&text), format);
                assert_eq!(format.read(&text).expect("read"), template.spec, "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_flow_is_said_with_its_line() {
        let failure = FlowFile::Toml.read("name = \"a\"\n[[steps]]\nname = \"x\"\ndo = \"fly\"").expect_err("refused");
        assert_eq!(failure.code, FailureCode::InvalidFlow);
        assert!(failure.message.contains("fly"), "{}", failure.message);
    }

    /// Write it anew with `SHEAF_WRITE_SCHEMA=1 cargo test -p sheaf-engine the_published_schema`.
    #[test]
    fn the_published_schema_is_that_of_the_types() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/flow.schema.json");
        let schema = serde_json::to_string_pretty(&flow_schema()).expect("JSON") + "\n";
        if std::env::var_os("SHEAF_WRITE_SCHEMA").is_some() {
            std::fs::write(path, &schema).expect("written");
        }
        assert_eq!(std::fs::read_to_string(path).expect("docs/flow.schema.json"), schema);
    }
}
