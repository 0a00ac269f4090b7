//! One run: how it stands, what became of its documents, and what was found, to be judged. While it goes on the page loads
//! itself again every two seconds.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::{Meta, Title};
use leptos_router::hooks::use_query_map;
use sheaf_domain::flow::{FlowRun, Review, RunDocument, RunDocumentQuery, RunValue, ValueQuery};
use sheaf_domain::{Page, RunId, Status};

use crate::boxed::Boxed;
use crate::components::failure::{FailurePage, FailureView};
use crate::components::status::StatusMark;
use crate::errors::AppError;
use crate::format::{count, counted, duration};
use crate::routes::path_param;
use crate::server_fns::front_door::{engine, respond};

/// `/runs/:id`
#[component]
pub fn ShowRun() -> impl IntoView {
    let id = path_param::<RunId>("id").get_untracked();
    let query = use_query_map().get_untracked();
    let cursor = query.get("cursor").filter(|cursor| !cursor.is_empty());
    let read = async move {
        let engine = engine()?;
        let id = id.ok_or_else(|| {
            AppError(sheaf_domain::Failure::new(sheaf_domain::FailureCode::NotFound, "there is no such run"))
        })?;
        let run = respond(engine.run(id).await)?;
        let failed = RunDocumentQuery { status: Some(Status::Failed), ..RunDocumentQuery::default() };
        let failed = respond(engine.run_documents(id, &failed).await)?;
        let values = respond(engine.run_values(id, &ValueQuery { cursor, ..ValueQuery::default() }).await)?;
        Ok::<_, AppError>((run, failed, values))
    };
    view! {
        <Suspense>
            {Suspend::new(async move {
                match read.await {
                    Ok((run, failed, values)) => Either::Left(view! { <Whole run failed values /> }),
                    Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Suspense>
    }
    .boxed()
}

#[component]
fn Whole(run: FlowRun, failed: Page<RunDocument>, values: Page<RunValue>) -> impl IntoView {
    let id = run.id;
    let goes_on = !run.status.is_final();
    let counts = run.counts;
    let done = counts.completed + counts.failed + counts.cancelled;
    let may_retry = counts.failed > 0 && !goes_on;
    let may_continue = counts.cancelled > 0 && !goes_on;
    let button = |path: &str, which: &'static str, text: &'static str| {
        view! {
            <form method="post" action=format!("/runs/{id}/{path}")>
                <input type="hidden" name="which" value=which />
                <button class="button quiet" type="submit">{text}</button>
            </form>
        }
    };
    let tokens = (run.tokens > 0).then(|| format!(", {} tokens", count(run.tokens)));
    let any_values = run.values > 0;
    view! {
        <Title text=run.name.clone() />
        {goes_on.then(|| view! { <Meta http_equiv="refresh" content="2" /> })}
        <div class="page">
            <nav class="crumbs" aria-label="Where this is"><a href="/runs">"Runs"</a></nav>
            <h1>{run.name}</h1>
            <p data-testid="run-status">
                <StatusMark status=run.status />
                {format!(" {} of {} documents, {}", count(done), counted(counts.total, "document", "documents").trim_end_matches(" documents").trim_end_matches(" document"), duration(run.elapsed_seconds))}
                {format!(", {}", counted(run.values, "value", "values"))} {tokens}
            </p>
            <progress max=counts.total.max(1).to_string() value=done.to_string() aria-label="Documents that are done"></progress>
            <p class="fine">
                <a href=format!("/flows/{}", run.flow)>{run.flow_name}</a>
                {format!(", version {}", run.version)}
            </p>
            {run.failure.map(|failure| view! { <FailureView failure /> })}
            <div class="actions">
                {goes_on.then(|| button("cancel", "", "Stop"))}
                {may_retry.then(|| button("restart", "failed", "Try what failed again"))}
                {may_continue.then(|| button("restart", "cancelled", "Go on"))}
                {any_values
                    .then(|| {
                        view! {
                            <a class="button" href=format!("/api/runs/{id}/export?what=zip")>"Download all (ZIP)"</a>
                            <a class="button quiet" href=format!("/api/runs/{id}/export?what=table")>"Download the table"</a>
                        }
                    })}
            </div>
            <Failed failed />
            <Values run=id values />
        </div>
    }
    .boxed()
}

#[component]
fn Failed(failed: Page<RunDocument>) -> impl IntoView {
    let row = |document: RunDocument| {
        let message = document.failure.map(|failure| format!("{} {}", failure.message, failure.hint));
        view! {
            <li>
                <a href=format!("/batches/{}/documents/{}", document.batch, document.document)>{document.path}</a>
                <span class="fine">" "{message}</span>
            </li>
        }
    };
    (failed.total > 0).then(|| {
        view! {
            <section class="section" aria-labelledby="failed">
                <h2 id="failed">{counted(failed.total, "document failed", "documents failed")}</h2>
                <ul class="flows">{failed.items.into_iter().map(row).collect_view()}</ul>
            </section>
        }
    })
}

#[component]
fn Values(run: RunId, values: Page<RunValue>) -> impl IntoView {
    let more = values.next_cursor.map(|cursor| {
        view! { <a class="button quiet" href=format!("/runs/{run}?cursor={cursor}#values")>"More values"</a> }
    });
    view! {
        <section class="section" id="values" aria-labelledby="values-title">
            <h2 id="values-title">"Values"</h2>
            <div class="table-scroll" tabindex="0" role="region" aria-labelledby="values-title">
                <table class="run-values">
                    <thead>
                        <tr>
                            <th scope="col">"Value"</th>
                            <th scope="col">"Column"</th>
                            <th scope="col">"Where it stands"</th>
                            <th scope="col">"Judgement"</th>
                        </tr>
                    </thead>
                    <tbody>{values.items.into_iter().map(|value| view! { <ValueRow run value /> }).collect_view()}</tbody>
                </table>
            </div>
            <p class="actions">{more}</p>
        </section>
    }
    .boxed()
}

#[component]
fn ValueRow(run: RunId, value: RunValue) -> impl IntoView {
    let anchor = format!("v-{}-{}", value.document, value.number);
    let page = value.found.page.map(|page| format!("?page={page}")).unwrap_or_default();
    let place = format!("/batches/{}/documents/{}{page}", value.batch, value.document);
    let action = format!("/runs/{run}/values/{}/{}", value.document, value.number);
    let verified = value.found.verified.map(|yes| if yes { "verified" } else { "not found in the text" });
    let shown = value.effective().to_owned();
    let shown = if value.review == Review::Rejected { value.found.value.clone() } else { shown };
    let label = |verb: &str| format!("{verb} {}", value.found.value);
    let judged = match value.review {
        Review::None => None,
        Review::Accepted => Some("accepted"),
        Review::Corrected => Some("corrected"),
        Review::Rejected => Some("rejected"),
    };
    let (accept, reject, correct) = (label("Accept"), label("Reject"), label("Correct"));
    view! {
        <tr id=anchor data-testid="value" class=format!("review-{}", value.review)>
            <td class="value">{shown.clone()}</td>
            <td class="fine">{format!("{}.{}", value.found.step, value.found.field)}</td>
            <td>
                <a href=place>
                    {value.path.clone()} {value.found.page.map(|page| format!(", page {page}"))}
                </a>
                {value.found.quote.map(|quote| view! { <q class="fine">{quote}</q> })}
                <span class="fine">{verified}</span>
            </td>
            <td>
                <form method="post" action=action class="review">
                    <button class="button quiet" name="review" value="accepted" type="submit" aria-label=accept>"Accept"</button>
                    <button class="button quiet" name="review" value="rejected" type="submit" aria-label=reject>"Reject"</button>
                    <input name="value" value=shown maxlength="10000" aria-label=correct.clone() />
                    <button class="button quiet" name="review" value="corrected" type="submit" aria-label=correct>"Correct"</button>
                    <span class="fine">{judged}</span>
                </form>
            </td>
        </tr>
    }
    .boxed()
}
