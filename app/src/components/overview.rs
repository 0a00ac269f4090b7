//! The page of a batch that is done: figures, clusters, heatmap, documents, downloads. Its filter is the URL.

use std::time::Duration;

use leptos::either::Either;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use sheaf_domain::{Batch, BatchId, BatchOverview, Counts, Restart, Status};

use crate::boxed::Boxed;
use crate::components::change::{Change, Changed};
use crate::components::clusters::Clusters;
use crate::components::documents::{Documents, Panel};
use crate::components::downloads::Downloads;
use crate::components::failure::FailureView;
use crate::components::failures::Failures;
use crate::components::heatmap::HeatmapSection;
use crate::components::restart::RestartButton;
use crate::components::status::StatusMark;
use crate::errors::AppError;
use crate::filters::Filters;
use crate::format::{bytes, count, counted, date_time, duration, iso};
use crate::views::{FacetPanel, FinishedBatch, HeatmapPicture};
use crate::words;

/// So long after a change of filters all of it is painted, longer than answers take.
const SETTLED_AFTER: Duration = Duration::from_secs(1);

/// Everything about a finished batch; all of it follows `filters`.
#[component]
pub fn Overview(
    finished: FinishedBatch,
    filters: Memo<Filters>,
    /// A page of the table as HTML.
    table: Resource<Result<String, AppError>>,
    heatmap: Resource<Result<HeatmapPicture, AppError>>,
    facets: Resource<Result<FacetPanel, AppError>>,
    /// The batch was started again or changed.
    reload: Callback<()>,
) -> impl IntoView {
    let FinishedBatch { overview, failed, news } = finished;
    let BatchOverview { batch, summary, clusters, failures, families: _ } = overview;
    let id = batch.id;
    let failure = batch.failure.clone();
    let status = batch.status;
    // Of a batch that was stopped before its documents were grouped there is nothing to show of groups.
    let is_grouped = !clusters.is_empty() || (status != Status::Cancelled && summary.counts.cancelled == 0);
    let settling = settling(filters);
    // What the heatmap's links keep and its picture does not depend on. What it does depend on is not followed: the picture would be
    // drawn twice, first the old one.
    let in_links = Memo::new(move |_| {
        let now = filters.read();
        (now.sort, now.descending, now.page, now.level, now.cells)
    });
    view! {
        <div class="page overview" class:settling=settling data-testid="overview">
            <Head batch=batch.clone() size=summary.bytes reload />
            {failure.map(|failure| view! { <FailureView failure /> })}
            <Stopped batch=id status counts=summary.counts restarted=reload />
            <Panel facets class="cards" of=|panel| panel.figures />
            <Panel facets class="left-out" of=|panel| panel.left_out />
            {is_grouped
                .then(|| {
                    view! {
                        <Clusters batch=id filters clusters summary facets news />
                        <section class="section" id="similarity" aria-labelledby="similarity-title">
                            <h2 id="similarity-title">"Similarity"</h2>
                            <Panel facets class="map-place" of=|panel| panel.map />
                            <Transition fallback=|| {
                                view! { <div class="heat-placeholder" aria-busy="true"></div> }
                            }>
                                {move || {
                                    in_links.track();
                                    Suspend::new(async move {
                                        let picture = heatmap.await;
                                        let filters = filters.get_untracked();
                                        match picture {
                                            Ok(picture) => Either::Left(view! { <HeatmapSection batch=id filters picture /> }),
                                            Err(error) => Either::Right(view! { <FailureView failure=error.0 /> }),
                                        }
                                    })
                                }}
                            </Transition>
                        </section>
                    }
                })}
            <Failures batch=id filters failures failed restarted=reload />
            <section class="section" id="documents" aria-labelledby="documents-title">
                <h2 id="documents-title">"Documents"</h2>
                <Documents batch=id filters table facets />
            </section>
        </div>
    }
    .boxed()
}

/// Whether filters have just changed. Then what is out of sight waits until the rest is painted.
fn settling(filters: Memo<Filters>) -> ReadSignal<bool> {
    let (settling, set_settling) = signal(false);
    let timer = StoredValue::new(None::<TimeoutHandle>);
    Effect::new(move |before: Option<()>| {
        filters.track();
        if before.is_some() {
            set_settling.set(true);
            if let Some(timer) = timer.get_value() {
                timer.clear();
            }
            // The page may be left meanwhile.
            let end = move || _ = set_settling.try_set(false);
            timer.set_value(set_timeout_with_handle(end, SETTLED_AFTER).ok());
        }
    });
    settling
}

#[component]
fn Head(batch: Batch, size: u64, reload: Callback<()>) -> impl IntoView {
    let Batch { id, name, status, created_at, finished_at, elapsed_seconds, params, policy, counts, .. } = batch;
    let took = finished_at.map(|_| elapsed_seconds);
    let changed = Changed(Callback::new(move |_| reload.run(())));
    let title = name.clone();
    view! {
        <p class="crumbs">
            <a href="/">"Batches"</a>
        </p>
        <header class="overview-head">
            <div>
                <h1>
                    <bdi>{title}</bdi>
                </h1>
                <p class="meta">
                    <StatusMark status />
                    <span>{counted(counts.total, "document", "documents")} ", " {bytes(size)}</span>
                    <time datetime=iso(created_at)>{date_time(created_at)}</time>
                    {took.map(|seconds| view! { <span>{format!("took {}", duration(seconds))}</span> })}
                    <span>{format!("{} model", words::model(params.model))}</span>
                    {words::priority_of_batch(policy.priority).map(|text| view! { <span>{text}</span> })}
                    {words::on_error(policy.on_error).map(|text| view! { <span>{text}</span> })}
                </p>
            </div>
            <Downloads batch=id />
            <div class="steer">
                <Change batch=id name priority=policy.priority changed />
                <a class="steer-link" href=format!("/search?batch={id}") rel="external">
                    "Search in this batch"
                </a>
                {(counts.completed > 0)
                    .then(|| {
                        view! {
                            <a class="steer-link" href=format!("/runs/new?batch={id}") rel="external">
                                "Run a flow"
                            </a>
                        }
                    })}
                <a class="steer-link" href=format!("/?compare={id}#batches")>
                    "Compare with another batch"
                </a>
                <a class="steer-link" href=format!("/batches/{id}/clusterings") rel="external">
                    "Other clusterings"
                </a>
                <a class="steer-link" href=format!("/batches/{id}/delete")>
                    "Delete this batch"
                </a>
            </div>
        </header>
    }
    .boxed()
}

/// What is left to do of a batch that was stopped, and how to go on with it. Nothing when all was done.
#[component]
fn Stopped(batch: BatchId, status: Status, counts: Counts, restarted: Callback<()>) -> impl IntoView {
    (counts.cancelled > 0 || status == Status::Cancelled).then(|| {
        view! {
            <div class="stopped" data-testid="stopped">
                <p>{what_is_left(counts)}</p>
                <RestartButton batch which=Restart::Cancelled text="Continue" is_main=true restarted />
            </div>
        }
    })
}

fn what_is_left(counts: Counts) -> String {
    let done = match counts.completed {
        0 => "No document is done.".to_owned(),
        1 => "1 document is done and kept.".to_owned(),
        many => format!("{} documents are done and kept.", count(many)),
    };
    match counts.cancelled {
        0 => format!("{done} Only their grouping is missing: it was stopped."),
        1 => format!("{done} 1 was stopped; it can be continued at any time."),
        many => format!("{done} {} were stopped; they can be continued at any time.", count(many)),
    }
}
