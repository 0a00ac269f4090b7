//! Where documents are moved, or pinned: the question before it is done.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;
use sheaf_domain::{BatchId, DocumentQuery};

use crate::boxed::Boxed;
use crate::components::cluster::{MovePage, ToMove};
use crate::components::failure::FailurePage;
use crate::components::skeleton::Skeleton;
use crate::errors::AppError;
use crate::filters::Filters;
use crate::routes::path_param;
use crate::server_fns::front_door::{engine, respond};

/// Documents that are named.
const NAMED: u32 = 20;

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
    let Some(id) = batch else { return Err(AppError::not_found("batch")) };
    let engine = engine()?;
    let ids = query.get("documents").unwrap_or_default();
    let filters = Filters { page: 0, ..Filters::read(&query) };
    let mut which = DocumentQuery { limit: NAMED, ..filters.document_query() };
    which.documents = ids
        .split(',')
        .filter(|id| !id.is_empty())
        .map(|id| id.parse().map_err(|_| AppError::not_found("document")))
        .collect::<Result<_, _>>()?;
    let batch = respond(engine.batch(id).await)?;
    let clusters = respond(engine.clusters(id).await)?;
    let documents = respond(engine.documents(id, &which).await)?;
    let fields = match which.documents.is_empty() {
        false => vec![("all", ids)],
        true => filters.pairs().into_iter().chain([("matching", "1".to_owned())]).collect::<Vec<_>>(),
    };
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(ToMove { batch, clusters, documents, fields })
}
