//! The vectors of a clustering, and the pictures of similarity that are made from them.

use std::ops::Range;

use sheaf_analysis::clustering::neighbours::Neighbours;
use sheaf_analysis::clustering::vectors::Vectors as Distinct;
use sheaf_analysis::heatmap::{Band, grid, similar_pairs};
use sheaf_analysis::similarities;
use sheaf_domain::{
    BatchId, Cluster, ClusterFilter, ClusterId, DocumentId, Failure, FailureCode, Heatmap, HeatmapBand, HeatmapView,
    Merge, SimilarPair,
};
use sheaf_store::VectorFile;
use tokio::task::spawn_blocking;

use crate::{Engine, internal};

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
pub struct Placed {
    pub id: DocumentId,
    pub path: String,
    pub cluster: Option<ClusterId>,
}

/// Of each row its nearest others and their similarity, nearest first.
pub type Nearest = Vec<Vec<(usize, f32)>>;

/// The picture of rows `start..start + placed.len()` of `vectors`; `placed` says what stands there, `nearest` counts from
/// `start`.
pub fn draw(vectors: &Vectors, start: usize, placed: &[Placed], clusters: &[Cluster], nearest: &Nearest) -> Heatmap {
    let numbers: Vec<Option<u32>> = placed.iter().map(|p| p.cluster.map(|c| c.0)).collect();
    let drawn = grid(vectors.range(start, start + placed.len()), vectors.dimensions(), &numbers, 0..placed.len());
    let bands: Vec<HeatmapBand> = drawn.bands.iter().map(|band| label(band, start, placed, clusters)).collect();
    let pairs = similar_pairs(nearest, 0..placed.len(), PAIRS);
    Heatmap {
        values: drawn.values,
        scale: drawn.scale,
        documents: to_u32(placed.len()),
        cluster_names: clusters
            .iter()
            .filter(|cluster| numbers.contains(&Some(cluster.id.0)))
            .map(|cluster| (cluster.id, cluster.name.clone()))
            .collect(),
        pairs: pairs.into_iter().map(|(a, b, similarity)| pair(&placed[a], &placed[b], similarity)).collect(),
        bands,
    }
}

/// The nearest others of each of `count` rows from `start`, as numbers from `start`. Equal vectors are each other's
/// nearest.
fn nearest(vectors: &Vectors, start: usize, count: usize) -> Nearest {
    let distinct = Distinct::distinct((start..start + count).map(|row| vectors.row(row)));
    let neighbours = Neighbours::exact(&distinct, 3);
    let first = |row: u32| distinct.documents(row as usize).first().map(|&document| document as usize);
    let rows = distinct.rows();
    rows.iter()
        .map(|&row| {
            let same = distinct.documents(row).iter().map(|&other| (other as usize, 1.0)).take(PAIRS + 1);
            let others = neighbours.of(row).iter().filter_map(|&(other, s)| Some((first(other)?, s)));
            same.chain(others).collect()
        })
        .collect()
}

fn label(band: &Band, start: usize, placed: &[Placed], clusters: &[Cluster]) -> HeatmapBand {
    let first = &placed[band.start];
    let cluster = band.cluster.map(ClusterId);
    let name = cluster.and_then(|id| clusters.iter().find(|c| c.id == id)).map_or("Outliers", |c| c.name.as_str());
    let (label, document) = match band.len {
        1 => (first.path.clone(), Some(first.id)),
        len => (format!("{name} ({len} documents)"), None),
    };
    HeatmapBand { start: to_u32(start + band.start), len: to_u32(band.len), cluster, label, document }
}

fn pair(a: &Placed, b: &Placed, similarity: f32) -> SimilarPair {
    SimilarPair { a: a.id, a_path: a.path.clone(), b: b.id, b_path: b.path.clone(), similarity }
}

impl Engine {
    /// The picture of everything, of one cluster, or of a run of positions.
    ///
    /// # Errors
    /// `not_found`; `not_ready` before the batch was analysed; `storage`.
    pub async fn heatmap(&self, batch: BatchId, view: HeatmapView) -> Result<Heatmap, Failure> {
        let HeatmapView { cluster, start, len } = view;
        if cluster.is_none() && start == 0 && len == 0 {
            self.batch(batch).await?;
            return self.store().clustering(batch).await?.map(|c| c.heatmap).ok_or_else(not_analysed);
        }
        let vectors = self.vectors(batch).await?;
        let numbers = self.store().clusters_by_position(batch).await?;
        let merges = match cluster {
            Some(ClusterFilter::Cluster(id)) if id.0 >= Merge::FIRST => self.store().merges(batch).await?,
            Some(_) | None => Vec::new(),
        };
        let (first, count) = run(&numbers, &merges, cluster, start as usize, len as usize);
        let count = count.min(vectors.rows().saturating_sub(first));
        let rows = self.store().documents_by_position(batch, to_u32(first), to_u32(count)).await?;
        let placed: Vec<Placed> =
            rows.into_iter().map(|row| Placed { id: row.id, path: row.path, cluster: row.cluster }).collect();
        let clusters = self.store().clusters(batch).await?;
        spawn_blocking(move || {
            let nearest = nearest(&vectors, first, placed.len());
            draw(&vectors, first, &placed, &clusters, &nearest)
        })
        .await
        .map_err(internal)
    }

    /// The vectors of the batch's clustering; none when no document had one.
    pub(crate) async fn vectors(&self, batch: BatchId) -> Result<Vectors, Failure> {
        self.batch(batch).await?;
        let clustering = self.store().clustering(batch).await?.ok_or_else(not_analysed)?;
        let Some(VectorFile { name, dimensions, .. }) = clustering.vectors else {
            return Ok(Vectors::new(Vec::new(), 1));
        };
        let bytes = self.blobs().read_derived(&name.parse()?).await?;
        Ok(Vectors::from_bytes(&bytes, dimensions as usize))
    }
}

pub(crate) fn not_analysed() -> Failure {
    Failure::new(FailureCode::NotReady, "the batch has not been analysed yet")
}

fn to_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// The positions that a view names: the first, and how many. The documents of a cluster, and of a group of clusters, stand side by side.
fn run(
    clusters: &[Option<ClusterId>],
    merges: &[Merge],
    filter: Option<ClusterFilter>,
    start: usize,
    len: usize,
) -> (usize, usize) {
    let group = merges.iter().find(|merge| filter == Some(ClusterFilter::Cluster(merge.group.id)));
    let (first, count) = match (filter, group) {
        (None, _) => (0, clusters.len()),
        (Some(_), Some(merge)) => (merge.start as usize, usize::try_from(merge.group.size).unwrap_or(usize::MAX)),
        (Some(filter), None) => {
            let wanted = match filter {
                ClusterFilter::Cluster(id) => Some(id),
                ClusterFilter::Outliers => None,
            };
            let first = clusters.iter().position(|c| *c == wanted).unwrap_or(clusters.len());
            (first, clusters[first..].iter().take_while(|c| **c == wanted).count())
        }
    };
    let start = start.min(count);
    let rest = count - start;
    (first + start, if len == 0 { rest } else { len.min(rest) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_names_a_run_of_positions() {
        let (a, b) = (Some(ClusterId(1)), Some(ClusterId(0)));
        let clusters = [a, a, b, b, b, None];
        let check = |filter, start, len, expect| assert_eq!(run(&clusters, &[], filter, start, len), expect);
        check(None, 0, 0, (0, 6));
        check(None, 2, 2, (2, 2));
        check(None, 5, 9, (5, 1));
        check(None, 9, 9, (6, 0));
        check(Some(ClusterFilter::Cluster(ClusterId(0))), 0, 0, (2, 3));
        check(Some(ClusterFilter::Cluster(ClusterId(0))), 1, 9, (3, 2));
        check(Some(ClusterFilter::Outliers), 0, 0, (5, 1));
        check(Some(ClusterFilter::Cluster(ClusterId(7))), 0, 0, (6, 0));
    }
}
