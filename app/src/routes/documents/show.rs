//! One document: what was found out about it, its text, and what is like it.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use sheaf_domain::{BatchId, DocumentId};

use crate::boxed::Boxed;
use crate::components::document::{DocumentPage, file_name};
use crate::components::failure::FailurePage;
use crate::components::skeleton::Skeleton;
use crate::errors::AppError;
use crate::routes::path_param;
use crate::server_fns::documents::show_document;

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
    view! {
        <Transition fallback=|| {
            view! { <Skeleton rows=12 /> }
        }>
            {move || Suspend::new(async move {
                match shown.await {
                    Ok(view) => {
                        Either::Left(
                            view! {
                                <Title text=file_name(&view.row.path).to_owned() />
                                <DocumentPage view />
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
