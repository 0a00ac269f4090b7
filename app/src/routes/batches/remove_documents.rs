//! The question before documents are removed from their batch: what goes with them and what stays. The answer is a plain form.

use leptos::either::EitherOf4;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;
use sheaf_domain::flow::BatchUse;
use sheaf_domain::{Batch, BatchId, DocumentRow, Page, Status};

use super::delete::of_runs;
use crate::boxed::Boxed;
use crate::components::crumbs::BatchCrumbs;
use crate::components::failure::FailurePage;
use crate::errors::AppError;
use crate::format::{count, counted};
use crate::routes::batches::chosen::{Chosen, chosen};
use crate::routes::path_param;
use crate::server_fns::front_door::{engine, respond};

/// `/batches/{id}/remove?documents=`, with ids that have commas between them, or with the filters of the batch's page.
#[component]
pub fn RemoveDocuments() -> impl IntoView {
    let batch = path_param::<BatchId>("id").get_untracked();
    let query = use_query_map().get_untracked();
    let read = async move { read(batch, query).await };
    view! {
        <Title text="Remove documents" />
        <Suspense>
            {Suspend::new(async move {
                match read.await {
                    Ok(asked) => view! { <Question asked /> }.into_any(),
                    Err(error) => view! { <FailurePage failure=error.0 /> }.into_any(),
                }
            })}
        </Suspense>
    }
    .boxed()
}

/// What the person is asked about.
struct Asked {
    chosen: Chosen,
    used: BatchUse,
}

async fn read(batch: Option<BatchId>, query: ParamsMap) -> Result<Asked, AppError> {
    let chosen = chosen(batch, &query).await?;
    let (engine, batch) = (engine()?, chosen.batch.id);
    let documents = respond(engine.matching_documents(batch, &chosen.which).await)?;
    let used = respond(engine.use_of_documents(batch, &documents).await)?;
    Ok(Asked { chosen, used })
}

#[component]
fn Question(asked: Asked) -> impl IntoView {
    let Asked { chosen: Chosen { batch, which: _, documents, fields }, used } = asked;
    let Page { items, total, next_cursor: _ } = documents;
    let id = batch.id;
    let number = counted(total, "document", "documents");
    let rest = total.saturating_sub(items.len() as u64);
    let row = move |row: DocumentRow| {
        view! {
            <li>
                <a href=format!("/batches/{id}/documents/{}", row.id)>
                    <bdi>{row.path}</bdi>
                </a>
            </li>
        }
    };
    let body = match (total, batch.status.is_final(), total >= batch.counts.total) {
        (0, _, _) => EitherOf4::A(view! { <p>"No document of this batch was chosen."</p> }),
        (_, false, _) => {
            EitherOf4::B(view! { <p>"The batch is at work. Its documents can be removed when it is done."</p> })
        }
        (_, true, true) => EitherOf4::C(view! {
            <p>
                "These are all documents of the batch. "
                <a href=format!("/batches/{id}/delete")>"Delete the batch instead"</a>
                "."
            </p>
        }),
        (_, true, false) => EitherOf4::D(view! { <Sure batch=batch.clone() total used fields /> }),
    };
    view! {
        <div class="page narrow" data-testid="remove-page">
            <BatchCrumbs href=format!("/batches/{id}#documents") name=batch.name />
            <h1>{format!("Remove {number}?")}</h1>
            <ul class="to-move">
                {items.into_iter().map(row).collect_view()}
                {(rest > 0).then(|| view! { <li>{format!("and {} more", count(rest))}</li> })}
            </ul>
            {body}
        </div>
    }
    .boxed()
}

/// What goes and what stays, and the button that does it.
#[component]
fn Sure(batch: Batch, total: u64, used: BatchUse, fields: Vec<(String, String)>) -> impl IntoView {
    let number = counted(total, "document", "documents");
    let (their, them, whose) = match total {
        1 => ("Its", "it", "this document"),
        _ => ("Their", "them", "these documents"),
    };
    let kept = fields.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value /> });
    view! {
        <p>
            {format!(
                "{their} text and results are removed from this batch and from this machine, but for what another batch has too. \
                 Your own copies of the files are not touched. This cannot be undone.",
            )}
        </p>
        <p>{what_follows(batch.status)}</p>
        {of_runs(used, whose).map(|said| view! { <p data-testid="used-by-runs">{said}</p> })}
        <form class="actions" method="post" action=format!("/batches/{}/remove", batch.id)>
            {kept.collect_view()}
            <input type="hidden" name="number" value=total.to_string() />
            <button class="button danger" type="submit" data-testid="confirm-remove">
                {format!("Remove {number}")}
            </button>
            <a class="button quiet" href=format!("/batches/{}", batch.id)>
                {format!("Keep {them}")}
            </a>
        </form>
    }
    .boxed()
}

/// What becomes of the rest.
fn what_follows(status: Status) -> &'static str {
    match status {
        Status::Completed => {
            "What is left is grouped anew at once, without being read again. Clusters keep their names and numbers where they \
             still fit, and what people changed stands."
        }
        Status::Failed | Status::Cancelled | Status::Pending | Status::Processing => {
            "The batch stays as it is otherwise. When it is started again, it is grouped without what was removed."
        }
    }
}
