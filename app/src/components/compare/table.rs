//! The documents of two batches, a row for each content.

use leptos::either::Either;
use leptos::prelude::*;
use sheaf_domain::{BatchId, CompareQuery, ComparedDocument, ComparedSide};

use crate::boxed::Boxed;
use crate::components::chip::ClusterMark;
use crate::components::status::StatusMark;
use crate::file_path::split_path;
use crate::words;

/// What the documents are called, and what became of them on each side.
#[component]
pub fn Rows(asked: CompareQuery, documents: Vec<ComparedDocument>) -> impl IntoView {
    let (a, b) = (asked.first, asked.second);
    let row = move |ComparedDocument { first, second }: ComparedDocument| {
        let path = first.as_ref().or(second.as_ref()).map(|side| side.path.clone()).unwrap_or_default();
        let other = second.as_ref().filter(|side| side.path != path).map(|side| side.path.clone());
        let (folder, name) = split_path(&path);
        let (folder, name) = (folder.to_owned(), name.to_owned());
        view! {
            <tr data-testid="compared-row">
                <th scope="row">
                    <bdi>
                        <span class="folder">{folder}</span>
                        {name}
                    </bdi>
                    {other
                        .map(|path| {
                            view! {
                                <span class="other-path">
                                    "in B: " <bdi>{path}</bdi>
                                </span>
                            }
                        })}
                </th>
                <td>{first.map(|side| view! { <Side batch=a side which="A" /> })}</td>
                <td>{second.map(|side| view! { <Side batch=b side which="B" /> })}</td>
            </tr>
        }
    };
    view! {
        <div class="table-scroll" tabindex="0" role="region" aria-label="Table of documents">
            <table class="compared">
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"A"</th>
                        <th scope="col">"B"</th>
                    </tr>
                </thead>
                <tbody>{documents.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
    .boxed()
}

#[component]
fn Side(batch: BatchId, side: ComparedSide, which: &'static str) -> impl IntoView {
    let ComparedSide { id, path: _, status, failure, cluster, cluster_name, outlier } = side;
    let detail = match (failure, cluster, outlier) {
        (Some(failure), _, _) => Some(Either::Left(view! {
            <span class="side-failure">
                {words::reason(failure.code)} ": " <bdi>{failure.message}</bdi>
            </span>
        })),
        (None, Some(_), _) | (None, None, true) => Some(Either::Right(view! {
            <span class="cluster-cell">
                <ClusterMark cluster />
                <bdi>{cluster_name.unwrap_or_else(|| "Outlier".to_owned())}</bdi>
            </span>
        })),
        (None, None, false) => None,
    };
    view! {
        <a class="side-link" href=format!("/batches/{batch}/documents/{id}")>
            <StatusMark status />
            <span class="unseen">{format!(" in {which}, open the document")}</span>
        </a>
        " "
        {detail}
    }
    .boxed()
}
