//! A mixture of normal distributions by linfa, on the first principal components: with hundreds of dimensions the covariance of a
//! group of documents is singular.

use linfa::DatasetBase;
use linfa::traits::{Fit, Predict};
use linfa_clustering::GaussianMixtureModel;
use linfa_linalg::eigh::{EigSort, EighInto};
use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use rand_xoshiro::Xoshiro256Plus;
use rand_xoshiro::rand_core::SeedableRng;
use rayon::prelude::*;

use super::vectors::Vectors;

/// Principal components that are kept, at most.
const COMPONENTS: usize = 16;
/// Rows that the distributions are found on, at most: this many, or this many for each where that is more.
const SAMPLE: usize = 5000;
const SAMPLE_OF_GROUP: usize = 20;
const ITERATIONS: u64 = 200;
const TOLERANCE: f64 = 1e-3;
/// What is added to each variance, as shares of the mean variance: the least that settles is taken.
const FLOORS: [f64; 4] = [0.01, 0.05, 0.2, 1.0];

/// The likeliest distribution of each row, numbered without gaps: at most `count` of them, and fewer where so many do not settle.
/// Nothing when the rows cannot be reduced.
pub fn mixture(vectors: &Vectors, count: usize, seed: u64) -> Option<Vec<u32>> {
    let n = vectors.len();
    if count <= 1 || n < 2 {
        return Some(vec![0; n]);
    }
    if count >= n {
        return Some((0..n as u32).collect());
    }
    // Every so-manieth row: canonical order is by content, so this is a fair sample.
    let step = n.div_ceil(SAMPLE.max(SAMPLE_OF_GROUP * count));
    let reduced = reduced(vectors, step)?;
    // Scaled, so that a tolerance is one.
    let variance = reduced.var_axis(Axis(0), 0.0).mean().unwrap_or_default().max(f64::MIN_POSITIVE);
    let scaled = reduced / variance.sqrt();
    let sample = DatasetBase::from(scaled.slice(s![..;step, ..]).to_owned());
    let fit = |count: usize, floor: f64| {
        GaussianMixtureModel::params_with_rng(count, Xoshiro256Plus::seed_from_u64(seed))
            .reg_covariance(floor)
            .max_n_iterations(ITERATIONS)
            .tolerance(TOLERANCE)
            .fit(&sample)
            .ok()
    };
    let fewer = std::iter::successors(Some(count), |&count| (count > 1).then_some(count * 3 / 4));
    let fitted =
        fewer.flat_map(|count| FLOORS.map(|floor| (count, floor))).find_map(|(count, floor)| fit(count, floor))?;
    let found: Array1<usize> = fitted.predict(&scaled);
    let mut numbers = vec![None; count];
    let mut next = 0;
    let mut groups = Vec::with_capacity(n);
    for &group in &found {
        groups.push(*numbers[group].get_or_insert_with(|| {
            next += 1;
            next - 1
        }));
    }
    Some(groups)
}

/// The rows along the first principal components (Hotelling 1933): the eigenvectors of the covariance of every `step`th row.
fn reduced(vectors: &Vectors, step: usize) -> Option<Array2<f64>> {
    let (n, d) = (vectors.len(), vectors.dimensions());
    let data = ArrayView2::from_shape((n, d), vectors.data()).ok()?;
    let sample = data.slice(s![..;step, ..]).mapv(f64::from);
    let mean = sample.mean_axis(Axis(0))?;
    let centred = sample - &mean;
    let covariance = centred.t().dot(&centred) / centred.nrows() as f64;
    let (_, directions) = covariance.eigh_into().ok()?.sort_eig_desc();
    let kept = COMPONENTS.min(d).min(n - 1);
    let directions = directions.slice(s![.., ..kept]);
    let values: Vec<f64> = (0..n)
        .into_par_iter()
        .flat_map_iter(|row| (data.row(row).mapv(f64::from) - &mean).dot(&directions).to_vec())
        .collect();
    Array2::from_shape_vec((n, kept), values).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_component_is_the_direction_of_the_greatest_variance() {
        let rows: Vec<[f32; 3]> = (0..40).map(|i| [i as f32, 0.1 * (i % 3) as f32, 0.5]).collect();
        let vectors = Vectors::distinct(rows.iter().map(<[f32; 3]>::as_slice));
        let reduced = reduced(&vectors, 1).expect("it can be decomposed");
        assert_eq!(reduced.ncols(), 3);
        let spread = |column: usize| reduced.column(column).var(0.0);
        assert!((spread(0) - 133.25).abs() < 0.1, "{}", spread(0));
        assert!(spread(1) < 0.01 && spread(2) < 1e-9);
    }

    #[test]
    fn separate_normal_clouds_are_told_apart() {
        let centre = [[1.0_f32, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        let rows: Vec<[f32; 3]> = (0..69)
            .map(|i| {
                let noise = |k: usize| ((i * 31 + k * 17) % 23) as f32 / 230.0 - 0.05;
                std::array::from_fn(|k| centre[i % 3][k] + noise(k))
            })
            .collect();
        let vectors = Vectors::distinct(rows.iter().map(<[f32; 3]>::as_slice));
        let found = mixture(&vectors, 3, 1).expect("it settles");
        assert!((0..69).all(|i| found[i] == found[i % 3]), "{found:?}");
        assert_eq!(found, mixture(&vectors, 3, 1).expect("it settles"));
        assert_eq!(found.iter().max(), Some(&2));
    }
}
