//! The result of a run as a table, as its files have it.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use sheaf_domain::flow::FlowRun;
use sheaf_domain::{DocumentId, RunId};
use sheaf_engine::{ResultPage, RowPlace};

use crate::boxed::Boxed;
use crate::components::failure::FailurePage;
use crate::components::run::table::ResultTable;
use crate::errors::AppError;
use crate::routes::path_param;
use crate::server_fns::front_door::{engine, respond};

/// `/runs/:id/table?documents=&rows=`, which are those that are passed over.
#[component]
pub fn ShowRunTable() -> impl IntoView {
    let id = path_param::<RunId>("id").get_untracked();
    let query = use_query_map().get_untracked();
    let number = |key: &str| query.get(key).and_then(|text| text.parse().ok()).unwrap_or_default();
    let from = RowPlace { documents: number("documents"), rows: number("rows") };
    let read = async move {
        let engine = engine()?;
        let id = id.ok_or_else(|| AppError::not_found("run"))?;
        let run = respond(engine.run(id).await)?;
        let page = respond(engine.result_rows(id, from).await)?;
        Ok::<_, AppError>((run, page))
    };
    view! {
        <Suspense>
            {Suspend::new(async move {
                match read.await {
                    Ok((run, page)) => Either::Left(view! { <Shown run page from /> }),
                    Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Suspense>
    }
    .boxed()
}

#[component]
fn Shown(run: FlowRun, page: ResultPage, from: RowPlace) -> impl IntoView {
    let ResultPage { columns, rows, next } = page;
    let home = format!("/runs/{}", run.id);
    let why_empty = match (from == RowPlace::default(), run.finished_at) {
        (false, _) => "There are no further rows.",
        (true, None) => "There are no rows yet: the run goes on.",
        (true, Some(_)) => "There are no rows: nothing was found, or all of it was rejected.",
    };
    let at = home.clone();
    let row = move |(document, cells): (DocumentId, Vec<String>)| {
        let mut cells = cells.into_iter();
        let href = format!("{at}/documents/{document}");
        let first = cells.next().filter(|cell| !cell.is_empty()).unwrap_or_else(|| "(empty)".to_owned());
        view! {
            <tr data-testid="result-row">
                <th scope="row">
                    <a href=href rel="external">
                        <bdi>{first}</bdi>
                    </a>
                </th>
                {cells.map(|cell| view! { <td><bdi>{cell}</bdi></td> }).collect_view()}
            </tr>
        }
    };
    let first = (from != RowPlace::default()).then(|| {
        view! { <a class="button quiet" href=format!("{home}/table") rel="external">"First page"</a> }
    });
    let next = next.map(|RowPlace { documents, rows }| {
        let href = format!("{home}/table?documents={documents}&rows={rows}");
        view! { <a class="button quiet" href=href rel="external">"Next page"</a> }
    });
    let export = format!("/api{home}/export?what=table&format=csv");
    view! {
        <Title text=format!("Table of {}", run.name) />
        <div class="page">
            <nav class="crumbs" aria-label="Where this is">
                <a href="/runs">"Runs"</a>
                <span aria-hidden="true">"/"</span>
                <a href=home.clone()>
                    <bdi>{run.name}</bdi>
                </a>
            </nav>
            <h1>"Table"</h1>
            <p class="fine run-of">"As the files have it: corrections count, and what was rejected is left out. A row opens its document."</p>
            <p class="actions">
                <a class="button quiet" href=export download="" rel="external">
                    "Download as CSV"
                </a>
            </p>
            {match rows.is_empty() {
                true => Either::Left(view! { <p class="empty">{why_empty}</p> }),
                false => {
                    let rows = rows.into_iter().map(row).collect_view().into_any();
                    Either::Right(view! { <ResultTable columns rows /> })
                }
            }}
            <p class="actions">{first} {next}</p>
        </div>
    }
    .boxed()
}
