//! Texts to vectors, many documents at a time; remembered by content.

use std::collections::HashSet;
use std::sync::Arc;

use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use sheaf_analysis::{CHUNKING_VERSION, Embedder, Terms, embed_documents};
use sheaf_domain::{Failure, FailureCode, JobId, ModelName, Stage};
use sheaf_store::{Claim, EmbedInput, EmbedOutcome, EmbedResult, Vectored};
use tokio::task::spawn_blocking;

use crate::{Engine, internal, metrics};

/// Under which key the vector of a parsed text is remembered.
pub fn key(parse_key: &str, model: &dyn Embedder) -> String {
    format!("{parse_key}:{}:{CHUNKING_VERSION}", model.id())
}

/// A text and the language it is in, if that is known.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    pub text: &'a str,
    pub language: Option<&'a str>,
}

/// Vectors and word counts of texts, in their order, on all threads of the current rayon pool.
///
/// # Errors
/// `internal` when the model fails as a whole. A text without a usable word is a failure of its own, `no_text`.
pub fn embed(model: &dyn Embedder, texts: &[Text<'_>]) -> Result<Vec<Result<Vectored, Failure>>, Failure> {
    let plain: Vec<&str> = texts.iter().map(|t| t.text).collect();
    let vectors = embed_documents(model, &plain, &|_| {}).map_err(internal)?;
    Ok(texts.par_iter().zip(vectors).map(|(text, vector)| vectored(*text, vector)).collect())
}

fn vectored(text: Text<'_>, vector: Option<Vec<f32>>) -> Result<Vectored, Failure> {
    let vector =
        vector.ok_or_else(|| Failure::new(FailureCode::NoText, "its text holds no word that can be compared"))?;
    let terms = postcard::to_allocvec(&Terms::of(text.text, text.language)).map_err(internal)?;
    Ok(Vectored { vector, terms })
}

pub(crate) async fn run(engine: &Engine, claims: &[Claim]) -> Result<(), Failure> {
    let mut inputs = engine.store().embed_inputs(claims).await?;
    for name in ModelName::ALL {
        let (of_model, rest): (Vec<_>, Vec<_>) = inputs.into_iter().partition(|input| input.params.model == name);
        inputs = rest;
        if !of_model.is_empty() {
            run_with(engine, name, of_model).await?;
        }
    }
    Ok(())
}

async fn run_with(engine: &Engine, name: ModelName, inputs: Vec<EmbedInput>) -> Result<(), Failure> {
    let model = engine.models().get(name).await?;
    let keys: Vec<String> = inputs.iter().map(|input| key(&input.parse_key, &*model)).collect();
    let known = engine.store().remembered_vectors(&keys).await?;
    let (old, new): (Vec<_>, Vec<_>) = inputs.into_iter().zip(keys).partition(|(_, key)| known.contains(key));
    metrics::remembered(Stage::Embed, old.len());
    metrics::worked(Stage::Embed, new.len());
    let mut results: Vec<EmbedResult> = old
        .into_iter()
        .map(|(input, key)| EmbedResult { claim: input.claim, key, outcome: EmbedOutcome::Remembered })
        .collect();
    if !new.is_empty() {
        let embedded = spawn_blocking(move || embed_new(&model, new)).await.map_err(internal)?;
        results.extend(embedded?);
    }
    let finished = metrics::of_queue(Stage::Embed, "complete", engine.store().complete_embed(&results)).await?;
    count(&results, &finished);
    Ok(())
}

/// Counts what was finished; what was not is counted by who has its lease now.
fn count(results: &[EmbedResult], finished: &[JobId]) {
    let finished: HashSet<&JobId> = finished.iter().collect();
    for result in results.iter().filter(|result| finished.contains(&result.claim.job)) {
        match &result.outcome {
            EmbedOutcome::Vectored(_) | EmbedOutcome::Remembered => metrics::completed(Stage::Embed, 1),
            EmbedOutcome::Failed(failure) => metrics::failed(Stage::Embed, failure),
        }
    }
}

fn embed_new(model: &Arc<dyn Embedder>, inputs: Vec<(EmbedInput, String)>) -> Result<Vec<EmbedResult>, Failure> {
    let texts: Vec<Text<'_>> =
        inputs.iter().map(|(input, _)| Text { text: &input.text, language: input.language.as_deref() }).collect();
    let outcomes = embed(&**model, &texts)?;
    Ok(inputs
        .into_iter()
        .zip(outcomes)
        .map(|((input, key), outcome)| EmbedResult {
            claim: input.claim,
            key,
            outcome: outcome.map_or_else(EmbedOutcome::Failed, EmbedOutcome::Vectored),
        })
        .collect())
}
