//! The map of a batch.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use sheaf_domain::{Batch, BatchId, Cluster, DocumentMap, Facets};

use crate::boxed::Boxed;
use crate::components::failure::FailurePage;
use crate::components::map::MapPage;
use crate::errors::AppError;
use crate::filters::Filters;
use crate::routes::path_param;
use crate::server_fns::front_door::{engine, respond, respond_or_empty};

/// `/batches/{id}/map?…`: with the filters of the batch's page.
#[component]
pub fn ShowMap() -> impl IntoView {
    let batch = path_param::<BatchId>("id").get_untracked();
    let filters = Filters::read(&use_query_map().get_untracked());
    // No resource: all of the map would stand in the page once more for a script that does not ask for it.
    let read = read(batch, filters.clone());
    view! {
        <Title text="Map" />
        <Suspense>
            {Suspend::new(async move {
                match read.await {
                    Ok(Shown { batch, map, clusters, facets }) => {
                        Either::Left(view! { <MapPage batch filters map clusters facets /> })
                    }
                    Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Suspense>
    }
    .boxed()
}

/// All that the page shows.
struct Shown {
    batch: Batch,
    map: DocumentMap,
    clusters: Vec<Cluster>,
    facets: Facets,
}

async fn read(batch: Option<BatchId>, filters: Filters) -> Result<Shown, AppError> {
    let id = batch.ok_or_else(|| AppError::not_found("batch"))?;
    let engine = engine()?;
    let batch = respond(engine.batch(id).await)?;
    let query = filters.with_page(0).document_query();
    let map = respond_or_empty(engine.map(id, &query, filters.level).await)?;
    let level = if filters.level == 0 { u32::MAX } else { filters.level };
    let (clusters, _) = respond(engine.clusters_at(id, level).await)?;
    let facets = respond(engine.facets(id, &query).await)?;
    Ok(Shown { batch, map, clusters, facets })
}
