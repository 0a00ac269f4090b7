//! Flows: those that are kept, and those to begin with.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use sheaf_domain::flow::Flow;

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
            <h1>"Flows"</h1>
            <p class="lede">
                "A flow is a saved list of steps that turns documents into a table in which every value points to its page."
            </p>
            <p class="actions">
                <a class="button" href="/flows/new">"New flow"</a>
                <a class="button quiet" href="/runs">"Runs"</a>
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
                <ul class="flows">
                    {sheaf_engine::templates()
                        .iter()
                        .map(|template| {
                            let (spec, key) = (template.spec.clone(), template.key);
                            view! {
                                <li class="flow" data-testid="template">
                                    <a href=format!("/flows/new?template={key}")>{spec.name}</a>
                                    <span class="fine">{spec.description}</span>
                                </li>
                            }
                        })
                        .collect_view()}
                </ul>
            </section>
        </div>
    }
    .boxed()
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
                <a href=format!("/flows/{}", flow.id)>{flow.spec.name}</a>
                <span class="fine">
                    {counted(flow.spec.steps.len() as u64, "step", "steps")} {format!(", version {}, ", flow.version)}
                    <time datetime=iso(flow.saved_at)>{date_time(flow.saved_at)}</time>
                </span>
                <a class="button quiet" href=format!("/runs/new?flow={}", flow.id) aria-label=run>"Run"</a>
                <form method="post" action=format!("/flows/{}/delete", flow.id)>
                    <button class="button quiet" type="submit" aria-label=delete>"Delete"</button>
                </form>
            </li>
        }
    };
    Either::Right(view! { <ul class="flows">{flows.into_iter().map(row).collect_view()}</ul> })
}
