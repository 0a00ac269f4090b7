//! One document: what was found out about it, its text, and what is like it.

use std::time::Duration;

use leptos::either::Either;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use sheaf_domain::{Attempt, BatchId, DocumentId, DocumentView};

use crate::boxed::Boxed;
use crate::components::document::{DocumentPage, file_name};
use crate::components::failure::FailurePage;
use crate::components::pages::{ChosenPage, Of};
use crate::components::skeleton::Skeleton;
use crate::errors::AppError;
use crate::routes::path_param;
use crate::server_fns::documents::{show_document, show_page};
use crate::server_fns::runs::list_attempts;

/// A document that is in work is asked for again after this time.
const AGAIN: Duration = Duration::from_secs(2);

/// `/batches/{id}/documents/{document}`
#[component]
pub fn ShowDocument() -> impl IntoView {
    let batch = path_param::<BatchId>("id");
    let document = path_param::<DocumentId>("document");
    let (round, set_round) = signal(0_u32);
    let reload = Callback::new(move |()| set_round.update(|round| *round += 1));
    let shown = Resource::new_blocking(
        move || (batch.get(), document.get(), round.get()),
        |ids| async move {
            let (Some(batch), Some(document), _) = ids else { return Err(AppError::not_found("document")) };
            Ok((show_document(batch, document).await?, list_attempts(batch, document).await?))
        },
    );
    again_while_it_moves(shown, reload);
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
                    Ok((view, attempts)) => {
                        let of = Of::new(&view);
                        Either::Left(
                            view! {
                                <Title text=file_name(&view.row.path).to_owned() />
                                <DocumentPage view chosen=chosen.into() page=chosen_page(of) attempts restarted=reload />
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

/// Loads the document again in a while, as long as it waits or is in work. On the server nothing runs.
fn again_while_it_moves(shown: Resource<Result<(DocumentView, Vec<Attempt>), AppError>>, reload: Callback<()>) {
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let stop = move || {
        if let Some(Some(timer)) = timer.try_update_value(Option::take) {
            timer.clear();
        }
    };
    Effect::new(move |_| {
        stop();
        let is_moving = shown.with(|shown| matches!(shown, Some(Ok((view, _))) if !view.row.status.is_final()));
        if is_moving {
            timer.set_value(set_timeout_with_handle(move || reload.run(()), AGAIN).ok());
        }
    });
    on_cleanup(stop);
}
