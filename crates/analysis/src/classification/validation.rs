//! Chooses how a classifier is made, by cross-validation: examples are scored by weights that did not see them.

use rayon::prelude::*;

use super::calibration::temperature;
use super::classifier::ClassifyError;
use super::logistic::{Weights, fit};
use crate::similarities;

/// Parts of the examples, each of which is scored by weights made from the others.
pub(super) const FOLDS: usize = 5;
/// Strengths of the penalty that are tried. Unit vectors want little of it, for no weight can grow large on its own.
const PENALTIES: [f64; 2] = [0.1, 0.02];
/// How much the words of the labels count beside the weights, in units of `1 /` the temperature of zero-shot scores.
const SHARES: [f32; 5] = [0.0, 0.25, 0.5, 1.0, 2.0];
/// By how much the loss must fall for a less simple recipe.
const WORTH: f64 = 1e-4;

/// How well a classifier did on examples that it had not seen; shown before it is used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Validation {
    pub examples: usize,
    pub folds: usize,
    /// The share of examples whose likeliest label was theirs.
    pub accuracy: f64,
    /// Mean of `-ln p(their label)`.
    pub log_loss: f64,
    /// The penalty of the weights; `None` when the words of the labels alone did better.
    pub penalty: Option<f64>,
    /// How much the words of the labels count beside the weights.
    pub share: f32,
}

/// Unit vectors with labels.
pub(super) struct Labelled<'a> {
    pub vectors: Vec<&'a [f32]>,
    pub of: Vec<usize>,
}

/// How scores are made: `(weights + share * similarity / warmth) / temperature`.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    /// `None`: the similarities alone, `share` 1.
    pub penalty: Option<f64>,
    pub share: f32,
    pub temperature: f64,
}

/// Finds the recipe of least log loss on unseen examples. `meanings` are the labels' own vectors (row by row), which
/// every fold may see: they are no examples. Deterministic, whatever the number of threads.
///
/// # Errors
/// When a fit fails.
pub(super) fn choose(
    meanings: &[f32],
    warmth: f32,
    examples: &Labelled<'_>,
) -> Result<(Recipe, Validation), ClassifyError> {
    let dimensions = examples.vectors.first().map_or(1, |vector| vector.len());
    let labels = meanings.len() / dimensions;
    let folds = folds(&examples.of, labels);
    let priors: Vec<f32> = examples
        .vectors
        .iter()
        .flat_map(|vector| similarities(vector, meanings, dimensions))
        .map(|similarity| similarity / warmth)
        .collect();
    let fits: Vec<(f64, usize)> =
        PENALTIES.iter().flat_map(|&penalty| (0..FOLDS).map(move |fold| (penalty, fold))).collect();
    let scored: Vec<Vec<(usize, Vec<f32>)>> = fits
        .par_iter()
        .map(|&(penalty, fold)| {
            let seen = Labelled {
                vectors: pick(&examples.vectors, &folds, |f| f != fold),
                of: pick(&examples.of, &folds, |f| f != fold),
            };
            let weights = fit_with_meanings(meanings, &seen, penalty)?;
            let unseen = (0..folds.len()).filter(|&i| folds[i] == fold);
            Ok(unseen.map(|i| (i, linear(&weights, examples.vectors[i]))).collect())
        })
        .collect::<Result<_, ClassifyError>>()?;
    let mut best: Option<(Recipe, f64, f64)> = None;
    let mut consider = |penalty, share, scores: &[f32]| {
        let (temperature, loss) = temperature(scores, &examples.of, labels);
        if best.as_ref().is_none_or(|(_, least, _)| loss < least - WORTH) {
            best = Some((Recipe { penalty, share, temperature }, loss, accuracy(scores, &examples.of, labels)));
        }
    };
    consider(None, 1.0, &priors);
    for (&penalty, scored) in PENALTIES.iter().zip(scored.chunks(FOLDS)) {
        let mut weighed = vec![0.0; priors.len()];
        for (example, scores) in scored.iter().flatten() {
            weighed[example * labels..][..labels].copy_from_slice(scores);
        }
        for share in SHARES {
            let scores: Vec<f32> = weighed.iter().zip(&priors).map(|(x, prior)| x + share * prior).collect();
            consider(Some(penalty), share, &scores);
        }
    }
    let (recipe, log_loss, accuracy) = best.ok_or_else(|| ClassifyError::Training("nothing to choose from".into()))?;
    let examples = examples.of.len();
    let validation =
        Validation { examples, folds: FOLDS, accuracy, log_loss, penalty: recipe.penalty, share: recipe.share };
    Ok((recipe, validation))
}

/// Weights from examples and, one for each label, its own vector: so that a label without examples is known too.
pub(super) fn fit_with_meanings(
    meanings: &[f32],
    examples: &Labelled<'_>,
    penalty: f64,
) -> Result<Weights, ClassifyError> {
    let dimensions = examples.vectors.first().map_or(1, |vector| vector.len());
    let labels = meanings.len() / dimensions;
    let vectors: Vec<&[f32]> = meanings.chunks_exact(dimensions).chain(examples.vectors.iter().copied()).collect();
    let of: Vec<usize> = (0..labels).chain(examples.of.iter().copied()).collect();
    fit(&vectors, &of, labels, penalty)
}

/// The scores of one vector.
fn linear(weights: &Weights, vector: &[f32]) -> Vec<f32> {
    let product = |row: &[f32]| row.iter().zip(vector).map(|(w, x)| w * x).sum::<f32>();
    weights.rows.chunks_exact(vector.len()).zip(&weights.intercepts).map(|(row, b)| product(row) + b).collect()
}

fn accuracy(scores: &[f32], truths: &[usize], labels: usize) -> f64 {
    let right = scores.chunks_exact(labels).zip(truths).filter(|(row, truth)| likeliest(row) == **truth).count();
    right as f64 / truths.len().max(1) as f64
}

/// The position of the largest value, the first of equals.
pub(super) fn likeliest(row: &[f32]) -> usize {
    (0..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best })
}

/// Deals the examples of each label to the folds in turn, each label beginning where the one before it ended.
fn folds(of: &[usize], labels: usize) -> Vec<usize> {
    let mut counts = vec![0; labels];
    of.iter().for_each(|&label| counts[label] += 1);
    let mut next: Vec<usize> = counts
        .iter()
        .scan(0, |sum, count| {
            let start = *sum;
            *sum += count;
            Some(start)
        })
        .collect();
    of.iter()
        .map(|&label| {
            next[label] += 1;
            (next[label] - 1) % FOLDS
        })
        .collect()
}

fn pick<T: Copy>(values: &[T], folds: &[usize], wanted: impl Fn(usize) -> bool) -> Vec<T> {
    values.iter().zip(folds).filter(|(_, fold)| wanted(**fold)).map(|(value, _)| *value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_share_out_every_label() {
        let of: Vec<usize> = (0..35).map(|i| i % 3).chain([3]).collect();
        let folds = folds(&of, 4);
        for fold in 0..FOLDS {
            let size = folds.iter().filter(|f| **f == fold).count();
            assert!((7..=8).contains(&size), "{folds:?}");
            for label in 0..3 {
                let of_label = folds.iter().zip(&of).filter(|(f, l)| **f == fold && **l == label).count();
                assert!((2..=3).contains(&of_label), "{folds:?}");
            }
        }
    }
}
