//! What was done to clusters, in sentences.

use sheaf_domain::{ClusterChange, ClusterEdit, ClusterId, ClusterReport, NamedCluster};

use crate::format::{count, counted};

/// Names that are listed before "and more".
const LISTED: usize = 5;

/// What the latest analysis changed: in short, then each change. Nothing when nothing changed.
pub fn news(report: Option<&ClusterReport>) -> Vec<String> {
    let Some(report) = report else { return Vec::new() };
    let ClusterReport { added, added_outliers, moved, split, merged, new, gone } = report;
    let all_added = added.iter().map(|to| to.documents).sum::<u64>() + added_outliers;
    let of_clusters = |number: usize, what: &str| {
        (number > 0).then(|| format!("{} {what}", counted(number as u64, "cluster", "clusters")))
    };
    let parts = [
        (all_added > 0).then(|| format!("{} added", counted(all_added, "document", "documents"))),
        of_clusters(split.len(), "split"),
        (!merged.is_empty()).then(|| counted(merged.len() as u64, "merge", "merges")),
        of_clusters(new.len(), "new"),
        of_clusters(gone.len(), "gone"),
        (*moved > 0).then(|| format!("{} elsewhere than before", counted(*moved, "document", "documents"))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![format!("Since the analysis before: {}.", parts.join(", "))];
    let to = |to: &sheaf_domain::AddedTo| {
        format!("{} added to {}.", counted(to.documents, "document was", "documents were"), to.cluster)
    };
    lines.extend(added.iter().take(LISTED).map(to));
    let rest: u64 = added.iter().skip(LISTED).map(|to| to.documents).sum();
    lines.extend(
        (rest > 0).then(|| format!("{} added to other clusters.", counted(rest, "document was", "documents were"))),
    );
    lines.extend(
        (*added_outliers > 0).then(|| {
            format!("{} into no cluster.", counted(*added_outliers, "new document fits", "new documents fit"))
        }),
    );
    lines.extend(split.iter().map(|split| format!("{} was split into {}.", split.cluster, listed(&split.into))));
    lines.extend(merged.iter().map(|merged| format!("{} were merged into {}.", listed(&merged.clusters), merged.into)));
    lines.extend((!new.is_empty()).then(|| format!("New: {}.", listed(new))));
    lines.extend((!gone.is_empty()).then(|| format!("Gone: {}.", listed(gone))));
    lines.extend((*moved > 0).then(|| {
        let many = counted(*moved, "document that was there before is", "documents that were there before are");
        format!("{many} in another place now.")
    }));
    lines
}

fn listed(clusters: &[NamedCluster]) -> String {
    let mut names: Vec<String> = clusters.iter().take(LISTED).map(NamedCluster::to_string).collect();
    let rest = clusters.len().saturating_sub(LISTED);
    if rest > 0 {
        names.push(format!("{} more", count(rest as u64)));
    }
    joined(&names)
}

fn joined(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// What an edit did.
pub fn edit(edit: &ClusterEdit) -> String {
    let documents = counted(edit.documents, "document", "documents");
    let numbers =
        |clusters: &[ClusterId]| joined(&clusters.iter().map(|id| format!("cluster {id}")).collect::<Vec<_>>());
    match &edit.change {
        ClusterChange::Rename { cluster, name } => format!("Cluster {cluster} was named \u{201c}{name}\u{201d}."),
        ClusterChange::Merge { clusters, into } => {
            let numbers = numbers(clusters);
            let were = if clusters.len() == 1 { "was" } else { "were" };
            format!("{}{} {were} merged into cluster {into}.", numbers[..1].to_uppercase(), &numbers[1..])
        }
        ClusterChange::Split { cluster, parts } => format!("Cluster {cluster} was split into {}.", numbers(parts)),
        ClusterChange::Move { to: Some(to) } => format!("{documents} moved to cluster {to}."),
        ClusterChange::Move { to: None } => format!("{documents} moved to the outliers."),
        ClusterChange::Pin => format!("{documents} pinned."),
    }
}

#[cfg(test)]
mod tests {
    use sheaf_domain::{AddedTo, SplitCluster};

    use super::*;

    #[test]
    fn what_changed_is_told_in_short_and_at_length() {
        let named = |id: u32, name: &str| NamedCluster { id: ClusterId(id), name: name.to_owned() };
        let report = ClusterReport {
            added: vec![AddedTo { cluster: named(1, "tax"), documents: 12 }],
            added_outliers: 1,
            split: vec![SplitCluster { cluster: named(0, "sport"), into: vec![named(0, "golf"), named(4, "chess")] }],
            gone: vec![named(3, "war")],
            moved: 7,
            ..ClusterReport::default()
        };
        let lines = news(Some(&report));
        assert_eq!(
            lines,
            [
                "Since the analysis before: 13 documents added, 1 cluster split, 1 cluster gone, 7 documents elsewhere than before.",
                "12 documents were added to tax (1).",
                "1 new document fits into no cluster.",
                "sport (0) was split into golf (0) and chess (4).",
                "Gone: war (3).",
                "7 documents that were there before are in another place now.",
            ]
        );
        assert_eq!(news(Some(&ClusterReport::default())), [""; 0]);
        assert_eq!(news(None), [""; 0]);
    }

    #[test]
    fn an_edit_is_a_sentence() {
        let check = |change: ClusterChange, expect: &str| {
            let made = ClusterEdit { id: 1, made_at: 0, taken_back: false, change, documents: 3 };
            assert_eq!(edit(&made), expect);
        };
        let ids = |ids: &[u32]| ids.iter().copied().map(ClusterId).collect::<Vec<_>>();
        let merge = ClusterChange::Merge { clusters: ids(&[2, 5]), into: ClusterId(1) };
        check(merge, "Cluster 2 and cluster 5 were merged into cluster 1.");
        check(ClusterChange::Move { to: None }, "3 documents moved to the outliers.");
        let split = ClusterChange::Split { cluster: ClusterId(1), parts: ids(&[1, 7, 8]) };
        check(split, "Cluster 1 was split into cluster 1, cluster 7 and cluster 8.");
    }
}
