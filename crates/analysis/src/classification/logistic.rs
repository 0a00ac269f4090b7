//! Multinomial logistic regression with an L2 penalty, by linfa.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::MultiLogisticRegression;
use ndarray::{Array1, Array2};

use super::classifier::ClassifyError;

/// Iterations of the solver; the gradient is small long before on vectors of text.
const ITERATIONS: u64 = 80;
/// The length of the gradient at which it is done.
const GRADIENT: f64 = 1e-3;

/// Weights of one linear score for each label.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Weights {
    /// `labels x dimensions`, row by row.
    pub rows: Vec<f32>,
    /// One for each label.
    pub intercepts: Vec<f32>,
}

/// Fits weights to unit vectors (row by row) and the label of each. Every label below `labels` must have a row. The cost to
/// minimise is the sum of the log losses plus `penalty / 2` times the squared length of the weights. On the calling thread
/// alone, the same each time.
///
/// # Errors
/// When the solver fails.
pub(super) fn fit(vectors: &[&[f32]], of: &[usize], labels: usize, penalty: f64) -> Result<Weights, ClassifyError> {
    let dimensions = vectors.first().map_or(0, |vector| vector.len());
    let data: Vec<f64> = vectors.iter().flat_map(|vector| vector.iter().map(|&x| f64::from(x))).collect();
    let fault = |error: &dyn std::fmt::Display| ClassifyError::Training(error.to_string());
    let records = Array2::from_shape_vec((vectors.len(), dimensions), data).map_err(|error| fault(&error))?;
    let dataset = DatasetBase::new(records, Array1::from_vec(of.to_vec()));
    let fitted = MultiLogisticRegression::default()
        .alpha(penalty)
        .max_iterations(ITERATIONS)
        .gradient_tolerance(GRADIENT)
        .fit(&dataset)
        .map_err(|error| fault(&error))?;
    let weights = fitted.params();
    debug_assert_eq!(fitted.classes().len(), labels, "every label has a row");
    let rows = weights.columns().into_iter().flat_map(|column| column.into_iter().map(|&x| x as f32)).collect();
    Ok(Weights { rows, intercepts: fitted.intercept().iter().map(|&x| x as f32).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_minimum_is_found() -> Result<(), ClassifyError> {
        // By scikit-learn's definition with C = 1 / penalty: two points on a line, one of each label. By symmetry the weights are
        // (-w, w) with 2 w = 2 sigmoid(-2 w) for penalty 2 (gradient of ln(1 + exp(-2w)) summed over both points).
        let weights = fit(&[&[1.0], &[-1.0]], &[1, 0], 2, 2.0)?;
        let w = f64::from(weights.rows[1]);
        let gradient = 2.0 * w - 2.0 / (1.0 + (2.0 * w).exp());
        assert!(gradient.abs() < 1e-2 && (weights.rows[0] + weights.rows[1]).abs() < 1e-3, "{weights:?}");
        Ok(())
    }
}
