//! The picture of what a filter lets through, and the pairs in it that are most similar.

use std::sync::Arc;

use sheaf_analysis::clustering::neighbours::Neighbours;
use sheaf_analysis::clustering::vectors::Vectors as Distinct;
use sheaf_analysis::heatmap::similar_pairs;
use sheaf_domain::{BatchId, ClusterId, DocumentId, Failure, FailureCode, Heatmap, HeatmapCells, HeatmapView};
use sheaf_store::Columns;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::{PAIRS, Picture, Placed, Vectors, png};
use crate::columns::Nearest;
use crate::{Engine, internal};

/// Up to so many documents every one is compared with every other to find the most similar pairs; of more, each with those
/// that its own page lists.
const COMPARED: usize = 600;

/// Documents that were selected, in the order of their positions.
pub(crate) struct Selected {
    pub columns: Arc<Columns>,
    pub vectors: Arc<Vectors>,
    /// Rows of the columns.
    pub lines: Vec<u32>,
    /// Rows of the vectors.
    pub positions: Vec<u32>,
}

impl Engine {
    /// The picture of everything, of what a filter lets through, or of a run of that.
    ///
    /// # Errors
    /// `not_found`; `not_ready` before the batch was analysed; `storage`.
    pub async fn heatmap(&self, batch: BatchId, view: &HeatmapView) -> Result<Heatmap, Failure> {
        if !view.filter.is_narrowed() && view.start == 0 && view.len == 0 {
            self.batch(batch).await?;
            let heatmap = self.store().heatmap(batch).await?.ok_or_else(not_analysed)?;
            if heatmap.documents as usize > COMPARED {
                // Whoever looks at all of it filters next.
                let engine = self.clone();
                tokio::spawn(async move { engine.nearest(batch).await.map(drop) });
            }
            // A picture of an earlier version has means alone.
            if !heatmap.has_blocks() || !heatmap.strongest.is_empty() {
                return Ok(heatmap);
            }
        }
        let selected = self.selected(batch, view).await?;
        let clusters = self.store().clusters(batch).await?;
        let nearest = match selected.lines.len() {
            0..=COMPARED => None,
            _ => Some(self.nearest(batch).await?),
        };
        let draw = move || {
            let Selected { columns, vectors, lines, positions } = &selected;
            let known: Vec<_> = nearest.map_or_else(Vec::new, |nearest| known_pairs(&nearest, positions));
            let pairs = match lines.len() {
                0..=COMPARED => compared_pairs(vectors, positions),
                _ => similar_pairs(known.iter().copied(), PAIRS),
            };
            let numbers: Vec<Option<ClusterId>> =
                lines.iter().map(|&line| columns.place(line).and_then(|place| place.cluster)).collect();
            let picture = Picture { vectors, positions, numbers: &numbers, clusters: &clusters };
            picture.draw(known.into_iter(), &pairs, |place| placed(columns, lines[place]))
        };
        spawn_blocking(draw).await.map_err(internal)
    }

    /// The same as a PNG file, with the cluster of each row and column at its edges and the scale below.
    ///
    /// # Errors
    /// As [`Self::heatmap`].
    pub async fn heatmap_png(
        &self,
        batch: BatchId,
        view: &HeatmapView,
        cells: HeatmapCells,
    ) -> Result<Vec<u8>, Failure> {
        let heatmap = self.heatmap(batch, view).await?;
        spawn_blocking(move || png::encode(&heatmap, cells)).await.map_err(internal)?.map_err(internal)
    }

    /// The documents that a view names.
    ///
    /// # Errors
    /// As [`Self::heatmap`].
    pub(crate) async fn selected(&self, batch: BatchId, view: &HeatmapView) -> Result<Selected, Failure> {
        let columns = self.columns(batch).await?;
        let file = columns.clustering().ok_or_else(not_analysed)?.vectors.clone();
        let vectors = match file {
            Some(file) => self.kept_vectors(&file).await?,
            None => Arc::new(Vectors::new(Vec::new(), 1)),
        };
        let worded = self.worded(batch, &view.filter).await?;
        let HeatmapView { filter, start, len } = view.clone();
        let select = move || {
            let mut lines = columns.select(&filter, &worded).placed();
            let position = |line: u32| columns.place(line).map_or(u32::MAX, |place| place.position);
            // The two were read one after the other.
            lines.retain(|&line| (position(line) as usize) < vectors.rows());
            let start = (start as usize).min(lines.len());
            lines.drain(..start);
            lines.truncate(if len == 0 { lines.len() } else { len as usize });
            let positions = lines.iter().map(|&line| position(line)).collect();
            Selected { columns, vectors, lines, positions }
        };
        spawn_blocking(select).await.map_err(internal)
    }
}

fn placed(columns: &Columns, line: u32) -> Placed {
    Placed {
        id: columns.id(line).unwrap_or(DocumentId(Uuid::nil())),
        path: columns.path(line).to_owned(),
        cluster: columns.place(line).and_then(|place| place.cluster),
    }
}

fn not_analysed() -> Failure {
    Failure::new(FailureCode::NotReady, "the batch has not been analysed yet")
}

/// By comparing every document with every other. Equal vectors are each other's nearest.
fn compared_pairs(vectors: &Vectors, positions: &[u32]) -> Vec<(usize, usize, f32)> {
    let distinct = Distinct::distinct(positions.iter().map(|&position| vectors.row(position as usize)));
    let neighbours = Neighbours::exact(&distinct, 3);
    let first = |row: u32| distinct.documents(row as usize).first().map(|&document| document as usize);
    let rows = distinct.rows();
    let pairs = rows.iter().enumerate().flat_map(|(place, &row)| {
        let same = distinct.documents(row).iter().map(|&other| (other as usize, 1.0)).take(PAIRS + 1);
        let others = neighbours.of(row).iter().filter_map(move |&(other, s)| Some((first(other)?, s)));
        same.chain(others).map(move |(other, similarity)| (place, other, similarity))
    });
    similar_pairs(pairs, PAIRS)
}

/// Of the pairs that are known since the analysis, those within the selection.
fn known_pairs(nearest: &Nearest, positions: &[u32]) -> Vec<(usize, usize, f32)> {
    let mut places = vec![u32::MAX; nearest.len()];
    for (&position, place) in positions.iter().zip(0..) {
        if let Some(entry) = places.get_mut(position as usize) {
            *entry = place;
        }
    }
    let found = |(place, &position): (usize, &u32)| {
        let others = nearest.get(position as usize).map_or(&[][..], Vec::as_slice);
        let places = &places;
        others.iter().filter_map(move |&(other, similarity)| {
            let other = places.get(other as usize).copied().filter(|other| *other != u32::MAX)?;
            Some((place, other as usize, similarity))
        })
    };
    positions.iter().enumerate().flat_map(found).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(angle: f32) -> [f32; 2] {
        [angle.cos(), angle.sin()]
    }

    #[test]
    fn pairs_of_a_selection_are_found_either_way() {
        let angles = [0.0, 0.5, 0.51, 1.5, 1.5, 2.5];
        let vectors = Vectors::new(angles.iter().flat_map(|&angle| unit(angle)).collect(), 2);
        let cosine = |a: usize, b: usize| (angles[a] - angles[b]).cos();
        let all = (0..6_usize).map(|a| (0..6).filter(|&b| b != a).map(|b| (b as u32, cosine(a, b))).collect());
        let nearest: Nearest = all.collect();
        for positions in [vec![0, 1, 2, 3, 4, 5], vec![0, 2, 3], vec![1, 2, 4], vec![5], vec![]] {
            let known = similar_pairs(known_pairs(&nearest, &positions).into_iter(), PAIRS);
            let compared = compared_pairs(&vectors, &positions);
            let names = |pairs: &[(usize, usize, f32)]| pairs.iter().map(|p| (p.0, p.1)).take(1).collect::<Vec<_>>();
            assert_eq!(names(&known), names(&compared), "{positions:?}");
        }
        let all = known_pairs(&nearest, &[0, 1, 2, 3, 4, 5]).into_iter();
        assert_eq!(similar_pairs(all, PAIRS)[0].0, 3, "the two that are equal");
    }
}
