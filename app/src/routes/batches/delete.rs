//! The question before a batch is deleted. The answer is a plain form, so that it works without JavaScript.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use sheaf_domain::{Batch, BatchId};

use crate::boxed::Boxed;
use crate::components::failure::FailurePage;
use crate::components::skeleton::Skeleton;
use crate::errors::AppError;
use crate::format::{counted, date_time};
use crate::routes::path_param;
use crate::server_fns::batches::show_batch;

/// `/batches/{id}/delete`
#[component]
pub fn DeleteBatch() -> impl IntoView {
    let id = path_param::<BatchId>("id");
    let batch = Resource::new_blocking(
        move || id.get(),
        |id| async move {
            Ok::<Batch, AppError>(show_batch(id.ok_or_else(|| AppError::not_found("batch"))?, 0).await?.into_batch())
        },
    );
    view! {
        <Title text="Delete a batch" />
        <Transition fallback=|| {
            view! { <Skeleton rows=4 /> }
        }>
            {move || Suspend::new(async move {
                match batch.await {
                    Ok(batch) => Either::Left(view! { <Question batch /> }),
                    Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Transition>
    }
    .boxed()
}

#[component]
fn Question(batch: Batch) -> impl IntoView {
    let documents = counted(batch.counts.total, "document", "documents");
    let running = !batch.status.is_final();
    view! {
        <div class="page narrow">
            <p class="crumbs">
                <a href="/">"Batches"</a>
            </p>
            <h1>"Delete this batch?"</h1>
            <p class="lede">
                <bdi>{batch.name}</bdi>
                {format!(", {documents}, added on {}.", date_time(batch.created_at))}
            </p>
            <p>
                "Its documents, their text and the results are removed from this machine. Your own copies of the files \
                are not touched. This cannot be undone."
            </p>
            {running.then(|| view! { <p>"It is still being analysed; deleting it stops that."</p> })}
            <form class="actions" method="post" action=format!("/batches/{}/delete", batch.id)>
                <button class="button danger" type="submit" data-testid="confirm-delete">
                    {format!("Delete {documents}")}
                </button>
                <a class="button quiet" href=format!("/batches/{}", batch.id)>
                    "Keep it"
                </a>
            </form>
        </div>
    }
    .boxed()
}
