//! Levels of a clustering: clusters joined step by step, so that fewer and coarser ones can be looked at.

use serde::{Deserialize, Serialize};

use crate::cluster::{Cluster, ClusterId};

/// Two groups that become one when fewer are wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Merge {
    /// The group that comes out. Its number is [`Merge::FIRST`] or more.
    pub group: Cluster,
    /// What is joined: clusters, or groups of earlier merges.
    pub parts: [ClusterId; 2],
    /// Mean cosine similarity of the documents of the one to those of the other, -1 to 1.
    pub similarity: f32,
    /// Where its documents begin in the order of the heatmap; all of them stand side by side.
    pub start: u32,
}

impl Merge {
    /// The number of the first merge's group; clusters are numbered below.
    pub const FIRST: u32 = 1_000_000;
}

/// The groups that are there when only `level` are wanted, largest first; all clusters when there are no more.
/// `merges` are in the order in which they happen, the most similar first.
pub fn at_level(clusters: &[Cluster], merges: &[Merge], level: usize) -> Vec<Cluster> {
    let steps = clusters.len().saturating_sub(level.max(1)).min(merges.len());
    let gone: Vec<ClusterId> = merges[..steps].iter().flat_map(|merge| merge.parts).collect();
    let mut groups: Vec<Cluster> = clusters
        .iter()
        .chain(merges[..steps].iter().map(|merge| &merge.group))
        .filter(|group| !gone.contains(&group.id))
        .cloned()
        .collect();
    groups.sort_by_key(|group| (std::cmp::Reverse(group.size), group.id));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::NamedBy;
    use crate::ids::DocumentId;

    fn cluster(id: u32, size: u64) -> Cluster {
        Cluster {
            id: ClusterId(id),
            name: id.to_string(),
            keywords: Vec::new(),
            size,
            cohesion: 0.0,
            average_probability: 0.0,
            representative: DocumentId(uuid::Uuid::nil()),
            representative_path: String::new(),
            named_by: NamedBy::Words,
            edited: false,
        }
    }

    #[test]
    fn a_level_is_cut_out_of_the_merges() {
        let clusters = [cluster(0, 5), cluster(1, 4), cluster(2, 3)];
        let merge = |id: u32, size: u64, parts: [u32; 2]| Merge {
            group: cluster(Merge::FIRST + id, size),
            parts: parts.map(ClusterId),
            similarity: 0.5,
            start: 0,
        };
        let merges = [merge(0, 7, [1, 2]), merge(1, 12, [0, Merge::FIRST])];
        let check = |level: usize, expect: &[u32]| {
            let found: Vec<u32> = at_level(&clusters, &merges, level).iter().map(|c| c.id.0).collect();
            assert_eq!(found, expect, "level {level}");
        };
        check(0, &[Merge::FIRST + 1]);
        check(1, &[Merge::FIRST + 1]);
        check(2, &[Merge::FIRST, 0]);
        check(3, &[0, 1, 2]);
        check(9, &[0, 1, 2]);
    }
}
