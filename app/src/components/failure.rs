//! The one way in which a failure is shown: what happened, and what to do.

use leptos::prelude::*;
use sheaf_domain::Failure;

use crate::boxed::Boxed;
use crate::response::set_status;
use crate::words::reason;

/// A failure as a part of a page.
#[component]
pub fn FailureView(failure: Failure) -> impl IntoView {
    let Failure { code, message, hint } = failure;
    view! {
        <div class="failure" role="alert" data-testid="failure" data-code=code.name()>
            <p class="failure-title">{reason(code)}</p>
            <p>
                <bdi>{message}</bdi>
            </p>
            <p class="failure-hint">{hint}</p>
        </div>
    }
    .boxed()
}

/// A failure as the whole page, with the HTTP status of its code.
#[component]
pub fn FailurePage(failure: Failure) -> impl IntoView {
    set_status(failure.code);
    let Failure { code, message, hint } = failure;
    view! {
        <div class="page narrow" data-testid="failure" data-code=code.name()>
            <h1>{reason(code)}</h1>
            <p class="lede">
                <bdi>{message}</bdi>
            </p>
            <p>{hint}</p>
            <p class="actions">
                <a class="button" href="/">
                    "To the batches"
                </a>
            </p>
        </div>
    }
    .boxed()
}
