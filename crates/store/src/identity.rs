//! What lasts of clusters from one analysis to the next: their numbers, their names, and what people changed.

use async_trait::async_trait;
use sheaf_domain::{BatchId, ClusterChange, ClusterEdit, ClusterEdits, ClusterId, DocumentId, Heatmap, NamedBy};

use crate::StoreError;
use crate::records::NewClustering;

type Result<T> = std::result::Result<T, StoreError>;

/// Where a document stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastDocument {
    pub document: DocumentId,
    /// As people left it; absent for an outlier.
    pub cluster: Option<ClusterId>,
    /// The group in which the analysis alone put it; absent when that was not noted yet.
    pub found: Option<ClusterId>,
}

/// An edit that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastEdit {
    pub edit: ClusterEdit,
    /// Where documents have to stay; without a cluster among the outliers.
    pub stay: Vec<(DocumentId, Option<ClusterId>)>,
}

/// All that a new clustering of a batch needs of the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterPast {
    /// Rises with each analysis and each edit; 0 before the first analysis.
    pub round: u64,
    /// The first number that was never given.
    pub next: u32,
    /// The numbers and names of the groups that the analysis alone found.
    pub found: Vec<(ClusterId, String)>,
    /// The numbers and names of clusters as people left them.
    pub clusters: Vec<(ClusterId, String)>,
    /// In no order.
    pub documents: Vec<PastDocument>,
    /// Those that stand, the earliest first.
    pub edits: Vec<PastEdit>,
}

/// What becomes of the list of edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewEdit {
    /// One more, with where documents have to stay.
    Add { change: ClusterChange, stay: Vec<(DocumentId, Option<ClusterId>)> },
    /// One that does not stand any more.
    TakeBack(u32),
}

/// What a cluster is called from now on, and what has the name in it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewName {
    pub cluster: ClusterId,
    pub name: String,
    pub named_by: NamedBy,
    pub heatmap: Heatmap,
    pub manifest: String,
}

/// What a store remembers of the identity of clusters. [`Store::complete_analysis`] writes it with the clustering.
///
/// [`Store::complete_analysis`]: crate::Store::complete_analysis
#[async_trait]
pub trait IdentityStore: Send + Sync {
    /// What the next clustering of a batch goes on from, read at one moment.
    async fn cluster_past(&self, batch: BatchId) -> Result<ClusterPast>;
    /// All edits, and what the latest analysis changed.
    async fn cluster_edits(&self, batch: BatchId) -> Result<ClusterEdits>;
    /// Notes an edit and puts the clustering that follows from it in the place of the one that the batch has, in one
    /// transaction. Gives the edit's number. Absent when the batch was analysed or edited since that round, is at work now, or
    /// has no such edit that stands: nothing changed.
    async fn keep_cluster_edit(
        &self,
        batch: BatchId,
        round: u64,
        edit: &NewEdit,
        clustering: &NewClustering,
    ) -> Result<Option<u32>>;
    /// The same where nothing follows from the edit but a name: no placement is written.
    async fn keep_cluster_name(
        &self,
        batch: BatchId,
        round: u64,
        edit: &NewEdit,
        name: &NewName,
    ) -> Result<Option<u32>>;
}
