//! What people change about the clusters of a batch, and what a new analysis changed about them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::cluster::ClusterId;
use crate::ids::DocumentId;
use crate::status::UnknownName;

/// What a person asks for. Clusters are those of the finest level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClusterRequest {
    /// Gives a cluster a name of its own.
    Rename { cluster: ClusterId, name: String },
    /// Makes one cluster of several; `into` keeps its number and name.
    Merge { clusters: Vec<ClusterId>, into: ClusterId },
    /// Makes several clusters of one: as many as the analysis finds in its members alone, or `parts`.
    Split {
        cluster: ClusterId,
        #[serde(default)]
        parts: Option<u32>,
    },
    /// Puts documents somewhere else.
    Move { documents: Vec<DocumentId>, to: MoveTarget },
    /// Keeps documents where they are, whatever a later analysis finds.
    Pin { documents: Vec<DocumentId> },
}

/// Where documents are moved: the number of a cluster, `new` or `outliers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MoveTarget {
    Cluster(ClusterId),
    Place(MovePlace),
}

/// Where documents are moved that is no cluster yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovePlace {
    /// A cluster of their own.
    New,
    /// They fit nowhere.
    Outliers,
}

impl FromStr for MoveTarget {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "new" => Ok(Self::Place(MovePlace::New)),
            "outliers" => Ok(Self::Place(MovePlace::Outliers)),
            number => {
                number.parse().map(|id| Self::Cluster(ClusterId(id))).map_err(|_| UnknownName::new("cluster", number))
            }
        }
    }
}

/// What was done. Where documents have to stay is kept beside it; see [`ClusterEdit::documents`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ClusterChange {
    Rename {
        cluster: ClusterId,
        name: String,
    },
    /// Whatever is in `clusters` is in `into`.
    Merge {
        clusters: Vec<ClusterId>,
        into: ClusterId,
    },
    /// Whatever is in `cluster` is in the one of `parts` that it is most similar to. The first part has its number.
    Split {
        cluster: ClusterId,
        parts: Vec<ClusterId>,
    },
    /// Without a cluster: to the outliers.
    Move {
        to: Option<ClusterId>,
    },
    Pin,
}

impl ClusterChange {
    /// The name in the API.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Rename { .. } => "rename",
            Self::Merge { .. } => "merge",
            Self::Split { .. } => "split",
            Self::Move { .. } => "move",
            Self::Pin => "pin",
        }
    }

    /// The clusters that it names.
    pub fn clusters(&self) -> Vec<ClusterId> {
        match self {
            Self::Rename { cluster, .. } => vec![*cluster],
            Self::Merge { clusters, into } => clusters.iter().copied().chain([*into]).collect(),
            Self::Split { cluster, parts } => parts.iter().copied().chain([*cluster]).collect(),
            Self::Move { to } => to.iter().copied().collect(),
            Self::Pin => Vec::new(),
        }
    }
}

/// One entry of a batch's list of edits. Entries are added and taken back, never changed; a new analysis applies those that
/// stand, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterEdit {
    /// From 1, in the order in which they were made.
    pub id: u32,
    /// Seconds since 1970.
    pub made_at: i64,
    pub taken_back: bool,
    #[serde(flatten)]
    pub change: ClusterChange,
    /// How many documents it holds where they are.
    pub documents: u64,
}

/// A cluster as it was called at the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedCluster {
    pub id: ClusterId,
    pub name: String,
}

impl fmt::Display for NamedCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.id)
    }
}

/// Documents that came into a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedTo {
    pub cluster: NamedCluster,
    pub documents: u64,
}

/// A cluster of which several were made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitCluster {
    pub cluster: NamedCluster,
    pub into: Vec<NamedCluster>,
}

/// Clusters of which one was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedClusters {
    pub clusters: Vec<NamedCluster>,
    pub into: NamedCluster,
}

/// What the latest analysis of a batch changed about the clusters of the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterReport {
    /// Where documents came that are new, the most first.
    pub added: Vec<AddedTo>,
    /// New documents that fit nowhere.
    pub added_outliers: u64,
    /// Documents that were there before and stand elsewhere now, splits and merges included.
    pub moved: u64,
    pub split: Vec<SplitCluster>,
    pub merged: Vec<MergedClusters>,
    pub new: Vec<NamedCluster>,
    pub gone: Vec<NamedCluster>,
}

/// All that people did to the clusters of a batch, and what the latest analysis did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterEdits {
    /// The earliest first.
    pub edits: Vec<ClusterEdit>,
    /// Absent after the first analysis.
    pub report: Option<ClusterReport>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_from_json() {
        let check = |json: &str, expect: Option<ClusterRequest>| {
            assert_eq!(serde_json::from_str::<ClusterRequest>(json).ok(), expect, "{json}");
        };
        let rename = ClusterRequest::Rename { cluster: ClusterId(2), name: "Letters".into() };
        check(r#"{"kind": "rename", "cluster": 2, "name": "Letters"}"#, Some(rename));
        check(r#"{"kind": "split", "cluster": 2}"#, Some(ClusterRequest::Split { cluster: ClusterId(2), parts: None }));
        let to = |to| Some(ClusterRequest::Move { documents: Vec::new(), to });
        check(r#"{"kind": "move", "documents": [], "to": 3}"#, to(MoveTarget::Cluster(ClusterId(3))));
        check(r#"{"kind": "move", "documents": [], "to": "new"}"#, to(MoveTarget::Place(MovePlace::New)));
        check(r#"{"kind": "move", "documents": [], "to": "nowhere"}"#, None);
        check(r#"{"kind": "rename", "cluster": 2, "title": "Letters"}"#, None);
        check(r#"{"kind": "burn"}"#, None);
    }

    #[test]
    fn an_edit_is_one_flat_object() {
        let change = ClusterChange::Merge { clusters: vec![ClusterId(4)], into: ClusterId(1) };
        let edit = ClusterEdit { id: 1, made_at: 7, taken_back: false, change, documents: 12 };
        let json = serde_json::to_value(&edit).expect("JSON");
        assert_eq!((&json["kind"], &json["into"], &json["documents"]), (&"merge".into(), &1.into(), &12.into()));
        assert_eq!(serde_json::from_value::<ClusterEdit>(json).ok(), Some(edit));
    }
}
