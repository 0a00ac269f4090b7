//! One document: what was found out about it, its text, and what is like it.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use sheaf_domain::{BatchId, DocumentId};

use crate::boxed::Boxed;
use crate::components::document::{DocumentPage, file_name};
use crate::components::failure::FailurePage;
use crate::components::pages::{ChosenPage, Of};
use crate::components::skeleton::Skeleton;
use crate::errors::AppError;
use crate::routes::path_param;
use crate::server_fns::documents::{show_document, show_page};

/// `/batches/{id}/documents/{document}`
#[component]
pub fn ShowDocument() -> impl IntoView {
    let batch = path_param::<BatchId>("id");
    let document = path_param::<DocumentId>("document");
    let shown = Resource::new_blocking(
        move || (batch.get(), document.get()),
        |ids| async move {
            match ids {
                (Some(batch), Some(document)) => show_document(batch, document).await,
                (None, _) | (_, None) => Err(AppError::not_found("document")),
            }
        },
    );
    let query = use_query_map();
    let chosen = Memo::new(move |_| query.read().get("page").and_then(|page| page.parse::<u32>().ok()));
    let page = Resource::new_blocking(
        move || (batch.get(), document.get(), chosen.get()),
        |ids| async move {
            match ids {
                (Some(batch), Some(document), Some(number)) => Some(show_page(batch, document, number).await),
                _ => None,
            }
        },
    );
    // Lives in a transition of its own: choosing another page leaves the rest as it is.
    let chosen_page = move |of: Of| {
        ViewFn::from(move || {
            view! {
                <Transition>
                    {move || Suspend::new(async move {
                        page.await.map(|page| view! { <ChosenPage of page /> })
                    })}
                </Transition>
            }
        })
    };
    view! {
        <Transition fallback=|| {
            view! { <Skeleton rows=12 /> }
        }>
            {move || Suspend::new(async move {
                match shown.await {
                    Ok(view) => {
                        let of = Of::new(&view);
                        Either::Left(
                            view! {
                                <Title text=file_name(&view.row.path).to_owned() />
                                <DocumentPage view chosen=chosen.into() page=chosen_page(of) />
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
