//! Runs, the latest first, and the form that begins one.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use sheaf_domain::flow::{Flow, FlowRun, RunQuery};
use sheaf_domain::{Batch, BatchQuery, Page};

use crate::boxed::Boxed;
use crate::components::failure::FailurePage;
use crate::components::status::StatusMark;
use crate::errors::AppError;
use crate::format::{count, date_time, iso};
use crate::server_fns::front_door::{engine, respond};

/// Batches that are offered.
const OFFERED: u32 = 200;

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
            <h1>"Runs"</h1>
            <p class="actions">
                <a class="button" href="/runs/new">"New run"</a>
                <a class="button quiet" href="/flows">"Flows"</a>
            </p>
            <form method="get" action="/runs" class="search" role="search">
                <label class="field grow"><span>"Name"</span><input type="search" name="q" value=search /></label>
                <button class="button quiet" type="submit">"Find"</button>
            </form>
            <Suspense>
                {Suspend::new(async move {
                    match runs.await {
                        Ok(page) => Either::Left(view! { <Rows page /> }),
                        Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                    }
                })}
            </Suspense>
        </div>
    }
    .boxed()
}

#[component]
fn Rows(page: Page<FlowRun>) -> impl IntoView {
    if page.items.is_empty() {
        return Either::Left(view! {
            <div class="empty" data-testid="no-runs">
                <p class="empty-title">"No runs yet"</p>
                <p>"Choose a flow and the documents that it is to work on."</p>
            </div>
        });
    }
    let row = |run: FlowRun| {
        view! {
            <li class="flow" data-testid="run">
                <a href=format!("/runs/{}", run.id)>{run.name}</a>
                <StatusMark status=run.status />
                <span class="fine">
                    {format!("{} documents, {} values, ", count(run.counts.total), count(run.values))}
                    <time datetime=iso(run.created_at)>{date_time(run.created_at)}</time>
                </span>
            </li>
        }
    };
    let older = page
        .next_cursor
        .map(|cursor| view! { <a class="button quiet" href=format!("/runs?cursor={cursor}")>"Older runs"</a> });
    Either::Right(view! {
        <ul class="flows">{page.items.into_iter().map(row).collect_view()}</ul>
        <p class="actions">{older}</p>
    })
}

/// `/runs/new?flow=&batch=`
#[component]
pub fn NewRunPage() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let (flow, batch) = (query.get("flow").unwrap_or_default(), query.get("batch").unwrap_or_default());
    let read = async {
        let engine = engine()?;
        let flows = respond(engine.flows().await)?;
        let batches = respond(engine.batches(&BatchQuery { limit: OFFERED, ..BatchQuery::default() }).await)?;
        Ok::<_, AppError>((flows, batches.items))
    };
    view! {
        <Title text="New run" />
        <div class="page">
            <nav class="crumbs" aria-label="Where this is"><a href="/runs">"Runs"</a></nav>
            <h1>"New run"</h1>
            <Suspense>
                {Suspend::new(async move {
                    match read.await {
                        Ok((flows, batches)) => Either::Left(view! { <Begin flows batches flow batch /> }),
                        Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                    }
                })}
            </Suspense>
        </div>
    }
    .boxed()
}

#[component]
fn Begin(flows: Vec<Flow>, batches: Vec<Batch>, flow: String, batch: String) -> impl IntoView {
    let flow_option = |found: Flow| {
        let id = found.id.to_string();
        let chosen = id == flow;
        view! { <option value=id selected=chosen>{found.spec.name}</option> }
    };
    let batch_box = |found: Batch| {
        let id = found.id.to_string();
        let chosen = id == batch;
        view! {
            <li>
                <label>
                    <input type="checkbox" name="batch" value=id checked=chosen />
                    {format!(" {} ", found.name)}
                    <span class="fine">{format!("{} documents", count(found.counts.completed))}</span>
                </label>
            </li>
        }
    };
    view! {
        <form method="post" action="/runs" class="run-form">
            <label class="field">
                <span>"Flow"</span>
                <select name="flow" required>{flows.into_iter().map(flow_option).collect_view()}</select>
            </label>
            <fieldset>
                <legend>"Documents of these batches"</legend>
                <ul class="run-batches">{batches.into_iter().map(batch_box).collect_view()}</ul>
            </fieldset>
            <label class="field">
                <span>"Name (made from the flow's when empty)"</span>
                <input name="name" maxlength="200" />
            </label>
            <label class="field">
                <span>"The most tokens that a model may use (no limit when empty)"</span>
                <input name="budget_tokens" inputmode="numeric" pattern="[0-9]*" />
            </label>
            <p class="actions">
                <button class="button" type="submit" data-testid="start-run">"Start"</button>
            </p>
        </form>
    }
    .boxed()
}
