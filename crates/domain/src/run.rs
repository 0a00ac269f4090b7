//! How a batch runs beside others, and what a person can do to a run: stop it, start it again, give it precedence.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, FailureCode};
use crate::ids::DocumentId;
use crate::job::Stage;
use crate::status::UnknownName;

/// What a document's failure does to its batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The others go on.
    #[default]
    Continue,
    /// The batch stops at the first failure; what was not done yet is cancelled.
    FailAll,
}

impl OnError {
    /// Both, the default first.
    pub const ALL: [Self; 2] = [Self::Continue, Self::FailAll];

    /// The name in the database, the API and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Continue => "continue",
            Self::FailAll => "fail_all",
        }
    }
}

impl fmt::Display for OnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for OnError {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|o| o.name() == text).ok_or_else(|| UnknownName::new("way to treat errors", text))
    }
}

/// Which batch's jobs are taken first. Batches of the same priority share the workers evenly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Only when nothing else waits.
    Low,
    #[default]
    Normal,
    /// Before all others.
    High,
}

impl Priority {
    /// Every priority, the most urgent first.
    pub const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];

    /// The name in the API and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }

    /// The number by which the database sorts: higher comes first.
    pub const fn rank(self) -> i16 {
        match self {
            Self::Low => -1,
            Self::Normal => 0,
            Self::High => 1,
        }
    }

    /// The priority of a rank; those out of range are the nearest.
    pub const fn of_rank(rank: i16) -> Self {
        match rank {
            i16::MIN..=-1 => Self::Low,
            0 => Self::Normal,
            1..=i16::MAX => Self::High,
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Priority {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|p| p.name() == text).ok_or_else(|| UnknownName::new("priority", text))
    }
}

/// How a batch is run, whatever is analysed in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunPolicy {
    pub on_error: OnError,
    pub priority: Priority,
}

/// What can be changed of a batch at any time; absent means as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchChange {
    pub name: Option<String>,
    pub priority: Option<Priority>,
}

/// Which documents of a batch are to be worked on again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restart {
    /// Those that were cancelled: the batch goes on where it was stopped.
    Cancelled,
    /// All that failed.
    Failed,
    /// Those that failed for one reason.
    FailedWith(FailureCode),
    /// One that failed or was cancelled.
    Document(DocumentId),
}

/// An attempt at a document that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub stage: Stage,
    /// Rises with each attempt at this stage, from 1; successes are counted but not listed.
    pub number: u32,
    /// Seconds since 1970, UTC.
    pub ended_at: i64,
    pub failure: Failure,
}
