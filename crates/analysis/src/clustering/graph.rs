//! An undirected weighted graph, and the one that nearest neighbours span.

use rayon::prelude::*;

use super::neighbours::Neighbours;
use crate::lists::Lists;

/// Weights of edges are whole multiples of this: sums of them come out the same in any order.
const GRAIN: f64 = 1.0 / 65_536.0;

/// An undirected graph with weighted edges and self-loops, adjacency lists in one block.
pub struct Graph {
    /// For each node the other end of each of its edges (every edge occurs at both of its ends), and its weight.
    edges: Lists<(u32, f32)>,
    /// Twice the weight of the edges inside a node that stands for several.
    loops: Vec<f64>,
    /// The sum of all weights at a node, loops included.
    degrees: Vec<f64>,
    /// The sum of all degrees.
    total: f64,
}

impl Graph {
    /// Builds a graph of `nodes` nodes from edges, each given once as (a, b, weight) with two different ends. Weights are rounded
    /// to [`GRAIN`].
    fn new(nodes: usize, pairs: impl Iterator<Item = (u32, u32, f32)> + Clone) -> Self {
        let rounded = |weight: f32| ((f64::from(weight) / GRAIN).round() * GRAIN) as f32;
        let ends = pairs.flat_map(|(a, b, weight)| [(a, (b, rounded(weight))), (b, (a, rounded(weight)))]);
        let mut edges = Lists::by_row(nodes, ends);
        (0..nodes).for_each(|node| edges.of_mut(node).sort_unstable_by_key(|&(other, _)| other));
        let degrees: Vec<f64> =
            edges.iter().map(|edges| edges.iter().map(|&(_, weight)| f64::from(weight)).sum()).collect();
        let total = degrees.iter().sum();
        Self { edges, loops: vec![0.0; nodes], degrees, total }
    }

    /// The graph whose nodes are the `count` parts that the nodes are in. Edges between two parts are added up.
    pub fn aggregate(&self, parts: &[u32], count: usize) -> Self {
        let members = Lists::by_row(count, parts.iter().zip(0_u32..).map(|(&part, node)| (part, node)));
        let mut sums = Sums::new(count);
        let mut edges = Lists::new();
        let (mut loops, mut degrees) = (vec![0.0; count], vec![0.0; count]);
        for (part, members) in members.iter().enumerate() {
            for &node in members {
                let node = node as usize;
                loops[part] += self.loops[node];
                degrees[part] += self.degrees[node];
                sums.add(self.edges(node).iter().map(|&(other, weight)| (parts[other as usize], f64::from(weight))));
            }
            loops[part] += sums.of(part as u32);
            let others = sums.groups().iter().filter(|&&other| other as usize != part);
            edges.push(others.map(|&other| (other, sums.of(other) as f32)));
            sums.clear();
        }
        Self { edges, loops, degrees, total: self.total }
    }

    /// The number of nodes.
    pub fn len(&self) -> usize {
        self.degrees.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.degrees.is_empty()
    }

    /// The edges of a node: other end and weight.
    pub fn edges(&self, node: usize) -> &[(u32, f32)] {
        self.edges.of(node)
    }

    /// Twice the weight of the edges inside `node`.
    pub fn loops(&self, node: usize) -> f64 {
        self.loops[node]
    }

    /// The sum of the weights at `node`.
    pub fn degree(&self, node: usize) -> f64 {
        self.degrees[node]
    }

    /// The sum of all degrees: twice the weight of all edges.
    pub const fn total(&self) -> f64 {
        self.total
    }
}

/// The weights from one node to groups of others, in memory that is used again.
pub struct Sums {
    weights: Vec<f64>,
    found: Vec<u32>,
}

impl Sums {
    /// Of so many groups.
    pub fn new(groups: usize) -> Self {
        Self { weights: vec![0.0; groups], found: Vec::new() }
    }

    /// Adds weights above 0 to their groups.
    pub fn add(&mut self, links: impl Iterator<Item = (u32, f64)>) {
        for (group, weight) in links {
            let sum = &mut self.weights[group as usize];
            if *sum == 0.0 {
                self.found.push(group);
            }
            *sum += weight;
        }
    }

    /// What was added to a group.
    pub fn of(&self, group: u32) -> f64 {
        self.weights[group as usize]
    }

    /// The groups that something was added to, in the order of the first.
    pub fn groups(&self) -> &[u32] {
        &self.found
    }

    /// Forgets what was added.
    pub fn clear(&mut self) {
        self.found.drain(..).for_each(|group| self.weights[group as usize] = 0.0);
    }
}

/// The graph of shared neighbours: rows are joined when one is among the other's `count` nearest, and the weight is
/// the similarity of their neighbourhoods (Jarvis and Patrick 1973; Jaccard index of the lists, each row belonging to its own).
pub fn shared_neighbour_graph(neighbours: &Neighbours, rows: usize, count: usize) -> Graph {
    let count = count.min(neighbours.count());
    let near = |row: usize| neighbours.of(row)[..count].iter().map(|&(other, _)| other);
    // Each row and its neighbours, ascending.
    let width = count + 1;
    let mut lists = vec![0_u32; rows * width];
    lists.par_chunks_exact_mut(width).enumerate().for_each(|(row, list)| {
        list.iter_mut().zip(near(row).chain([row as u32])).for_each(|(to, other)| *to = other);
        list.sort_unstable();
    });
    let list = |row: usize| &lists[row * width..][..width];
    let weight = |row: usize, other: u32| {
        // A mutual pair would come twice: its smaller end brings it.
        if (other as usize) < row && list(other as usize).binary_search(&(row as u32)).is_ok() {
            return 0.0;
        }
        let shared = intersection(list(row), list(other as usize));
        shared as f32 / (2 * width - shared) as f32
    };
    let of_row = |row: usize| near(row).map(move |other| weight(row, other));
    let weights: Vec<f32> = (0..rows).into_par_iter().flat_map_iter(of_row).collect();
    let ends = (0..rows).flat_map(|row| near(row).map(move |other| (row as u32, other)));
    Graph::new(rows, ends.zip(&weights).filter(|&(_, &weight)| weight > 0.0).map(|((a, b), &weight)| (a, b, weight)))
}

/// How many values two ascending lists have in common.
fn intersection(a: &[u32], b: &[u32]) -> usize {
    let (mut i, mut j, mut shared) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                shared += 1;
                i += 1;
                j += 1;
            }
        }
    }
    shared
}

#[cfg(test)]
impl Graph {
    /// A graph for tests.
    pub(super) fn of(nodes: usize, pairs: &[(u32, u32, f32)]) -> Self {
        Self::new(nodes, pairs.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_sorted_and_added_up() {
        let graph = Graph::of(5, &[(3, 1, 1.0), (0, 3, 0.5), (1, 4, 0.25), (3, 4, 2.0)]);
        let edges: Vec<&[(u32, f32)]> = (0..5).map(|node| graph.edges(node)).collect();
        assert_eq!(
            edges,
            [&[(3, 0.5)][..], &[(3, 1.0), (4, 0.25)], &[], &[(0, 0.5), (1, 1.0), (4, 2.0)], &[(1, 0.25), (3, 2.0)]]
        );
        assert_eq!((graph.degree(3), graph.total()), (3.5, 7.5));
        let coarse = graph.aggregate(&[0, 1, 0, 1, 2], 3);
        let edges: Vec<&[(u32, f32)]> = (0..3).map(|node| coarse.edges(node)).collect();
        assert_eq!(edges, [&[(1, 0.5)][..], &[(2, 2.25), (0, 0.5)], &[(1, 2.25)]]);
        assert_eq!((coarse.loops(1), coarse.degree(1), coarse.total()), (2.0, 4.75, 7.5));
        let whole = coarse.aggregate(&[0, 0, 0], 1);
        assert_eq!((whole.edges(0), whole.loops(0), whole.degree(0)), (&[][..], 7.5, 7.5));
    }
}
