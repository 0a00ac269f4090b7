//! An undirected weighted graph, and the one that nearest neighbours span.

use super::neighbours::Neighbours;

/// An undirected graph with weighted edges and self-loops, adjacency lists in one block.
pub struct Graph {
    /// Where each node's edges begin; one more than nodes.
    starts: Vec<usize>,
    /// The other end of each edge (every edge occurs at both of its ends), and its weight.
    edges: Vec<(u32, f64)>,
    /// Twice the weight of the edges inside a node that stands for several.
    loops: Vec<f64>,
    /// The sum of all weights at a node, loops included.
    degrees: Vec<f64>,
    /// The sum of all degrees.
    total: f64,
}

impl Graph {
    /// Builds a graph of `nodes` nodes from edges, each given once as (a, b, weight); several between two nodes are
    /// added up, and one from a node to itself counts twice for its degree.
    pub fn new(nodes: usize, edges: impl IntoIterator<Item = (u32, u32, f64)>) -> Self {
        let mut loops = vec![0.0; nodes];
        let mut pairs = Vec::new();
        for (a, b, weight) in edges {
            if a == b {
                loops[a as usize] += 2.0 * weight;
            } else {
                pairs.push((a.min(b), a.max(b), weight));
            }
        }
        // By the larger end, then by the smaller, both times by counting: stable, so that the weights of equal edges are
        // added in the order they came, and without comparing.
        let pairs = by_counting(pairs, nodes, |&(_, b, _)| b);
        let mut pairs = by_counting(pairs, nodes, |&(a, ..)| a);
        pairs.dedup_by(|later, first| {
            let same = (later.0, later.1) == (first.0, first.1);
            if same {
                first.2 += later.2;
            }
            same
        });
        let mut starts = vec![0; nodes + 1];
        for &(a, b, _) in &pairs {
            starts[a as usize + 1] += 1;
            starts[b as usize + 1] += 1;
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        // Each node's smaller neighbours first, then its larger ones; either come in ascending order.
        let mut next = starts.clone();
        let mut edges = vec![(0, 0.0); 2 * pairs.len()];
        let mut put = |node: u32, other: u32, weight: f64| {
            let place = &mut next[node as usize];
            edges[*place] = (other, weight);
            *place += 1;
        };
        pairs.iter().for_each(|&(a, b, weight)| put(b, a, weight));
        pairs.iter().for_each(|&(a, b, weight)| put(a, b, weight));
        let mut degrees = loops.clone();
        for (node, degree) in degrees.iter_mut().enumerate() {
            *degree += edges[starts[node]..starts[node + 1]].iter().map(|&(_, weight)| weight).sum::<f64>();
        }
        let total = degrees.iter().sum();
        Self { starts, edges, loops, degrees, total }
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
    pub fn edges(&self, node: usize) -> &[(u32, f64)] {
        &self.edges[self.starts[node]..self.starts[node + 1]]
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

/// Sorts by a key below `keys`; what has the same stays in its order.
fn by_counting<T: Copy + Default>(values: Vec<T>, keys: usize, key: impl Fn(&T) -> u32) -> Vec<T> {
    let mut places = vec![0; keys];
    values.iter().for_each(|value| places[key(value) as usize] += 1);
    let mut begin = 0;
    for place in &mut places {
        begin += std::mem::replace(place, begin);
    }
    let mut sorted = vec![T::default(); values.len()];
    for value in values {
        let place = &mut places[key(&value) as usize];
        sorted[*place] = value;
        *place += 1;
    }
    sorted
}

/// The graph of shared neighbours: rows are joined when one is among the other's `count` nearest, and the weight is
/// the similarity of their neighbourhoods (Jarvis and Patrick 1973; Jaccard index of the lists, each row belonging to its own).
pub fn shared_neighbour_graph(neighbours: &Neighbours, rows: usize, count: usize) -> Graph {
    let count = count.min(neighbours.count());
    let sorted: Vec<Vec<u32>> = (0..rows)
        .map(|row| {
            let mut list: Vec<u32> = neighbours.of(row)[..count].iter().map(|&(other, _)| other).collect();
            list.push(row as u32);
            list.sort_unstable();
            list
        })
        .collect();
    let edges = (0..rows).flat_map(|row| {
        let sorted = &sorted;
        neighbours.of(row)[..count].iter().filter_map(move |&(other, _)| {
            let other = other as usize;
            // A mutual pair would come twice: its smaller end brings it.
            if other < row && sorted[other].binary_search(&(row as u32)).is_ok() {
                return None;
            }
            let shared = intersection(&sorted[row], &sorted[other]);
            let weight = shared as f64 / (sorted[row].len() + sorted[other].len() - shared) as f64;
            Some((row as u32, other as u32, weight))
        })
    });
    Graph::new(rows, edges)
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
mod tests {
    use super::*;

    #[test]
    fn edges_are_sorted_and_added_up() {
        let graph = Graph::new(5, [(3, 1, 1.0), (0, 3, 0.5), (1, 3, 0.25), (3, 3, 2.0), (3, 0, 4.0)]);
        let edges: Vec<&[(u32, f64)]> = (0..5).map(|node| graph.edges(node)).collect();
        assert_eq!(edges, [&[(3, 4.5)][..], &[(3, 1.25)], &[], &[(0, 4.5), (1, 1.25)], &[]]);
        assert_eq!((graph.loops(3), graph.degree(3), graph.total()), (4.0, 9.75, 15.5));
    }
}
