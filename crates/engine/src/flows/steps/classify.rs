//! Labels by embeddings: a text belongs to the label that it is most similar to. Without examples a label is its name and
//! description (zero-shot); with examples it is the mean of all of these (prototypes, Snell et al. 2017).

use sheaf_analysis::{Embedder, embed_documents};
use sheaf_domain::ConfidenceLevel;
use sheaf_domain::Failure;
use sheaf_domain::flow::{Classify, FoundValue, Label};

use super::{Passage, joined};
use crate::internal;

/// How far similarities have to be apart: the share of each label is the softmax of similarity over this. It is a rule of
/// thumb, not calibrated on labelled data.
const TEMPERATURE: f32 = 0.05;

/// What a document gets that belongs to none.
pub const NONE: &str = "none of these";

/// The vectors of labels, in their order.
///
/// # Errors
/// `internal` when the model fails.
pub fn label_vectors(model: &dyn Embedder, labels: &[Label]) -> Result<Vec<Vec<f32>>, Failure> {
    labels.iter().map(|label| label_vector(model, label)).collect()
}

fn label_vector(model: &dyn Embedder, label: &Label) -> Result<Vec<f32>, Failure> {
    let name = label.name.replace(['_', '-'], " ");
    let own = if label.description.is_empty() { name } else { format!("{name}: {}", label.description) };
    let texts: Vec<&str> = std::iter::once(own.as_str()).chain(label.examples.iter().map(String::as_str)).collect();
    let vectors = embed_documents(model, &texts, &|_| {}).map_err(internal)?;
    let mut mean = vec![0.0; model.dimensions()];
    for vector in vectors.into_iter().flatten() {
        mean.iter_mut().zip(vector).for_each(|(sum, x)| *sum += x);
    }
    let length = mean.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    mean.iter_mut().for_each(|x| *x /= length);
    Ok(mean)
}

/// The label of a text with its probability and level; nothing when the text has no word that can be compared.
///
/// # Errors
/// `internal` when the model fails.
pub fn run(
    step: &str,
    classify: &Classify,
    model: &dyn Embedder,
    labels: &[Vec<f32>],
    passages: &[Passage<'_>],
) -> Result<Vec<FoundValue>, Failure> {
    let vectors = embed_documents(model, &[joined(passages).as_str()], &|_| {}).map_err(internal)?;
    let Some(vector) = vectors.into_iter().flatten().next() else { return Ok(Vec::new()) };
    let Some((best, probability)) = most_probable(&vector, labels) else { return Ok(Vec::new()) };
    let belongs = f64::from(probability) >= classify.threshold;
    let name = classify.labels.get(best).filter(|_| belongs).map_or(NONE, |label| label.name.as_str());
    let value = |field: &str, value: String| FoundValue {
        step: step.to_owned(),
        field: field.to_owned(),
        value,
        probability: Some(probability),
        ..FoundValue::default()
    };
    let level = ConfidenceLevel::of(probability).name();
    Ok(vec![
        value("label", name.to_owned()),
        value("probability", format!("{probability:.3}")),
        value("confidence", level.to_owned()),
    ])
}

/// The place of the most similar label and its share.
fn most_probable(vector: &[f32], labels: &[Vec<f32>]) -> Option<(usize, f32)> {
    let similarity = |label: &Vec<f32>| label.iter().zip(vector).map(|(a, b)| a * b).sum::<f32>();
    let similarities: Vec<f32> = labels.iter().map(similarity).collect();
    let (best, most) =
        similarities.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))?;
    let total: f32 = similarities.iter().map(|s| ((s - most) / TEMPERATURE).exp()).sum();
    Some((best, 1.0 / total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_the_nearest_wins() {
        let labels = vec![vec![1.0, 0.0], vec![0.0, 1.0]];
        let (best, share) = most_probable(&[0.6, 0.8], &labels).expect("labels");
        assert_eq!(best, 1);
        assert!(share > 0.9 && share < 1.0, "{share}");
        let (best, share) = most_probable(&[0.5, 0.5], &labels).expect("labels");
        assert_eq!((best, share), (0, 0.5));
        assert_eq!(most_probable(&[1.0], &[]), None);
    }
}
