//! The five states of anything that is worked on, wherever one is shown.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The state of a batch, a document or a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waiting for its turn.
    Pending,
    /// A worker holds it.
    Processing,
    /// Done, with results.
    Completed,
    /// Stopped by a [`crate::Failure`].
    Failed,
    /// Stopped by a person.
    Cancelled,
}

impl Status {
    /// Every status, in the order in which they are shown.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Processing, Self::Completed, Self::Failed, Self::Cancelled];

    /// The name in the database, the API and exports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more will happen by itself.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Pending | Self::Processing => false,
            Self::Completed | Self::Failed | Self::Cancelled => true,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Status {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|s| s.name() == text).ok_or_else(|| UnknownName::new("status", text))
    }
}

/// A name that none of an enum's variants has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a known {what}")]
pub struct UnknownName {
    what: &'static str,
    name: String,
}

impl UnknownName {
    /// `what` names the enum in plain words, `name` is what was given.
    pub fn new(what: &'static str, name: &str) -> Self {
        Self { what, name: name.to_owned() }
    }
}
