//! How well a clustering agrees with known labels: for the quality tables and tests.

use std::collections::{BTreeMap, BTreeSet};

/// Counts of (label, cluster) pairs and their margins.
struct Contingency {
    cells: BTreeMap<(usize, usize), f64>,
    labels: BTreeMap<usize, f64>,
    clusters: BTreeMap<usize, f64>,
    total: f64,
}

impl Contingency {
    fn of(labels: &[usize], clusters: &[usize]) -> Self {
        assert_eq!(labels.len(), clusters.len(), "one cluster for each label");
        let mut counts = Self {
            cells: BTreeMap::new(),
            labels: BTreeMap::new(),
            clusters: BTreeMap::new(),
            total: labels.len() as f64,
        };
        for (&label, &cluster) in labels.iter().zip(clusters) {
            *counts.cells.entry((label, cluster)).or_default() += 1.0;
            *counts.labels.entry(label).or_default() += 1.0;
            *counts.clusters.entry(cluster).or_default() += 1.0;
        }
        counts
    }
}

/// The V-measure (Rosenberg and Hirschberg 2007), the harmonic mean of homogeneity and completeness, 0 to 1.
///
/// # Panics
/// When the lengths differ.
pub fn v_measure(labels: &[usize], clusters: &[usize]) -> f64 {
    let Contingency { cells, labels, clusters, total } = Contingency::of(labels, clusters);
    let entropy = |counts: &BTreeMap<usize, f64>| -counts.values().map(|n| n / total * (n / total).ln()).sum::<f64>();
    let (of_labels, of_clusters) = (entropy(&labels), entropy(&clusters));
    let mutual: f64 = cells
        .iter()
        .map(|((label, cluster), n)| n / total * (n * total / (labels[label] * clusters[cluster])).ln())
        .sum();
    let share = |entropy: f64| if entropy > 0.0 { mutual / entropy } else { 1.0 };
    let (homogeneity, completeness) = (share(of_labels), share(of_clusters));
    if homogeneity + completeness > 0.0 { 2.0 * homogeneity * completeness / (homogeneity + completeness) } else { 0.0 }
}

/// The Rand index adjusted for chance (Hubert and Arabie 1985): 1 for the same partition, about 0 for random ones.
///
/// # Panics
/// When the lengths differ.
pub fn adjusted_rand_index(labels: &[usize], clusters: &[usize]) -> f64 {
    let Contingency { cells, labels, clusters, total } = Contingency::of(labels, clusters);
    let pairs = |n: &f64| n * (n - 1.0) / 2.0;
    let both: f64 = cells.values().map(pairs).sum();
    let (of_labels, of_clusters) = (labels.values().map(pairs).sum::<f64>(), clusters.values().map(pairs).sum::<f64>());
    let expected = of_labels * of_clusters / pairs(&total).max(1.0);
    let most = f64::midpoint(of_labels, of_clusters);
    if (most - expected).abs() < f64::EPSILON { 1.0 } else { (both - expected) / (most - expected) }
}

/// Documents that are not with the greatest part of their group any more: the groups of both sides are paired, the largest overlap
/// first, each at most once, and what is in no pair has moved. What fits nowhere is a group that is paired with its like only.
///
/// # Panics
/// When the lengths differ.
pub fn moved(before: &[Option<u32>], after: &[Option<u32>]) -> usize {
    assert_eq!(before.len(), after.len(), "one group for each document on both sides");
    let mut overlaps: BTreeMap<(Option<u32>, Option<u32>), usize> = BTreeMap::new();
    before.iter().zip(after).for_each(|(&a, &b)| *overlaps.entry((a, b)).or_default() += 1);
    let stayed_out = overlaps.get(&(None, None)).copied().unwrap_or_default();
    let mut pairs: Vec<(usize, u32, u32)> =
        overlaps.iter().filter_map(|(&(a, b), &count)| Some((count, a?, b?))).collect();
    pairs.sort_unstable_by_key(|&(count, a, b)| (std::cmp::Reverse(count), a, b));
    let (mut old, mut new) = (BTreeSet::new(), BTreeSet::new());
    let mut stayed = stayed_out;
    for (count, a, b) in pairs {
        if !old.contains(&a) && !new.contains(&b) {
            old.insert(a);
            new.insert(b);
            stayed += count;
        }
    }
    before.len() - stayed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_agree_with_known_values() {
        // Values by scikit-learn 1.7.
        let check = |labels: &[usize], clusters: &[usize], v: f64, ari: f64| {
            let found = (v_measure(labels, clusters), adjusted_rand_index(labels, clusters));
            assert!((found.0 - v).abs() < 1e-6 && (found.1 - ari).abs() < 1e-6, "{labels:?} {clusters:?}: {found:?}");
        };
        check(&[0, 0, 1, 1], &[1, 1, 0, 0], 1.0, 1.0);
        check(&[0, 0, 1, 2], &[0, 0, 1, 1], 0.8, 0.571_428_571);
        check(&[0, 0, 1, 1], &[0, 1, 0, 1], 0.0, -0.5);
        check(&[0, 0, 0, 0], &[0, 0, 0, 0], 1.0, 1.0);
    }

    #[test]
    fn documents_move_when_they_leave_the_greatest_part_of_their_group() {
        let check = |before: &[Option<u32>], after: &[Option<u32>], expect: usize| {
            assert_eq!(moved(before, after), expect, "{before:?} {after:?}");
        };
        let (a, b, c) = (Some(0), Some(1), Some(2));
        check(&[], &[], 0);
        check(&[a, a, b, b], &[b, b, a, a], 0);
        check(&[a, a, a, b], &[a, a, b, b], 1);
        check(&[a, a, a, b], &[a, a, a, a], 1);
        check(&[a, a, a, a], &[a, b, c, c], 2);
        check(&[a, a, None, None], &[a, None, None, a], 2);
        check(&[None, None], &[a, a], 2);
    }
}
