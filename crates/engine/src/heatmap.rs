//! The vectors of a clustering, and the pictures of similarity that are made from them.

mod of_selection;
mod png;

pub(crate) use of_selection::Selected;

use std::ops::Range;

use sheaf_analysis::heatmap::{Band, grid, similar_pairs};
use sheaf_analysis::similarities;
use sheaf_domain::{Cluster, ClusterId, DocumentId, Heatmap, HeatmapBand, SimilarPair};

/// Pairs that are listed beside the picture.
pub const PAIRS: usize = 10;

/// Unit vectors in the order of positions, row-major.
pub struct Vectors {
    values: Vec<f32>,
    dimensions: usize,
}

impl Vectors {
    /// `values.len()` must be a multiple of `dimensions`; what is over is ignored.
    pub fn new(values: Vec<f32>, dimensions: usize) -> Self {
        Self { values, dimensions: dimensions.max(1) }
    }

    /// Little-endian bytes, as they are stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.values.iter().flat_map(|v| v.to_le_bytes()).collect()
    }

    pub fn from_bytes(bytes: &[u8], dimensions: usize) -> Self {
        let values = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        Self::new(values, dimensions)
    }

    pub fn rows(&self) -> usize {
        self.values.len() / self.dimensions
    }

    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.dimensions..(row + 1) * self.dimensions]
    }

    /// Rows `start` to `end`, row-major.
    pub fn range(&self, start: usize, end: usize) -> &[f32] {
        &self.values[start * self.dimensions..end * self.dimensions]
    }

    pub const fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The cosine similarities of some rows to every row, row by row.
    pub fn similarities(&self, rows: Range<usize>) -> Vec<f32> {
        similarities(self.range(rows.start, rows.end), self.range(0, self.rows()), self.dimensions)
    }
}

/// What the picture's rows are called.
#[derive(Clone)]
pub struct Placed {
    pub id: DocumentId,
    pub path: String,
    pub cluster: Option<ClusterId>,
}

/// Of each row its nearest others and their similarity, nearest first.
pub type Nearest = Vec<Vec<(usize, f32)>>;

/// The picture of all of `vectors`; `placed` says what stands there.
pub fn draw(vectors: &Vectors, placed: &[Placed], clusters: &[Cluster], nearest: &Nearest) -> Heatmap {
    let all: Vec<u32> = (0..to_u32(placed.len())).collect();
    let numbers: Vec<Option<ClusterId>> = placed.iter().map(|placed| placed.cluster).collect();
    let known = || nearest.iter().enumerate().flat_map(|(a, others)| others.iter().map(move |&(b, s)| (a, b, s)));
    let pairs = similar_pairs(known(), PAIRS);
    Picture { vectors, positions: &all, numbers: &numbers, clusters }
        .draw(known(), &pairs, |place| placed[place].clone())
}

/// Documents in the order of their positions, of which a picture is made.
struct Picture<'a> {
    vectors: &'a Vectors,
    /// Rows of the vectors.
    positions: &'a [u32],
    /// The cluster of each.
    numbers: &'a [Option<ClusterId>],
    clusters: &'a [Cluster],
}

impl Picture<'_> {
    /// `known` pairs and those that are listed count places among the positions; `placed` says what stands at such a place.
    fn draw(
        &self,
        known: impl Iterator<Item = (usize, usize, f32)>,
        pairs: &[(usize, usize, f32)],
        placed: impl Fn(usize) -> Placed,
    ) -> Heatmap {
        let numbers: Vec<Option<u32>> = self.numbers.iter().map(|cluster| cluster.map(|cluster| cluster.0)).collect();
        let row = |place: usize| self.vectors.row(self.positions[place] as usize);
        let drawn = grid(row, self.vectors.dimensions(), &numbers, known);
        let pair = |&(a, b, similarity): &(usize, usize, f32)| {
            let (a, b) = (placed(a), placed(b));
            SimilarPair { a: a.id, a_path: a.path, b: b.id, b_path: b.path, similarity }
        };
        let occurs = |cluster: &&Cluster| drawn.bands.iter().any(|band| band.cluster == Some(cluster.id.0));
        Heatmap {
            documents: to_u32(self.positions.len()),
            cluster_names: self
                .clusters
                .iter()
                .filter(occurs)
                .map(|cluster| (cluster.id, cluster.name.clone()))
                .collect(),
            pairs: pairs.iter().map(pair).collect(),
            bands: drawn.bands.iter().map(|band| self.label(band, &placed)).collect(),
            values: drawn.values,
            scale: drawn.scale,
            strongest: drawn.strongest,
            strongest_scale: drawn.strongest_scale,
        }
    }

    fn label(&self, band: &Band, placed: impl Fn(usize) -> Placed) -> HeatmapBand {
        let cluster = band.cluster.map(ClusterId);
        let name = cluster.and_then(|id| self.clusters.iter().find(|c| c.id == id));
        // Where there are more clusters than blocks, some blocks have several of them.
        let mixed = || self.numbers[band.start..band.start + band.len].iter().any(Option::is_some);
        let name = match name {
            Some(cluster) => cluster.name.as_str(),
            None if mixed() => "Several clusters",
            None => "Outliers",
        };
        let (label, document) = match band.len {
            1 => {
                let Placed { id, path, .. } = placed(band.start);
                (path, Some(id))
            }
            len => (block_label(name, len), None),
        };
        HeatmapBand { start: self.positions[band.start], len: to_u32(band.len), cluster, label, document }
    }
}

/// The picture as it is once a cluster has another name.
pub fn rename(heatmap: &mut Heatmap, cluster: ClusterId, name: &str) {
    let names = heatmap.cluster_names.iter_mut().filter(|(id, _)| *id == cluster);
    names.for_each(|(_, known)| name.clone_into(known));
    let blocks = heatmap.bands.iter_mut().filter(|band| band.cluster == Some(cluster) && band.document.is_none());
    blocks.for_each(|band| band.label = block_label(name, band.len as usize));
}

fn block_label(name: &str, len: usize) -> String {
    format!("{name} ({len} documents)")
}

fn to_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
