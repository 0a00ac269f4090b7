//! How a result is written: which columns, in which order, as what file.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::status::UnknownName;

/// A result as files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Format {
    pub file: FileFormat,
    /// In their order; none stands for all.
    pub columns: Vec<ChosenColumn>,
    /// Whether page, quote and whether the quote was found follow the values.
    pub proof: bool,
    /// Whether each document also has a file of its own.
    pub each_document: bool,
}

impl Default for Format {
    fn default() -> Self {
        Self { file: FileFormat::default(), columns: Vec::new(), proof: true, each_document: true }
    }
}

/// The format of a result's files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    #[default]
    Csv,
    Tsv,
    Json,
}

impl FileFormat {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Tsv, Self::Json];

    /// The name in files and the API; also the suffix of its files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Json => "json",
        }
    }
}

impl FromStr for FileFormat {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|f| f.name() == text).ok_or_else(|| UnknownName::new("file format", text))
    }
}

/// A column of the result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChosenColumn {
    /// Where it comes from, such as `genes.value` or `document.path`.
    pub from: String,
    /// Its heading; its origin when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

impl ChosenColumn {
    /// What stands above it.
    pub fn heading(&self) -> &str {
        match self.name.is_empty() {
            true => &self.from,
            false => &self.name,
        }
    }
}
