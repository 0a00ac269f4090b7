//! What a server function hands to a page where the domain's own type is not yet what is shown.

use serde::{Deserialize, Serialize};
use sheaf_domain::{
    Batch, BatchOverview, ClusterId, DocumentId, DocumentRow, Failure, Heatmap, HeatmapBand, HeatmapCells, Progress,
    ProgressCell, ProgressGrid, SimilarPair, Stage,
};

use crate::format::ratio;

/// A batch's page: its progress while it runs, its overview from then on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchPage {
    /// Work is going on.
    Running(Box<RunningBatch>),
    /// Nothing more will happen by itself.
    Done(Box<FinishedBatch>),
}

impl BatchPage {
    /// The batch itself, however far it is.
    pub fn into_batch(self) -> Batch {
        match self {
            Self::Running(running) => running.batch,
            Self::Done(finished) => finished.overview.batch,
        }
    }
}

/// What the filters leave: what is left out, the figures on top, the lists beside the table, the bar above it and the map as HTML,
/// and documents by cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacetPanel {
    pub left_out: String,
    pub figures: String,
    pub lists: String,
    pub selection: String,
    pub map: String,
    /// Documents of each cluster (and group of them) under the other filters; absent when there are none.
    pub clusters: Vec<(ClusterId, u64)>,
}

/// A batch that runs, and how far it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunningBatch {
    pub batch: Batch,
    pub progress: Progress,
    pub grid: GridPicture,
}

/// A batch that does not run, and the first few of the documents that failed for each reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FinishedBatch {
    pub overview: BatchOverview,
    pub failed: Vec<FailedDocument>,
    /// What the latest analysis changed about the clusters: in short, then each change; none after the first one.
    pub news: Vec<String>,
}

/// A document that failed, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailedDocument {
    pub id: DocumentId,
    pub path: String,
    pub stage: Stage,
    pub failure: Failure,
}

impl FailedDocument {
    /// Absent when it did not fail.
    pub fn new(row: DocumentRow) -> Option<Self> {
        let DocumentRow { id, path, stage, failure, .. } = row;
        failure.map(|failure| Self { id, path, stage, failure })
    }
}

/// A [`ProgressGrid`] in a sixth of the bytes, for it is asked for again and again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GridPicture {
    /// Documents that a field stands for; the last may stand for fewer.
    pub per_field: u32,
    /// Of each field: documents, those read, those done, in work, failed, cancelled.
    pub fields: Vec<[u32; 6]>,
}

impl GridPicture {
    /// The most fields there are.
    pub const FIELDS: u32 = 400;
}

impl From<ProgressGrid> for GridPicture {
    fn from(grid: ProgressGrid) -> Self {
        let fields = grid.cells.into_iter().map(|cell| {
            let ProgressCell { documents, parsed, completed, processing, failed, cancelled } = cell;
            [documents, parsed, completed, processing, failed, cancelled]
        });
        Self { per_field: grid.per_cell, fields: fields.collect() }
    }
}

/// A [`Heatmap`] with its values in thousandths, which is a third of the bytes for all that can be seen or read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeatmapPicture {
    pub bands: Vec<HeatmapBand>,
    /// `bands.len()` squared similarities in thousandths, row by row.
    pub permille: Vec<i16>,
    /// The ends of the colour scale, in thousandths.
    pub scale: (i16, i16),
    pub documents: u32,
    pub cluster_names: Vec<(ClusterId, String)>,
    pub pairs: Vec<SimilarPair>,
    /// As `permille`, of the strongest pair; none where each band is one document.
    pub strongest: Vec<i16>,
    pub strongest_scale: (i16, i16),
}

impl HeatmapPicture {
    /// What cells show in thousandths, and the ends of their scale.
    pub fn cells(&self, cells: HeatmapCells) -> (&[i16], (i16, i16)) {
        match cells {
            HeatmapCells::Strongest if !self.strongest.is_empty() => (&self.strongest, self.strongest_scale),
            HeatmapCells::Mean | HeatmapCells::Strongest => (&self.permille, self.scale),
        }
    }

    /// The similarity of two bands in words, with the other value of blocks behind the one that is shown.
    pub fn said(&self, row: usize, column: usize, cells: HeatmapCells) -> (String, &'static str, String) {
        let at = row * self.bands.len() + column;
        let number = |values: &[i16]| values.get(at).map_or_else(String::new, |v| ratio(f32::from(*v) / 1000.0));
        let (mean, strongest) = (number(&self.permille), number(&self.strongest));
        if strongest.is_empty() {
            return (mean, "", strongest);
        }
        match cells {
            HeatmapCells::Mean => (mean, "on average, the strongest pair", strongest),
            HeatmapCells::Strongest => (strongest, "the strongest pair, on average", mean),
        }
    }

    /// The name of a cluster that occurs in the picture.
    pub fn cluster_name(&self, id: ClusterId) -> Option<&str> {
        self.cluster_names.iter().find(|(known, _)| *known == id).map(|(_, name)| name.as_str())
    }
}

impl From<Heatmap> for HeatmapPicture {
    fn from(heatmap: Heatmap) -> Self {
        let Heatmap { bands, values, scale, documents, cluster_names, pairs, strongest, strongest_scale } = heatmap;
        let ends = |(low, high): (f32, f32)| (thousandths(low), thousandths(high));
        Self {
            bands,
            permille: values.into_iter().map(thousandths).collect(),
            scale: ends(scale),
            documents,
            cluster_names,
            pairs,
            strongest: strongest.into_iter().map(thousandths).collect(),
            strongest_scale: ends(strongest_scale),
        }
    }
}

/// A similarity (-1 to 1) in whole thousandths.
#[expect(clippy::cast_possible_truncation, reason = "the value is clamped to ±1000 first")]
fn thousandths(value: f32) -> i16 {
    (value.clamp(-1.0, 1.0) * 1000.0).round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_of_blocks_says_both_values() {
        let band = |label: &str| HeatmapBand { start: 0, len: 2, cluster: None, label: label.into(), document: None };
        let mut picture = HeatmapPicture {
            bands: vec![band("a"), band("b")],
            permille: vec![500, 120, 120, 400],
            strongest: vec![900, 870, 870, 800],
            strongest_scale: (800, 900),
            ..HeatmapPicture::default()
        };
        let said = |picture: &HeatmapPicture, cells: HeatmapCells| {
            let (value, words, other) = picture.said(0, 1, cells);
            [&value, words, &other].join(" ")
        };
        assert_eq!(said(&picture, HeatmapCells::Mean), "0.12 on average, the strongest pair 0.87");
        assert_eq!(said(&picture, HeatmapCells::Strongest), "0.87 the strongest pair, on average 0.12");
        assert_eq!(picture.cells(HeatmapCells::Strongest), (&[900, 870, 870, 800][..], (800, 900)));
        picture.strongest.clear();
        assert_eq!(said(&picture, HeatmapCells::Strongest).trim(), "0.12", "of two documents there is one value");
        assert_eq!(picture.cells(HeatmapCells::Strongest).0, [500, 120, 120, 400]);
    }

    #[test]
    fn values_are_rounded_to_thousandths() {
        let check = |value: f32, expect: i16| assert_eq!(thousandths(value), expect);
        check(0.0, 0);
        check(0.12345, 123);
        check(-0.0006, -1);
        check(1.000_001, 1000);
        check(f32::NAN, 0);
    }
}
