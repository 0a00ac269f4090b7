//! The page of a batch that is done: figures, clusters, heatmap, documents, downloads. Its filter is the URL.

use leptos::either::Either;
use leptos::prelude::*;
use sheaf_domain::{Batch, BatchOverview, Cluster, DocumentRow, Page};

use crate::boxed::Boxed;
use crate::components::clusters::Clusters;
use crate::components::documents::Documents;
use crate::components::downloads::Downloads;
use crate::components::failure::FailureView;
use crate::components::failures::Failures;
use crate::components::figures::Figures;
use crate::components::filter_bar::FilterBar;
use crate::components::heatmap::HeatmapSection;
use crate::components::status::StatusMark;
use crate::errors::AppError;
use crate::filters::Filters;
use crate::format::{bytes, counted, date_time, duration, iso};
use crate::views::HeatmapPicture;
use crate::words;

/// Everything about a finished batch. `documents` and `heatmap` follow `filters`; the figures are of the whole batch.
#[component]
pub fn Overview(
    overview: BatchOverview,
    filters: Memo<Filters>,
    documents: Resource<Result<Page<DocumentRow>, AppError>>,
    heatmap: Resource<Result<HeatmapPicture, AppError>>,
) -> impl IntoView {
    let BatchOverview { batch, summary, clusters, failures } = overview;
    let id = batch.id;
    let total = summary.counts.total;
    let failure = batch.failure.clone();
    let names: StoredValue<Vec<Cluster>> = StoredValue::new(clusters.clone());
    view! {
        <div class="page overview" data-testid="overview">
            <Head batch=batch.clone() size=summary.bytes />
            {failure.map(|failure| view! { <FailureView failure /> })}
            <Figures batch=id params=batch.params summary=summary.clone() />
            <Transition>
                {move || Suspend::new(async move {
                    let matching = documents.await.ok().map(|page| page.total);
                    view! { <FilterBar batch=id filters names matching total /> }
                })}
            </Transition>
            <Clusters batch=id filters clusters summary />
            <section class="section" id="similarity" aria-labelledby="similarity-title">
                <h2 id="similarity-title">"Similarity"</h2>
                <Transition fallback=|| {
                    view! { <div class="heat-placeholder" aria-busy="true"></div> }
                }>
                    {move || {
                        let filters = filters.get();
                        Suspend::new(async move {
                            match heatmap.await {
                                Ok(picture) => Either::Left(view! { <HeatmapSection batch=id filters picture /> }),
                                Err(error) => Either::Right(view! { <FailureView failure=error.0 /> }),
                            }
                        })
                    }}
                </Transition>
            </section>
            <Failures batch=id filters failures />
            <section class="section" id="documents" aria-labelledby="documents-title">
                <h2 id="documents-title">"Documents"</h2>
                <Documents batch=id filters documents total />
            </section>
        </div>
    }
    .boxed()
}

#[component]
fn Head(batch: Batch, size: u64) -> impl IntoView {
    let Batch { id, name, status, created_at, finished_at, elapsed_seconds, params, counts, .. } = batch;
    let took = finished_at.map(|_| elapsed_seconds);
    view! {
        <p class="crumbs">
            <a href="/">"Batches"</a>
        </p>
        <header class="overview-head">
            <div>
                <h1>
                    <bdi>{name}</bdi>
                </h1>
                <p class="meta">
                    <StatusMark status />
                    <span>{counted(counts.total, "document", "documents")} ", " {bytes(size)}</span>
                    <time datetime=iso(created_at)>{date_time(created_at)}</time>
                    {took.map(|seconds| view! { <span>{format!("took {}", duration(seconds))}</span> })}
                    <span>{format!("{} model", words::model(params.model))}</span>
                </p>
            </div>
            <Downloads batch=id />
            <a class="head-delete" href=format!("/batches/{id}/delete")>
                "Delete this batch"
            </a>
        </header>
    }
    .boxed()
}
