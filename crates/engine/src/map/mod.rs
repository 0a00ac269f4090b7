//! The map of a batch: where its documents stand, which of them match, and what their clusters are called.

mod cache;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use sheaf_analysis::clustering::neighbours::Neighbours;
use sheaf_analysis::clustering::vectors::Vectors as Distinct;
use sheaf_analysis::layout::{NEIGHBOURS, lay_out};
use sheaf_domain::{
    BatchId, Cluster, ClusterId, DocumentMap, DocumentQuery, EXACT_UP_TO, Failure, FailureCode, MapLabel, Merge,
    at_level,
};
use sheaf_store::{PlacedDocument, VectorFile};
use tokio::task::spawn_blocking;

use crate::blobs::{BlobError, DerivedName};
use crate::heatmap::Vectors;
use crate::{Engine, internal};

pub use cache::MapCache;

/// Where documents stand, in the order of positions; see [`lay_out`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Places(pub Vec<[f32; 2]>);

impl Places {
    /// Bytes of one place.
    const BYTES: usize = 2 * size_of::<f32>();

    /// Little-endian bytes, as they are stored.
    pub fn to_bytes(&self) -> Bytes {
        self.0.iter().flatten().flat_map(|x| x.to_le_bytes()).collect()
    }

    /// Absent when these are not the places of `rows` documents.
    pub fn from_bytes(bytes: &[u8], rows: usize) -> Option<Self> {
        let number = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        let places = || bytes.chunks_exact(Self::BYTES).map(|b| [number(&b[..4]), number(&b[4..])]).collect();
        (bytes.len() == rows * Self::BYTES).then(|| Self(places()))
    }

    /// The name of the file beside that of the vectors.
    pub fn name(vectors: &DerivedName) -> Result<DerivedName, BlobError> {
        vectors.beside(Self::SUFFIX)
    }

    /// How the names of such files end.
    pub const SUFFIX: &str = ".xy";

    /// Of vectors whose places were never written, or are lost.
    fn of(vectors: &Vectors, seed: u64) -> Self {
        let distinct = Distinct::distinct((0..vectors.rows()).map(|row| vectors.row(row)));
        let all_pairs = distinct.len() as u64 <= EXACT_UP_TO;
        let find = if all_pairs { Neighbours::exact } else { Neighbours::approximate };
        Self(lay_out(&distinct, &find(&distinct, NEIGHBOURS), seed))
    }
}

impl Engine {
    /// All placed documents, with clusters joined to `level` groups (0 leaves them as they are); what does not match is there
    /// but not named among the matching.
    ///
    /// # Errors
    /// `not_found`; `not_ready` before the batch was analysed; `storage`.
    pub async fn map(&self, batch: BatchId, query: &DocumentQuery, level: u32) -> Result<DocumentMap, Failure> {
        let whole = self.whole_map(batch, level).await?;
        let mut map = DocumentMap::clone(&whole);
        // Of what is kept, names alone can be others by now.
        let names: HashMap<ClusterId, String> =
            self.store().clusters(batch).await?.into_iter().map(|cluster| (cluster.id, cluster.name)).collect();
        for label in &mut map.labels {
            if let Some(name) = names.get(&label.cluster) {
                name.clone_into(&mut label.name);
            }
        }
        if query.is_narrowed() {
            let matching = self.matching_positions(batch, query, whole.documents.len()).await?;
            let mut counts: HashMap<ClusterId, u32> = HashMap::new();
            for cluster in matching.iter().filter_map(|&row| map.clusters.get(row as usize).copied().flatten()) {
                *counts.entry(cluster).or_default() += 1;
            }
            for label in &mut map.labels {
                label.matching = counts.get(&label.cluster).copied().unwrap_or_default();
            }
            map.matching = Some(matching);
        }
        Ok(map)
    }

    /// Which of the first `rows` positions match, ascending: of a batch at rest from its columns, of one that runs from the tables.
    async fn matching_positions(
        &self,
        batch: BatchId,
        query: &DocumentQuery,
        rows: usize,
    ) -> Result<Vec<u32>, Failure> {
        let mut matching: Vec<u32> = if self.batch(batch).await?.status.is_final() {
            let (columns, worded) = futures::try_join!(self.columns(batch), self.worded(batch, query))?;
            let query = query.clone();
            let select = move || {
                let lines = columns.select(&query, &worded).placed();
                lines.into_iter().filter_map(|line| Some(columns.place(line)?.position)).collect()
            };
            spawn_blocking(select).await.map_err(internal)?
        } else {
            self.store().positions(batch, query).await?.into_iter().map(|(position, _)| position).collect()
        };
        // The two were read one after the other.
        matching.retain(|&position| (position as usize) < rows);
        Ok(matching)
    }

    /// The map without filters.
    async fn whole_map(&self, batch: BatchId, level: u32) -> Result<Arc<DocumentMap>, Failure> {
        let found = self.batch(batch).await?;
        let clustering = self.store().clustering(batch).await?.ok_or_else(not_analysed)?;
        let Some(file) = clustering.vectors else { return Ok(Arc::default()) };
        if let Some(map) = self.maps().get(&file.name, level) {
            return Ok(map);
        }
        let places = self.places(&file, found.params.seed).await?;
        let (placed, clusters, merges) =
            futures::try_join!(self.store().placed(batch), self.store().clusters(batch), self.store().merges(batch))?;
        let groups = match level {
            0 => clusters,
            level => at_level(&clusters, &merges, level as usize),
        };
        let map = Arc::new(draw(&places, placed, &groups, &merges));
        self.maps().put(&file.name, level, &map);
        Ok(map)
    }

    /// The places of a batch's documents. Those of a batch that was analysed before there were maps are made now, and kept.
    async fn places(&self, file: &VectorFile, seed: u64) -> Result<Places, Failure> {
        let VectorFile { name, rows, dimensions } = file;
        let vectors: DerivedName = name.parse()?;
        let name = Places::name(&vectors)?;
        let kept = match self.blobs().read_derived(&name).await {
            Ok(bytes) => Places::from_bytes(&bytes, *rows as usize),
            Err(BlobError::Missing(_)) => None,
            Err(error) => return Err(error.into()),
        };
        if let Some(places) = kept {
            return Ok(places);
        }
        let bytes = self.blobs().read_derived(&vectors).await?;
        let dimensions = *dimensions as usize;
        let places = spawn_blocking(move || Places::of(&Vectors::from_bytes(&bytes, dimensions), seed));
        let places = places.await.map_err(internal)?;
        self.blobs().put_derived(&name, places.to_bytes()).await?;
        Ok(places)
    }
}

/// The map with everything on it, in the colours of `groups`.
fn draw(places: &Places, placed: Vec<PlacedDocument>, groups: &[Cluster], merges: &[Merge]) -> DocumentMap {
    let group_of = groups_of(groups, merges);
    let is_named = placed.len() <= DocumentMap::NAMED;
    let mut map = DocumentMap::default();
    for (PlacedDocument { id, path, cluster }, [x, y]) in placed.into_iter().zip(&places.0) {
        map.documents.push(id);
        if is_named {
            map.names.push(path);
        }
        map.x.push(whole(*x));
        map.y.push(whole(*y));
        map.clusters.push(cluster.map(|cluster| group_of.get(&cluster).copied().unwrap_or(cluster)));
    }
    map.labels = labels(groups, &map);
    map
}

/// For each cluster the group of the level that it is in.
fn groups_of(groups: &[Cluster], merges: &[Merge]) -> HashMap<ClusterId, ClusterId> {
    let parts: HashMap<ClusterId, [ClusterId; 2]> = merges.iter().map(|merge| (merge.group.id, merge.parts)).collect();
    let mut of = HashMap::new();
    for group in groups {
        let mut inside = vec![group.id];
        while let Some(id) = inside.pop() {
            match parts.get(&id) {
                Some(parts) => inside.extend(parts),
                None => {
                    of.insert(id, group.id);
                }
            }
        }
    }
    of
}

fn labels(groups: &[Cluster], map: &DocumentMap) -> Vec<MapLabel> {
    let mut members: HashMap<ClusterId, Vec<usize>> = HashMap::new();
    for (row, cluster) in map.clusters.iter().enumerate() {
        if let Some(cluster) = cluster {
            members.entry(*cluster).or_default().push(row);
        }
    }
    let label = |group: &Cluster| {
        let rows = members.get(&group.id)?;
        let documents = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        Some(MapLabel {
            cluster: group.id,
            name: group.name.clone(),
            x: median(rows.iter().map(|&row| map.x[row]).collect()),
            y: median(rows.iter().map(|&row| map.y[row]).collect()),
            documents,
            matching: documents,
        })
    };
    groups.iter().filter_map(label).collect()
}

pub(crate) fn not_analysed() -> Failure {
    Failure::new(FailureCode::NotReady, "the batch has not been analysed yet")
}

fn median(mut values: Vec<i16>) -> i16 {
    let middle = values.len() / 2;
    values.sort_unstable();
    values.get(middle).copied().unwrap_or_default()
}

/// A coordinate from -1 to 1 in whole steps.
#[expect(clippy::cast_possible_truncation, reason = "the value is clamped first")]
fn whole(x: f32) -> i16 {
    (x.clamp(-1.0, 1.0) * f32::from(DocumentMap::EDGE)).round() as i16
}

#[cfg(test)]
mod tests {
    use sheaf_domain::DocumentId;
    use uuid::Uuid;

    use super::*;

    fn cluster(id: u32, size: u64) -> Cluster {
        Cluster {
            id: ClusterId(id),
            name: format!("number {id}"),
            keywords: Vec::new(),
            size,
            cohesion: 0.0,
            average_probability: 0.0,
            representative: DocumentId(Uuid::nil()),
            representative_path: String::new(),
            named_by: sheaf_domain::NamedBy::Words,
            edited: false,
        }
    }

    fn pile() -> (Places, Vec<PlacedDocument>) {
        let clusters = [Some(0), Some(0), Some(0), Some(1), Some(1), Some(2), None];
        let places = [[-1.0, 0.0], [-0.5, 0.5], [-0.75, -2.0], [0.5, 0.5], [1.0, 0.5], [0.0, 0.0], [f32::NAN, 1.0]];
        let placed = clusters.into_iter().zip(0_u128..).map(|(cluster, n)| PlacedDocument {
            id: DocumentId(Uuid::from_u128(n)),
            path: n.to_string(),
            cluster: cluster.map(ClusterId),
        });
        (Places(places.to_vec()), placed.collect())
    }

    #[test]
    fn names_stand_in_the_middle_of_their_documents() {
        let (places, placed) = pile();
        let clusters = [cluster(0, 3), cluster(1, 2), cluster(2, 1)];
        let map = draw(&places, placed, &clusters, &[]);
        let edge = DocumentMap::EDGE;
        assert_eq!((map.x[0], map.x[4], map.y[2], map.x[6]), (-edge, edge, -edge, 0));
        assert_eq!(map.names[5], "5");
        let labels: Vec<_> = map.labels.iter().map(|l| (l.cluster.0, l.documents, l.matching)).collect();
        assert_eq!(labels, [(0, 3, 3), (1, 2, 2), (2, 1, 1)]);
        assert_eq!((map.labels[0].x, map.labels[0].y), (map.x[2], map.y[0]));
    }

    #[test]
    fn at_a_level_clusters_are_their_groups() {
        let (places, placed) = pile();
        let clusters = [cluster(0, 3), cluster(1, 2), cluster(2, 1)];
        let group = cluster(Merge::FIRST, 3);
        let merges = [Merge { group, parts: [ClusterId(1), ClusterId(2)], similarity: 0.5, start: 3 }];
        let map = draw(&places, placed, &at_level(&clusters, &merges, 2), &merges);
        let of: Vec<Option<u32>> = map.clusters.iter().map(|c| c.map(|c| c.0)).collect();
        let joined = Some(Merge::FIRST);
        assert_eq!(of, [Some(0), Some(0), Some(0), joined, joined, joined, None]);
        assert_eq!(map.labels.len(), 2);
        assert_eq!((map.labels[1].documents, map.labels[1].matching), (3, 3));
    }

    #[test]
    fn places_are_read_as_they_were_written() {
        let (places, _) = pile();
        let places = Places(places.0[..6].to_vec());
        let bytes = places.to_bytes();
        assert_eq!(Places::from_bytes(&bytes, 6).as_ref(), Some(&places));
        assert_eq!(Places::from_bytes(&bytes, 7), None);
        assert_eq!(Places::from_bytes(&bytes[1..], 6), None);
    }
}
