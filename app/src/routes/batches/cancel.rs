//! The question before a batch is stopped, with what is kept. The answer is a plain form, so that it works without JavaScript.

use leptos::either::EitherOf3;
use leptos::prelude::*;
use leptos_meta::Title;
use sheaf_domain::{Batch, BatchId, Counts};

use crate::boxed::Boxed;
use crate::components::failure::FailurePage;
use crate::components::skeleton::Skeleton;
use crate::errors::AppError;
use crate::format::count;
use crate::routes::path_param;
use crate::server_fns::batches::show_batch;

/// `/batches/{id}/cancel`
#[component]
pub fn CancelBatch() -> impl IntoView {
    let id = path_param::<BatchId>("id");
    let batch = Resource::new_blocking(
        move || id.get(),
        |id| async move {
            Ok::<Batch, AppError>(show_batch(id.ok_or_else(|| AppError::not_found("batch"))?, 0).await?.into_batch())
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
            <form class="actions" method="post" action=format!("/batches/{id}/cancel")>
                <button class="button danger" type="submit" data-testid="confirm-cancel">
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
