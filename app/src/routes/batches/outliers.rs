//! What fits nowhere.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use sheaf_domain::{Batch, BatchId, FailureCode, Outlier, OutlierQuery, Page};

use crate::boxed::Boxed;
use crate::components::failure::FailurePage;
use crate::components::outliers::OutliersPage;
use crate::errors::AppError;
use crate::routes::path_param;
use crate::server_fns::front_door::{engine, respond};

/// `/batches/{id}/outliers?from=`: from the so-manieth on, counted from 0.
#[component]
pub fn ListOutliers() -> impl IntoView {
    let batch = path_param::<BatchId>("id").get_untracked();
    let from = use_query_map().get_untracked().get("from").and_then(|text| text.parse().ok()).unwrap_or_default();
    let read = read(batch, from);
    view! {
        <Title text="Outliers" />
        <Suspense>
            {Suspend::new(async move {
                match read.await {
                    Ok((batch, outliers)) => {
                        Either::Left(view! { <OutliersPage batch outliers offset=from /> })
                    }
                    Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Suspense>
    }
    .boxed()
}

async fn read(batch: Option<BatchId>, offset: u32) -> Result<(Batch, Page<Outlier>), AppError> {
    let id = batch.ok_or_else(|| AppError::not_found("batch"))?;
    let engine = engine()?;
    let batch = respond(engine.batch(id).await)?;
    let query = OutlierQuery { offset, limit: OutlierQuery::DEFAULT_LIMIT };
    match engine.outliers(id, query).await {
        Err(failure) if failure.code == FailureCode::NotReady => {
            Ok((batch, Page { items: Vec::new(), total: 0, next_cursor: None }))
        }
        outliers => Ok((batch, respond(outliers)?)),
    }
}
