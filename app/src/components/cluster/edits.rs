//! What people changed in a batch, and the way back.

use leptos::prelude::*;
use sheaf_domain::{BatchId, ClusterEdit, ClusterId};

use crate::boxed::Boxed;
use crate::cluster_words;
use crate::format::{date_time, iso};

/// All edits of the batch, the latest first.
#[component]
pub fn Edits(batch: BatchId, cluster: ClusterId, edits: Vec<ClusterEdit>, may_change: bool) -> impl IntoView {
    let row = move |edit: ClusterEdit| {
        let text = cluster_words::edit(&edit);
        let end = match edit.taken_back {
            true => view! { <span class="fine">"taken back"</span> }.into_any(),
            false => may_change
                .then(|| {
                    view! {
                        <form method="post" action=format!("/batches/{batch}/clusters")>
                            <input type="hidden" name="do" value="take_back" />
                            <input type="hidden" name="of" value=cluster.to_string() />
                            <input type="hidden" name="edit" value=edit.id.to_string() />
                            <button class="link" aria-label=format!("Take back: {text}")>
                                "Take back"
                            </button>
                        </form>
                    }
                })
                .into_any(),
        };
        view! {
            <li class:taken-back=edit.taken_back data-testid="edit">
                <bdi>{text.clone()}</bdi>
                <time datetime=iso(edit.made_at)>{date_time(edit.made_at)}</time>
                {end}
            </li>
        }
    };
    view! {
        <section class="section" aria-labelledby="edits-title">
            <h2 id="edits-title">"What people changed in this batch"</h2>
            <p class="fine">
                "Each later analysis applies these changes in their order. They are made to the finest clusters; the coarser groups of \
                 the batch\u{2019}s page follow."
            </p>
            {if edits.is_empty() {
                view! { <p data-testid="no-edits">"Nothing yet."</p> }.into_any()
            } else {
                view! { <ol class="edits">{edits.into_iter().rev().map(row).collect_view()}</ol> }.into_any()
            }}
        </section>
    }
    .boxed()
}
