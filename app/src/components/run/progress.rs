//! How a run stands: how much is done, how fast it goes, and how long it will take.

use leptos::prelude::*;
use sheaf_domain::flow::FlowRun;
use sheaf_engine::ModelPrices;

use crate::boxed::Boxed;
use crate::components::status::StatusMark;
use crate::format::{count, counted, duration};

/// Documents that have to be done before a rate says something.
const TELLING: u64 = 3;

#[component]
pub fn RunProgress(run: FlowRun, prices: Option<ModelPrices>) -> impl IntoView {
    let FlowRun { status, counts, values, tokens, budget_tokens, elapsed_seconds, .. } = run;
    let done = counts.completed + counts.failed + counts.cancelled;
    let rate = (done >= TELLING && elapsed_seconds > 0).then(|| done as f64 / elapsed_seconds as f64);
    let left = rate.filter(|_| !status.is_final()).map(|rate| {
        let seconds = ((counts.total - done) as f64 / rate).ceil().clamp(0.0, 1e15) as u64;
        format!("about {}", duration(seconds))
    });
    let used = (tokens > 0).then(|| match budget_tokens {
        Some(budget) => format!("{} of {}", count(tokens), count(budget)),
        None => count(tokens),
    });
    let money = prices.filter(|_| tokens > 0).map(|prices| {
        let (from, to) = prices.between(tokens);
        format!("{from:.2} to {to:.2} {}", prices.currency)
    });
    let failed = (counts.failed > 0).then(|| count(counts.failed));
    let facts = [
        ("Values", Some(count(values))),
        ("Failed", failed),
        ("Time", Some(duration(elapsed_seconds))),
        ("Documents a minute", rate.map(|rate| count((rate * 60.0).round() as u64))),
        ("Time left", left),
        ("Tokens", used),
        ("Money", money),
    ];
    let fact = |(label, value): (&'static str, Option<String>)| {
        value.map(|value| {
            view! {
                <div>
                    <dt>{label}</dt>
                    <dd>{value}</dd>
                </div>
            }
        })
    };
    view! {
        <div class="run-status">
            <p class="run-line" data-testid="run-status" data-status=status.name() role="status">
                <StatusMark status />
                <span class="tabular">
                    {format!("{} of {}", count(done), counted(counts.total, "document", "documents"))}
                </span>
            </p>
            <progress max=counts.total.max(1).to_string() value=done.to_string() aria-label="Documents that are done"></progress>
            <dl class="run-facts">{facts.into_iter().map(fact).collect_view()}</dl>
        </div>
    }
    .boxed()
}
