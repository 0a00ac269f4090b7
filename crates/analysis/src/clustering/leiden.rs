//! Communities of a graph by the Leiden algorithm (Traag, Waltman and van Eck 2019) for modularity with a resolution
//! (Reichardt and Bornholdt 2006). Single-threaded and seeded: the same graph and seed give the same communities.

use std::collections::VecDeque;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

use super::graph::{Graph, Sums};

/// Rounds of the whole algorithm at most; it usually settles after two to four.
const MAX_ROUNDS: usize = 10;
/// A round that raises the modularity by less is the last: in large graphs single nodes move to and fro for long.
const LEAST_GAIN: f64 = 1e-5;
/// A gain below this share of the graph's weight is no gain: rounding must not decide.
const TOLERANCE: f64 = 1e-12;

/// The community of each node, numbered from 0 without gaps in the order of their first nodes.
pub fn leiden(graph: &Graph, resolution: f64, seed: u64) -> Vec<u32> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut communities: Vec<u32> = (0..graph.len() as u32).collect();
    let mut reached = f64::NEG_INFINITY;
    for _ in 0..MAX_ROUNDS {
        communities = round(graph, communities, resolution, &mut rng);
        let before = std::mem::replace(&mut reached, modularity(graph, &communities, resolution));
        if reached < before + LEAST_GAIN {
            break;
        }
    }
    communities
}

/// Moves, refines and aggregates until nothing moves any more.
fn round(graph: &Graph, start: Vec<u32>, resolution: f64, rng: &mut Xoshiro256PlusPlus) -> Vec<u32> {
    let mut result = start.clone();
    let mut partition = move_nodes(graph, start, resolution, rng);
    let mut level: Option<Graph> = None;
    // For each node of the original graph its node on the present level.
    let mut place: Vec<u32> = (0..graph.len() as u32).collect();
    loop {
        let current = level.as_ref().unwrap_or(graph);
        for (community, &node) in result.iter_mut().zip(&place) {
            *community = partition[node as usize];
        }
        if count(&partition) == current.len() {
            return renumber(result);
        }
        let refined = renumber(refine(current, &partition, resolution, rng));
        let size = count(&refined);
        if size == current.len() {
            // Nothing can be merged without loss: the communities are final.
            return renumber(result);
        }
        let mut coarse = vec![0; size];
        for (node, &part) in refined.iter().enumerate() {
            coarse[part as usize] = partition[node];
        }
        place.iter_mut().for_each(|node| *node = refined[*node as usize]);
        let next = current.aggregate(&refined, size);
        partition = move_nodes(&next, renumber(coarse), resolution, rng);
        level = Some(next);
    }
}

/// Moves single nodes to the neighbouring community with the largest gain, as long as there is one; after a move, the
/// node's neighbours in other communities are looked at again.
fn move_nodes(graph: &Graph, mut partition: Vec<u32>, resolution: f64, rng: &mut Xoshiro256PlusPlus) -> Vec<u32> {
    let n = graph.len();
    let mut degrees = vec![0.0; n];
    let mut sizes = vec![0_u32; n];
    for (node, &community) in partition.iter().enumerate() {
        degrees[community as usize] += graph.degree(node);
        sizes[community as usize] += 1;
    }
    let mut empty: Vec<u32> = (0..n as u32).rev().filter(|&community| sizes[community as usize] == 0).collect();
    let mut queue = VecDeque::from(shuffled(n, rng));
    let mut queued = vec![true; n];
    let mut links = Sums::new(n);
    while let Some(node) = queue.pop_front() {
        let node = node as usize;
        queued[node] = false;
        let home = partition[node];
        degrees[home as usize] -= graph.degree(node);
        sizes[home as usize] -= 1;
        if sizes[home as usize] == 0 {
            empty.push(home);
        }
        links.add(graph.edges(node).iter().map(|&(other, weight)| (partition[other as usize], f64::from(weight))));
        let expected = resolution * graph.degree(node) / graph.total();
        let gain = |community: u32| links.of(community) - expected * degrees[community as usize];
        let mut best = (home, gain(home));
        let alone = empty.last().copied();
        for community in links.groups().iter().copied().chain(alone) {
            let gain = gain(community);
            if gain > best.1 + TOLERANCE * graph.total() {
                best = (community, gain);
            }
        }
        links.clear();
        let (target, _) = best;
        if sizes[target as usize] == 0 {
            // The only empty one that is looked at is the last.
            empty.pop();
        }
        degrees[target as usize] += graph.degree(node);
        sizes[target as usize] += 1;
        if target != home {
            partition[node] = target;
            for &(other, _) in graph.edges(node) {
                if partition[other as usize] != target && !queued[other as usize] {
                    queued[other as usize] = true;
                    queue.push_back(other);
                }
            }
        }
    }
    partition
}

/// Splits each community into parts that hang together: starting from single nodes, well-connected nodes join the part
/// of their community with the largest gain. (The paper draws among all gains; the limit of its randomness towards zero
/// is taken here.)
fn refine(graph: &Graph, partition: &[u32], resolution: f64, rng: &mut Xoshiro256PlusPlus) -> Vec<u32> {
    let n = graph.len();
    let mut community_degrees = vec![0.0; n];
    for (node, &community) in partition.iter().enumerate() {
        community_degrees[community as usize] += graph.degree(node);
    }
    // The weight between each part and the rest of its community.
    let mut outward: Vec<f64> = (0..n)
        .map(|node| {
            let inside = |&&(other, _): &&(u32, f32)| partition[other as usize] == partition[node];
            graph.edges(node).iter().filter(inside).map(|&(_, weight)| f64::from(weight)).sum()
        })
        .collect();
    let mut parts: Vec<u32> = (0..n as u32).collect();
    let mut degrees: Vec<f64> = (0..n).map(|node| graph.degree(node)).collect();
    let mut single = vec![true; n];
    let mut links = Sums::new(n);
    for node in shuffled(n, rng) {
        let node = node as usize;
        let whole = community_degrees[partition[node] as usize];
        let connected = |outward: f64, degree: f64| {
            outward >= resolution * degree * (whole - degree) / graph.total() - TOLERANCE * graph.total()
        };
        if !single[node] || !connected(outward[node], graph.degree(node)) {
            continue;
        }
        links.add(
            graph
                .edges(node)
                .iter()
                .filter(|&&(other, _)| partition[other as usize] == partition[node])
                .map(|&(other, weight)| (parts[other as usize], f64::from(weight))),
        );
        let mut best: Option<(u32, f64)> = None;
        for &part in links.groups() {
            if part as usize == node || !connected(outward[part as usize], degrees[part as usize]) {
                continue;
            }
            let gain = links.of(part) - resolution * graph.degree(node) * degrees[part as usize] / graph.total();
            if gain >= 0.0 && best.is_none_or(|(_, most)| gain > most) {
                best = Some((part, gain));
            }
        }
        if let Some((part, _)) = best {
            outward[part as usize] += outward[node] - 2.0 * links.of(part);
            degrees[part as usize] += graph.degree(node);
            parts[node] = part;
            single[part as usize] = false;
            single[node] = false;
        }
        links.clear();
    }
    parts
}

fn shuffled(n: usize, rng: &mut Xoshiro256PlusPlus) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n as u32).collect();
    for i in (1..n).rev() {
        // The bias of a remainder is far below anything that matters for an order of visits.
        order.swap(i, (rng.next_u64() % (i as u64 + 1)) as usize);
    }
    order
}

/// Numbers from 0 without gaps, in the order of first appearance.
fn renumber(mut partition: Vec<u32>) -> Vec<u32> {
    let mut names = vec![u32::MAX; partition.iter().max().map_or(0, |&most| most as usize + 1)];
    let mut next = 0;
    for community in &mut partition {
        let name = &mut names[*community as usize];
        if *name == u32::MAX {
            *name = next;
            next += 1;
        }
        *community = *name;
    }
    partition
}

fn count(partition: &[u32]) -> usize {
    let mut seen = vec![false; partition.len()];
    partition.iter().for_each(|&community| seen[community as usize] = true);
    seen.into_iter().filter(|&seen| seen).count()
}

/// The modularity of a partition at a resolution.
pub fn modularity(graph: &Graph, partition: &[u32], resolution: f64) -> f64 {
    if graph.total() == 0.0 {
        return 0.0;
    }
    let mut inside = 0.0;
    let mut degrees = vec![0.0; partition.len()];
    for (node, &community) in partition.iter().enumerate() {
        degrees[community as usize] += graph.degree(node);
        inside += graph.loops(node);
        let same = |&&(other, _): &&(u32, f32)| partition[other as usize] == community;
        inside += graph.edges(node).iter().filter(same).map(|&(_, weight)| f64::from(weight)).sum::<f64>();
    }
    let expected: f64 = degrees.iter().map(|degree| degree * degree).sum::<f64>() / graph.total();
    (inside - resolution * expected) / graph.total()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `rings` cliques of `size` nodes, neighbours joined by one edge.
    fn cliques(rings: u32, size: u32) -> Graph {
        let edges = (0..rings).flat_map(|ring| {
            let first = ring * size;
            let inside = (0..size).flat_map(move |i| (0..i).map(move |j| (first + i, first + j, 1.0)));
            inside.chain([(first, (first + size) % (rings * size), 1.0)])
        });
        Graph::of((rings * size) as usize, &edges.collect::<Vec<_>>())
    }

    #[test]
    fn cliques_are_found() {
        for seed in 0..5 {
            let found = leiden(&cliques(8, 6), 1.0, seed);
            let expect: Vec<u32> = (0..48).map(|node| node / 6).collect();
            assert_eq!(found, expect, "seed {seed}");
        }
    }

    #[test]
    fn resolution_sets_the_grain() {
        let graph = cliques(8, 6);
        assert_eq!(count(&leiden(&graph, 0.0, 1)), 1);
        assert!(modularity(&graph, &leiden(&graph, 1.0, 1), 1.0) > 0.7);
        assert_eq!(count(&leiden(&graph, 100.0, 1)), 48);
    }

    #[test]
    fn nodes_without_edges_stay_alone() {
        assert_eq!(leiden(&Graph::of(3, &[]), 1.0, 0), [0, 1, 2]);
        assert!(leiden(&Graph::of(0, &[]), 1.0, 0).is_empty());
    }
}
