//! One object of the clusters of a batch, with what the latest analysis changed about it.

use serde::Serialize;
use sheaf_domain::{Cluster, ClusterId, ClusterReport};

/// A cluster as it is downloaded.
#[derive(Debug, PartialEq, Serialize)]
pub struct ClusterEntry<'a> {
    #[serde(flatten)]
    cluster: &'a Cluster,
    /// Absent after the first analysis.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Changes>,
}

/// What the latest analysis changed about a cluster of the one before.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Changes {
    /// New documents that came into it.
    added: u64,
    /// Whether it was not there before.
    new: bool,
    /// The cluster that it is a part of what was.
    split_from: Option<ClusterId>,
    /// The clusters that it is made of.
    merged_from: Vec<ClusterId>,
}

/// All clusters, in the order in which they are given.
pub fn entries<'a>(clusters: &'a [Cluster], report: Option<&ClusterReport>) -> Vec<ClusterEntry<'a>> {
    clusters.iter().map(|cluster| ClusterEntry { cluster, changes: report.map(|r| changes(cluster.id, r)) }).collect()
}

fn changes(id: ClusterId, report: &ClusterReport) -> Changes {
    let split = report.split.iter().find(|split| split.into.iter().any(|part| part.id == id));
    let merged = report.merged.iter().find(|merged| merged.into.id == id);
    Changes {
        added: report.added.iter().find(|added| added.cluster.id == id).map_or(0, |added| added.documents),
        new: report.new.iter().any(|new| new.id == id),
        split_from: split.map(|split| split.cluster.id),
        merged_from: merged.map(|merged| merged.clusters.iter().map(|part| part.id).collect()).unwrap_or_default(),
    }
}
