//! The finished picture: turned so that it is wider than high, scaled to a square of -1 to 1, copies side by side.

use crate::clustering::vectors::Vectors;

/// The golden angle in radians: neighbours on a spiral with it never line up (Vogel 1979).
const GOLDEN_ANGLE: f32 = 2.399_963_2;
/// Copies stand so far apart, as a part of the mean distance of documents if these were spread evenly.
const GAP: f32 = 0.2;
/// No copy stands farther from the first than this.
const FARTHEST: f32 = 0.1;

/// Where each document stands when its row stands at `rows`.
pub fn documents(rows: &[[f32; 2]], vectors: &Vectors) -> Vec<[f32; 2]> {
    let rows = turned(rows);
    let count: usize = (0..rows.len()).map(|row| vectors.documents(row).len()).sum();
    let mut places = vec![[0.0; 2]; count];
    let (rows, gap) = (scaled(&rows), GAP * 2.0 / (count.max(1) as f32).sqrt());
    for (row, &[x, y]) in rows.iter().enumerate() {
        let documents = vectors.documents(row);
        let gap = gap.min(FARTHEST / (documents.len() as f32).sqrt());
        for (copy, &document) in documents.iter().enumerate() {
            let (radius, angle) = (gap * (copy as f32).sqrt(), copy as f32 * GOLDEN_ANGLE);
            places[document as usize] = [x + radius * angle.cos(), y + radius * angle.sin()];
        }
    }
    // The copies of a row at the edge stand beyond it.
    if count > rows.len() { scaled(&places) } else { places }
}

/// With the direction in which the places differ most as the first: the eigenvector of their covariance
/// `(a b; b c)` for its larger eigenvalue, which is half of `a + c + sqrt((a - c)² + 4 b²)`.
fn turned(places: &[[f32; 2]]) -> Vec<[f32; 2]> {
    let n = places.len().max(1) as f64;
    let mean = [0, 1].map(|axis| places.iter().map(|place| f64::from(place[axis])).sum::<f64>() / n);
    let (mut a, mut b, mut c) = (0.0, 0.0, 0.0);
    for place in places {
        let [x, y] = [0, 1].map(|axis| f64::from(place[axis]) - mean[axis]);
        a += x * x;
        b += x * y;
        c += y * y;
    }
    let largest = f64::midpoint(a + c, ((a - c).powi(2) + 4.0 * b * b).sqrt());
    let (x, y) = if a >= c { (largest - c, b) } else { (b.abs(), (largest - a) * b.signum()) };
    let length = x.hypot(y);
    if length <= 0.0 {
        return places.to_vec();
    }
    let (cos, sin) = ((x / length) as f32, (y / length) as f32);
    places.iter().map(|[x, y]| [x * cos + y * sin, y * cos - x * sin]).collect()
}

/// Moved and scaled alike in both directions, so that the picture fills the width from -1 to 1 or the height.
fn scaled(places: &[[f32; 2]]) -> Vec<[f32; 2]> {
    let bounds = [0, 1].map(|axis| {
        let of_axis = || places.iter().map(|place| place[axis]);
        (of_axis().fold(f32::INFINITY, f32::min), of_axis().fold(f32::NEG_INFINITY, f32::max))
    });
    let half = bounds.map(|(least, most)| (most - least) / 2.0).into_iter().fold(0.0, f32::max);
    let scale = if half > 0.0 && half.is_finite() { 1.0 / half } else { 0.0 };
    let middle = bounds.map(|(least, most)| f32::midpoint(least, most));
    let at = |place: &[f32; 2], axis: usize| ((place[axis] - middle[axis]) * scale).clamp(-1.0, 1.0);
    places.iter().map(|place| [at(place, 0), at(place, 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_turned_to_be_wide() {
        let check = |places: &[[f32; 2]], expect: &[[f32; 2]]| {
            let turned = scaled(&turned(places));
            for (place, expect) in turned.iter().zip(expect) {
                assert!((place[0] - expect[0]).abs() < 1e-5 && (place[1] - expect[1]).abs() < 1e-5, "{turned:?}");
            }
        };
        check(&[[-3.0, 0.0], [1.0, 0.0]], &[[-1.0, 0.0], [1.0, 0.0]]);
        check(&[[1.0, 1.0], [5.0, 5.0], [3.0, 3.0]], &[[-1.0, 0.0], [1.0, 0.0], [0.0, 0.0]]);
        check(&[[0.0, -2.0], [0.0, 2.0]], &[[-1.0, 0.0], [1.0, 0.0]]);
        check(&[[2.0, 7.0]], &[[0.0, 0.0]]);
    }
}
