//! What people changed, applied to what the analysis found: merged, split and moved documents, the same for any order of them.

use std::collections::{BTreeMap, BTreeSet};

use sheaf_domain::{ClusterChange, ClusterId, Method};

use crate::clustering;
use crate::clustering::vectors::{Vectors, dot};
use crate::history::neighbours_of;
use crate::params::AnalyseParams;

/// An edit that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub change: ClusterChange,
    /// Documents (indices into the input) and where they have to stay; without a cluster among the outliers.
    pub stay: Vec<(usize, Option<ClusterId>)>,
}

/// Where a document stands: the number of its cluster or, for an outlier, of the one it is most similar to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub cluster: u32,
    pub is_outlier: bool,
}

/// Applies edits in their order to the places of documents, and gives the names that people gave.
///
/// An edit holds the documents that it names, whatever the analysis found. Beside these, a merge takes in all that is in the
/// clusters that it names, and a split sends the rest of its cluster to the part whose mean of held documents is the most similar.
pub fn apply<'a>(
    places: &mut [Place],
    edits: &[Edit],
    vector: impl Fn(usize) -> &'a [f32] + Copy,
) -> BTreeMap<u32, String> {
    let mut names = BTreeMap::new();
    // Outliers that have to be sent to the nearest cluster anew.
    let mut astray = BTreeSet::new();
    for Edit { change, stay } in edits {
        match change {
            ClusterChange::Rename { cluster, name } => {
                names.insert(cluster.0, name.clone());
            }
            ClusterChange::Merge { clusters, into } => {
                let inside = |place: &&mut Place| clusters.contains(&ClusterId(place.cluster));
                places.iter_mut().filter(inside).for_each(|place| place.cluster = into.0);
            }
            ClusterChange::Split { cluster, parts: _ } => spread(places, *cluster, stay, vector),
            ClusterChange::Move { to: _ } | ClusterChange::Pin => {}
        }
        for &(document, to) in stay {
            let Some(place) = places.get_mut(document) else { continue };
            match to {
                Some(to) => *place = Place { cluster: to.0, is_outlier: false },
                None => {
                    place.is_outlier = true;
                    astray.insert(document);
                }
            }
        }
    }
    if places.iter().all(|place| place.is_outlier) {
        // There is no clustering without a cluster.
        places.iter_mut().for_each(|place| place.is_outlier = false);
    }
    settle_outliers(places, &astray, vector);
    names
}

/// Sends what a split does not name to the nearest of its parts.
fn spread<'a>(
    places: &mut [Place],
    cluster: ClusterId,
    stay: &[(usize, Option<ClusterId>)],
    vector: impl Fn(usize) -> &'a [f32],
) {
    let held: BTreeMap<usize, u32> = stay.iter().filter_map(|(document, to)| Some((*document, (*to)?.0))).collect();
    let means = means(held.iter().map(|(document, part)| (*part, vector(*document))));
    for (document, place) in places.iter_mut().enumerate() {
        if place.cluster == cluster.0
            && !held.contains_key(&document)
            && let Some(part) = nearest(&means, vector(document))
        {
            place.cluster = part;
        }
    }
}

/// Sends outliers that people made, or whose cluster is not there any more, to the most similar cluster.
fn settle_outliers<'a>(places: &mut [Place], astray: &BTreeSet<usize>, vector: impl Fn(usize) -> &'a [f32]) {
    let alive: BTreeSet<u32> = places.iter().filter(|place| !place.is_outlier).map(|place| place.cluster).collect();
    let lost: Vec<usize> = (0..places.len())
        .filter(|i| places[*i].is_outlier && (astray.contains(i) || !alive.contains(&places[*i].cluster)))
        .collect();
    if lost.is_empty() {
        return;
    }
    let members = places.iter().enumerate().filter(|(_, place)| !place.is_outlier);
    let means = means(members.map(|(document, place)| (place.cluster, vector(document))));
    for document in lost {
        if let Some(cluster) = nearest(&means, vector(document)) {
            places[document].cluster = cluster;
        }
    }
}

/// The direction of the mean of each cluster's vectors, in f64 and in the order of documents.
fn means<'a>(members: impl Iterator<Item = (u32, &'a [f32])>) -> BTreeMap<u32, Vec<f32>> {
    let mut sums: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for (cluster, vector) in members {
        let sum = sums.entry(cluster).or_insert_with(|| vec![0.0; vector.len()]);
        sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += f64::from(*x));
    }
    let unit = |sum: Vec<f64>| {
        let length = sum.iter().map(|x| x * x).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
        sum.into_iter().map(|x| (x / length) as f32).collect()
    };
    sums.into_iter().map(|(cluster, sum)| (cluster, unit(sum))).collect()
}

/// The most similar one; of equals the lowest number.
fn nearest(means: &BTreeMap<u32, Vec<f32>>, vector: &[f32]) -> Option<u32> {
    let similar = means.iter().map(|(cluster, mean)| (*cluster, dot(mean, vector)));
    similar.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(cluster, _)| cluster)
}

/// The groups in which the method puts documents when it looks at nothing else, or as many as `parts`: an index for each document,
/// the largest group first, then by first document in the order of keys. One group only when it finds no more.
pub fn split(documents: &[(&str, &[f32])], params: &AnalyseParams, parts: Option<u32>) -> Vec<u32> {
    let mut canonical: Vec<usize> = (0..documents.len()).collect();
    canonical.sort_by_key(|&i| documents[i].0);
    let vectors = Vectors::distinct(canonical.iter().map(|&i| documents[i].1));
    if vectors.len() < 2 {
        return vec![0; documents.len()];
    }
    let neighbours = neighbours_of(&vectors, documents.len());
    let method = parts.map_or(Method::Graph, |clusters| Method::KMeans { clusters });
    let params = AnalyseParams { method, ..params.clone() };
    // These methods take any number of documents.
    let groups =
        clustering::group(&vectors, &neighbours, &params).map_or_else(|_| vec![0; vectors.len()], |found| found.of);
    let groups = clustering::assignment::numbered(&vectors, &groups, &vec![false; groups.len()]);
    let mut found = vec![0; documents.len()];
    for (document, row) in vectors.rows().into_iter().enumerate() {
        found[canonical[document]] = groups[row];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const EAST: [f32; 2] = [1.0, 0.0];
    const NORTH: [f32; 2] = [0.0, 1.0];
    const NEARLY_EAST: [f32; 2] = [0.995, 0.1];
    const ALMOST_EAST: [f32; 2] = [0.98, 0.2];

    fn place(cluster: u32) -> Place {
        Place { cluster, is_outlier: false }
    }

    fn outlier(cluster: u32) -> Place {
        Place { cluster, is_outlier: true }
    }

    /// Documents 0 and 1 point east, all others north.
    fn vector(document: usize) -> &'static [f32] {
        if document < 2 { &EAST } else { &NORTH }
    }

    #[test]
    fn edits_are_applied_in_their_order() {
        let check = |before: &[Place], edits: &[Edit], expect: &[Place]| {
            let mut places = before.to_vec();
            apply(&mut places, edits, vector);
            assert_eq!(places, expect, "{edits:?}");
        };
        let id = ClusterId;
        let merge = Edit { change: ClusterChange::Merge { clusters: vec![id(1)], into: id(0) }, stay: Vec::new() };
        check(
            &[place(0), place(0), place(1), outlier(1)],
            std::slice::from_ref(&merge),
            &[place(0), place(0), place(0), outlier(0)],
        );
        let to = |to: Option<u32>, documents: &[usize]| Edit {
            change: ClusterChange::Move { to: to.map(id) },
            stay: documents.iter().map(|document| (*document, to.map(id))).collect(),
        };
        let moved = to(Some(5), &[2]);
        check(&[place(0), place(0), place(1), place(1)], &[moved], &[place(0), place(0), place(5), place(1)]);
        // What was moved before the merge goes where its new cluster goes, and what was moved after it does not.
        let both = [to(Some(1), &[0]), merge.clone()];
        check(&[place(0), place(0), place(1)], &both, &[place(0); 3]);
        let both = [merge, to(Some(1), &[2])];
        check(&[place(0), place(0), place(1), place(1)], &both, &[place(0), place(0), place(1), place(0)]);
        // An outlier that a person made is nearest to what is like it.
        check(
            &[place(0), place(0), place(0), place(1)],
            &[to(None, &[2])],
            &[place(0), place(0), outlier(1), place(1)],
        );
        // All of them cannot be outliers.
        check(&[place(0), place(0)], &[to(None, &[0, 1])], &[place(0); 2]);
        let name = Edit { change: ClusterChange::Rename { cluster: id(0), name: "East".into() }, stay: Vec::new() };
        assert_eq!(apply(&mut [place(0)], &[name], vector), BTreeMap::from([(0, "East".to_owned())]));
    }

    #[test]
    fn a_split_takes_in_what_came_later() {
        let stay = vec![(0, Some(ClusterId(0))), (2, Some(ClusterId(7)))];
        let parts = vec![ClusterId(0), ClusterId(7)];
        let split = Edit { change: ClusterChange::Split { cluster: ClusterId(0), parts }, stay };
        let mut places = [place(0), place(0), place(0), outlier(0), place(1)];
        apply(&mut places, &[split], vector);
        assert_eq!(places, [place(0), place(0), place(7), outlier(7), place(1)]);
    }

    #[test]
    fn members_alone_are_split() {
        let documents = [("a", &EAST[..]), ("b", &NORTH[..]), ("c", &NEARLY_EAST[..]), ("d", &ALMOST_EAST[..])];
        assert_eq!(split(&documents, &AnalyseParams::default(), Some(2)), [0, 1, 0, 0]);
        assert_eq!(split(&[("a", &EAST[..]), ("b", &EAST[..])], &AnalyseParams::default(), Some(2)), [0, 0]);
    }
}
