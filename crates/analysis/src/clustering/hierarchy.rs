//! Clusters of clusters: which of them belong together when fewer are wanted.

use super::vectors::dot;

/// With more clusters than this there is no hierarchy: it costs their number squared in memory.
const MOST_CLUSTERS: usize = 2_000;

/// Two groups that become one. Clusters are numbered from 0 to `k - 1`, and the group of the i-th join is `k + i`.
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// What is joined; what stands first in the order comes first.
    pub parts: [usize; 2],
    /// Mean cosine similarity of the documents of the one to those of the other.
    pub similarity: f32,
    /// The clusters in it, in the order in which they stand side by side.
    pub clusters: Vec<usize>,
}

/// Joins clusters, the most similar first, until one group is left: average linkage over all pairs of documents (Sokal and
/// Michener 1958), which the clusters' mean vectors give exactly, for the mean of dot products is the dot product of means.
///
/// `sizes` are documents, `means` the means of their unit vectors. Joins come in falling order of similarity, since
/// average linkage never inverts. Of equal similarities the lower numbers come first. Within a group the clusters are so
/// ordered that the ends which meet are as similar as they can be.
pub fn hierarchy(sizes: &[u32], means: &[Vec<f32>]) -> Vec<Join> {
    let k = sizes.len();
    if !(2..=MOST_CLUSTERS).contains(&k) {
        return Vec::new();
    }
    let fixed: Vec<Vec<f32>> = means.iter().map(|a| means.iter().map(|b| dot(a, b)).collect()).collect();
    let mut similarity = fixed.clone();
    let mut groups: Vec<Group> = (0..k)
        .map(|cluster| Group { node: cluster, size: f64::from(sizes[cluster]), clusters: vec![cluster], nearest: 0 })
        .collect();
    let mut alive: Vec<usize> = (0..k).collect();
    for &group in &alive {
        groups[group].nearest = nearest(group, &alive, &similarity);
    }
    let mut joins = Vec::with_capacity(k - 1);
    while alive.len() > 1 {
        let Some(a) = alive.iter().copied().reduce(|a, b| {
            let (of_a, of_b) = (similarity[a][groups[a].nearest], similarity[b][groups[b].nearest]);
            if of_b > of_a { b } else { a }
        }) else {
            break;
        };
        // The lower slot keeps the group.
        let (a, b) = (a.min(groups[a].nearest), a.max(groups[a].nearest));
        let between = similarity[a][b];
        let (clusters, turned) = side_by_side(&groups[a].clusters, &groups[b].clusters, &fixed);
        let parts = if turned { [groups[b].node, groups[a].node] } else { [groups[a].node, groups[b].node] };
        let (of_a, of_b) = (groups[a].size, groups[b].size);
        alive.retain(|&group| group != b);
        for &other in &alive {
            let mean =
                (of_a * f64::from(similarity[a][other]) + of_b * f64::from(similarity[b][other])) / (of_a + of_b);
            similarity[a][other] = mean as f32;
            similarity[other][a] = mean as f32;
        }
        groups[a] = Group { node: k + joins.len(), size: of_a + of_b, clusters: clusters.clone(), nearest: a };
        for &group in &alive {
            // A group that was nearest to neither half stays nearest to what it was: joining never makes more similar.
            if group == a || [a, b].contains(&groups[group].nearest) {
                groups[group].nearest = nearest(group, &alive, &similarity);
            }
        }
        joins.push(Join { parts, similarity: between, clusters });
    }
    joins
}

struct Group {
    node: usize,
    size: f64,
    clusters: Vec<usize>,
    /// The slot of the most similar other group.
    nearest: usize,
}

fn nearest(group: usize, alive: &[usize], similarity: &[Vec<f32>]) -> usize {
    let others = alive.iter().copied().filter(|&other| other != group);
    others.reduce(|a, b| if similarity[group][b] > similarity[group][a] { b } else { a }).unwrap_or(group)
}

/// Both in one line, each perhaps turned round, so that the two that meet are the most similar of the ends; and whether the
/// second came to stand first.
fn side_by_side(a: &[usize], b: &[usize], similarity: &[Vec<f32>]) -> (Vec<usize>, bool) {
    let turned = |line: &[usize]| line.iter().rev().copied().collect::<Vec<_>>();
    let lines = [
        (a.to_vec(), b.to_vec(), false),
        (a.to_vec(), turned(b), false),
        (turned(a), b.to_vec(), false),
        (b.to_vec(), a.to_vec(), true),
    ];
    let meeting = |(first, second, _): &(Vec<usize>, Vec<usize>, bool)| match (first.last(), second.first()) {
        (Some(&last), Some(&first)) => similarity[last][first],
        (None, _) | (_, None) => f32::NEG_INFINITY,
    };
    let best = lines.into_iter().reduce(|x, y| if meeting(&y) > meeting(&x) { y } else { x });
    best.map_or_else(|| (Vec::new(), false), |(first, second, swapped)| ([first, second].concat(), swapped))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(degrees: f32) -> Vec<f32> {
        vec![degrees.to_radians().cos(), degrees.to_radians().sin()]
    }

    #[test]
    fn the_most_similar_are_joined_first() {
        let means = [0.0, 50.0, 10.0, 65.0].map(unit);
        let joins = hierarchy(&[5, 1, 3, 2], &means);
        let parts: Vec<[usize; 2]> = joins
            .iter()
            .map(|join| {
                let mut p = join.parts;
                p.sort_unstable();
                p
            })
            .collect();
        assert_eq!(parts, [[0, 2], [1, 3], [4, 5]]);
        assert_eq!(joins[2].clusters, [0, 2, 1, 3], "those at 10 and 50 degrees meet");
        // (5·1·cos 50 + 5·2·cos 65 + 3·1·cos 40 + 3·2·cos 55) / (8·3)
        let expect = (5.0 * 0.642_788 + 10.0 * 0.422_618 + 3.0 * 0.766_044 + 6.0 * 0.573_576) / 24.0;
        assert!((joins[2].similarity - expect).abs() < 1e-4, "{}", joins[2].similarity);
    }

    #[test]
    fn similarity_falls_and_every_group_is_a_run() {
        let means: Vec<Vec<f32>> = (0..40_u16).map(|i| unit(f32::from(i * i % 97) * 1.7)).collect();
        let joins = hierarchy(&[3; 40], &means);
        assert_eq!(joins.len(), 39);
        assert!(joins.windows(2).all(|pair| pair[0].similarity >= pair[1].similarity - 1e-6));
        let order = &joins[38].clusters;
        for join in &joins {
            let mut places: Vec<usize> =
                join.clusters.iter().map(|c| order.iter().position(|o| o == c).expect("in it")).collect();
            places.sort_unstable();
            assert!(places.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{places:?}");
        }
    }

    #[test]
    fn one_cluster_and_far_too_many_have_none() {
        let check = |k: usize| assert_eq!(hierarchy(&vec![1; k], &vec![unit(0.0); k]), []);
        check(0);
        check(1);
        check(MOST_CLUSTERS + 1);
    }
}
