//! The stages through which the queue carries a document and its batch.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::status::UnknownName;

/// A step of the walk. `Parse` and `Embed` belong to a document, `Analyse` to a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Bytes to pages and text, in a child process.
    Parse,
    /// Text to one vector.
    Embed,
    /// All vectors of a batch to clusters, names and order.
    Analyse,
}

impl Stage {
    /// Every stage, in the order of the walk.
    pub const ALL: [Self; 3] = [Self::Parse, Self::Embed, Self::Analyse];

    /// The name in the database, the API and exports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Embed => "embed",
            Self::Analyse => "analyse",
        }
    }

    /// What a person reads while it runs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Parse => "Reading",
            Self::Embed => "Comparing",
            Self::Analyse => "Grouping",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Stage {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|s| s.name() == text).ok_or_else(|| UnknownName::new("stage", text))
    }
}
