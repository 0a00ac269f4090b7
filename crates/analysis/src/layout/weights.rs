//! How strongly rows belong together: the fuzzy graph of UMAP.

use rayon::prelude::*;

use crate::clustering::neighbours::Neighbours;
use crate::lists::Lists;

/// Steps of the search for a row's bandwidth.
const STEPS: usize = 64;
/// A row's bandwidth is at least this part of the mean distance of its neighbours, so that rows among near-copies are held
/// by more than one of them.
const LEAST_BANDWIDTH: f32 = 1e-3;

/// A symmetric graph of weights between 0 and 1: for each row the other end of each edge, ascending, and its weight. Each edge is
/// there at both ends.
pub struct Weights(Lists<(u32, f32)>);

impl Weights {
    /// Those of the `count` nearest neighbours of each of `rows` rows. Row `i` belongs to its neighbour `j` by
    /// `w(i, j) = exp(-max(0, d(i, j) - ρ(i)) / σ(i))` with the cosine distance `d`; `ρ(i)` is the distance of the nearest one,
    /// and `σ(i)` such that the weights of `k` neighbours add up to `log2 k` (section 3.1 of the paper). An edge has the weight
    /// `a + b - a b` of its two directions.
    pub fn of(neighbours: &Neighbours, rows: usize, count: usize) -> Self {
        let count = count.min(neighbours.count());
        let there: Vec<(u32, f32)> = (0..rows)
            .into_par_iter()
            .flat_map_iter(|row| {
                let mut list = memberships(&neighbours.of(row)[..count]);
                list.sort_unstable_by_key(|&(other, _)| other);
                list
            })
            .collect();
        let back = there.iter().enumerate().map(|(at, &(other, weight))| (other, ((at / count) as u32, weight)));
        let back = Lists::by_row(rows, back);
        let lists: Vec<Vec<(u32, f32)>> =
            (0..rows).into_par_iter().map(|row| united(&there[row * count..][..count], back.of(row))).collect();
        let mut edges = Lists::new();
        lists.into_iter().for_each(|list| edges.push(list));
        Self(edges)
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.0.rows()
    }

    /// The edges, row by row.
    pub fn edges(&self) -> impl Iterator<Item = &[(u32, f32)]> {
        self.0.iter()
    }

    /// The largest weight; 0 when there is none.
    pub fn strongest(&self) -> f32 {
        self.edges().flatten().map(|&(_, weight)| weight).fold(0.0, f32::max)
    }
}

/// How strongly a row belongs to each of its neighbours, given with their similarities, nearest first.
fn memberships(neighbours: &[(u32, f32)]) -> Vec<(u32, f32)> {
    let distances: Vec<f32> = neighbours.iter().map(|&(_, similarity)| (1.0 - similarity).max(0.0)).collect();
    let Some(&nearest) = distances.first() else { return Vec::new() };
    let wanted = (distances.len() as f32).log2();
    let weight = |distance: f32, bandwidth: f32| (-(distance - nearest) / bandwidth).exp();
    let (mut low, mut high, mut bandwidth) = (0.0, f32::INFINITY, 1.0_f32);
    for _ in 0..STEPS {
        let sum: f32 = distances.iter().map(|&distance| weight(distance, bandwidth)).sum();
        if (sum - wanted).abs() < 1e-5 {
            break;
        }
        if sum > wanted {
            high = bandwidth;
            bandwidth = f32::midpoint(low, high);
        } else {
            low = bandwidth;
            bandwidth = if high.is_finite() { f32::midpoint(low, high) } else { bandwidth * 2.0 };
        }
    }
    let mean = distances.iter().sum::<f32>() / distances.len() as f32;
    let bandwidth = bandwidth.max(LEAST_BANDWIDTH * mean).max(f32::MIN_POSITIVE);
    neighbours.iter().zip(&distances).map(|(&(other, _), &distance)| (other, weight(distance, bandwidth))).collect()
}

/// Both directions of a row's edges as one list; either is ascending.
fn united(there: &[(u32, f32)], back: &[(u32, f32)]) -> Vec<(u32, f32)> {
    let mut list = Vec::with_capacity(there.len() + back.len());
    let (mut i, mut j) = (0, 0);
    loop {
        let (other, weight) = match (there.get(i), back.get(j)) {
            (Some(&(a, w)), Some(&(b, v))) if a == b => {
                (i, j) = (i + 1, j + 1);
                (a, w + v - w * v)
            }
            (Some(&edge), Some(&(b, _))) if edge.0 < b => {
                i += 1;
                edge
            }
            (Some(&edge), None) => {
                i += 1;
                edge
            }
            (_, Some(&edge)) => {
                j += 1;
                edge
            }
            (None, None) => return list,
        };
        list.push((other, weight));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_add_up_to_the_logarithm_of_their_number() {
        let check = |similarities: &[f32]| {
            let list: Vec<(u32, f32)> = (0..).zip(similarities.iter().copied()).collect();
            let weights = memberships(&list);
            let sum: f32 = weights.iter().map(|&(_, weight)| weight).sum();
            assert!((sum - (list.len() as f32).log2()).abs() < 1e-3, "{sum} for {similarities:?}");
            assert!((weights[0].1 - 1.0).abs() < 1e-6, "the nearest one belongs wholly");
            assert!(weights.is_sorted_by(|a, b| a.1 >= b.1));
        };
        check(&[0.9, 0.8, 0.7, 0.6]);
        check(&[0.999, 0.5, 0.49, 0.48, 0.1, 0.0, -0.3]);
    }

    #[test]
    fn both_directions_are_united() {
        let there = [(1, 0.5), (3, 1.0)];
        let back = [(0, 0.25), (1, 0.5), (4, 0.125)];
        assert_eq!(united(&there, &back), [(0, 0.25), (1, 0.75), (3, 1.0), (4, 0.125)]);
        assert!(united(&[], &[]).is_empty());
    }
}
