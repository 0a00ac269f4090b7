//! One run: how it stands, what became of its documents, and what was found, to be judged. While it goes on its parts are
//! fetched again every two seconds, or the whole page without a script.

use std::collections::HashMap;

use leptos::either::Either;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use sheaf_domain::flow::{FlowRun, FlowSpec, RunFailures, RunValue};
use sheaf_domain::{DocumentId, Page, RunId};
use sheaf_engine::{Engine, ModelPrices};

use crate::boxed::Boxed;
use crate::components::failure::{FailurePage, FailureView};
use crate::components::run::failures::{Again, Failures};
use crate::components::run::filter::ValueFilter;
use crate::components::run::progress::RunProgress;
use crate::components::run::values::{Values, Whose};
use crate::errors::AppError;
use crate::routes::path_param;
use crate::server_fns::front_door::{engine, respond};

/// `/runs/:id?column=&review=&verified=&cursor=`
#[component]
pub fn ShowRun() -> impl IntoView {
    let id = path_param::<RunId>("id").get_untracked();
    let query = use_query_map().get_untracked();
    let filter = ValueFilter::read(|key| query.get(key));
    let read = async move {
        let engine = engine()?;
        let id = id.ok_or_else(|| AppError::not_found("run"))?;
        let run = respond(engine.run(id).await)?;
        let failures = respond(engine.run_failures(id).await)?;
        let spec = respond(engine.flow(run.flow, Some(run.version)).await)?.spec;
        let values = respond(engine.run_values(id, &filter.query(None, &spec)).await)?;
        let beginnings = beginnings(&engine, &values.items).await;
        let latest = engine.flow(run.flow, None).await.ok().map(|flow| flow.version);
        let prices = engine.model_prices().cloned();
        Ok::<_, AppError>(Shown { latest, run, failures, values, beginnings, filter, spec, prices })
    };
    view! {
        <Suspense>
            {Suspend::new(async move {
                match read.await {
                    Ok(shown) => Either::Left(view! { <Whole shown /> }),
                    Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Suspense>
        <script type="module" src="/run-page.js" nonce=use_nonce()></script>
    }
    .boxed()
}

struct Shown {
    /// The version of the flow as it is now; absent when it was deleted.
    latest: Option<u32>,
    run: FlowRun,
    failures: Vec<RunFailures>,
    values: Page<RunValue>,
    beginnings: HashMap<DocumentId, String>,
    filter: ValueFilter,
    spec: FlowSpec,
    prices: Option<ModelPrices>,
}

/// Characters that are shown of a document whose values have no quote.
const BEGINNING: usize = 200;

/// How the documents begin whose values have no quote, so that they can be judged where they stand.
async fn beginnings(engine: &Engine, values: &[RunValue]) -> HashMap<DocumentId, String> {
    let mut beginnings = HashMap::new();
    for value in values.iter().filter(|value| value.found.quote.is_none() && value.stands) {
        if beginnings.contains_key(&value.document) {
            continue;
        }
        let Ok(page) = engine.page(value.batch, value.document, 1).await else { continue };
        let mut words = page.text.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((end, _)) = words.char_indices().nth(BEGINNING) {
            words.truncate(end);
            words.push('\u{2026}');
        }
        beginnings.insert(value.document, words);
    }
    beginnings
}

#[component]
fn Whole(shown: Shown) -> impl IntoView {
    let Shown { latest, run, failures, values, beginnings, filter, spec, prices } = shown;
    let id = run.id;
    let has_ended = run.status.is_final();
    let cancelled = run.counts.cancelled;
    let since = match latest {
        Some(latest) if latest > run.version => Some(
            view! { <span data-testid="newer-flow">{format!("; it was changed since and is at version {latest} now")}</span> },
        ),
        Some(_) => None,
        None => Some(view! { <span data-testid="newer-flow">"; it was deleted since"</span> }),
    };
    let failure = run.failure.clone();
    let (at, found) = (format!("/runs/{id}"), run.values);
    let of = Whose { run: id, at, found, has_ended, has_documents: true, beginnings };
    view! {
        <Title text=run.name.clone() />
        <div class="page" data-live=(!has_ended).then_some("")>
            {(!has_ended)
                .then(|| {
                    view! {
                        <noscript>
                            <meta http-equiv="refresh" content="2" />
                        </noscript>
                    }
                })}
            <nav class="crumbs" aria-label="Where this is">
                <a href="/runs">"Runs"</a>
            </nav>
            <h1>
                <bdi>{run.name.clone()}</bdi>
            </h1>
            <p class="fine run-of">
                <a href=format!("/flows/{}", run.flow) rel="external">
                    {run.flow_name.clone()}
                </a>
                {format!(", version {}", run.version)} {since}
            </p>
            <div data-part="progress">
                <RunProgress run=run.clone() prices />
                {failure.map(|failure| view! { <FailureView failure /> })}
                <Acts run=run.clone() />
                {(has_ended && cancelled > 0)
                    .then(|| view! { <Again run=id which="cancelled".to_owned() documents=cancelled /> })}
            </div>
            <div data-part="failures">
                <Failures run=id failures has_ended />
            </div>
            <div data-part="values">
                <Values of values filter spec />
            </div>
        </div>
    }
    .boxed()
}

/// What can be done with the run as it stands.
#[component]
fn Acts(run: FlowRun) -> impl IntoView {
    let id = run.id;
    let export = |what: &str, format: &str, text: &'static str, class: &'static str| {
        let format = if format.is_empty() { String::new() } else { format!("&format={format}") };
        view! {
            <a class=class href=format!("/api/runs/{id}/export?what={what}{format}") download="" rel="external">
                {text}
            </a>
        }
    };
    let stop = (!run.status.is_final()).then(|| {
        view! {
            <a class="button quiet" href=format!("/runs/{id}/cancel") rel="external">
                "Stop"
            </a>
        }
    });
    let delete = run.status.is_final().then(|| {
        view! {
            <a class="button quiet" href=format!("/runs/{id}/delete") rel="external">
                "Delete"
            </a>
        }
    });
    let downloads = (run.values > 0).then(|| {
        view! {
            <a class="button quiet" href=format!("/runs/{id}/table") rel="external">
                "See the table"
            </a>
            {export("zip", "", "Download all (ZIP)", "button")}
            {export("table", "csv", "CSV", "button quiet")}
            {export("table", "json", "JSON", "button quiet")}
        }
    });
    view! { <p class="actions">{downloads} {stop} {delete}</p> }
}
