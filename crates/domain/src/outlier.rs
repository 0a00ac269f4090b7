//! Documents that fit nowhere, and what they come nearest to.

use serde::{Deserialize, Serialize};

use crate::cluster::ClusterId;
use crate::document::{DocumentRow, Neighbour};

/// A document that is in no cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outlier {
    pub document: DocumentRow,
    /// The cluster whose centroid is the most similar; absent when there is no cluster.
    pub nearest: Option<NearestCluster>,
    /// The document that is the most similar, whatever it is in.
    pub neighbour: Option<Neighbour>,
}

/// The cluster that a document comes nearest to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NearestCluster {
    pub cluster: ClusterId,
    pub name: String,
    /// Cosine similarity of the document to the direction of the mean of the cluster's documents, -1 to 1.
    pub similarity: f32,
}

/// Which page of the outliers, the least similar first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OutlierQuery {
    /// From 0.
    pub offset: u32,
    /// At most [`Self::MAX_LIMIT`]; 0 stands for [`Self::DEFAULT_LIMIT`].
    pub limit: u32,
}

impl OutlierQuery {
    /// Rows of a page when nothing was said.
    pub const DEFAULT_LIMIT: u32 = 50;
    /// The most rows of a page.
    pub const MAX_LIMIT: u32 = 200;

    /// The number of rows to return, within bounds.
    pub fn effective_limit(self) -> u32 {
        match self.limit {
            0 => Self::DEFAULT_LIMIT,
            limit => limit.min(Self::MAX_LIMIT),
        }
    }
}
