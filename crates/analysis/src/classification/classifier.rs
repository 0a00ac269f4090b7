//! The classifier: made once from labels and examples, then used on any number of texts.

use rayon::prelude::*;
use sheaf_domain::ModelName;
use thiserror::Error;

use super::adapt::{Adapted, WARMTH, adapt, centred};
use super::calibration::softmax;
use super::label::{self, Label};
use super::logistic::Weights;
use super::validation::{FOLDS, Labelled, Recipe, Validation, choose, fit_with_meanings, likeliest};
use crate::embedding::{EmbedError, Embedder, embed_documents, normalise};
use crate::similarities;

/// The probability below which no label is given, where nothing else was asked for: one such guess in ten is right.
pub const NONE_BELOW: f32 = 0.1;
/// Examples that a classifier learns from; of more, as many of each label are taken as there is room for.
pub const TRAINED_EXAMPLES: usize = 6_000;
/// Examples from which on cross-validation says something.
const FEW: usize = 2 * FOLDS;
/// Texts that are scored with one matrix product.
const MICROBATCH: usize = 256;

/// A text with the position of its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    pub label: usize,
    pub text: String,
}

/// Why a classifier cannot be made or used.
#[derive(Debug, Error)]
pub enum ClassifyError {
    #[error("a choice needs at least two labels")]
    TooFewLabels,
    #[error("two labels are called `{0}`")]
    Twice(String),
    #[error("label `{0}` has no word that says what it means: give it a description")]
    Wordless(String),
    #[error("an example has label number {label}; there are {labels}")]
    UnknownLabel { label: usize, labels: usize },
    #[error("the classifier cannot be trained: {0}")]
    Training(String),
    #[error(transparent)]
    Embed(EmbedError),
}

/// How sure a decision is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    Low,
    Medium,
    High,
}

impl Confidence {
    /// High above 0.7, medium from 0.4.
    pub const fn of(probability: f32) -> Self {
        if probability > 0.7 {
            Self::High
        } else if probability >= 0.4 {
            Self::Medium
        } else {
            Self::Low
        }
    }

    /// As it is written into results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// What a text was found to be about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// The position of its label; `None`: none of these.
    pub label: Option<usize>,
    /// The likeliest label, given or not.
    pub likeliest: usize,
    /// How likely that one is, 0 to 1.
    pub probability: f32,
    pub confidence: Confidence,
}

/// A classifier and what is known of it before it is used.
pub struct Prepared {
    pub classifier: Classifier,
    /// `None` without examples, or with fewer than ten: then nothing can be said.
    pub validation: Option<Validation>,
}

/// Scores texts against labels; its model is the one that it was made with.
#[derive(Clone)]
pub struct Classifier {
    /// The labels' meanings, `labels x dimensions`.
    meanings: Vec<f32>,
    /// Empty where the meanings alone decide.
    weights: Weights,
    /// The middle of each label's examples and meaning.
    centres: Vec<f32>,
    /// Where the meanings alone decide: what the pile is like.
    adapted: Option<Adapted>,
    recipe: Recipe,
    warmth: f32,
    none_below: f32,
    stranger: f32,
}

/// What similarities are divided by to become scores, and the similarity to every label below which a text is about none
/// of them. They are properties of the models' vectors: between what fits short news with labels of one word and letters with labels of several. Without
/// examples a probability is therefore only roughly calibrated.
const fn scale(model: ModelName) -> (f32, f32) {
    match model {
        ModelName::Accurate => (0.055, 0.02),
        ModelName::Fast => (0.06, 0.02),
    }
}

impl Classifier {
    /// Makes one from what the labels mean, their examples and further ones. On the current rayon pool; the same for the same
    /// input, whatever the number of threads. Below `none_below` a probability gives no label.
    ///
    /// # Errors
    /// See [`ClassifyError`].
    pub fn prepare(
        model: &dyn Embedder,
        labels: &[Label],
        examples: &[Example],
        none_below: f32,
    ) -> Result<Prepared, ClassifyError> {
        check(labels, examples)?;
        let (warmth, stranger) = scale(model.name());
        let meanings = label::vectors(model, labels)?;
        let (texts, of) = taken(labels, examples);
        let vectors = embed_documents(model, &texts, &|_| {})?;
        let known = vectors.iter().zip(&of).filter_map(|(vector, &of)| Some((vector.as_deref()?, of)));
        let (vectors, of): (Vec<&[f32]>, Vec<usize>) = known.unzip();
        let examples = Labelled { vectors, of };
        let centres = centres(&meanings, &examples, model.dimensions());
        let mut classifier = Self {
            meanings,
            weights: Weights::default(),
            centres,
            adapted: None,
            recipe: Recipe { penalty: None, share: 1.0, temperature: 1.0 },
            warmth,
            none_below,
            stranger,
        };
        if examples.of.len() < FEW {
            // Too few to learn a weight from; they still say what a label means.
            classifier.meanings.clone_from(&classifier.centres);
            return Ok(Prepared { classifier, validation: None });
        }
        let (recipe, validation) = choose(&classifier.meanings, warmth, &examples)?;
        if let Some(penalty) = recipe.penalty {
            classifier.weights = fit_with_meanings(&classifier.meanings, &examples, penalty)?;
        }
        classifier.recipe = recipe;
        Ok(Prepared { classifier, validation: Some(validation) })
    }

    /// Fits labels without examples to a sample of the texts that they are for, evenly taken from all of them. Nothing changes
    /// where examples were learned from, or for fewer texts than [`LEAST_TEXTS`](super::LEAST_TEXTS).
    ///
    /// # Errors
    /// See [`Embedder::embed_chunks`].
    pub fn adapt(&mut self, model: &dyn Embedder, sample: &[&str]) -> Result<(), EmbedError> {
        if self.weights.rows.is_empty() {
            let vectors = embed_documents(model, sample, &|_| {})?;
            let texts: Vec<f32> = vectors.into_iter().flatten().flatten().collect();
            self.adapted = adapt(&self.meanings, &texts, model.dimensions());
        }
        Ok(())
    }

    /// One decision for each text, `None` where a text has no usable word. On the current rayon pool.
    ///
    /// # Errors
    /// See [`Embedder::embed_chunks`].
    pub fn classify(&self, model: &dyn Embedder, texts: &[&str]) -> Result<Vec<Option<Decision>>, EmbedError> {
        let vectors = embed_documents(model, texts, &|_| {})?;
        let decisions: Vec<Vec<Option<Decision>>> = vectors
            .par_chunks(MICROBATCH)
            .map(|microbatch| {
                let known: Vec<f32> = microbatch.iter().flatten().flatten().copied().collect();
                let mut decided = self.decide(&known, model.dimensions()).into_iter();
                microbatch.iter().map(|vector| vector.as_ref().and_then(|_| decided.next())).collect()
            })
            .collect();
        Ok(decisions.concat())
    }

    /// Decisions for unit vectors, row by row.
    fn decide(&self, vectors: &[f32], dimensions: usize) -> Vec<Decision> {
        let labels = self.meanings.len() / dimensions;
        let (mut scores, by) = match &self.adapted {
            Some(Adapted { mean, directions }) => {
                (similarities(&centred(vectors, mean), directions, dimensions), 1.0 / WARMTH)
            }
            None => (similarities(vectors, &self.meanings, dimensions), self.recipe.share / self.warmth),
        };
        scores.iter_mut().for_each(|score| *score *= by);
        if !self.weights.rows.is_empty() {
            let weighed = crate::matrix::products(vectors, &self.weights.rows, dimensions);
            for (scores, weighed) in scores.chunks_exact_mut(labels).zip(weighed.chunks_exact(labels)) {
                for ((score, x), intercept) in scores.iter_mut().zip(weighed).zip(&self.weights.intercepts) {
                    *score += x + intercept;
                }
            }
        }
        let near = similarities(vectors, &self.centres, dimensions);
        let temperature = self.recipe.temperature as f32;
        scores
            .chunks_exact_mut(labels)
            .zip(near.chunks_exact(labels))
            .map(|(scores, near)| {
                scores.iter_mut().for_each(|score| *score /= temperature);
                softmax(scores);
                let likeliest = likeliest(scores);
                let probability = scores[likeliest];
                let is_stranger = near.iter().all(|similarity| *similarity < self.stranger);
                let label = (probability >= self.none_below && !is_stranger).then_some(likeliest);
                Decision { label, likeliest, probability, confidence: Confidence::of(probability) }
            })
            .collect()
    }
}

fn check(labels: &[Label], examples: &[Example]) -> Result<(), ClassifyError> {
    if labels.len() < 2 {
        return Err(ClassifyError::TooFewLabels);
    }
    let mut names: Vec<&str> = labels.iter().map(|label| label.name.as_str()).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(ClassifyError::Twice(pair[0].to_owned()));
    }
    match examples.iter().find(|example| example.label >= labels.len()) {
        Some(example) => Err(ClassifyError::UnknownLabel { label: example.label, labels: labels.len() }),
        None => Ok(()),
    }
}

/// The texts to learn from with their labels: all, or evenly as many of each label as there is room for.
fn taken<'a>(labels: &'a [Label], examples: &'a [Example]) -> (Vec<&'a str>, Vec<usize>) {
    let own = labels.iter().enumerate().flat_map(|(label, of)| of.examples.iter().map(move |text| (text, label)));
    let mut by_label: Vec<Vec<&str>> = vec![Vec::new(); labels.len()];
    for (text, label) in own.chain(examples.iter().map(|example| (&example.text, example.label))) {
        by_label[label].push(text);
    }
    let total: usize = by_label.iter().map(Vec::len).sum();
    let most = if total > TRAINED_EXAMPLES { (TRAINED_EXAMPLES / labels.len()).max(1) } else { usize::MAX };
    by_label
        .iter()
        .enumerate()
        .flat_map(|(label, texts)| {
            let count = texts.len().min(most);
            (0..count).map(move |i| (texts[i * texts.len() / count], label))
        })
        .unzip()
}

/// The normalised middle of each label's examples and meaning.
fn centres(meanings: &[f32], examples: &Labelled<'_>, dimensions: usize) -> Vec<f32> {
    let mut centres = meanings.to_vec();
    for (vector, label) in examples.vectors.iter().zip(&examples.of) {
        label::add(&mut centres[label * dimensions..][..dimensions], Some(vector));
    }
    for (centre, meaning) in centres.chunks_exact_mut(dimensions).zip(meanings.chunks_exact(dimensions)) {
        if !normalise(centre) {
            centre.copy_from_slice(meaning); // Examples that cancel each other say nothing.
        }
    }
    centres
}
