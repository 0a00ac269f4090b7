//! One of several labels for a document, by the classifier of `sheaf-analysis`: from the words of the labels, or from their
//! examples too.

use std::sync::Arc;

use sheaf_analysis::classification::{self, Classifier, ClassifyError, Prepared, Validation};
use sheaf_analysis::{EmbedError, Embedder};
use sheaf_domain::flow::{Classify, FoundValue, LabelAccuracy};
use sheaf_domain::{Failure, FailureCode};

use super::{Passage, joined};
use crate::internal;

/// What a document gets that belongs to none.
pub const NONE: &str = "none of these";

/// A classifier that was made for a step; all documents share it.
#[derive(Clone)]
pub struct Trained {
    classifier: Arc<Classifier>,
    validation: Option<Validation>,
    labels: usize,
    examples: usize,
}

impl Trained {
    /// Makes the classifier of a step. It costs an embedding for each label and example, and then some seconds for hundreds of
    /// examples; on the current rayon pool.
    ///
    /// # Errors
    /// `invalid_flow` when the labels cannot be told apart, `internal` when the model fails.
    pub fn new(classify: &Classify, model: &dyn Embedder) -> Result<Self, Failure> {
        let Classify { labels, threshold, model: _ } = classify;
        let of = |label: &sheaf_domain::flow::Label| classification::Label {
            name: label.name.clone(),
            description: Some(label.description.clone()).filter(|text| !text.trim().is_empty()),
            examples: label.examples.clone(),
        };
        let own: Vec<classification::Label> = labels.iter().map(of).collect();
        let Prepared { classifier, validation } =
            Classifier::prepare(model, &own, &[], *threshold as f32).map_err(unfit)?;
        let examples = labels.iter().map(|label| label.examples.len()).sum();
        Ok(Self { classifier: Arc::new(classifier), validation, labels: labels.len(), examples })
    }

    /// Whether the classifier is better when it has seen a sample of the texts that it is for.
    pub const fn adapts(&self) -> bool {
        self.validation.is_none()
    }

    /// The same for these texts in particular.
    ///
    /// # Errors
    /// When the model fails.
    pub fn adapted(&self, model: &dyn Embedder, sample: &[&str]) -> Result<Self, EmbedError> {
        let mut classifier = Classifier::clone(&self.classifier);
        classifier.adapt(model, sample)?;
        Ok(Self { classifier: Arc::new(classifier), ..self.clone() })
    }

    /// What is known of it before it is used.
    pub fn accuracy(&self) -> LabelAccuracy {
        let known = self.validation.as_ref();
        LabelAccuracy {
            labels: count(self.labels),
            examples: count(self.examples),
            learned: known.is_some_and(|known| known.penalty.is_some()),
            accuracy: known.map(|known| known.accuracy),
            log_loss: known.map(|known| known.log_loss),
            folds: known.map_or(0, |known| count(known.folds)),
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn unfit(error: ClassifyError) -> Failure {
    match error {
        ClassifyError::Embed(_) | ClassifyError::Training(_) | ClassifyError::UnknownLabel { .. } => internal(error),
        ClassifyError::TooFewLabels | ClassifyError::Twice(_) | ClassifyError::Wordless(_) => {
            Failure::new(FailureCode::InvalidFlow, error.to_string())
        }
    }
}

/// The label of a text with its probability and level; nothing when the text has no word that can be compared.
///
/// # Errors
/// `internal` when the model fails.
pub fn run(
    step: &str,
    classify: &Classify,
    model: &dyn Embedder,
    trained: &Trained,
    passages: &[Passage<'_>],
) -> Result<Vec<FoundValue>, Failure> {
    let decided = trained.classifier.classify(model, &[joined(passages).as_str()]).map_err(internal)?;
    let Some(decision) = decided.into_iter().flatten().next() else { return Ok(Vec::new()) };
    let name = decision.label.and_then(|label| classify.labels.get(label)).map_or(NONE, |label| label.name.as_str());
    let value = |field: &str, value: String| FoundValue {
        step: step.to_owned(),
        field: field.to_owned(),
        value,
        probability: Some(decision.probability),
        ..FoundValue::default()
    };
    Ok(vec![
        value("label", name.to_owned()),
        value("probability", format!("{:.4}", decision.probability)),
        value("confidence", decision.confidence.name().to_owned()),
    ])
}
