//! How firmly documents sit in their clusters, and which of them fit nowhere.

use super::neighbours::Neighbours;
use super::vectors::Vectors;

/// Neighbours that vote on a membership, at most.
pub const VOTERS: usize = 15;
/// Neighbours whose similarity tells whether a document is isolated.
const NEAREST: usize = 5;
/// Fewer distinct documents than this have no outliers: there is no telling what is usual.
const FEWEST: usize = 10;
/// How many (robust) standard deviations below the usual an outlier's similarity lies.
const DEVIATIONS: f32 = 2.5;
/// The largest share of documents that may be outliers.
const MOST_OUTLIERS: f32 = 0.15;

/// The membership probability of each row: `share * typicality`, 0 to 1.
///
/// `share` is the vote of its nearest neighbours, weighted by similarity (Dudani 1976): how much of it is for the row's
/// own cluster. As many vote as the cluster has other rows, at most [`VOTERS`]. `typicality` is the similarity to the
/// centroid divided by the cluster's median, at most 1.
pub(super) fn memberships(
    neighbours: &Neighbours,
    groups: &[u32],
    outlier: &[bool],
    similarities: &[f32],
    count: usize,
) -> Vec<f32> {
    let mut members = vec![Vec::new(); count];
    for (row, &group) in groups.iter().enumerate() {
        if !outlier[row] {
            members[group as usize].push(similarities[row]);
        }
    }
    let sizes: Vec<usize> = members.iter().map(Vec::len).collect();
    let medians: Vec<f32> = members.iter_mut().map(|similarities| median(similarities)).collect();
    (0..groups.len())
        .map(|row| {
            let group = groups[row] as usize;
            let voters = (sizes[group].saturating_sub(1)).clamp(1, VOTERS).min(neighbours.count());
            let (mut own, mut all) = (0.0, 0.0);
            for &(other, similarity) in &neighbours.of(row)[..voters] {
                let weight = similarity.max(1e-3);
                all += weight;
                if groups[other as usize] as usize == group && !outlier[other as usize] {
                    own += weight;
                }
            }
            // A cluster of one row has nobody to ask.
            let share = if sizes[group] <= 1 && !outlier[row] || all == 0.0 { 1.0 } else { own / all };
            let typicality = if medians[group] > 0.0 { similarities[row] / medians[group] } else { 1.0 };
            (share * typicality.clamp(0.0, 1.0)).clamp(0.0, 1.0)
        })
        .collect()
}

/// Which rows fit nowhere: their mean similarity to their [`NEAREST`] neighbours lies more than [`DEVIATIONS`] robust
/// standard deviations (1.4826 times the median absolute deviation; Rousseeuw and Croux 1993) below the median of all.
/// A row that several documents share never is one, nor are more than [`MOST_OUTLIERS`] of all, nor a whole group.
pub fn is_outlier(vectors: &Vectors, neighbours: &Neighbours, groups: &[u32]) -> Vec<bool> {
    let n = vectors.len();
    let mut outlier = vec![false; n];
    if n < FEWEST {
        return outlier;
    }
    let nearest = NEAREST.min(neighbours.count());
    let closeness: Vec<f32> = (0..n)
        .map(|row| {
            neighbours.of(row)[..nearest].iter().map(|&(_, similarity)| similarity).sum::<f32>() / nearest as f32
        })
        .collect();
    let usual = median(&mut closeness.clone());
    let deviation = 1.4826 * median(&mut closeness.iter().map(|x| (x - usual).abs()).collect::<Vec<_>>());
    let threshold = usual - DEVIATIONS * deviation.max(1e-3);
    let mut candidates: Vec<usize> =
        (0..n).filter(|&row| closeness[row] < threshold && vectors.documents(row).len() == 1).collect();
    candidates.sort_by(|&a, &b| closeness[a].total_cmp(&closeness[b]).then(a.cmp(&b)));
    candidates.truncate((n as f32 * MOST_OUTLIERS) as usize);
    let mut left = vec![0_usize; groups.iter().max().map_or(0, |&most| most as usize + 1)];
    groups.iter().for_each(|&group| left[group as usize] += 1);
    for row in candidates {
        let left = &mut left[groups[row] as usize];
        if *left > 1 {
            *left -= 1;
            outlier[row] = true;
        }
    }
    outlier
}

/// The lower median; 0 of nothing.
pub(super) fn median(values: &mut [f32]) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = (values.len() - 1) / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}
