//! The form that begins a run: the flow, the documents, the cost, the name.

use leptos::either::Either;
use leptos::prelude::*;
use sheaf_domain::flow::{Estimated, Flow};
use sheaf_domain::{Batch, Failure};
use sheaf_engine::ModelPrices;

use super::picker::{Library, Picker};
use crate::boxed::Boxed;
use crate::components::failure::FailureView;
use crate::format::{count, counted, duration};
use crate::run_form::{Pick, RunForm};

/// All that the form shows.
#[derive(Clone, Debug)]
pub struct Offer {
    pub form: RunForm,
    pub flows: Vec<Flow>,
    pub batches: Vec<Batch>,
    /// Whether there are older batches than these.
    pub has_older: bool,
    pub chips: Vec<Chip>,
    /// What it would take; absent where nothing was chosen.
    pub estimate: Option<Result<Estimated, Failure>>,
    pub library: Option<Library>,
    /// Why it did not begin.
    pub failure: Option<Failure>,
    /// Whether the flow asks a model, and none was allowed.
    pub model_missing: bool,
    pub prices: Option<ModelPrices>,
}

/// A choice, as people read it.
#[derive(Clone, Debug)]
pub struct Chip {
    pub pick: Pick,
    pub label: String,
    pub documents: u64,
}

#[component]
pub fn Begin(offer: Offer) -> impl IntoView {
    let Offer { form, flows, batches, has_older, chips, estimate, library, failure, model_missing, prices } = offer;
    if flows.is_empty() {
        return Either::Left(view! { <NoFlows /> });
    }
    let flow_option = |flow: &Flow| {
        let is_chosen = form.flow == Some(flow.id);
        view! {
            <option value=flow.id.to_string() selected=is_chosen>
                {flow.spec.name.clone()}
            </option>
        }
    };
    let is_chosen = !chips.is_empty();
    let asks = flows.iter().any(|flow| Some(flow.id) == form.flow && flow.spec.asks());
    Either::Right(view! {
        <div class="page run-begin">
            <nav class="crumbs" aria-label="Where this is">
                <a href="/runs">"Runs"</a>
            </nav>
            <h1>"New run"</h1>
            {failure.map(|failure| view! { <FailureView failure /> })}
            <form method="post" action="/runs" class="run-form">
                // The first button is the one that the Enter key presses.
                <button type="submit" name="act" value="find" hidden></button>
                <div class="run-main">
                    <label class="field">
                        <span>"Flow"</span>
                        <select name="flow" required>
                            {flows.iter().map(flow_option).collect_view()}
                        </select>
                    </label>
                    {model_missing
                        .then(|| {
                            view! {
                                <p class="notice" role="status">
                                    "This flow asks a language model, and none was allowed. Start Sheaf with --model-endpoint and the address of a server."
                                </p>
                            }
                        })}
                    <Picker form=form.clone() batches has_older library />
                </div>
                <aside class="run-side">
                    <Chosen chips />
                    <Taken estimate is_chosen prices=prices.clone() />
                    <label class="field">
                        <span>"Name (made from the flow and the time when empty)"</span>
                        <input name="name" maxlength="200" value=form.name.clone() />
                    </label>
                    {asks.then(|| view! { <Limits form=form.clone() prices /> })}
                    <p class="actions">
                        <button class="button primary" type="submit" name="act" value="start" disabled=!is_chosen data-testid="start-run">
                            "Start"
                        </button>
                        <button class="button quiet" type="submit" name="act" value="look">
                            "Estimate"
                        </button>
                    </p>
                </aside>
            </form>
        </div>
    })
}

#[component]
fn NoFlows() -> impl IntoView {
    view! {
        <div class="page narrow">
            <h1>"New run"</h1>
            <div class="empty" data-testid="no-flows">
                <p class="empty-title">"There is no flow yet"</p>
                <p>"A run carries out a flow. Take one of the templates and save it; then come back."</p>
                <p>
                    <a class="button" href="/flows" rel="external">
                        "To the flows"
                    </a>
                </p>
            </div>
        </div>
    }
}

/// What was chosen; each choice can be taken back.
#[component]
fn Chosen(chips: Vec<Chip>) -> impl IntoView {
    let total: u64 = chips.iter().map(|chip| chip.documents).sum();
    let chip = |(place, chip): (usize, Chip)| {
        let Chip { pick, label, documents } = chip;
        view! {
            <li class="chip" data-testid="chip">
                <input type="hidden" name="pick" value=pick.write() />
                <bdi>{label.clone()}</bdi>
                <span class="fine tabular">{count(documents)}</span>
                <button
                    type="submit"
                    name="act"
                    value=format!("drop {place}")
                    aria-label=format!("Take {label} back")
                    title="Take it back"
                >
                    "\u{00d7}"
                </button>
            </li>
        }
    };
    let is_empty = chips.is_empty();
    view! {
        <section aria-labelledby="chosen-title">
            <h2 id="chosen-title">{if is_empty { "Nothing is chosen".to_owned() } else { counted(total, "document", "documents") }}</h2>
            {is_empty.then(|| view! { <p class="fine">"Tick batches or documents, then press Add."</p> })}
            <ul class="chips">{chips.into_iter().enumerate().map(chip).collect_view()}</ul>
        </section>
    }
}

/// What the run would take.
#[component]
fn Taken(estimate: Option<Result<Estimated, Failure>>, is_chosen: bool, prices: Option<ModelPrices>) -> impl IntoView {
    let Some(estimate) = estimate else {
        return is_chosen.then(|| view! { <p class="fine">"Press Estimate to see what it would take."</p> }.boxed());
    };
    let estimate = match estimate {
        Ok(estimate) => estimate,
        Err(failure) => return Some(view! { <FailureView failure /> }.boxed()),
    };
    let held_up = held_up(&estimate);
    let Estimated { documents, tried, seconds, tokens, answers_timed, answers_judged, mended, money, .. } = estimate;
    let whole = |seconds: f64| seconds.ceil().clamp(0.0, 1e15) as u64;
    let time = match (whole(seconds.0), whole(seconds.1)) {
        (from, to) if from == to => format!("about {}", duration(to)),
        (from, to) => format!("{} to {}", duration(from), duration(to)),
    };
    let used = match tokens {
        (0, 0) => "none: no model is asked".to_owned(),
        (from, to) => format!("{} to {}", count(from), count(to)),
    };
    let rests = match (tokens, answers_timed) {
        ((0, 0), _) => String::new(),
        (_, 0) => {
            " The model was not asked yet: how long it takes is a wide guess. Answers that are remembered cost nothing."
                .to_owned()
        }
        (_, timed) => format!(
            " The model's time is that of its latest {}. Answers that are remembered cost nothing.",
            counted(timed.into(), "answer", "answers"),
        ),
    };
    let back = match (tokens, answers_judged) {
        ((0, 0), _) => String::new(),
        (_, 0) => " The larger numbers count every answer as sent back once, because it does not fit.".to_owned(),
        (_, judged) => format!(
            " Of its latest {} it is taken that {:.0} to {:.0} % are sent back because they do not fit; each costs again.",
            counted(judged.into(), "answer", "answers"),
            mended.0 * 100.0,
            mended.1 * 100.0,
        ),
    };
    let cost = money.map(|(from, to)| {
        let currency = prices.map(|prices| prices.currency).unwrap_or_default();
        match to < 0.01 {
            true => format!("less than 0.01 {currency}"),
            false => format!("{from:.2} to {to:.2} {currency}"),
        }
    });
    Some(
        view! {
            <section aria-labelledby="taken-title" data-testid="estimate">
                <h2 id="taken-title">"What it will take"</h2>
                <dl class="taken">
                    <dt>"Documents"</dt>
                    <dd>{count(documents)}</dd>
                    <dt>"Time"</dt>
                    <dd>{time}</dd>
                    <dt>"Tokens"</dt>
                    <dd>{used}</dd>
                    {cost.map(|cost| view! { <dt>"Money"</dt><dd>{cost}</dd> })}
                </dl>
                <p class="fine">
                    {format!(
                        "Measured on {}, of different clusters where there are some, for this machine with nothing else to do.",
                        counted(tried.into(), "document", "documents"),
                    )} {rests} {held_up} {back}
                </p>
            </section>
        }
        .boxed(),
    )
}

/// What else the time of a model's questions depends on.
fn held_up(estimate: &Estimated) -> String {
    let Estimated { tokens, per_minute, waits_known, put_off, wait_seconds: (from, to), .. } = estimate;
    if *tokens == (0, 0) {
        return String::new();
    }
    let rate = format!(
        " At most {} a minute are asked, by all runs together.",
        counted((*per_minute).into(), "question", "questions")
    );
    match (waits_known, put_off) {
        (0, _) => rate,
        (_, 0) => format!("{rate} Its server put none of the latest off; should it, that takes longer."),
        (known, put_off) => format!(
            "{rate} Its server put off {put_off} of the latest {}: {from:.1} to {to:.1} s are counted for that with each question.",
            counted((*known).into(), "question", "questions"),
        ),
    }
}

/// How much a model may cost.
#[component]
fn Limits(form: RunForm, prices: Option<ModelPrices>) -> impl IntoView {
    view! {
        <label class="field">
            <span>"The most tokens (no limit when empty)"</span>
            <input name="budget_tokens" inputmode="numeric" value=form.budget_tokens />
        </label>
        {prices
            .map(|prices| {
                view! {
                    <label class="field">
                        <span>{format!("The most money, in {} (no limit when empty)", prices.currency)}</span>
                        <input name="budget_money" inputmode="decimal" value=form.budget_money />
                    </label>
                    <p class="fine">"Counted at the dearer of the two prices, so that it is never exceeded."</p>
                }
            })}
    }
}
