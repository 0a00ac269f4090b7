//! The documents of a cluster, to be ticked and moved.

use leptos::prelude::*;
use sheaf_domain::{BatchId, Cluster, ClusterId, DocumentRow, Page};

use super::Hidden;
use super::moving::Targets;
use crate::boxed::Boxed;
use crate::components::confidence::Confidence;
use crate::file_path::split_path;
use crate::format::{count, counted, ratio};

#[component]
pub fn Members(
    batch: BatchId,
    cluster: ClusterId,
    others: Vec<Cluster>,
    members: Page<DocumentRow>,
    may_change: bool,
) -> impl IntoView {
    let Page { items, total, next_cursor: _ } = members;
    let shown = items.len() as u64;
    let row = move |row: DocumentRow| {
        let (folder, name) = split_path(&row.path);
        view! {
            <tr data-testid="member">
                <th scope="row">
                    {may_change
                        .then(|| {
                            view! {
                                <input
                                    type="checkbox"
                                    class="tick"
                                    name="d"
                                    value=row.id.to_string()
                                    aria-label=format!("Choose {}", row.path)
                                />
                            }
                        })}
                    <a href=format!("/batches/{batch}/documents/{}", row.id)>
                        <bdi>
                            <span class="folder">{folder.to_owned()}</span>
                            {name.to_owned()}
                        </bdi>
                    </a>
                </th>
                <td class="tabular">{row.probability.map(ratio)}</td>
                <td>{row.confidence.map(|level| view! { <Confidence level /> })}</td>
            </tr>
        }
    };
    view! {
        <form method="post" action=format!("/batches/{batch}/clusters") data-testid="members">
            <Hidden of=cluster />
            <table class="members">
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"Probability"</th>
                        <th scope="col">"Confidence"</th>
                    </tr>
                </thead>
                <tbody>{items.into_iter().map(row).collect_view()}</tbody>
            </table>
            {(total > shown).then(|| view! { <p class="fine">{format!("{} of {}", count(shown), counted(total, "document", "documents"))}</p> })}
            {may_change.then(|| view! { <Targets clusters=others /> })}
        </form>
    }
    .boxed()
}
