//! What a run found: values with their evidence, and what people think of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{BatchId, DocumentId};
use crate::status::UnknownName;

/// A value with where it stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FoundValue {
    /// The name of the step that gave it.
    pub step: String,
    pub field: String,
    /// From 0; the fields of one row of a step belong together.
    pub row: u32,
    pub value: String,
    /// The page from 1; absent when the value stands for the whole document.
    pub page: Option<u32>,
    /// The words of the text that the value rests on.
    pub quote: Option<String>,
    /// Where the quote begins in the text of its page, in bytes.
    pub start: Option<u32>,
    /// Where it ends, in bytes.
    pub end: Option<u32>,
    /// Whether the quote was found in the text; absent where there is none to look for.
    pub verified: Option<bool>,
    /// 0 to 1, for what was estimated.
    pub probability: Option<f32>,
}

/// A value of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunValue {
    pub document: DocumentId,
    pub batch: BatchId,
    pub path: String,
    /// From 0 within its document; with the document it names the value.
    pub number: u32,
    #[serde(flatten)]
    pub found: FoundValue,
    pub review: Review,
    /// What a person put in its place.
    pub corrected: Option<String>,
    /// Whether the text in which it was found is still there: the document was neither deleted nor changed.
    pub stands: bool,
}

impl RunValue {
    /// What counts: the correction, nothing when it was rejected, or what was found.
    pub fn effective(&self) -> &str {
        match self.review {
            Review::None | Review::Accepted => &self.found.value,
            Review::Corrected => self.corrected.as_deref().unwrap_or(&self.found.value),
            Review::Rejected => "",
        }
    }
}

/// What a person thinks of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Review {
    /// Nobody looked yet.
    #[default]
    None,
    Accepted,
    /// Another value was put in its place.
    Corrected,
    Rejected,
}

impl Review {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::None, Self::Accepted, Self::Corrected, Self::Rejected];

    /// The name in the database, the API and exports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Accepted => "accepted",
            Self::Corrected => "corrected",
            Self::Rejected => "rejected",
        }
    }
}

impl fmt::Display for Review {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Review {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|r| r.name() == text).ok_or_else(|| UnknownName::new("review", text))
    }
}

/// A person's judgement of one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueReview {
    pub review: Review,
    /// What is put in its place, for `corrected`.
    #[serde(default)]
    pub value: Option<String>,
    /// Whether it is meant for all values of the row, but for those that were corrected. A correction is of one value alone.
    #[serde(default)]
    pub row: bool,
}

/// Which values of a run, in the order of documents and their values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ValueQuery {
    pub document: Option<DocumentId>,
    /// The name of a step.
    pub step: Option<String>,
    /// A field of steps.
    pub field: Option<String>,
    /// Only those of these columns, `step.field`; all when empty.
    pub columns: Vec<String>,
    pub review: Option<Review>,
    pub verified: Option<bool>,
    /// What the page before gave.
    pub cursor: Option<String>,
    /// 0 means 50, more than 1000 means 1000.
    pub limit: u32,
}

impl ValueQuery {
    /// The number of rows within bounds.
    pub const fn effective_limit(&self) -> u32 {
        match self.limit {
            0 => 50,
            1..=1000 => self.limit,
            1001.. => 1000,
        }
    }
}

/// What was sent to a language model for a document, and what it said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    pub step: String,
    pub request: String,
    pub response: String,
    pub tokens: u64,
}
