//! One batch: its progress while it runs, its overview when it is done. It owns what is fetched; the components under it
//! only show.

use leptos::either::{Either, EitherOf3};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use sheaf_domain::{Batch, BatchId, Failure, FailureCode, Status, Upload};

use crate::boxed::Boxed;
use crate::components::failure::FailurePage;
use crate::components::live::Live;
use crate::components::overview::Overview;
use crate::components::skeleton::Skeleton;
use crate::components::upload::{AddDocuments, Unfinished};
use crate::errors::AppError;
use crate::filters::Filters;
use crate::routes::path_param;
use crate::server_fns::batches::{batch_heatmap, batch_uploads, show_batch};
use crate::server_fns::documents::{batch_facets, documents_table};
use crate::views::BatchPage;

/// `/batches/{id}`
#[component]
pub fn ShowBatch() -> impl IntoView {
    let id = path_param::<BatchId>("id");
    let query = use_query_map();
    let filters = Memo::new(move |_| Filters::read(&query.read()));
    let (round, set_round) = signal(0_u32);
    let (spoken, set_spoken) = signal(String::new());
    // The batch that was deleted while its page was open.
    let (gone, set_gone) = signal(None::<BatchId>);

    let level = Memo::new(move |_| filters.read().level);
    let page = Resource::new_blocking(
        move || (id.get(), level.get(), round.get()),
        |(id, level, _)| async move { show_batch(id.ok_or_else(|| AppError::not_found("batch"))?, level).await },
    );
    let table_query = Memo::new(move |_| {
        let now = filters.read();
        (now.document_query(), now.level, now.heatmap_start, now.heatmap_len, now.cells)
    });
    let table = Resource::new_blocking(
        move || (id.get(), table_query.get(), round.get()),
        |(id, (query, level, start, len, cells), _)| async move {
            let id = id.ok_or_else(|| AppError::not_found("batch"))?;
            documents_table(id, query, level, start, len, cells).await
        },
    );
    // Another page of the table changes nothing of it.
    let facet_query = Memo::new(move |_| {
        let now = filters.read();
        (now.with_page(0).document_query(), now.level)
    });
    let facets = Resource::new_blocking(
        move || (id.get(), facet_query.get(), round.get()),
        |(id, (query, level), _)| async move {
            batch_facets(id.ok_or_else(|| AppError::not_found("batch"))?, query, level).await
        },
    );
    let heatmap_view = Memo::new(move |_| filters.read().heatmap_view());
    let heatmap = Resource::new_blocking(
        move || (id.get(), heatmap_view.get(), round.get()),
        |(id, view, _)| async move { batch_heatmap(id.ok_or_else(|| AppError::not_found("batch"))?, view).await },
    );
    let uploads = Resource::new_blocking(
        move || (id.get(), round.get()),
        |(id, _)| async move { batch_uploads(id.ok_or_else(|| AppError::not_found("batch"))?).await },
    );

    let reload = Callback::new(move |()| set_round.update(|round| *round += 1));
    let on_end = Callback::new(move |status: Option<Status>| {
        let said = match status {
            Some(Status::Completed) => "The analysis is done.",
            Some(Status::Cancelled) => "The batch was cancelled.",
            Some(Status::Failed) => "The batch has failed.",
            Some(Status::Pending | Status::Processing) | None => "",
        };
        set_spoken.set(said.to_owned());
        match status {
            Some(_) => reload.run(()),
            None => set_gone.set(id.get_untracked()),
        }
    });
    // An upload that is not finished goes on first; then more can be added.
    let more = move |batch: &Batch, uploads: Vec<Upload>| match uploads.into_iter().next() {
        Some(upload) => Either::Left(view! { <Unfinished upload on_ended=reload /> }),
        None => Either::Right(view! { <AddDocuments batch=batch.id status=batch.status open=false on_added=reload /> }),
    };
    view! {
        <p class="unseen" role="status" data-testid="spoken">
            {spoken}
        </p>
        <Transition fallback=|| {
            view! { <Skeleton rows=12 /> }
        }>
            {move || {
                let is_gone = gone.get().is_some_and(|gone| id.get() == Some(gone));
                Suspend::new(async move {
                    let uploads = uploads.await.unwrap_or_default();
                    match page.await {
                        _ if is_gone => EitherOf3::C(view! { <FailurePage failure=deleted() /> }),
                        Ok(BatchPage::Running(running)) => {
                            let more = more(&running.batch, uploads);
                            EitherOf3::A(
                                view! {
                                    <Title text=running.batch.name.clone() />
                                    <div class="page more">{more}</div>
                                    <Live running=*running on_end on_speak=set_spoken />
                                },
                            )
                        }
                        Ok(BatchPage::Done(finished)) => {
                            let more = more(&finished.overview.batch, uploads);
                            EitherOf3::B(
                                view! {
                                    <Title text=finished.overview.batch.name.clone() />
                                    <div class="page more">{more}</div>
                                    <Overview finished=*finished filters table heatmap facets reload />
                                },
                            )
                        }
                        Err(error) => EitherOf3::C(view! { <FailurePage failure=error.0 /> }),
                    }
                })
            }}
        </Transition>
    }
    .boxed()
}

fn deleted() -> Failure {
    Failure::new(FailureCode::NotFound, "This batch was deleted.")
}
