//! The map of a batch: every document as a point, similar ones near each other.

use serde::{Deserialize, Serialize};

use crate::cluster::ClusterId;
use crate::ids::DocumentId;

/// All placed documents of a batch as columns of equal length, in the order of the heatmap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentMap {
    pub documents: Vec<DocumentId>,
    /// Paths; none at all when there are more than [`Self::NAMED`] documents.
    pub names: Vec<String>,
    /// From -[`Self::EDGE`] on the left to [`Self::EDGE`].
    pub x: Vec<i16>,
    /// From -[`Self::EDGE`] at the bottom to [`Self::EDGE`].
    pub y: Vec<i16>,
    /// The cluster, or the group that it is joined to at the level that was asked for; absent for outliers.
    pub clusters: Vec<Option<ClusterId>>,
    /// The documents (numbers of rows, ascending) that match; absent when nothing was filtered.
    pub matching: Option<Vec<u32>>,
    /// One for each cluster or group, largest first.
    pub labels: Vec<MapLabel>,
}

impl DocumentMap {
    /// The most documents whose paths are told along.
    pub const NAMED: usize = 5_000;
    /// The largest coordinate.
    pub const EDGE: i16 = i16::MAX;

    /// Whether the document of this row matches.
    pub fn is_matching(&self, row: u32) -> bool {
        self.matching.as_ref().is_none_or(|matching| matching.binary_search(&row).is_ok())
    }
}

/// Where the name of a cluster stands: in the middle of its documents, half of them on either side in both directions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapLabel {
    pub cluster: ClusterId,
    pub name: String,
    pub x: i16,
    pub y: i16,
    /// How many there are in it.
    pub documents: u32,
    /// How many of them match.
    pub matching: u32,
}
