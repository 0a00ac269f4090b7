//! The question before a batch is stopped, with what is kept. The answer is a plain form; with JavaScript it is sent in place.

use leptos::either::EitherOf3;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use sheaf_domain::{Batch, BatchId, Counts, Failure, FailureCode};

use crate::boxed::Boxed;
use crate::components::failure::{FailurePage, FailureView};
use crate::components::skeleton::Skeleton;
use crate::errors::AppError;
use crate::format::count;
use crate::routes::path_param;
use crate::server_fns::batches::show_batch;
use crate::server_fns::runs;

/// `/batches/{id}/cancel`
#[component]
pub fn CancelBatch() -> impl IntoView {
    let id = path_param::<BatchId>("id");
    let batch = Resource::new_blocking(
        move || id.get(),
        |id| async move {
            Ok::<Batch, AppError>(show_batch(id.ok_or_else(|| AppError::not_found("batch"))?).await?.into_batch())
        },
    );
    view! {
        <Title text="Cancel a batch" />
        <Transition fallback=|| {
            view! { <Skeleton rows=4 /> }
        }>
            {move || Suspend::new(async move {
                match batch.await {
                    Ok(batch) if batch.status.is_final() => {
                        EitherOf3::A(view! { <TooLate batch /> })
                    }
                    Ok(batch) => EitherOf3::B(view! { <Question batch /> }),
                    Err(error) => EitherOf3::C(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Transition>
    }
    .boxed()
}

#[component]
fn Question(batch: Batch) -> impl IntoView {
    let id = batch.id;
    let (failure, set_failure) = signal(None::<Failure>);
    let (is_sending, set_sending) = signal(false);
    let navigate = use_navigate();
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        if is_sending.get_untracked() {
            return;
        }
        set_sending.set(true);
        let navigate = navigate.clone();
        spawn_local(async move {
            let answer = runs::cancel_batch(id).await;
            // The page may have been left in the meantime.
            if set_sending.try_set(false).is_some() {
                return;
            }
            match answer {
                Err(error) if error.0.code != FailureCode::NotRunning => set_failure.set(Some(error.0)),
                // It is stopped, or was done before: its page tells.
                Ok(_) | Err(_) => navigate(&format!("/batches/{id}"), NavigateOptions::default()),
            }
        });
    };
    view! {
        <div class="page narrow">
            <p class="crumbs">
                <a href="/">"Batches"</a>
                <span aria-hidden="true">"/"</span>
                <a href=format!("/batches/{id}")>
                    <bdi>{batch.name.clone()}</bdi>
                </a>
            </p>
            <h1>"Cancel this batch?"</h1>
            <p class="lede">
                <bdi>{batch.name}</bdi>
            </p>
            <p data-testid="what-is-kept">{what_is_kept(batch.counts)}</p>
            {batch
                .receiving
                .then(|| view! { <p>"Its documents are still arriving; those that arrive from now on are cancelled too."</p> })}
            {move || failure.get().map(|failure| view! { <FailureView failure /> })}
            <form class="actions" method="post" action=format!("/batches/{id}/cancel") on:submit=on_submit>
                <button class="button danger" type="submit" data-testid="confirm-cancel" disabled=is_sending>
                    "Cancel the batch"
                </button>
                <a class="button quiet" href=format!("/batches/{id}")>
                    "Let it run"
                </a>
            </form>
        </div>
    }
    .boxed()
}

#[component]
fn TooLate(batch: Batch) -> impl IntoView {
    view! {
        <div class="page narrow">
            <h1>"It does not run any more"</h1>
            <p class="lede">
                <bdi>{batch.name}</bdi>
                {format!(" is {}.", batch.status)}
            </p>
            <p class="actions">
                <a class="button" href=format!("/batches/{}", batch.id)>
                    "To the batch"
                </a>
            </p>
        </div>
    }
    .boxed()
}

/// What stays and what does not, as things are now.
fn what_is_kept(counts: Counts) -> String {
    let are =
        |number: u64, one: &str, many: &str| format!("{} {}", count(number), if number == 1 { one } else { many });
    let done = match counts.completed {
        0 => "No document is done yet.".to_owned(),
        done => are(done, "document is done and stays.", "documents are done and stay."),
    };
    let failed = match counts.failed {
        0 => String::new(),
        failed => format!(" {}", are(failed, "has failed and stays listed.", "have failed and stay listed.")),
    };
    let left = match counts.pending + counts.processing {
        0 => "Only the grouping is cancelled; you can continue later.".to_owned(),
        left => format!("{} will be cancelled; you can continue later.", count(left)),
    };
    format!("{done}{failed} {left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_said_in_numbers() {
        let check = |[pending, processing, completed, failed]: [u64; 4], expect: &str| {
            let total = pending + processing + completed + failed;
            let counts = Counts { total, pending, processing, completed, failed, cancelled: 0 };
            assert_eq!(what_is_kept(counts), expect);
        };
        check([1580, 8, 412, 0], "412 documents are done and stay. 1,588 will be cancelled; you can continue later.");
        check([1, 0, 0, 0], "No document is done yet. 1 will be cancelled; you can continue later.");
        check(
            [0, 0, 1, 1],
            "1 document is done and stays. 1 has failed and stays listed. Only the grouping is cancelled; you can continue later.",
        );
    }
}
