//! A status, told by shape and word.

use leptos::prelude::*;
use sheaf_domain::Status;

use crate::boxed::Boxed;
use crate::words;

/// A small sign and the word.
#[component]
pub fn StatusMark(status: Status) -> impl IntoView {
    let sign = match status {
        Status::Pending => view! { <circle class="hollow" cx="6" cy="6" r="4.25" /> }.boxed(),
        Status::Processing => view! {
            <circle class="hollow" cx="6" cy="6" r="4.25" />
            <path class="solid" d="M6 1.750a4.250 4.250 0 0 1 0 8.500z" />
        }
        .boxed(),
        Status::Completed => view! { <path class="line" d="M2 6.500l2.750 2.750L10 3.500" /> }.boxed(),
        Status::Failed => view! { <path class="line" d="M2.500 2.500l7 7M9.500 2.500l-7 7" /> }.boxed(),
        Status::Cancelled => view! { <path class="line" d="M2 6h8" /> }.boxed(),
    };
    view! {
        <span class=format!("status {}", status.name())>
            <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
                {sign}
            </svg>
            {words::status(status)}
        </span>
    }
}
