//! Where rows stand before they move: along the first two principal components.

use rayon::prelude::*;

use super::mixed;
use crate::clustering::vectors::{Vectors, dot};

/// Rows that the components are made of, taken evenly: those of many more are hardly others.
const SAMPLE: usize = 4_096;
/// Steps of the power iteration.
const STEPS: usize = 30;
/// Rows that one job adds up, so that sums do not depend on threads.
const ROWS: usize = 128;
/// The farthest row stands so far from the middle, in the unit in which the kernel falls to a half.
const EXTENT: f32 = 10.0;
/// So much each row is moved by chance, for no two may stand in the same place.
const SHAKE: f32 = 1e-3;

/// The rows along the two directions in which a sample of them differs most. A direction points to the side on which its
/// farthest row is.
pub fn components(vectors: &Vectors, seed: u64) -> Vec<[f32; 2]> {
    let n = vectors.len();
    let sample: Vec<usize> = (0..n).step_by(n.div_ceil(SAMPLE).max(1)).collect();
    let mean = mean(vectors, &sample);
    let first = component(vectors, &sample, &mean, None);
    let second = component(vectors, &sample, &mean, Some(&first));
    let middle = [dot(&mean, &first), dot(&mean, &second)];
    let mut rows: Vec<[f32; 2]> = (0..n)
        .into_par_iter()
        .map(|row| {
            let row = vectors.row(row);
            [dot(row, &first) - middle[0], dot(row, &second) - middle[1]]
        })
        .collect();
    let farthest = rows.iter().flatten().fold(0.0_f32, |far, x| far.max(x.abs()));
    let scale = if farthest > 0.0 { EXTENT / farthest } else { 0.0 };
    for (row, at) in rows.iter_mut().enumerate() {
        for (axis, x) in at.iter_mut().enumerate() {
            let chance = mixed(seed ^ (2 * row + axis) as u64) >> 40;
            *x = *x * scale + SHAKE * (chance as f32 / (1_u64 << 23) as f32 - 1.0);
        }
    }
    rows
}

fn mean(vectors: &Vectors, sample: &[usize]) -> Vec<f32> {
    let mut mean = vec![0.0; vectors.dimensions()];
    for &row in sample {
        mean.iter_mut().zip(vectors.row(row)).for_each(|(sum, x)| *sum += x);
    }
    mean.iter_mut().for_each(|sum| *sum /= sample.len().max(1) as f32);
    mean
}

/// The unit vector along which the sample differs most, at a right angle to `other`: power iteration from the row that is
/// farthest off. All zeros when the rows do not differ.
fn component(vectors: &Vectors, sample: &[usize], mean: &[f32], other: Option<&[f32]>) -> Vec<f32> {
    let aside = |direction: &mut [f32]| {
        if let Some(other) = other {
            let along = dot(direction, other);
            direction.iter_mut().zip(other).for_each(|(x, o)| *x -= along * o);
        }
    };
    let away = |row: usize| {
        let mut away: Vec<f32> = vectors.row(row).iter().zip(mean).map(|(x, m)| x - m).collect();
        aside(&mut away);
        away
    };
    let lengths: Vec<f32> = sample
        .par_iter()
        .map(|&row| {
            let away = away(row);
            dot(&away, &away)
        })
        .collect();
    let farthest = (0..sample.len()).max_by(|&a, &b| lengths[a].total_cmp(&lengths[b]).then(b.cmp(&a)));
    let Some(mut direction) = farthest.map(|at| away(sample[at])) else { return vec![0.0; mean.len()] };
    for _ in 0..STEPS {
        if !to_unit(&mut direction) {
            return vec![0.0; mean.len()];
        }
        let middle = dot(mean, &direction);
        let sums: Vec<Vec<f32>> = sample
            .par_chunks(ROWS)
            .map(|rows| {
                let mut sum = vec![0.0; mean.len()];
                for &row in rows {
                    let row = vectors.row(row);
                    let along = dot(row, &direction) - middle;
                    sum.iter_mut().zip(row).zip(mean).for_each(|((sum, x), m)| *sum += along * (x - m));
                }
                sum
            })
            .collect();
        direction.fill(0.0);
        sums.iter().for_each(|sum| direction.iter_mut().zip(sum).for_each(|(x, s)| *x += s));
        aside(&mut direction);
    }
    if !to_unit(&mut direction) {
        return vec![0.0; mean.len()];
    }
    let middle = dot(mean, &direction);
    let along = |row: usize| dot(vectors.row(row), &direction) - middle;
    let far = sample.iter().map(|&row| along(row)).fold(0.0_f32, |far, x| if x.abs() > far.abs() { x } else { far });
    if far < 0.0 {
        direction.iter_mut().for_each(|x| *x = -*x);
    }
    direction
}

/// Brings a vector to length 1; whether it has a direction.
fn to_unit(vector: &mut [f32]) -> bool {
    let length = dot(vector, vector).sqrt();
    if length < 1e-12 {
        return false;
    }
    vector.iter_mut().for_each(|x| *x /= length);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_direction_comes_first() {
        let rows: Vec<[f32; 3]> = (0..200)
            .map(|i| {
                let (a, b) = ((i as f32 * 0.61).sin(), (i as f32 * 0.37).cos());
                let vector = [0.2 * b, 0.6 * a, 1.0];
                let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
                vector.map(|x| x / length)
            })
            .collect();
        let vectors = Vectors::distinct(rows.iter().map(<[f32; 3]>::as_slice));
        let at = components(&vectors, 0);
        let spread = |axis: usize| at.iter().map(|point| point[axis].powi(2)).sum::<f32>();
        assert!(spread(0) > 4.0 * spread(1) && spread(1) > 0.0);
        let same = (0..200).filter(|&i| (at[i][0] > 0.0) == (rows[i][1] > 0.0)).count();
        assert!(
            !(10..=190).contains(&same),
            "the first coordinate is the second of the vectors, but for its sign: {same}"
        );
    }

    #[test]
    fn rows_that_do_not_differ_are_only_shaken() {
        let vectors = Vectors::distinct([[1.0_f32, 0.0].as_slice()]);
        assert!(components(&vectors, 0).iter().flatten().all(|x| x.abs() <= SHAKE));
    }
}
