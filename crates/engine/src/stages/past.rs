//! From what was there before to what an analysis goes on from, and what it changed in words that pages and the API show.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use sheaf_analysis::{Edit, History, Known, identity};
use sheaf_domain::{
    AddedTo, ClusterChange, ClusterId, ClusterReport, DocumentId, MergedClusters, NamedCluster, SplitCluster,
};
use sheaf_store::{AnalysedDocument, ClusterPast, PastDocument, PastEdit};

use super::analyse::Placed;

/// What an analysis of these documents goes on from. With `keep_groups` only what people changed is applied anew.
pub fn history(past: &ClusterPast, documents: &[AnalysedDocument], keep_groups: bool) -> History {
    let was: HashMap<DocumentId, &PastDocument> = past.documents.iter().map(|was| (was.document, was)).collect();
    // A batch of an earlier version has no groups but its clusters.
    let is_noted = past.documents.iter().all(|was| was.found.is_some());
    let group = |document: &AnalysedDocument| {
        let was = was.get(&document.id)?;
        if is_noted { was.found } else { was.cluster }
    };
    let index: HashMap<DocumentId, usize> = documents.iter().zip(0..).map(|(document, i)| (document.id, i)).collect();
    History {
        earlier: documents.iter().map(|document| group(document).map(|id| id.0)).collect(),
        names: past.found.iter().map(|(id, name)| (id.0, name.clone())).collect(),
        next: past.next,
        given: None,
        edits: past
            .edits
            .iter()
            .map(|past| Edit {
                change: past.edit.change.clone(),
                stay: past.stay.iter().filter_map(|(id, to)| Some((*index.get(id)?, *to))).collect(),
            })
            .collect(),
        keep_groups: keep_groups && is_noted,
        known: Known::default(),
    }
}

/// What a manifest says of what was there before and of what people changed, so that a replay comes to the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The groups as the analysis alone finds them, the largest first.
    groups: Vec<NamedCluster>,
    /// In the order in which they were made.
    edits: Vec<ReplayedEdit>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ReplayedEdit {
    #[serde(flatten)]
    change: ClusterChange,
    /// Where documents have to stay, by path; without a cluster among the outliers.
    documents: BTreeMap<String, Option<ClusterId>>,
}

impl Identity {
    /// Absent of a first analysis.
    pub fn new(past: &ClusterPast, found: &[(ClusterId, String)], documents: &[AnalysedDocument]) -> Option<Self> {
        if past.documents.is_empty() && past.edits.is_empty() {
            return None;
        }
        let paths: HashMap<DocumentId, &str> = documents.iter().map(|d| (d.id, d.path.as_str())).collect();
        let groups = found.iter().map(|(id, name)| NamedCluster { id: *id, name: name.clone() });
        let edits = past.edits.iter().map(|past| ReplayedEdit {
            change: past.edit.change.clone(),
            documents: past.stay.iter().filter_map(|(id, to)| Some(((*paths.get(id)?).to_owned(), *to))).collect(),
        });
        Some(Self { groups: groups.collect(), edits: edits.collect() })
    }

    /// What a manifest says after an edit that holds no document: of what was done before it says the same. Absent when it
    /// does not tell of the edits that stood before.
    pub fn with_edit(before: Option<Self>, past: &ClusterPast, after: &ClusterPast) -> Option<Self> {
        let told = before.map_or_else(Vec::new, |identity| identity.edits);
        if told.len() != past.edits.len() {
            return None;
        }
        let told: HashMap<u32, ReplayedEdit> = past.edits.iter().map(|past| past.edit.id).zip(told).collect();
        let new = |past: &PastEdit| ReplayedEdit { change: past.edit.change.clone(), documents: BTreeMap::new() };
        let edits = after.edits.iter().map(|past| told.get(&past.edit.id).cloned().unwrap_or_else(|| new(past)));
        let groups = after.found.iter().map(|(id, name)| NamedCluster { id: *id, name: name.clone() });
        Some(Self { groups: groups.collect(), edits: edits.collect() })
    }

    /// What a replay of the same documents goes on from.
    pub fn history(&self, documents: &[AnalysedDocument]) -> History {
        let index: HashMap<&str, usize> = documents.iter().zip(0..).map(|(d, i)| (d.path.as_str(), i)).collect();
        History {
            earlier: Vec::new(),
            names: self.groups.iter().map(|group| (group.id.0, group.name.clone())).collect(),
            next: 0,
            given: Some(self.groups.iter().map(|group| group.id.0).collect()),
            edits: self
                .edits
                .iter()
                .map(|edit| Edit {
                    change: edit.change.clone(),
                    stay: edit
                        .documents
                        .iter()
                        .filter_map(|(path, to)| Some((*index.get(path.as_str())?, *to)))
                        .collect(),
                })
                .collect(),
            keep_groups: false,
            known: Known::default(),
        }
    }
}

/// What an analysis changed about the clusters of the one before, as people left them; absent for a first one.
pub fn report(past: &ClusterPast, placed: &Placed) -> Option<ClusterReport> {
    if past.documents.is_empty() {
        return None;
    }
    let was: HashMap<DocumentId, Option<ClusterId>> =
        past.documents.iter().map(|was| (was.document, was.cluster)).collect();
    let number = |id: Option<ClusterId>| id.map(|id| id.0);
    let earlier: Vec<Option<Option<u32>>> =
        placed.placements.iter().map(|place| was.get(&place.document).copied().map(number)).collect();
    let now: Vec<Option<u32>> = placed.placements.iter().map(|place| number(place.cluster)).collect();
    let changes = identity::changes(&earlier, &now);
    let mut names: HashMap<u32, &str> = past.clusters.iter().map(|(id, name)| (id.0, name.as_str())).collect();
    names.extend(placed.clusters.iter().map(|cluster| (cluster.id.0, cluster.name.as_str())));
    let named = |number: u32| NamedCluster {
        id: ClusterId(number),
        name: names.get(&number).copied().unwrap_or_default().to_owned(),
    };
    let all = |numbers: Vec<u32>| numbers.into_iter().map(named).collect::<Vec<_>>();
    let identity::Changes { added, moved, split, merged, new, gone } = changes;
    let added_outliers = added.iter().find(|(cluster, _)| cluster.is_none()).map_or(0, |(_, documents)| *documents);
    Some(ClusterReport {
        added: added
            .into_iter()
            .filter_map(|(cluster, documents)| Some(AddedTo { cluster: named(cluster?), documents }))
            .collect(),
        added_outliers,
        moved,
        split: split.into_iter().map(|(of, into)| SplitCluster { cluster: named(of), into: all(into) }).collect(),
        merged: merged.into_iter().map(|(of, into)| MergedClusters { clusters: all(of), into: named(into) }).collect(),
        new: all(new),
        gone: all(gone),
    })
}
