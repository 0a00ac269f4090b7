//! From scores to probabilities that mean what they say: one temperature for all scores (Guo et al. 2017, "On
//! Calibration of Modern Neural Networks"), found on examples that the scores were not made from.

/// Bounds of the temperatures that are tried.
const COLDEST: f64 = 0.02;
const HOTTEST: f64 = 50.0;
/// Steps of the search: each leaves 0.618 of the bracket, so the temperature is right to 0.001 of itself.
const STEPS: usize = 24;

/// Probabilities of scores at temperature 1: `exp(s) / sum exp(s)`, without overflow.
pub(super) fn softmax(scores: &mut [f32]) {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - most).exp();
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}

/// Mean of `-ln p(truth)` for rows of scores (`rows x labels`) that are divided by `temperature`.
pub(super) fn log_loss(scores: &[f32], truths: &[usize], labels: usize, temperature: f64) -> f64 {
    let loss = |row: &[f32], truth: usize| {
        let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = row.iter().map(|score| (f64::from(score - most) / temperature).exp()).sum();
        sum.ln() - f64::from(row[truth] - most) / temperature
    };
    let total: f64 = scores.chunks_exact(labels).zip(truths).map(|(row, &truth)| loss(row, truth)).sum();
    total / truths.len().max(1) as f64
}

/// The share of doubt that `examples` leave: how often the next one is to be expected wrong after so many without a mistake
/// (Laplace's rule of succession, as Platt 1999 takes it). It goes to all labels alike when a temperature is sought, or a hundred
/// examples without a mistake would promise that there is none.
fn doubt(examples: usize) -> f64 {
    1.0 / (examples as f64 + 2.0)
}

/// Mean of `-ln p` over all labels for rows of scores divided by `temperature`: what doubt costs.
fn spread_loss(scores: &[f32], labels: usize, temperature: f64) -> f64 {
    let loss = |row: &[f32]| {
        let most = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let sum: f64 = row.iter().map(|score| ((f64::from(*score) - most) / temperature).exp()).sum();
        let mean = row.iter().map(|score| f64::from(*score) - most).sum::<f64>() / labels as f64;
        sum.ln() - mean / temperature
    };
    let rows = scores.chunks_exact(labels);
    let count = rows.len().max(1) as f64;
    rows.map(loss).sum::<f64>() / count
}

/// The temperature of least loss, and its [`log_loss`], by golden-section search: the loss is convex in `1 / temperature`, so
/// there is one minimum. The targets are smoothed by the examples' doubt, as Platt (1999) smoothed those of two classes.
pub(super) fn temperature(scores: &[f32], truths: &[usize], labels: usize) -> (f64, f64) {
    let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
    let doubt = doubt(truths.len());
    let loss = |log: f64| {
        let temperature = log.exp();
        (1.0 - doubt) * log_loss(scores, truths, labels, temperature) + doubt * spread_loss(scores, labels, temperature)
    };
    let (mut low, mut high) = (COLDEST.ln(), HOTTEST.ln());
    let (mut a, mut b) = (high - golden * (high - low), low + golden * (high - low));
    let (mut of_a, mut of_b) = (loss(a), loss(b));
    for _ in 0..STEPS {
        if of_a <= of_b {
            (high, b, of_b) = (b, a, of_a);
            a = high - golden * (high - low);
            of_a = loss(a);
        } else {
            (low, a, of_a) = (a, b, of_b);
            b = low + golden * (high - low);
            of_b = loss(b);
        }
    }
    let best = f64::midpoint(low, high).exp();
    (best, log_loss(scores, truths, labels, best))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_add_up() {
        let mut scores = [1000.0, 999.0, -1000.0];
        softmax(&mut scores);
        assert!((scores.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((scores[0] - 0.731_058_6).abs() < 1e-5, "{scores:?}");
    }

    #[test]
    fn overconfident_scores_are_cooled_to_their_accuracy() {
        // The first label wins by 10 each time and is right three times of four: ln 3 is the true margin.
        let scores: Vec<f32> = (0..400).flat_map(|_| [10.0, 0.0]).collect();
        let truths: Vec<usize> = (0..400).map(|i| usize::from(i % 4 == 0)).collect();
        let (temperature, loss) = temperature(&scores, &truths, 2);
        // 400 examples leave a doubt of 1/402, half of which goes to each label.
        let expected: f64 = 0.75 * (1.0 - 1.0 / 402.0) + 0.5 / 402.0;
        assert!((10.0 / temperature - (expected / (1.0 - expected)).ln()).abs() < 0.01, "{temperature}");
        assert!(loss < log_loss(&scores, &truths, 2, 1.0));
    }
}
