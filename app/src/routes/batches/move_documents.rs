//! Where documents are moved, or pinned: the question before it is done.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;
use sheaf_domain::BatchId;

use crate::boxed::Boxed;
use crate::components::cluster::{MovePage, ToMove};
use crate::components::failure::FailurePage;
use crate::components::skeleton::Skeleton;
use crate::errors::AppError;
use crate::routes::batches::chosen::{Chosen, chosen};
use crate::routes::path_param;
use crate::server_fns::front_door::{engine, respond};

/// `/batches/{id}/move?documents=`, with ids that have commas between them, or with the filters of the batch's page.
#[component]
pub fn MoveDocuments() -> impl IntoView {
    let batch = path_param::<BatchId>("id");
    let query = use_query_map().get_untracked();
    let shown = Resource::new_blocking(
        move || batch.get(),
        move |batch| {
            let query = query.clone();
            async move { read(batch, query).await }
        },
    );
    view! {
        <Title text="Move documents" />
        <Transition fallback=|| {
            view! { <Skeleton rows=6 /> }
        }>
            {move || Suspend::new(async move {
                match shown.await {
                    Ok(to_move) => Either::Left(view! { <MovePage to_move /> }),
                    Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Transition>
    }
    .boxed()
}

async fn read(batch: Option<BatchId>, query: ParamsMap) -> Result<ToMove, AppError> {
    let Chosen { batch, documents, fields, .. } = chosen(batch, &query).await?;
    let clusters = respond(engine()?.clusters(batch.id).await)?;
    Ok(ToMove { batch, clusters, documents, fields })
}
