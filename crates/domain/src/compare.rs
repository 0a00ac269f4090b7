//! Two batches side by side: what is in both, what is in one only, and what became of it there.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::batch::{Batch, BatchSummary};
use crate::cluster::ClusterId;
use crate::failure::Failure;
use crate::ids::{BatchId, DocumentId};
use crate::query::Page;
use crate::status::{Status, UnknownName};

/// Which documents of two batches are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComparePart {
    /// Those that are in both.
    #[default]
    Both,
    /// Of these, those that ended differently: with another status, or for another reason.
    Changed,
    /// Those that only the first has.
    OnlyFirst,
    /// Those that only the second has.
    OnlySecond,
}

impl ComparePart {
    /// Every part, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Both, Self::Changed, Self::OnlyFirst, Self::OnlySecond];

    /// The name in URLs and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Changed => "changed",
            Self::OnlyFirst => "only_first",
            Self::OnlySecond => "only_second",
        }
    }
}

impl fmt::Display for ComparePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ComparePart {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|p| p.name() == text).ok_or_else(|| UnknownName::new("part of a comparison", text))
    }
}

/// Which two batches, which of their documents, and which page of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompareQuery {
    pub first: BatchId,
    pub second: BatchId,
    pub part: ComparePart,
    /// From 0.
    pub offset: u32,
    /// At most [`Self::MAX_LIMIT`]; 0 stands for [`Self::DEFAULT_LIMIT`].
    pub limit: u32,
}

impl CompareQuery {
    /// Rows of a page when nothing was said.
    pub const DEFAULT_LIMIT: u32 = 50;
    /// The most rows of a page.
    pub const MAX_LIMIT: u32 = 500;

    /// The number of rows to return, within bounds.
    pub fn effective_limit(&self) -> u32 {
        match self.limit {
            0 => Self::DEFAULT_LIMIT,
            limit => limit.min(Self::MAX_LIMIT),
        }
    }
}

/// How many documents are where. Copies of the same bytes in one batch count once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompareCounts {
    pub both: u64,
    /// Of those in both.
    pub changed: u64,
    pub only_first: u64,
    pub only_second: u64,
}

impl CompareCounts {
    /// The number of documents of a part.
    pub const fn of(&self, part: ComparePart) -> u64 {
        match part {
            ComparePart::Both => self.both,
            ComparePart::Changed => self.changed,
            ComparePart::OnlyFirst => self.only_first,
            ComparePart::OnlySecond => self.only_second,
        }
    }
}

/// What became of a document in one of the batches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparedSide {
    pub id: DocumentId,
    pub path: String,
    pub status: Status,
    pub failure: Option<Failure>,
    pub cluster: Option<ClusterId>,
    /// The name of `cluster`.
    pub cluster_name: Option<String>,
    /// Whether it was clustered and fits nowhere.
    pub outlier: bool,
}

/// The same bytes in two batches; at least one side is there. Of copies in one batch the first by path stands for all. What
/// was refused on arrival has no bytes any more: it is the same when its path is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparedDocument {
    pub first: Option<ComparedSide>,
    pub second: Option<ComparedSide>,
}

/// One of the two batches with its figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparedBatch {
    /// In JSON its fields stand beside the summary.
    #[serde(flatten)]
    pub batch: Batch,
    pub summary: BatchSummary,
}

/// Two batches, and a page of their documents by path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    pub first: ComparedBatch,
    pub second: ComparedBatch,
    pub counts: CompareCounts,
    pub documents: Page<ComparedDocument>,
}
