//! A place kept free for what is being loaded, so that nothing jumps.

use leptos::prelude::*;

/// Grey lines, as many as there will roughly be.
#[component]
pub fn Skeleton(rows: usize) -> impl IntoView {
    view! {
        <div class="skeleton" aria-busy="true">
            <p class="unseen">"Loading"</p>
            {(0..rows).map(|_| view! { <div class="skeleton-row"></div> }).collect_view()}
        </div>
    }
}
