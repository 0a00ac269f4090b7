//! Where a page stands: the way back to the list of batches and to its batch.

use leptos::prelude::*;

use crate::boxed::Boxed;

/// For a page about a part of a batch; `href` leads to where on the batch's page the reader came from.
#[component]
pub fn BatchCrumbs(href: String, name: String) -> impl IntoView {
    view! {
        <nav class="crumbs" aria-label="Breadcrumbs">
            <a href="/">"Batches"</a>
            <span aria-hidden="true">"/"</span>
            <a href=href>
                <bdi>{name}</bdi>
            </a>
        </nav>
    }
    .boxed()
}
