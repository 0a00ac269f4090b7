//! Other clusterings of a batch: what was tried, and what it would change.

use leptos::either::Either;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use sheaf_domain::{BatchId, ClusteringId};

use crate::boxed::Boxed;
use crate::components::clusterings::{ClusteringsPage, Shown};
use crate::components::failure::FailurePage;
use crate::errors::AppError;
use crate::routes::path_param;
use crate::server_fns::front_door::{engine, respond};

/// `/batches/{id}/clusterings?show=`: the clusters of one of them are shown below.
#[component]
pub fn ListClusterings() -> impl IntoView {
    let id = path_param::<BatchId>("id").get_untracked();
    let show: Option<ClusteringId> = use_query_map().get_untracked().get("show").and_then(|text| text.parse().ok());
    let read = async move {
        let engine = engine()?;
        let id = id.ok_or_else(|| AppError::not_found("batch"))?;
        let overview = respond(engine.overview(id).await)?;
        let gallery = respond(engine.gallery(id).await)?;
        Ok::<_, AppError>(Shown { overview, gallery, show })
    };
    view! {
        <Title text="Clusterings" />
        <Suspense>
            {Suspend::new(async move {
                match read.await {
                    Ok(shown) => Either::Left(view! { <ClusteringsPage shown /> }),
                    Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Suspense>
        <script type="module" src="/run-page.js" nonce=use_nonce()></script>
    }
    .boxed()
}
