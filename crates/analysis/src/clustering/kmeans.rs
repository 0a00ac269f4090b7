//! A given number of clusters: k-means by linfa on unit vectors, which orders distances as cosines do.

use linfa::DatasetBase;
use linfa::traits::{Fit, Predict};
use linfa_clustering::{KMeans, KMeansInit};
use ndarray::{ArrayView2, s};
use rand_xoshiro::Xoshiro256Plus;
use rand_xoshiro::rand_core::SeedableRng;

use super::vectors::{Vectors, dot};

/// Starts from which the best result is kept.
const RUNS: usize = 3;
const ITERATIONS: u64 = 30;
const TOLERANCE: f32 = 1e-3;
/// Rows that the centroids are found on, at most: this many, or this many for each group where that is more.
const SAMPLE: usize = 5000;
const SAMPLE_OF_GROUP: usize = 20;

/// A group for each row: exactly `count` groups, none of them empty, or as many as there are rows when those are fewer.
pub fn k_means(vectors: &Vectors, count: usize, seed: u64) -> Vec<u32> {
    let n = vectors.len();
    if count >= n {
        return (0..n as u32).collect();
    }
    if count <= 1 {
        return vec![0; n];
    }
    let data = ArrayView2::from_shape((n, vectors.dimensions()), vectors.data()).expect("rows of equal length");
    // Every so-manieth row: canonical order is by content, so this is a fair sample.
    let step = n.div_ceil(SAMPLE.max(SAMPLE_OF_GROUP * count));
    let dataset = DatasetBase::from(data.slice(s![..;step, ..]));
    let model = KMeans::params_with_rng(count, Xoshiro256Plus::seed_from_u64(seed))
        .init_method(KMeansInit::KMeansPlusPlus)
        .n_runs(RUNS)
        .max_n_iterations(ITERATIONS)
        .tolerance(TOLERANCE)
        .fit(&dataset);
    let mut groups: Vec<u32> = match model {
        Ok(model) => model.predict(&data).iter().map(|&group| group as u32).collect(),
        // linfa refuses data whose distances are not finite; unit vectors have none, and one group is still an answer.
        Err(_) => vec![0; n],
    };
    fill_empty(vectors, &mut groups, count);
    groups
}

/// Gives every empty group the row that fits its own group least.
fn fill_empty(vectors: &Vectors, groups: &mut [u32], count: usize) {
    loop {
        let mut sizes = vec![0; count];
        groups.iter().for_each(|&group| sizes[group as usize] += 1);
        let Some(empty) = sizes.iter().position(|&size| size == 0) else { return };
        let centroids = super::assignment::centroids(vectors, groups, &vec![false; groups.len()], count);
        let fit = |row: usize| dot(vectors.row(row), &centroids[groups[row] as usize]);
        let movable = (0..groups.len()).filter(|&row| sizes[groups[row] as usize] > 1);
        let Some(row) = movable.min_by(|&a, &b| fit(a).total_cmp(&fit(b)).then(a.cmp(&b))) else { return };
        groups[row] = empty as u32;
    }
}
