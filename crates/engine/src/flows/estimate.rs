//! What a run would take, from a few documents that are spread over it. No model is asked for that.

use std::collections::HashSet;
use std::time::Instant;

use sheaf_domain::Failure;
use sheaf_domain::flow::{Action, Estimated, FlowSpec, RunDocuments, Step};
use sheaf_store::RunInput;

use super::ask::{Cost, ModelPrices};
use super::execute::{self, Prepared};
use super::invalid;
use crate::Engine;

/// Documents that are tried.
const TRIED: usize = 6;
/// Documents among which they are chosen, evenly taken from all.
const LOOKED_AT: usize = 60;

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
        let mut tried: Vec<(f64, Cost)> = Vec::new();
        for input in self.spread_over_clusters(&inputs).await? {
            let Some(document) = self.store().document_text(input.batch, input.document).await? else { continue };
            let since = Instant::now();
            execute::trial(self, &silent, &document).await;
            tried.push((since.elapsed().as_secs_f64(), execute::foreseen(&asking, &document)));
        }
        Ok(estimated(inputs.len(), &tried, spec.asks(), self.model_prices()))
    }

    /// A few documents, first one of each cluster that is met, then others.
    async fn spread_over_clusters<'a>(&self, inputs: &'a [RunInput]) -> Result<Vec<&'a RunInput>, Failure> {
        let step = inputs.len().div_ceil(LOOKED_AT).max(1);
        let mut candidates = Vec::new();
        for input in inputs.iter().step_by(step) {
            let found = self.store().document(input.batch, input.document).await?;
            candidates.push((found.and_then(|(_, row)| row.cluster).map(|cluster| (input.batch, cluster)), input));
        }
        let mut met = HashSet::new();
        let (first, others): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|(cluster, _)| met.insert(*cluster));
        // More clusters than are tried: evenly taken, too.
        let step = first.len().div_ceil(TRIED).max(1);
        let chosen = first.into_iter().step_by(step).chain(others).map(|(_, input)| input);
        Ok(chosen.take(TRIED).collect())
    }

    /// What the model costs, if the operator said so.
    pub fn model_prices(&self) -> Option<&ModelPrices> {
        self.config().model.as_ref()?.prices.as_ref()
    }

    /// The name of the model that flows may ask.
    pub fn model_name(&self) -> Option<&str> {
        self.config().model.as_ref().map(|model| model.name.as_str())
    }
}

/// From the least to the most of what was tried, for all.
fn estimated(documents: usize, tried: &[(f64, Cost)], asks: bool, prices: Option<&ModelPrices>) -> Estimated {
    let number = documents as f64;
    let slots = std::thread::available_parallelism().map_or(2, usize::from) as f64;
    let mean = tried.iter().map(|(seconds, _)| seconds).sum::<f64>() / (tried.len().max(1) as f64);
    let most = tried.iter().map(|(seconds, _)| *seconds).fold(0.0, f64::max);
    let waits = if asks { ANSWER_SECONDS } else { (0.0, 0.0) };
    let tokens = |of: fn(&Cost) -> u64| {
        let sum: u64 = tried.iter().map(|(_, cost)| of(cost)).sum();
        sum.saturating_mul(documents as u64) / (tried.len().max(1) as u64)
    };
    let (asked, least, at_most) = (tokens(|c| c.asked), tokens(|c| c.answers.0), tokens(|c| c.answers.1));
    let money = prices.filter(|_| asks).map(|prices| (prices.of((asked, least)), prices.of((asked, at_most))));
    Estimated {
        documents: documents as u64,
        tried: u32::try_from(tried.len()).unwrap_or(u32::MAX),
        seconds: (number * (mean / 2.0 + waits.0) / slots, number * (most.max(mean) + waits.1) / slots),
        tokens: (asked + least, asked + at_most),
        money,
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
        let cost = |asked, from, to| Cost { asked, answers: (from, to) };
        let tried = [(0.1, cost(90, 10, 210)), (0.3, cost(290, 10, 210))];
        let prices = ModelPrices { input: 1.0, output: 2.0, currency: "USD".to_owned() };
        let few = estimated(10, &tried, true, None);
        let many = estimated(100, &tried, true, Some(&prices));
        assert_eq!((few.tried, few.tokens, many.tokens), (2, (2000, 4000), (20_000, 40_000)));
        let near = |(from, to): (f64, f64)| (from - 0.021).abs() < 1e-9 && (to - 0.061).abs() < 1e-9;
        assert!(few.money.is_none() && many.money.is_some_and(near), "{many:?}");
        assert!(few.seconds.0 < few.seconds.1 && few.seconds.1 < many.seconds.1);
        assert_eq!(estimated(0, &[], false, Some(&prices)), Estimated::default());
    }
}
