//! The order of a few rows in which similar ones stand side by side as well as their dendrogram allows.

use std::ops::Range;

use kodama::{Method, linkage};

use crate::matrix::{MatrixMut, multiply};

use super::vectors::Vectors;

/// Up to so many rows are ordered so: it costs the cube of their number, some milliseconds for as many.
pub const MOST_LEAVES: usize = 200;

/// The rows in the order that has the largest sum of similarities between those side by side, among all orders in which the
/// groups of their dendrogram (average linkage; Sokal and Michener 1958) stand together: optimal leaf ordering (Bar-Joseph,
/// Gifford and Jaakkola 2001). Of equal orders always the same one. Costs `n³` additions.
pub fn optimal_order(vectors: &Vectors, rows: &[usize]) -> Vec<usize> {
    let n = rows.len();
    if n < 3 {
        return rows.to_vec();
    }
    let data: Vec<f32> = rows.iter().flat_map(|&row| vectors.row(row)).copied().collect();
    let matrix = crate::matrix::Matrix::new(&data, n, vectors.dimensions());
    let mut similarity = vec![0.0; n * n];
    multiply(&mut MatrixMut::new(&mut similarity, n, n), 0.0, matrix, matrix.transposed(), 1.0);
    order(&similarity, n).into_iter().map(|leaf| rows[leaf]).collect()
}

/// The same of leaves 0 to `n - 1`, at least two, given all their similarities row by row.
fn order(similarity: &[f32], n: usize) -> Vec<usize> {
    let tree = Tree::new(similarity, n);
    let best = tree.best();
    let mut places = Vec::with_capacity(n);
    if let Some(Node { parts: Some([left, right]), .. }) = tree.nodes.last() {
        let score = |&(first, last): &(usize, usize)| best[first * n + last];
        let ends = tree.nodes[*left]
            .leaves
            .clone()
            .flat_map(|first| tree.nodes[*right].leaves.clone().map(move |last| (first, last)));
        let ends = ends.reduce(|a, b| if score(&b) > score(&a) { b } else { a });
        if let Some(ends) = ends {
            tree.walk(&best, tree.nodes.len() - 1, ends, &mut places);
        }
    }
    places.into_iter().map(|place| tree.leaf_at[place]).collect()
}

/// A leaf, or what two others join to.
struct Node {
    /// Places of its leaves.
    leaves: Range<usize>,
    /// What stands in front comes first.
    parts: Option<[usize; 2]>,
}

/// A dendrogram whose leaves are placed so that those of each node are neighbours.
struct Tree {
    /// Parts come before what they join to.
    nodes: Vec<Node>,
    leaf_at: Vec<usize>,
    /// Between places, row by row.
    similarity: Vec<f32>,
}

impl Tree {
    fn new(similarity: &[f32], n: usize) -> Self {
        let mut distances: Vec<f32> =
            (0..n).flat_map(|i| (i + 1..n).map(move |j| 1.0 - similarity[i * n + j])).collect();
        let dendrogram = linkage(&mut distances, n, Method::Average);
        let mut parts: Vec<Option<[usize; 2]>> = vec![None; n];
        parts.extend(dendrogram.steps().iter().map(|step| Some([step.cluster1, step.cluster2])));
        let mut leaf_at = Vec::with_capacity(n);
        let mut waiting = vec![parts.len() - 1];
        while let Some(node) = waiting.pop() {
            match parts[node] {
                Some([first, second]) => waiting.extend([second, first]),
                None => leaf_at.push(node),
            }
        }
        let mut nodes: Vec<Node> = Vec::with_capacity(parts.len());
        let mut place = vec![0; n];
        leaf_at.iter().enumerate().for_each(|(at, &leaf)| place[leaf] = at);
        for (node, parts) in parts.into_iter().enumerate() {
            let leaves = match parts {
                Some([first, second]) => nodes[first].leaves.start..nodes[second].leaves.end,
                None => place[node]..place[node] + 1,
            };
            nodes.push(Node { leaves, parts });
        }
        let similarity = leaf_at.iter().flat_map(|&a| leaf_at.iter().map(move |&b| similarity[a * n + b])).collect();
        Self { nodes, leaf_at, similarity }
    }

    /// For each two places the best sum of an order that begins with the one and ends with the other, of the smallest node that
    /// has both.
    fn best(&self) -> Vec<f32> {
        let n = self.leaf_at.len();
        let mut best = vec![0.0; n * n];
        // From a first place to one right of the middle: the left part, and the step across.
        let mut across = vec![0.0_f32; n * n];
        for node in &self.nodes {
            let Some([left, right]) = node.parts else { continue };
            let (left_leaves, right_leaves) = (self.nodes[left].leaves.clone(), self.nodes[right].leaves.clone());
            for (firsts, lasts) in self.ends(left) {
                for first in firsts {
                    let to = &mut across[first * n..][right_leaves.clone()];
                    to.fill(f32::NEG_INFINITY);
                    for last in lasts.clone() {
                        let so_far = best[first * n + last];
                        let steps = &self.similarity[last * n..][right_leaves.clone()];
                        to.iter_mut().zip(steps).for_each(|(to, step)| *to = to.max(so_far + step));
                    }
                }
            }
            for (lasts, firsts) in self.ends(right) {
                for begin in left_leaves.clone() {
                    let mut sums = vec![f32::NEG_INFINITY; lasts.len()];
                    for first in firsts.clone() {
                        let so_far = across[begin * n + first];
                        let rest = &best[first * n..][lasts.clone()];
                        sums.iter_mut().zip(rest).for_each(|(sum, rest)| *sum = sum.max(so_far + rest));
                    }
                    for (last, sum) in lasts.clone().zip(sums) {
                        best[begin * n + last] = sum;
                        best[last * n + begin] = sum;
                    }
                }
            }
        }
        best
    }

    /// Where an order of a node can begin, and where it ends then.
    fn ends(&self, node: usize) -> Vec<(Range<usize>, Range<usize>)> {
        let leaves = |node: usize| self.nodes[node].leaves.clone();
        match self.nodes[node].parts {
            Some([a, b]) => vec![(leaves(a), leaves(b)), (leaves(b), leaves(a))],
            None => vec![(leaves(node), leaves(node))],
        }
    }

    /// Where an order of a node ends that begins with this place.
    fn opposite(&self, node: usize, place: usize) -> Range<usize> {
        let found = self.ends(node).into_iter().find(|(from, _)| from.contains(&place));
        found.map_or(0..0, |(_, to)| to)
    }

    /// The places of the best order of a node with these ends.
    fn walk(&self, best: &[f32], node: usize, (first, last): (usize, usize), places: &mut Vec<usize>) {
        let Some([a, b]) = self.nodes[node].parts else {
            places.push(first);
            return;
        };
        let n = self.leaf_at.len();
        let (front, back) = if self.nodes[a].leaves.contains(&first) { (a, b) } else { (b, a) };
        let score = |&(end, begin): &(usize, usize)| {
            best[first * n + end] + self.similarity[end * n + begin] + best[begin * n + last]
        };
        let begins = self.opposite(back, last);
        let meetings = self.opposite(front, first).flat_map(|end| begins.clone().map(move |begin| (end, begin)));
        if let Some((end, begin)) = meetings.reduce(|x, y| if score(&y) > score(&x) { y } else { x }) {
            self.walk(best, front, (first, end), places);
            self.walk(best, back, (begin, last), places);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: usize) -> f32 {
        let x = (seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        ((x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f32 / (1_u64 << 24) as f32
    }

    fn random(n: usize, seed: usize) -> Vec<f32> {
        (0..n * n)
            .map(|at| {
                if at / n == at % n {
                    1.0
                } else {
                    noise(seed * 1000 + (at / n).min(at % n) * n + (at / n).max(at % n))
                }
            })
            .collect()
    }

    fn total(similarity: &[f32], n: usize, order: &[usize]) -> f32 {
        order.windows(2).map(|pair| similarity[pair[0] * n + pair[1]]).sum()
    }

    /// All orders of a node's leaves in which each node's stand together.
    fn turned(tree: &Tree, node: usize) -> Vec<Vec<usize>> {
        match tree.nodes[node].parts {
            None => vec![vec![tree.leaf_at[tree.nodes[node].leaves.start]]],
            Some([a, b]) => {
                let (a, b) = (turned(tree, a), turned(tree, b));
                let both = a.iter().flat_map(|x| b.iter().map(move |y| (x, y)));
                both.flat_map(|(x, y)| [[x.as_slice(), y].concat(), [y.as_slice(), x].concat()]).collect()
            }
        }
    }

    #[test]
    fn no_other_way_to_turn_the_groups_is_better() {
        for (n, seed) in (2..9).flat_map(|n| (0..6).map(move |seed| (n, seed))) {
            let similarity = random(n, seed);
            let tree = Tree::new(&similarity, n);
            let all = turned(&tree, tree.nodes.len() - 1);
            assert_eq!(all.len(), 1 << (n - 1));
            let most = all.iter().map(|order| total(&similarity, n, order)).fold(f32::NEG_INFINITY, f32::max);
            let found = order(&similarity, n);
            assert!(all.contains(&found), "{found:?} keeps groups together");
            assert!((total(&similarity, n, &found) - most).abs() < 1e-5, "{n} leaves, seed {seed}");
        }
    }

    #[test]
    fn what_lies_on_a_line_is_read_along_it() {
        let angles: Vec<f32> = (0..150).map(|i| (i * 67 % 150) as f32 * 0.01).collect();
        let rows: Vec<[f32; 2]> = angles.iter().map(|angle| [angle.cos(), angle.sin()]).collect();
        let vectors = Vectors::distinct(rows.iter().map(<[f32; 2]>::as_slice));
        let all: Vec<usize> = (0..150).collect();
        let found = optimal_order(&vectors, &all);
        let steps = found.windows(2).map(|pair| (angles[pair[0]] - angles[pair[1]]).abs());
        assert!(steps.fold(0.0, f32::max) < 0.015, "{found:?}");
        assert_eq!(optimal_order(&vectors, &all[..2]), [0, 1]);
        assert_eq!(optimal_order(&vectors, &[]), Vec::<usize>::new());
    }
}
