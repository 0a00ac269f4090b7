//! Which cluster is which of those of an earlier clustering, and what became of the others. Pure bookkeeping over the documents
//! that both clusterings have.

use std::collections::{BTreeMap, BTreeSet};

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

/// The least Jaccard similarity at which a cluster is still the same: the threshold that Greene, Doyle and Cunningham (Tracking
/// the evolution of communities in dynamic social networks, 2010) found to work.
pub const LEAST_OVERLAP: f64 = 0.3;

/// The part of a cluster's documents from which on something came of it, or it came of something.
const PART: f64 = 0.2;
/// The part of a cluster's documents that makes it mostly another one.
const MOST: f64 = 0.5;

/// How many documents two clusterings have in common, by pairs of clusters.
#[derive(Default)]
struct Overlap {
    common: BTreeMap<(u32, u32), u64>,
    earlier: BTreeMap<u32, u64>,
    now: BTreeMap<u32, u64>,
}

impl Overlap {
    /// Counts pairs; what is in no cluster of one side counts for the size of the other.
    fn new(pairs: impl Iterator<Item = (Option<u32>, Option<u32>)>) -> Self {
        let mut overlap = Self::default();
        for (earlier, now) in pairs {
            if let Some(earlier) = earlier {
                *overlap.earlier.entry(earlier).or_default() += 1;
            }
            if let Some(now) = now {
                *overlap.now.entry(now).or_default() += 1;
            }
            if let Some(pair) = earlier.zip(now) {
                *overlap.common.entry(pair).or_default() += 1;
            }
        }
        overlap
    }

    fn jaccard(&self, pair: (u32, u32)) -> f64 {
        let common = self.common.get(&pair).copied().unwrap_or_default();
        let all = self.earlier.get(&pair.0).copied().unwrap_or_default()
            + self.now.get(&pair.1).copied().unwrap_or_default()
            - common;
        if all == 0 { 0.0 } else { common as f64 / all as f64 }
    }
}

/// Which of the groups now (by their index) is which earlier one: the one-to-one matching of the largest sum of Jaccard
/// similarities, over the documents that both have, of pairs of at least [`LEAST_OVERLAP`] (Kuhn 1955, Munkres 1957). Of equal
/// sums the earlier numbers decide, so the order of documents does not matter.
///
/// `earlier` is the number of each document's group before (absent when it was not there), `now` the index of its group.
pub fn matching(earlier: &[Option<u32>], now: &[u32]) -> BTreeMap<u32, u32> {
    let shared = earlier.iter().zip(now).filter(|(earlier, _)| earlier.is_some());
    let overlap = Overlap::new(shared.map(|(earlier, now)| (*earlier, Some(*now))));
    let edges: Vec<(u32, u32, i64)> = overlap
        .common
        .keys()
        .map(|&pair| (pair, overlap.jaccard(pair)))
        .filter(|(_, jaccard)| *jaccard >= LEAST_OVERLAP)
        // Whole millionths: sums of floats would depend on their order.
        .map(|((earlier, now), jaccard)| (earlier, now, (jaccard * 1e6).round() as i64))
        .collect();
    components(&edges).into_iter().flat_map(|edges| best(&edges)).collect()
}

/// Edges that hang together. At this threshold a group has at most three, so the parts are small.
fn components(edges: &[(u32, u32, i64)]) -> Vec<Vec<(u32, u32, i64)>> {
    let mut left: Vec<(u32, u32, i64)> = edges.to_vec();
    let mut parts = Vec::new();
    while let Some(first) = left.first().copied() {
        let (mut earlier, mut now) = (BTreeSet::from([first.0]), BTreeSet::from([first.1]));
        let mut part = Vec::new();
        loop {
            let (inside, outside): (Vec<_>, Vec<_>) =
                left.into_iter().partition(|(e, n, _)| earlier.contains(e) || now.contains(n));
            left = outside;
            if inside.is_empty() {
                break;
            }
            earlier.extend(inside.iter().map(|edge| edge.0));
            now.extend(inside.iter().map(|edge| edge.1));
            part.extend(inside);
        }
        part.sort_unstable();
        parts.push(part);
    }
    parts
}

/// The matching of the largest sum: index of the group now → earlier number.
fn best(edges: &[(u32, u32, i64)]) -> Vec<(u32, u32)> {
    if let [(earlier, now, _)] = edges {
        return vec![(*now, *earlier)];
    }
    let rows: Vec<u32> = edges.iter().map(|edge| edge.0).collect::<BTreeSet<_>>().into_iter().collect();
    let columns: Vec<u32> = edges.iter().map(|edge| edge.1).collect::<BTreeSet<_>>().into_iter().collect();
    // As many columns as rows at least; one that no edge names matches nothing.
    let width = columns.len().max(rows.len());
    let weight = |row: usize, column: usize| {
        let wanted = (rows[row], columns.get(column).copied());
        edges.iter().find(|edge| (edge.0, Some(edge.1)) == wanted).map_or(0, |edge| edge.2)
    };
    let weights = Matrix::from_fn(rows.len(), width, |(row, column)| weight(row, column));
    let (_, chosen) = kuhn_munkres(&weights);
    chosen
        .into_iter()
        .enumerate()
        .filter(|&(row, column)| weight(row, column) > 0)
        .map(|(row, column)| (columns[column], rows[row]))
        .collect()
}

/// A number for each of `count` groups: that of the earlier one that it still is, or one from `next` on, which was never given.
/// Also the first number that is left.
pub fn numbers(earlier: &[Option<u32>], now: &[u32], count: usize, next: u32) -> (Vec<u32>, u32) {
    let kept = matching(earlier, now);
    let mut next = next;
    let numbers = (0..count as u32).map(|group| {
        kept.get(&group).copied().unwrap_or_else(|| {
            next += 1;
            next - 1
        })
    });
    (numbers.collect(), next)
}

/// What became of the clusters of an earlier clustering, by their numbers. Everything is in a fixed order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Documents that were not there before, by cluster, the most first; without a cluster the outliers.
    pub added: Vec<(Option<u32>, u64)>,
    /// Documents that were there before and stand elsewhere now.
    pub moved: u64,
    /// An earlier cluster, and those that came of it.
    pub split: Vec<(u32, Vec<u32>)>,
    /// Earlier clusters, and the one that came of them.
    pub merged: Vec<(Vec<u32>, u32)>,
    /// Numbers that were not there before and did not come of a split.
    pub new: Vec<u32>,
    /// Numbers that are not there any more and went into no merge.
    pub gone: Vec<u32>,
}

/// What changed from one clustering to the next. A document's place is absent when it was not there before; in it the cluster is
/// absent for an outlier.
///
/// A cluster was split when it came to two or more, each of which has at least a fifth of it and is mostly made of it; clusters
/// were merged when two or more went mostly into one and each makes at least a fifth of it.
pub fn changes(earlier: &[Option<Option<u32>>], now: &[Option<u32>]) -> Changes {
    let mut changes = Changes::default();
    let mut added: BTreeMap<Option<u32>, u64> = BTreeMap::new();
    let mut shared = Vec::new();
    for (before, &after) in earlier.iter().zip(now) {
        match *before {
            None => *added.entry(after).or_default() += 1,
            Some(before) => {
                changes.moved += u64::from(before != after);
                shared.push((before, after));
            }
        }
    }
    changes.added = added.into_iter().collect();
    changes.added.sort_by_key(|&(cluster, documents)| (std::cmp::Reverse(documents), cluster));
    let overlap = Overlap::new(shared.into_iter());
    let all_now: BTreeSet<u32> = now.iter().flatten().copied().collect();
    let of = |(pair, common): (&(u32, u32), &u64)| {
        let part = |whole: Option<&u64>| *common as f64 / whole.copied().unwrap_or(1).max(1) as f64;
        (*pair, part(overlap.earlier.get(&pair.0)), part(overlap.now.get(&pair.1)))
    };
    let (mut came_of, mut went_into): (BTreeMap<u32, Vec<u32>>, BTreeMap<u32, Vec<u32>>) = Default::default();
    for ((before, after), of_before, of_after) in overlap.common.iter().map(of) {
        if of_before >= PART && of_after > MOST {
            came_of.entry(before).or_default().push(after);
        }
        if of_after >= PART && of_before > MOST {
            went_into.entry(after).or_default().push(before);
        }
    }
    changes.split = came_of.into_iter().filter(|(_, parts)| parts.len() > 1).collect();
    changes.merged =
        went_into.into_iter().filter(|(_, parts)| parts.len() > 1).map(|(after, parts)| (parts, after)).collect();
    let parts: BTreeSet<u32> = changes.split.iter().flat_map(|(_, parts)| parts).copied().collect();
    let eaten: BTreeSet<u32> = changes.merged.iter().flat_map(|(parts, _)| parts).copied().collect();
    let known = |number: &u32| overlap.earlier.contains_key(number);
    changes.new = all_now.iter().filter(|&number| !known(number) && !parts.contains(number)).copied().collect();
    changes.gone = overlap
        .earlier
        .keys()
        .filter(|&number| !all_now.contains(number) && !eaten.contains(number))
        .copied()
        .collect();
    changes
}

#[cfg(test)]
mod tests;
