//! Two coordinates for every document, so that similar documents stand near each other: the picture of a pile as a map.
//!
//! UMAP's objective (McInnes, Healy and Melville 2018, arXiv:1802.03426) with the kernel of t-SNE, `1 / (1 + d²)`, which
//! needs no powers and is the same on every machine. It begins with the first two principal components, which keeps the large
//! picture (Kobak and Linderman 2021). In each round every row moves by where the others stood after the round before, so that
//! neither threads nor the order of the documents matter (the batch mode of `uwot`, Melville 2021). Crates that do the same let
//! threads race for the coordinates.

mod weights;

mod start;

mod descent;

mod frame;

use crate::clustering::neighbours::Neighbours;
use crate::clustering::vectors::Vectors;

/// Neighbours of each row that pull at it.
pub const NEIGHBOURS: usize = 15;

/// Where each document stands, numbered as `vectors` does. Both coordinates are within -1 and 1, the centre of the picture is
/// 0, and documents differ most along the first. Documents with the same vector stand around one place. Costs time and memory
/// linear in the number of documents.
pub fn lay_out(vectors: &Vectors, neighbours: &Neighbours, seed: u64) -> Vec<[f32; 2]> {
    let weights = weights::Weights::of(neighbours, vectors.len(), NEIGHBOURS);
    let start = start::components(vectors, seed);
    let rows = descent::descend(start, &weights, seed);
    frame::documents(&rows, vectors)
}

/// SplitMix64's output function (Steele, Lea and Flood 2014): numbers that differ in one bit come out unrelated.
fn mixed(number: u64) -> u64 {
    let mut x = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0xD1B5_4A32_D192_ED03);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `groups` directions in as many dimensions, each with `size` rows around it.
    fn groups(groups: usize, size: usize, spread: f32) -> Vec<Vec<f32>> {
        let noise = |seed: u64| (mixed(seed) >> 40) as f32 / (1_u64 << 23) as f32 - 1.0;
        (0..groups * size)
            .map(|row| {
                let vector: Vec<f32> = (0..groups.max(8))
                    .map(|d| f32::from(u8::from(d == row / size)) + spread * noise((row * 64 + d) as u64))
                    .collect();
                let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
                vector.into_iter().map(|x| x / length).collect()
            })
            .collect()
    }

    fn map(rows: &[Vec<f32>]) -> Vec<[f32; 2]> {
        let vectors = Vectors::distinct(rows.iter().map(Vec::as_slice));
        lay_out(&vectors, &Neighbours::exact(&vectors, 40), 0)
    }

    fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
        ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)).sqrt()
    }

    fn centre(points: &[[f32; 2]]) -> [f32; 2] {
        [0, 1].map(|axis| points.iter().map(|point| point[axis]).sum::<f32>() / points.len() as f32)
    }

    #[test]
    fn groups_stand_apart() {
        let size = 60;
        let points = map(&groups(6, size, 0.25));
        let centres: Vec<[f32; 2]> = points.chunks(size).map(centre).collect();
        for (at, point) in points.iter().enumerate() {
            let nearest = (0..6).min_by(|&a, &b| distance(*point, centres[a]).total_cmp(&distance(*point, centres[b])));
            assert_eq!(nearest, Some(at / size), "row {at} stands with its own");
        }
    }

    #[test]
    fn everything_is_in_the_frame_and_fills_it() {
        for (of, size) in [(1, 1), (1, 2), (1, 3), (2, 2), (3, 20), (8, 100)] {
            let points = map(&groups(of, size, 0.3));
            assert_eq!(points.len(), of * size);
            assert!(points.iter().flatten().all(|x| x.is_finite() && x.abs() <= 1.0), "{of} groups of {size}");
            let widest = points.iter().flatten().map(|x| x.abs()).fold(0.0, f32::max);
            assert!(points.len() == 1 || widest > 0.99, "{widest} for {of} groups of {size}");
        }
        assert!(map(&[]).is_empty());
    }

    #[test]
    fn what_has_nothing_to_do_with_the_rest_is_not_far_away() {
        // Two groups that share no neighbour with the others, one of them of a few rows only.
        let mut rows = groups(6, 80, 0.2);
        rows.truncate(5 * 80 + 45);
        let points = map(&rows);
        let mut radii: Vec<f32> = points.iter().map(|point| distance(*point, centre(&points))).collect();
        radii.sort_by(f32::total_cmp);
        let (median, last) = (radii[radii.len() / 2], radii[radii.len() - 1]);
        assert!(last < 3.0 * median, "the median is {median} from the centre, the last {last}");
    }

    #[test]
    fn copies_stand_together_and_can_be_told_apart() {
        let mut rows = groups(3, 40, 0.3);
        rows.extend(std::iter::repeat_n(rows[5].clone(), 30));
        let points = map(&rows);
        for copy in 120..150 {
            assert!(distance(points[5], points[copy]) < 0.2);
            assert!((copy + 1..150).all(|other| distance(points[other], points[copy]) > 0.0));
        }
    }
}
