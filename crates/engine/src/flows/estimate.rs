//! What a run would take, from a few documents that are spread over it. No model is asked for that.

use std::collections::HashSet;
use std::time::Instant;

use sheaf_domain::Failure;
use sheaf_domain::flow::{Action, Estimated, FlowSpec, RunDocuments, Step};
use sheaf_store::RunInput;

use super::ask::{Cost, ModelPrices, Waits};
use super::execute::{self, Prepared};
use super::invalid;
use super::work::Shift;
use crate::Engine;

/// Documents that are tried.
const TRIED: usize = 6;
/// Documents of which is counted what questions about them would cost.
const COUNTED: usize = 24;
/// Documents among which they are chosen, evenly taken from all.
const LOOKED_AT: usize = 60;

/// Seconds that an answer of a model takes, from and to, as long as none was given.
const ANSWER_SECONDS: (f64, f64) = (0.05, 20.0);
/// Seconds after which a run that waits is taken up, and what is done is seen, at most.
const AROUND: f64 = 2.0;
/// Seconds for which a document is read from the database and its values are written there, at most.
const KEEPING: f64 = 0.02;

/// What was learned of a few documents.
#[derive(Default)]
struct Tried {
    /// What is made once for all, in seconds.
    prepare: f64,
    /// What each takes, in seconds.
    seconds: Vec<f64>,
    costs: Vec<Cost>,
}

/// How fast a model is asked.
#[derive(Clone, Copy)]
struct Asking {
    /// Seconds of an answer, from and to.
    answer: (f64, f64),
    /// The answers from which these are; 0 when it was not asked yet.
    timed: u32,
    /// Questions in a minute, at most.
    per_minute: u32,
    /// How long the server puts them off.
    waits: Waits,
    /// The answers from which it is known how many are sent back; 0 when there were none yet.
    judged: u32,
    /// The share of answers that are sent back to be mended, from and to.
    mended: (f64, f64),
}

/// Tokens with which an answer is sent back, besides itself and what was asked.
const SENT_BACK: f64 = 40.0;
/// The most answers that are had of one question, tries of its document included.
const MOST_ANSWERS: f64 = 10.0;

/// Answers for one question, when so large a share does not fit: the one that is sent back may do no better, and then its
/// document is tried again (the mean of a geometric series). One that always fails is asked once more, as far as can be foreseen.
fn answers_each(share: f64, judged: u32) -> f64 {
    if judged == 0 { 1.0 + share } else { (1.0 / (1.0 - share).max(f64::EPSILON)).min(MOST_ANSWERS) }
}

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
        let mut tried = Tried::default();
        for (place, input) in self.spread_over_clusters(&inputs).await?.into_iter().enumerate() {
            let Some(document) = self.store().document_text(input.batch, input.document).await? else { continue };
            tried.costs.push(execute::foreseen(&asking, &document));
            if place >= TRIED {
                continue;
            }
            let timed = async || {
                let since = Instant::now();
                execute::trial(self, &silent, &document).await;
                since.elapsed().as_secs_f64()
            };
            let mut seconds = timed().await;
            if tried.seconds.is_empty() {
                // The first one also makes what all others find made.
                let first = std::mem::replace(&mut seconds, timed().await);
                tried.prepare = (first - seconds).max(0.0);
            }
            tried.seconds.push(seconds);
        }
        let asking = spec.asks().then(|| self.asking());
        Ok(estimated(inputs.len(), &tried, asking, self.model_prices()))
    }

    /// How fast the model is asked: by its latest answers to this process, where there were some.
    fn asking(&self) -> Asking {
        let (model, config) = (self.model(), self.config().model.as_ref());
        let (timed, answer) = model.and_then(super::ask::Model::lately).unwrap_or((0, ANSWER_SECONDS));
        let (judged, mended) = model.map_or((0, (0.0, 1.0)), super::ask::Model::sent_back_lately);
        Asking {
            answer,
            timed,
            judged,
            mended,
            per_minute: config.map_or(u32::MAX, |config| config.per_minute.get()),
            waits: model.map(super::ask::Model::waits_lately).unwrap_or_default(),
        }
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
        let (first, rest): (Vec<_>, Vec<_>) = first.into_iter().enumerate().partition(|(place, _)| place % step == 0);
        let in_order = first.into_iter().chain(rest).map(|(_, candidate)| candidate).chain(others);
        Ok(in_order.map(|(_, input)| input).take(COUNTED).collect())
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
fn estimated(documents: usize, tried: &Tried, asking: Option<Asking>, prices: Option<&ModelPrices>) -> Estimated {
    let Tried { prepare, seconds, costs } = tried;
    if documents == 0 {
        return Estimated::default();
    }
    let of = |of: fn(&Cost) -> u64| total(documents, &costs.iter().map(|cost| of(cost) as f64).collect::<Vec<_>>());
    let questions = of(|cost| cost.questions);
    let asked = (of(|cost| cost.asked.0).0, of(|cost| cost.asked.1).1);
    let answers = (of(|cost| cost.answers.0).0, of(|cost| cost.answers.1).1);
    // Who mends an answer is sent it with all that was asked before.
    let each = asking.map_or((1.0, 1.0), |Asking { judged, mended, .. }| {
        (answers_each(mended.0, judged), answers_each(mended.1, judged))
    });
    let again = |asked: f64, answered: f64, questions: f64, each: f64| {
        (asked * each + (each - 1.0) * (answered + questions * SENT_BACK), answered * each)
    };
    let (least, most) = (again(asked.0, answers.0, 0.0, each.0), again(asked.1, answers.1, questions.1, each.1));
    let (asked, answers) = ((least.0, most.0), (least.1, most.1));
    let questions = (questions.0 * each.0, questions.1 * each.1);
    let whole = |from: f64, to: f64| (from.floor() as u64, to.ceil() as u64);
    let (sent, said) = (whole(asked.0, asked.1), whole(answers.0, answers.1));
    let prices = prices.filter(|_| asking.is_some());
    let waits = asking.map(|asking| asking.waits).unwrap_or_default();
    Estimated {
        documents: documents as u64,
        tried: u32::try_from(seconds.len()).unwrap_or(u32::MAX),
        seconds: time(documents, (*prepare, seconds), asking.map(|asking| (asking, questions))),
        tokens: (sent.0 + said.0, sent.1 + said.1),
        answers_timed: asking.map_or(0, |asking| asking.timed),
        answers_judged: asking.map_or(0, |asking| asking.judged),
        mended: asking.map_or((0.0, 0.0), |asking| asking.mended),
        per_minute: asking.map_or(0, |asking| asking.per_minute),
        waits_known: waits.known,
        put_off: waits.put_off,
        wait_seconds: waits.seconds,
        money: prices.map(|prices| (prices.of((sent.0, said.0)), prices.of((sent.1, said.1)))),
    }
}

/// Seconds, from and to, of this process with nothing else to do.
fn time(documents: usize, (prepare, each): (f64, &[f64]), asking: Option<(Asking, (f64, f64))>) -> (f64, f64) {
    let number = documents as f64;
    let cores = std::thread::available_parallelism().map_or(2, usize::from) as f64;
    let at_once = (Shift::for_all().at_once as f64).min(number);
    let least = each.iter().copied().fold(f64::INFINITY, f64::min);
    let least = if least.is_finite() { least } else { 0.0 };
    let most = each.iter().copied().fold(0.0, f64::max);
    let mut from = number * least / 2.0 / cores;
    let mut to = AROUND + 2.0 * prepare + number * (2.0 * most / cores.min(number) + KEEPING);
    if let Some((Asking { answer, timed: _, per_minute, waits, judged: _, mended: _ }, questions)) = asking {
        let rate = f64::from(per_minute) / 60.0;
        // A second's worth is there at the beginning.
        let held_up = |requests: f64| (requests / rate - 1.0).max(0.0);
        // Who is put off keeps its place, and takes another one of the rate when it comes again.
        let each = (answer.0 + waits.seconds.0, answer.1 + waits.seconds.1);
        let requests = (questions.0 * (1.0 + waits.further.0), questions.1 * (1.0 + waits.further.1));
        from = from.max(questions.0 * each.0 / at_once).max(held_up(requests.0));
        to += questions.1 * each.1 / at_once + each.1 + requests.1 / rate;
    }
    (from, to)
}

/// The sum over all documents by some of them, from and to: no less than theirs, and within 2.5 standard errors of the mean
/// (Cochran, Sampling Techniques, 1977, 2.9, with the correction for finite populations).
fn total(documents: usize, some: &[f64]) -> (f64, f64) {
    let (all, n) = (documents as f64, some.len() as f64);
    if some.is_empty() {
        return (0.0, 0.0);
    }
    let sum: f64 = some.iter().sum();
    let mean = sum / n;
    let variance = some.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    let margin = 2.5 * all * (variance / n * (1.0 - n / all).max(0.0)).sqrt();
    ((all * mean - margin).max(sum), all * mean + margin)
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
        let cost = |asked: u64| Cost { questions: 1, asked: (asked, asked * 2), answers: (5, 100) };
        let tried = Tried { prepare: 1.0, seconds: vec![0.1, 0.3], costs: vec![cost(90), cost(110)] };
        let prices = ModelPrices { input: 1.0, output: 2.0, currency: "USD".to_owned() };
        let (per_minute, waits) = (u32::MAX, Waits::default());
        let asking = Asking { answer: (0.5, 2.0), timed: 3, per_minute, waits, judged: 64, mended: (0.0, 0.0) };
        let both = estimated(2, &tried, Some(asking), None);
        assert_eq!((both.tried, both.tokens, both.money), (2, (210, 600), None), "all were counted");
        let many = estimated(100, &tried, Some(asking), Some(&prices));
        let (from, to) = many.tokens;
        assert!((200..10_500).contains(&from) && (30_000..40_000).contains(&to), "{many:?}");
        assert!(many.money.is_some_and(|(from, to)| 0.0 < from && from < to && to < 0.05), "{many:?}");
        assert!(both.seconds.0 < both.seconds.1 && both.seconds.1 < many.seconds.1);
        let unknown = estimated(2, &tried, Some(Asking { judged: 0, mended: (0.0, 1.0), ..asking }), None);
        assert_eq!(unknown.tokens, (210, 600 + 600 + 200 + 2 * 40), "each is sent back once at most");
        let half = estimated(2, &tried, Some(Asking { mended: (0.5, 0.5), ..asking }), None);
        assert_eq!(half.tokens, (210 + 210 + 10, 600 + 600 + 200 + 2 * 40), "two answers for each question");
        assert!(half.seconds.1 > both.seconds.1 && answers_each(1.0, 64) <= MOST_ANSWERS);
        let slow = estimated(100, &tried, Some(Asking { per_minute: 6, ..asking }), None);
        assert!(slow.seconds.0 >= 990.0, "the rate holds it up: {slow:?}");
        let waits = Waits { known: 64, put_off: 20, seconds: (10.0, 40.0), further: (0.2, 1.0) };
        let busy = estimated(100, &tried, Some(Asking { waits, ..asking }), None);
        let free = estimated(100, &tried, Some(asking), None);
        assert!(busy.seconds.0 > 5.0 * free.seconds.0 && busy.seconds.1 > 5.0 * free.seconds.1, "{busy:?} {free:?}");
        assert_eq!((busy.put_off, busy.wait_seconds, busy.tokens), (20, (10.0, 40.0), free.tokens));
        let busy = estimated(100, &tried, Some(Asking { waits, per_minute: 6, ..asking }), None);
        assert!(busy.seconds.0 >= 1190.0, "who comes again counts again: {busy:?}");
        let silent = estimated(100, &tried, None, Some(&prices));
        assert_eq!((silent.money, silent.answers_timed), (None, 0));
        assert_eq!(estimated(0, &Tried::default(), Some(asking), Some(&prices)), Estimated::default());
    }

    #[test]
    fn a_sum_is_as_uncertain_as_its_parts_differ() {
        assert_eq!(total(10, &[5.0, 5.0]), (50.0, 50.0));
        assert_eq!(total(2, &[1.0, 9.0]), (10.0, 10.0), "all are known");
        let (from, to) = total(1000, &[1.0, 2.0, 3.0, 2.0, 1.0, 3.0]);
        assert!((900.0..1800.0).contains(&from) && (2200.0..3200.0).contains(&to), "{from} {to}");
        assert_eq!(total(10, &[]), (0.0, 0.0));
    }
}
