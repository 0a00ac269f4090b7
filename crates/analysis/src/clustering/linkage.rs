//! Groups joined from single rows up to a threshold: average linkage over cosine distances (Sokal and Michener 1958) by kodama.

use kodama::{Method, linkage as join};
use rayon::prelude::*;

use super::vectors::{Vectors, dot};

/// A group for each row, numbered without gaps: groups are joined as long as the mean similarity between the rows of two is at
/// least `similarity`. A row that joined nothing, of one document, fits nowhere. Rows count once, however many documents have
/// them. Costs `n²` distances in memory.
pub fn linkage(vectors: &Vectors, similarity: f32) -> Vec<Option<u32>> {
    let n = vectors.len();
    let mut condensed = vec![0.0; n * n.saturating_sub(1) / 2];
    let mut rest = condensed.as_mut_slice();
    let mut rows = Vec::with_capacity(n);
    for row in 0..n {
        let (own, next) = rest.split_at_mut(n - 1 - row);
        rows.push(own);
        rest = next;
    }
    rows.into_par_iter().enumerate().for_each(|(row, distances)| {
        for (distance, other) in distances.iter_mut().zip(row + 1..) {
            *distance = 1.0 - dot(vectors.row(row), vectors.row(other));
        }
    });
    let mut leader: Vec<usize> = (0..n).collect();
    if n > 1 {
        let joins = join(&mut condensed, n, Method::Average);
        // The first row of each group: a join's group has the number of rows plus the join's.
        let mut first: Vec<usize> = (0..n).collect();
        for step in joins.steps() {
            let (a, b) = (first[step.cluster1], first[step.cluster2]);
            first.push(a.min(b));
            // Average linkage never inverts: from the first join that is too far on all are.
            if step.dissimilarity > 1.0 - similarity {
                continue;
            }
            leader[a.max(b)] = a.min(b);
        }
    }
    let mut sizes = vec![0_usize; n];
    // A leader stands before those that follow it.
    for row in 0..n {
        leader[row] = leader[leader[row]];
        sizes[leader[row]] += vectors.documents(row).len();
    }
    let mut numbers = vec![None; n];
    let mut next = 0;
    (0..n)
        .map(|row| {
            if sizes[leader[row]] < 2 {
                return None;
            }
            let number = &mut numbers[leader[row]];
            if number.is_none() {
                *number = Some(next);
                next += 1;
            }
            *number
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_joined_up_to_the_threshold() {
        let at = |degrees: f32| [degrees.to_radians().cos(), degrees.to_radians().sin()];
        let rows = [at(0.0), at(100.0), at(2.0), at(101.0), at(180.0), at(5.0)];
        let vectors = Vectors::distinct(rows.iter().map(<[f32; 2]>::as_slice));
        assert_eq!(linkage(&vectors, 0.99), [Some(0), Some(1), Some(0), Some(1), None, Some(0)]);
        assert_eq!(linkage(&vectors, 0.999_99), [None; 6]);
        assert_eq!(linkage(&vectors, 0.1), [Some(0), Some(1), Some(0), Some(1), Some(1), Some(0)]);
        assert_eq!(linkage(&vectors, -1.0), [Some(0); 6]);
        let copies = Vectors::distinct([&rows[0], &rows[0]].map(<[f32; 2]>::as_slice));
        assert_eq!(linkage(&copies, 0.5), [Some(0)]);
    }
}
