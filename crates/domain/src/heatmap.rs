//! The similarity heatmap: a square of cells, each one document or a block of neighbours in the order of the clusters.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::cluster::ClusterId;
use crate::ids::DocumentId;
use crate::query::DocumentQuery;
use crate::status::UnknownName;

/// Up to so many documents each has a row and a column of its own.
pub const MAX_CELLS_PER_SIDE: usize = 120;

/// Rows (and columns) of the picture of more documents than that, which share them.
pub const BLOCKS_PER_SIDE: usize = 60;

/// One row and, the picture being symmetric, one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeatmapBand {
    /// First position (in the order of the clustering) that it covers.
    pub start: u32,
    /// How many documents of the picture it covers, at least 1.
    pub len: u32,
    /// The cluster all of them are in; absent for outliers.
    pub cluster: Option<ClusterId>,
    /// A document's path, or a cluster's name with the range of its documents.
    pub label: String,
    /// The document, when it covers just one.
    pub document: Option<DocumentId>,
}

/// A heatmap of all documents, or of those that were selected.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Heatmap {
    /// Rows from top to bottom and columns from left to right.
    pub bands: Vec<HeatmapBand>,
    /// `bands.len()` squared values, row by row: mean cosine similarity between the documents of two bands, pairs of a
    /// document with itself left out. Where a band of one meets itself, 1.
    pub values: Vec<f32>,
    /// The 5th and 95th percentile of the values off the diagonal: the ends of the colour scale.
    pub scale: (f32, f32),
    /// Documents that are covered.
    pub documents: u32,
    /// Names of the clusters that occur in `bands`.
    pub cluster_names: Vec<(ClusterId, String)>,
    /// The pairs of different documents that are most similar, most similar first: the same facts as a table.
    pub pairs: Vec<SimilarPair>,
    /// As `values`, of the pair of documents that is most similar in place of the mean; of many documents the most similar one
    /// that was found. None where each band is one document.
    #[serde(default)]
    pub strongest: Vec<f32>,
    /// As `scale`, of `strongest`.
    #[serde(default)]
    pub strongest_scale: (f32, f32),
}

impl Heatmap {
    /// Whether some bands are blocks of several documents.
    pub fn has_blocks(&self) -> bool {
        self.bands.iter().any(|band| band.len > 1)
    }

    /// The values that cells show, and the ends of their scale.
    pub fn cells(&self, cells: HeatmapCells) -> (&[f32], (f32, f32)) {
        match cells {
            HeatmapCells::Strongest if !self.strongest.is_empty() => (&self.strongest, self.strongest_scale),
            HeatmapCells::Mean | HeatmapCells::Strongest => (&self.values, self.scale),
        }
    }
}

/// What a cell of blocks shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeatmapCells {
    /// How similar documents of the one are to those of the other on average.
    #[default]
    Mean,
    /// How similar the most similar pair is.
    Strongest,
}

impl HeatmapCells {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Mean, Self::Strongest];

    /// The name in URLs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Strongest => "strongest",
        }
    }
}

impl fmt::Display for HeatmapCells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for HeatmapCells {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|cells| cells.name() == text).ok_or_else(|| UnknownName::new("value of cells", text))
    }
}

/// Two documents and how similar they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SimilarPair {
    pub a: DocumentId,
    pub a_path: String,
    pub b: DocumentId,
    pub b_path: String,
    /// Cosine similarity, -1 to 1.
    pub similarity: f32,
}

/// Which part of the picture is asked for: everything, what a filter lets through, or a run of that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeatmapView {
    /// Only these documents; its order and page do not count.
    pub filter: DocumentQuery,
    /// The first place among what `filter` leaves, in the order of positions, from 0.
    pub start: u32,
    /// How many positions; 0 stands for all of the rest.
    pub len: u32,
}
