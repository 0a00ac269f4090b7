//! Labels, of which a document gets one.

use serde::{Deserialize, Serialize};

use crate::batch::ModelName;

/// One of several labels for the document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Classify {
    pub labels: Vec<Label>,
    /// Below this probability the document has none of these labels.
    pub threshold: f64,
    /// The embedding model by which texts and labels are compared.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub model: ModelName,
}

impl Default for Classify {
    fn default() -> Self {
        Self { labels: Vec::new(), threshold: 0.0, model: ModelName::default() }
    }
}

/// What a document can be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Label {
    pub name: String,
    /// What belongs to it, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Texts that belong to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
}
