//! Flows: those that are kept, and those to begin with.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use sheaf_domain::flow::Flow;
use sheaf_engine::Template;

use crate::boxed::Boxed;
use crate::components::failure::FailurePage;
use crate::format::{counted, date_time, iso};
use crate::server_fns::front_door::{engine, respond};

/// `/flows`
#[component]
pub fn ListFlows() -> impl IntoView {
    let flows = async {
        let engine = engine()?;
        respond(engine.flows().await)
    };
    view! {
        <Title text="Flows" />
        <div class="page">
            <div class="flows-head">
                <h1>"Flows"</h1>
                <p class="actions">
                    <a class="button" href="/flows/new" rel="external">
                        "New flow"
                    </a>
                    <a class="button quiet" href="/runs" rel="external">
                        "Runs"
                    </a>
                </p>
            </div>
            <p class="lede">
                "A flow is a saved list of steps that turns documents into a table in which every value points to its page."
            </p>
            <Suspense>
                {Suspend::new(async move {
                    match flows.await {
                        Ok(flows) => Either::Left(view! { <Kept flows /> }),
                        Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                    }
                })}
            </Suspense>
            <section class="section" aria-labelledby="templates">
                <h2 id="templates">"To begin with"</h2>
                <ul class="templates">{sheaf_engine::templates().iter().map(template).collect_view()}</ul>
            </section>
            <section class="section" aria-labelledby="import">
                <h2 id="import">"From a file"</h2>
                <form method="post" action="/flows/import" enctype="multipart/form-data" class="search">
                    <label class="field grow">
                        <span>"A flow that was downloaded, in TOML or JSON"</span>
                        <input type="file" name="file" accept=".toml,.json" required />
                    </label>
                    <button class="button quiet" type="submit">
                        "Import"
                    </button>
                </form>
            </section>
        </div>
    }
    .boxed()
}

fn template(template: &Template) -> impl IntoView {
    let Template { key, spec } = template;
    let steps: Vec<&str> = spec.steps.iter().map(|step| step.action.kind().label()).collect();
    view! {
        <li class="template" data-testid="template">
            <h3>
                <a href=format!("/flows/new?template={key}") rel="external">
                    {spec.name.clone()}
                </a>
            </h3>
            <p>{spec.description.clone()}</p>
            <p class="fine">{steps.join(" \u{2192} ")}</p>
        </li>
    }
}

#[component]
fn Kept(flows: Vec<Flow>) -> impl IntoView {
    if flows.is_empty() {
        return Either::Left(view! {
            <div class="empty" data-testid="no-flows">
                <p class="empty-title">"No flows yet"</p>
                <p>"Take one of those below and change it, or write your own."</p>
            </div>
        });
    }
    let row = |flow: Flow| {
        let delete = format!("Delete {}", flow.spec.name);
        let run = format!("Run {}", flow.spec.name);
        view! {
            <li class="flow kept" data-testid="flow">
                <a class="flow-name" href=format!("/flows/{}", flow.id) rel="external">
                    {flow.spec.name}
                </a>
                <span class="fine">
                    {counted(flow.spec.steps.len() as u64, "step", "steps")} {format!(", version {}, ", flow.version)}
                    <time datetime=iso(flow.saved_at)>{date_time(flow.saved_at)}</time>
                </span>
                <a class="button quiet" href=format!("/runs/new?flow={}", flow.id) aria-label=run rel="external">"Run"</a>
                <details class="ask-first">
                    <summary aria-label=delete>"Delete"</summary>
                    <form method="post" action=format!("/flows/{}/delete", flow.id)>
                        <p>"It leaves the list. Its runs and what they found stay."</p>
                        <button class="button danger" type="submit">
                            "Delete the flow"
                        </button>
                    </form>
                </details>
            </li>
        }
    };
    Either::Right(view! { <ul class="flows">{flows.into_iter().map(row).collect_view()}</ul> })
}
