//! The documents most similar to one.

use leptos::either::Either;
use leptos::prelude::*;
use sheaf_domain::{BatchId, DocumentId, Neighbour};

use crate::boxed::Boxed;
use crate::components::chip::ClusterMark;
use crate::components::diff::{choose_href, diff_href};
use crate::file_path::split_path;
use crate::format::ratio;

/// Most similar first, with the similarity as number and bar.
#[component]
pub fn Neighbours(batch: BatchId, document: DocumentId, neighbours: Vec<Neighbour>) -> impl IntoView {
    let body = if neighbours.is_empty() {
        Either::Left(view! { <p class="fine">"There is nothing in this batch to compare it with."</p> })
    } else {
        let rows = neighbours
            .into_iter()
            .map(|Neighbour { id, path, similarity, cluster }| {
                let (folder, name) = split_path(&path);
                let (folder, name) = (folder.to_owned(), name.to_owned());
                let label = name.clone();
                let width = format!("{:.0}%", similarity.clamp(0.0, 1.0) * 100.0);
                view! {
                    <li class="neighbour" data-testid="neighbour">
                        <ClusterMark cluster />
                        <span class="neighbour-name">
                            <a href=format!("/batches/{batch}/documents/{id}") title=path>
                                <bdi>{name}</bdi>
                            </a>
                            <bdi class="folder">{folder}</bdi>
                        </span>
                        <svg class="bar" aria-hidden="true" height="4">
                            <rect class="bar-fill" width=width height="4" rx="1" />
                        </svg>
                        <span class="tabular" data-testid="similarity">
                            {ratio(similarity)}
                        </span>
                        <a class="neighbour-diff" href=diff_href(batch, document, id) data-testid="compare-texts">
                            "Compare"
                            <span class="unseen">{format!(" the texts of this document and {label}")}</span>
                        </a>
                    </li>
                }
            })
            .collect_view();
        Either::Right(view! { <ol class="neighbours">{rows}</ol> })
    };
    view! {
        <section class="aside-section">
            <h2>"Most similar"</h2>
            {body}
            <p class="fine neighbours-more">
                <a href=choose_href(batch, document) data-testid="compare-another">
                    "Compare its text with another"
                </a>
            </p>
        </section>
    }
    .boxed()
}
