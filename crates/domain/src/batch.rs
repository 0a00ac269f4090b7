//! A batch: a named set of documents that is analysed together, its parameters and its counts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::cluster::Cluster;
use crate::failure::{Failure, FailureCode};
use crate::family::FamilySummary;
use crate::ids::BatchId;
use crate::job::Stage;
use crate::method::{Method, MethodName};
use crate::run::RunPolicy;
use crate::status::{Status, UnknownName};

/// Which embedding model reads the documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelName {
    /// MiniLM, a transformer encoder: the better clusters.
    #[default]
    Accurate,
    /// Static word vectors: thousands of documents in seconds.
    Fast,
}

impl ModelName {
    /// Both models.
    pub const ALL: [Self; 2] = [Self::Accurate, Self::Fast];

    /// The name in the database, the API and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accurate => "accurate",
            Self::Fast => "fast",
        }
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ModelName {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|m| m.name() == text).ok_or_else(|| UnknownName::new("model", text))
    }
}

/// How a batch is analysed; recorded with it. Only the way in which it is grouped can be changed, by a new grouping.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BatchParams {
    /// The embedding model.
    pub model: ModelName,
    /// The number of clusters; found from the data when absent. At least 2.
    pub clusters: Option<u32>,
    /// Seeds every random choice.
    pub seed: u64,
    /// How it is grouped; what that is when absent tells [`Method::of`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<MethodName>,
    /// A threshold of cosine similarity in percent, of methods that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub similarity: Option<u32>,
    /// How many documents must be near one another to found a group, of methods that ask for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<u32>,
}

impl BatchParams {
    /// The largest number of clusters that may be asked for.
    pub const MAX_CLUSTERS: u32 = 1000;

    /// Checks that the parameters fit the method, and their bounds.
    ///
    /// # Errors
    /// `invalid_request`, as [`Method::of`].
    pub fn check(self) -> Result<Self, Failure> {
        Method::of(&self).map(|_| self)
    }
}

/// How many documents of a batch are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All documents.
    pub total: u64,
    /// Waiting.
    pub pending: u64,
    /// In work.
    pub processing: u64,
    /// Done.
    pub completed: u64,
    /// Stopped by a failure.
    pub failed: u64,
    /// Stopped by a person.
    pub cancelled: u64,
}

impl Counts {
    /// Documents for which nothing more will happen.
    pub const fn finished(&self) -> u64 {
        self.completed + self.failed + self.cancelled
    }
}

/// A batch as it is stored and listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    pub id: BatchId,
    pub name: String,
    pub status: Status,
    /// Seconds since 1970, UTC.
    pub created_at: i64,
    /// Seconds since 1970, UTC; absent while it runs.
    pub finished_at: Option<i64>,
    /// Seconds in which it was worked on, by the database's clock; the time between a stop and a later start is not counted.
    pub elapsed_seconds: u64,
    /// Whether documents are still arriving.
    pub receiving: bool,
    pub params: BatchParams,
    /// In JSON its fields stand beside the others.
    #[serde(flatten)]
    pub policy: RunPolicy,
    pub counts: Counts,
    /// Why the batch as a whole stopped, when it did.
    pub failure: Option<Failure>,
}

/// The figures of the cards on top of a batch's page. Absent values are not known yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchSummary {
    pub counts: Counts,
    /// Clusters, outliers not counted as one.
    pub clusters: u64,
    /// Documents that fit nowhere.
    pub outliers: u64,
    /// Completed documents that are in no clustering, for they have no usable vector.
    pub unclustered: u64,
    /// Mean membership probability of the clustered documents, 0 to 1.
    pub average_probability: Option<f32>,
    /// Mean silhouette over the clustered documents, -1 to 1.
    pub silhouette: Option<f32>,
    pub pages: u64,
    pub words: u64,
    /// Size of the originals in bytes.
    pub bytes: u64,
}

/// All that stands above the table on a batch's page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchOverview {
    /// In JSON its fields stand beside the others.
    #[serde(flatten)]
    pub batch: Batch,
    pub summary: BatchSummary,
    /// Largest first; empty until the batch has been analysed.
    pub clusters: Vec<Cluster>,
    /// Failures grouped by stage and code, most frequent first.
    pub failures: Vec<FailureCount>,
    /// Near-duplicates; absent when the batch was not analysed for them.
    pub families: Option<FamilySummary>,
}

/// How many documents of a batch stopped at one stage for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureCount {
    pub stage: Stage,
    pub code: FailureCode,
    pub documents: u64,
    /// How many of them can be tried again; what was refused on arrival cannot, for its bytes were not kept.
    pub retryable: u64,
}
