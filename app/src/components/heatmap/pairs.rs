//! The most similar pairs as a table: the heatmap's strongest facts for who does not see it.

use leptos::either::Either;
use leptos::prelude::*;
use sheaf_domain::{BatchId, DocumentId, SimilarPair};

use crate::file_path::file_name;
use crate::format::ratio;

/// Most similar first.
#[component]
pub fn Pairs(batch: BatchId, pairs: Vec<SimilarPair>) -> impl IntoView {
    if pairs.is_empty() {
        return Either::Left(());
    }
    let link = move |id: DocumentId, path: String| {
        let name = file_name(&path).to_owned();
        view! {
            <a href=format!("/batches/{batch}/documents/{id}") title=path>
                <bdi>{name}</bdi>
            </a>
        }
    };
    let rows = pairs
        .into_iter()
        .map(|SimilarPair { a, a_path, b, b_path, similarity }| {
            view! {
                <tr data-testid="pair">
                    <td class="pair-names">{link(a, a_path)} {link(b, b_path)}</td>
                    <td class="pair-value">
                        <a href=format!("/batches/{batch}/diff?a={a}&b={b}") title="Compare the texts">
                            {ratio(similarity)}
                            <span class="unseen">", compare the texts"</span>
                        </a>
                    </td>
                </tr>
            }
        })
        .collect_view();
    Either::Right(view! {
        <div class="pairs" tabindex="0" role="region" aria-labelledby="pairs-title">
            <h3 id="pairs-title">"Most similar pairs"</h3>
            <table data-testid="pairs">
                <thead class="unseen">
                    <tr>
                        <th scope="col">"Documents"</th>
                        <th scope="col">"Similarity"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    })
}
