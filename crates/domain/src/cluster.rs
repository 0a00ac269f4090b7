//! Clusters of similar documents, and how firmly a document sits in one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::DocumentId;
use crate::status::UnknownName;

/// Up to so many documents every one is compared with every other; in a larger batch, with those in the parts of the pile around it.
pub const EXACT_UP_TO: u64 = 20_000;

/// The number of a cluster in its batch. The first analysis numbers from 0, the largest first; a cluster that later ones find again
/// keeps its number, a new one gets one that was never given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClusterId(pub u32);

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whose words a cluster's name is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NamedBy {
    /// Those of its documents.
    #[default]
    Words,
    /// A person's.
    Person,
}

impl NamedBy {
    /// The name in the API and exports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Person => "person",
        }
    }
}

impl FromStr for NamedBy {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "words" => Ok(Self::Words),
            "person" => Ok(Self::Person),
            other => Err(UnknownName::new("origin of a name", other)),
        }
    }
}

/// A group of similar documents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    pub id: ClusterId,
    /// A few of `keywords`; unique within the batch.
    pub name: String,
    /// The words that set it apart, strongest first.
    pub keywords: Vec<String>,
    /// Documents in it.
    pub size: u64,
    /// Mean cosine similarity of its documents to its centroid, -1 to 1.
    pub cohesion: f32,
    /// Mean membership probability of its documents, 0 to 1.
    pub average_probability: f32,
    /// The document nearest to its centroid.
    pub representative: DocumentId,
    /// That document's path.
    pub representative_path: String,
    #[serde(default)]
    pub named_by: NamedBy,
    /// Whether a person changed what is in it: by merging, splitting or moving.
    #[serde(default)]
    pub edited: bool,
}

/// Where a document stands in a clustering.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Membership {
    /// Absent for an outlier.
    pub cluster: Option<ClusterId>,
    /// How firmly it sits in its cluster (for an outlier: in the nearest one), 0 to 1.
    pub probability: f32,
    /// Its place in the order of the heatmap, from 0.
    pub position: u32,
}

/// A membership probability in three steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfidenceLevel {
    /// Above 0.7.
    High,
    /// From 0.4 to 0.7.
    Medium,
    /// Below 0.4.
    Low,
}

impl ConfidenceLevel {
    /// The step in which `probability` (0 to 1) lies.
    pub fn of(probability: f32) -> Self {
        if probability > 0.7 {
            Self::High
        } else if probability >= 0.4 {
            Self::Medium
        } else {
            Self::Low
        }
    }

    /// The name in the API and exports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

impl fmt::Display for ConfidenceLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ConfidenceLevel {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "high" => Ok(Self::High),
            "medium" => Ok(Self::Medium),
            "low" => Ok(Self::Low),
            other => Err(UnknownName::new("confidence level", other)),
        }
    }
}

/// Which part of a clustering is looked at: `3` or `outliers` in a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterFilter {
    /// The documents of one cluster.
    Cluster(ClusterId),
    /// The documents that fit nowhere.
    Outliers,
}

impl fmt::Display for ClusterFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster(id) => id.fmt(f),
            Self::Outliers => f.write_str("outliers"),
        }
    }
}

impl FromStr for ClusterFilter {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "outliers" => Ok(Self::Outliers),
            number => {
                number.parse().map(|id| Self::Cluster(ClusterId(id))).map_err(|_| UnknownName::new("cluster", number))
            }
        }
    }
}
