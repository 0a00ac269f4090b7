//! The near-duplicates of a batch, at its threshold or another one that is only tried.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use sheaf_domain::{Batch, BatchId, FamilyDial, FamilyQuery, FamilySummary};

use crate::boxed::Boxed;
use crate::components::failure::FailurePage;
use crate::components::families::FamiliesPage;
use crate::components::skeleton::Skeleton;
use crate::errors::AppError;
use crate::routes::path_param;
use crate::server_fns::front_door::{engine, respond};

/// `/batches/{id}/families?least=&page=`: the threshold in percent, the page from 1.
#[component]
pub fn ListFamilies() -> impl IntoView {
    let batch = path_param::<BatchId>("id");
    let query = use_query_map();
    let least = Memo::new(move |_| query.read().get("least").and_then(|text| text.parse::<f32>().ok()));
    let page = Memo::new(move |_| query.read().get("page").and_then(|text| text.parse::<u32>().ok()).unwrap_or(1));
    let shown = Resource::new_blocking(move || (batch.get(), least.get(), page.get()), read);
    view! {
        <Title text="Near-duplicates" />
        <Transition fallback=|| {
            view! { <Skeleton rows=12 /> }
        }>
            {move || Suspend::new(async move {
                match shown.await {
                    Ok((batch, own, dial)) => {
                        Either::Left(view! { <FamiliesPage batch own dial tried=least.get() page=page.get().max(1) /> })
                    }
                    Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Transition>
    }
    .boxed()
}

/// The batch, its own families in figures, and those at the threshold that is asked for.
async fn read(
    (batch, least, page): (Option<BatchId>, Option<f32>, u32),
) -> Result<(Batch, FamilySummary, FamilyDial), AppError> {
    let Some(batch) = batch else { return Err(AppError::not_found("batch")) };
    let engine = engine()?;
    let offset = page.saturating_sub(1).saturating_mul(FamilyQuery::DEFAULT_LIMIT);
    let query = FamilyQuery { offset, limit: FamilyQuery::DEFAULT_LIMIT };
    let overview = respond(engine.overview(batch).await)?;
    let dial = respond(engine.family_dial(batch, least.map(|least| least / 100.0), &query).await)?;
    Ok((overview.batch, overview.families.unwrap_or_default(), dial))
}
