//! A question before something is done that cannot be taken back.

use leptos::prelude::*;
use sheaf_domain::RunId;

use crate::boxed::Boxed;

#[component]
pub fn Question(
    run: RunId,
    name: String,
    title: &'static str,
    /// What stays and what does not.
    said: String,
    /// The last part of the address that the answer is sent to.
    act: &'static str,
    yes: &'static str,
    no: &'static str,
) -> impl IntoView {
    view! {
        <div class="page narrow">
            <nav class="crumbs" aria-label="Where this is">
                <a href="/runs">"Runs"</a>
                <span aria-hidden="true">"/"</span>
                <a href=format!("/runs/{run}")>
                    <bdi>{name.clone()}</bdi>
                </a>
            </nav>
            <h1>{title}</h1>
            <p class="lede">
                <bdi>{name}</bdi>
            </p>
            <p>{said}</p>
            <form class="actions" method="post" action=format!("/runs/{run}/{act}")>
                <button class="button danger" type="submit" data-testid="confirm">
                    {yes}
                </button>
                <a class="button quiet" href=format!("/runs/{run}")>
                    {no}
                </a>
            </form>
        </div>
    }
    .boxed()
}
