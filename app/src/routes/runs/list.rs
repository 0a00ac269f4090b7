//! Runs, the latest first.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use sheaf_domain::Page;
use sheaf_domain::flow::{FlowRun, RunQuery};

use crate::boxed::Boxed;
use crate::components::failure::FailurePage;
use crate::components::status::StatusMark;
use crate::filters::encode;
use crate::format::{counted, date_time, iso};
use crate::server_fns::front_door::{engine, respond};

/// `/runs`
#[component]
pub fn ListRuns() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let cursor = query.get("cursor").and_then(|text| text.parse().ok());
    let asked = RunQuery { search: query.get("q").filter(|q| !q.is_empty()), cursor, ..RunQuery::default() };
    let search = asked.search.clone().unwrap_or_default();
    let runs = async move {
        let engine = engine()?;
        respond(engine.runs(&asked).await)
    };
    view! {
        <Title text="Runs" />
        <div class="page">
            <div class="flows-head">
                <h1>"Runs"</h1>
                <p class="actions">
                    <a class="button" href="/runs/new" rel="external">
                        "New run"
                    </a>
                    <a class="button quiet" href="/flows" rel="external">
                        "Flows"
                    </a>
                </p>
            </div>
            <Suspense>
                {Suspend::new(async move {
                    match runs.await {
                        Ok(page) => Either::Left(view! { <Rows page search /> }),
                        Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                    }
                })}
            </Suspense>
        </div>
    }
    .boxed()
}

#[component]
fn Rows(page: Page<FlowRun>, search: String) -> impl IntoView {
    if page.items.is_empty() && search.is_empty() {
        return Either::Left(view! {
            <div class="empty" data-testid="no-runs">
                <p class="empty-title">"No runs yet"</p>
                <p>"A run carries out a flow over documents. Choose both under New run; the table that comes of it stands here then."</p>
            </div>
        });
    }
    let row = |run: FlowRun| {
        view! {
            <li class="flow" data-testid="run">
                <a class="flow-name" href=format!("/runs/{}", run.id) rel="external">
                    {run.name}
                </a>
                <span class="fine run-line">
                    <StatusMark status=run.status />
                    {format!(
                        "{}, {}",
                        counted(run.counts.total, "document", "documents"),
                        counted(run.values, "value", "values"),
                    )}
                    <time datetime=iso(run.created_at)>{date_time(run.created_at)}</time>
                </span>
            </li>
        }
    };
    let older = page.next_cursor.map(|cursor| {
        let href = format!("/runs?q={}&cursor={cursor}", encode(&search));
        view! { <a class="button quiet" href=href>"Older runs"</a> }
    });
    let none = page.items.is_empty().then(|| view! { <p class="empty">"No run has this in its name."</p> });
    Either::Right(view! {
        <form method="get" action="/runs" class="search" role="search">
            <label class="field grow">
                <span>"Name"</span>
                <input type="search" name="q" value=search />
            </label>
            <button class="button quiet" type="submit">
                "Find"
            </button>
        </form>
        {none}
        <ul class="flows">{page.items.into_iter().map(row).collect_view()}</ul>
        <p class="actions">{older}</p>
    })
}
