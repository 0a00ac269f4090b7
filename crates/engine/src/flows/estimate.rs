//! What a run would take, from a few documents that are spread over it. No model is asked for that.

use std::time::Instant;

use sheaf_domain::Failure;
use sheaf_domain::flow::{Action, Estimated, FlowSpec, RunDocuments, Step};

use super::execute::{self, Prepared};
use super::invalid;
use crate::Engine;

/// Documents that are tried: from the beginning, the end and between, so that several clusters are met.
const TRIED: usize = 5;

/// Seconds that an answer of a model takes, from and to.
const ANSWER_SECONDS: (f64, f64) = (0.5, 20.0);

impl Engine {
    /// Tries all steps but questions on a few documents, and counts what the questions would cost.
    ///
    /// # Errors
    /// `invalid_flow`, `not_found`, `storage`.
    pub async fn estimate_run(&self, spec: &FlowSpec, documents: &RunDocuments) -> Result<Estimated, Failure> {
        super::refuse(spec, &Self::check_flow(spec))?;
        let inputs = self.run_inputs(documents).await?;
        let prepare = |spec: &FlowSpec| Prepared::new(spec).map_err(|problems| invalid(spec, &problems));
        let (asking, silent) = (prepare(spec)?, prepare(&without_questions(spec))?);
        let step = (inputs.len() / TRIED).max(1);
        let mut tried: Vec<(f64, (u64, u64))> = Vec::new();
        for input in inputs.iter().step_by(step).take(TRIED) {
            let Some(document) = self.store().document_text(input.batch, input.document).await? else { continue };
            let since = Instant::now();
            execute::trial(self, &silent, &document).await;
            tried.push((since.elapsed().as_secs_f64(), execute::foreseen(&asking, &document)));
        }
        Ok(spread(inputs.len(), &tried, spec.asks()))
    }
}

/// From the least to the most of what was tried, for all.
fn spread(documents: usize, tried: &[(f64, (u64, u64))], asks: bool) -> Estimated {
    let number = documents as f64;
    let slots = std::thread::available_parallelism().map_or(2, usize::from) as f64;
    let mean = tried.iter().map(|(seconds, _)| seconds).sum::<f64>() / (tried.len().max(1) as f64);
    let most = tried.iter().map(|(seconds, _)| *seconds).fold(0.0, f64::max);
    let waits = if asks { ANSWER_SECONDS } else { (0.0, 0.0) };
    let tokens = |of: fn(&(u64, u64)) -> u64| {
        let sum: u64 = tried.iter().map(|(_, tokens)| of(tokens)).sum();
        sum.saturating_mul(documents as u64) / (tried.len().max(1) as u64)
    };
    Estimated {
        documents: documents as u64,
        tried: u32::try_from(tried.len()).unwrap_or(u32::MAX),
        seconds: (number * (mean / 2.0 + waits.0) / slots, number * (most.max(mean) + waits.1) / slots),
        tokens: (tokens(|tokens| tokens.0), tokens(|tokens| tokens.1)),
    }
}

/// The flow without steps that ask, and without those that work on their answers.
fn without_questions(spec: &FlowSpec) -> FlowSpec {
    let asks = |step: &Step| matches!(step.action, Action::Ask(_));
    let asked: Vec<&str> = spec.steps.iter().filter(|step| asks(step)).map(|step| step.name.as_str()).collect();
    let depends = |step: &Step| match &step.action {
        Action::Resolve(resolve) => asked.contains(&resolve.column.split('.').next().unwrap_or_default()),
        Action::Format(_) | Action::Ask(_) => true,
        Action::Select(_) | Action::Find(_) | Action::Classify(_) | Action::Keywords(_) | Action::Summary(_) => false,
    };
    FlowSpec { steps: spec.steps.iter().filter(|step| !depends(step)).cloned().collect(), ..spec.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_grows_with_the_documents() {
        let tried = [(0.1, (100, 300)), (0.3, (300, 500))];
        let few = spread(10, &tried, true);
        let many = spread(100, &tried, true);
        assert_eq!((few.tried, few.tokens, many.tokens), (2, (2000, 4000), (20_000, 40_000)));
        assert!(few.seconds.0 < few.seconds.1 && few.seconds.1 < many.seconds.1);
        assert_eq!(spread(0, &[], false), Estimated::default());
    }
}
