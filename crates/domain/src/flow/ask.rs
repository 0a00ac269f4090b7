//! Questions to a language model: which fields an answer has. An answer is only ever read through them.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::status::UnknownName;

/// Answers of a language model; the step's instructions say what is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Ask {
    pub fields: Vec<AskField>,
    pub rows: Rows,
    /// The most tokens of one answer.
    pub max_tokens: u32,
}

impl Default for Ask {
    fn default() -> Self {
        Self { fields: Vec::new(), rows: Rows::Many, max_tokens: 2000 }
    }
}

/// How many rows a document has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Rows {
    /// At most one for the whole document.
    One,
    /// As many as there are.
    #[default]
    Many,
}

/// One column of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AskField {
    pub name: String,
    #[serde(default)]
    pub kind: FieldKind,
    /// What it holds, for the model.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Whether a row without it is wrong.
    #[serde(default)]
    pub required: bool,
    /// The only values, for `choice`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    #[default]
    Text,
    Number,
    /// Yes or no.
    Boolean,
    /// A day as `2026-11-30`.
    Date,
    /// One of the field's choices.
    Choice,
}

impl FieldKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Text, Self::Number, Self::Boolean, Self::Date, Self::Choice];

    /// The name in files and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Choice => "choice",
        }
    }
}

impl FromStr for FieldKind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|k| k.name() == text).ok_or_else(|| UnknownName::new("kind of field", text))
    }
}

/// An answer of a language model as it is remembered: what was sent and what came back, and what it cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The body that was sent, without any key.
    pub request: String,
    /// The body that came back.
    pub response: String,
    /// Tokens by the server's own count, or an estimate where it gives none.
    pub tokens: u64,
}
