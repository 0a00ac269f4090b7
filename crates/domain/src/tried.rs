//! Clusterings that were tried on a batch beside its own, and what they change.

use serde::{Deserialize, Serialize};

use crate::batch::BatchParams;
use crate::failure::Failure;
use crate::ids::{BatchId, ClusteringId, DocumentId};
use crate::status::Status;

/// A clustering of a batch that is not (yet) its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TriedClustering {
    pub id: ClusteringId,
    pub batch: BatchId,
    /// The model is that of the batch: no vector is made anew.
    pub params: BatchParams,
    pub status: Status,
    /// Seconds since 1970, UTC.
    pub created_at: i64,
    /// How long grouping took.
    pub seconds: Option<f32>,
    /// Documents that were grouped; a batch may have got more since.
    pub documents: u64,
    /// Documents that fit nowhere.
    pub outliers: u64,
    /// Mean simplified silhouette, -1 to 1; absent with fewer than two clusters.
    pub silhouette: Option<f32>,
    /// Largest first; empty until it is completed.
    pub clusters: Vec<TriedCluster>,
    pub failure: Option<Failure>,
    /// Against the clustering that the batch has now; absent when either is not there.
    pub compared: Option<Compared>,
}

/// A cluster of a tried clustering.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TriedCluster {
    pub name: String,
    pub size: u64,
    /// The document nearest to its centroid.
    pub representative: DocumentId,
    pub representative_path: String,
}

/// What another clustering changes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// The Rand index adjusted for chance: 1 for the same groups, about 0 for unrelated ones. Outliers count as one group.
    pub rand: f64,
    /// Documents that are not with the greatest part of their cluster any more.
    pub moved: u64,
    /// Documents that are in both.
    pub documents: u64,
}

/// The clustering of a batch and those that were tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gallery {
    /// What the batch is grouped by.
    pub current: BatchParams,
    /// Those that were tried, the earliest first.
    pub items: Vec<TriedClustering>,
}

impl Gallery {
    /// The most that are kept of a batch.
    pub const MOST: usize = 12;
}
