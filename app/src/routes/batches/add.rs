//! Adding documents to a batch on a page of its own, for a batch's page without JavaScript comes anew all the time while it runs.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_navigate;
use sheaf_domain::{Batch, BatchId};

use crate::boxed::Boxed;
use crate::components::failure::FailurePage;
use crate::components::skeleton::Skeleton;
use crate::components::upload::AddDocuments;
use crate::errors::AppError;
use crate::routes::path_param;
use crate::server_fns::batches::show_batch;
use crate::views::BatchPage;

/// `/batches/{id}/add`
#[component]
pub fn AddToBatch() -> impl IntoView {
    let id = path_param::<BatchId>("id");
    let batch = Resource::new_blocking(
        move || id.get(),
        |id| async move { show_batch(id.ok_or_else(|| AppError::not_found("batch"))?, 0).await.map(BatchPage::into_batch) },
    );
    view! {
        <Title text="Add documents" />
        <Transition fallback=|| {
            view! { <Skeleton rows=4 /> }
        }>
            {move || Suspend::new(async move {
                match batch.await {
                    Ok(batch) => Either::Left(view! { <Add batch /> }),
                    Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Transition>
    }
    .boxed()
}

#[component]
fn Add(batch: Batch) -> impl IntoView {
    let Batch { id, name, status, .. } = batch;
    let navigate = use_navigate();
    let on_added =
        Callback::new(move |()| navigate(&format!("/batches/{id}"), leptos_router::NavigateOptions::default()));
    view! {
        <div class="page">
            <p class="crumbs">
                <a href=format!("/batches/{id}")>
                    <bdi>{name}</bdi>
                </a>
            </p>
            <h1>"Add documents"</h1>
            <AddDocuments batch=id status open=true on_added />
        </div>
    }
    .boxed()
}
