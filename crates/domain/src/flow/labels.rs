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
        Self { labels: Vec::new(), threshold: 0.1, model: ModelName::default() }
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

/// How well labels are told apart, as it is known before they are used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelAccuracy {
    pub labels: u32,
    /// Of all labels together.
    pub examples: u32,
    /// Whether examples decide; else the words of the labels do.
    pub learned: bool,
    /// The share of examples that got their label from a classifier that did not see them; absent for fewer than ten.
    pub accuracy: Option<f64>,
    /// The mean of `-ln p(label of the example)`, likewise.
    pub log_loss: Option<f64>,
    /// Parts of the examples, each judged by a classifier made from the others.
    pub folds: u32,
}
