//! One cluster: what is in it, and how people change it.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use sheaf_domain::{BatchId, ClusterFilter, ClusterId, DocumentQuery, SortKey};

use crate::boxed::Boxed;
use crate::components::cluster::{ClusterPage, ClusterShown, Quote};
use crate::components::failure::FailurePage;
use crate::components::skeleton::Skeleton;
use crate::errors::AppError;
use crate::routes::path_param;
use crate::server_fns::front_door::{engine, respond, respond_in_part};

/// Members that are listed; the table of the batch has them all.
const MEMBERS: u32 = 50;

/// `/batches/{id}/clusters/{number}`
#[component]
pub fn ShowCluster() -> impl IntoView {
    let batch = path_param::<BatchId>("id");
    let number = path_param::<u32>("number");
    let shown = Resource::new_blocking(move || (batch.get(), number.get().map(ClusterId)), read);
    view! {
        <Transition fallback=|| {
            view! { <Skeleton rows=12 /> }
        }>
            {move || Suspend::new(async move {
                match shown.await {
                    Ok(shown) => {
                        Either::Left(
                            view! {
                                <Title text=shown.cluster.name.clone() />
                                <ClusterPage shown />
                            },
                        )
                    }
                    Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Transition>
    }
    .boxed()
}

async fn read((batch, number): (Option<BatchId>, Option<ClusterId>)) -> Result<ClusterShown, AppError> {
    let (Some(id), Some(number)) = (batch, number) else { return Err(AppError::not_found("cluster")) };
    let engine = engine()?;
    let batch = respond(engine.batch(id).await)?;
    let clusters = respond(engine.clusters(id).await)?;
    let Some(cluster) = clusters.iter().find(|cluster| cluster.id == number).cloned() else {
        return respond(Err(AppError::not_found("cluster").0));
    };
    let query = DocumentQuery {
        cluster: Some(ClusterFilter::Cluster(number)),
        sort: SortKey::Probability,
        limit: MEMBERS,
        ..DocumentQuery::default()
    };
    let members = respond(engine.documents(id, &query).await)?;
    let typical = respond_in_part(engine.typical_sentences(id, &cluster).await).unwrap_or_default();
    let quotes = typical.into_iter().map(|t| Quote { document: t.document, path: t.path, sentence: t.sentence });
    let edits = respond(engine.cluster_edits(id).await)?.edits;
    Ok(ClusterShown { batch, cluster, clusters, members, quotes: quotes.collect(), edits })
}
