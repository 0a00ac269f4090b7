//! Clusterings that are tried on a batch beside its own: asked for by people, computed under a lease, kept until they are removed.

use async_trait::async_trait;
use sheaf_domain::{BatchId, BatchParams, ClusterId, ClusteringId, DocumentId, Failure, TriedCluster, TriedClustering};
use uuid::Uuid;

use crate::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// A clustering to be computed. The attempt fences its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriedClaim {
    pub id: ClusteringId,
    pub batch: BatchId,
    pub params: BatchParams,
    pub attempt: u32,
}

/// What a tried clustering found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FoundTried {
    pub seconds: f32,
    pub silhouette: Option<f32>,
    /// Largest first.
    pub clusters: Vec<TriedCluster>,
    pub places: TriedPlaces,
}

/// Of each document the number of its cluster; of an outlier none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TriedPlaces(pub Vec<(DocumentId, Option<u32>)>);

impl TriedPlaces {
    /// Bytes of one document.
    const STRIDE: usize = 20;
    /// The number of an outlier.
    const NOWHERE: u32 = u32::MAX;

    /// As it is kept in a row.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * Self::STRIDE);
        for (document, cluster) in &self.0 {
            bytes.extend_from_slice(document.0.as_bytes());
            bytes.extend_from_slice(&cluster.unwrap_or(Self::NOWHERE).to_le_bytes());
        }
        bytes
    }

    /// Back from a row; none when the bytes are of something else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if !bytes.len().is_multiple_of(Self::STRIDE) {
            return None;
        }
        let place = |bytes: &[u8]| {
            let (id, cluster) = bytes.split_first_chunk::<16>()?;
            let cluster = u32::from_le_bytes(cluster.try_into().ok()?);
            Some((DocumentId(Uuid::from_bytes(*id)), (cluster != Self::NOWHERE).then_some(cluster)))
        };
        bytes.chunks_exact(Self::STRIDE).map(place).collect::<Option<_>>().map(Self)
    }

    /// Documents that fit nowhere.
    pub fn outliers(&self) -> u64 {
        self.0.iter().filter(|(_, cluster)| cluster.is_none()).count() as u64
    }
}

/// What a store remembers of tried clusterings.
#[async_trait]
pub trait GalleryStore: Send + Sync {
    /// Asks for one; `false` when there is no such batch.
    async fn add_tried(&self, id: ClusteringId, batch: BatchId, params: &BatchParams) -> Result<bool>;
    /// Those of a batch, the earliest first; they are not compared with anything.
    async fn tried(&self, batch: BatchId) -> Result<Vec<TriedClustering>>;
    /// Where the documents are in one; nothing while it is not completed.
    async fn tried_places(&self, id: ClusteringId) -> Result<TriedPlaces>;
    /// Leases the one that was asked for first, unless another has it. One that was lost `most_attempts` times fails instead.
    async fn claim_tried(&self, lease_ms: u64, most_attempts: u32) -> Result<Option<TriedClaim>>;
    /// Takes every lease back: no other process can hold one.
    async fn free_tried(&self) -> Result<()>;
    /// Extends the lease; `false` when it was lost or the clustering removed.
    async fn keep_tried(&self, claim: &TriedClaim, lease_ms: u64) -> Result<bool>;
    /// Ends it; `false` when the lease was lost.
    async fn finish_tried(&self, claim: &TriedClaim, found: &std::result::Result<FoundTried, Failure>) -> Result<bool>;
    /// Removes one of a batch; `false` when there is none.
    async fn delete_tried(&self, batch: BatchId, id: ClusteringId) -> Result<bool>;
    /// Of each document that the batch's own clustering has, its cluster; in the order of ids.
    async fn grouped_documents(&self, batch: BatchId) -> Result<Vec<(DocumentId, Option<ClusterId>)>>;
    /// Gives a batch that has ended other parameters and queues its grouping anew; `false` when it has not ended, or there is none.
    async fn regroup_by(&self, batch: BatchId, params: &BatchParams) -> Result<bool>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_survive_their_bytes() {
        let places = TriedPlaces(vec![(DocumentId(Uuid::from_u128(7)), Some(3)), (DocumentId(Uuid::max()), None)]);
        assert_eq!(TriedPlaces::from_bytes(&places.to_bytes()), Some(places.clone()));
        assert_eq!((places.outliers(), TriedPlaces::from_bytes(&[0; 19])), (1, None));
        assert_eq!(TriedPlaces::from_bytes(&[]), Some(TriedPlaces::default()));
    }
}
