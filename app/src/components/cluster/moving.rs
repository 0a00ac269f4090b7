//! Moving and pinning documents: where to, and the page that asks.

use leptos::either::Either;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use sheaf_domain::{Batch, Cluster, DocumentRow, Page};

use crate::boxed::Boxed;
use crate::components::crumbs::BatchCrumbs;
use crate::format::counted;

/// Documents that are about to be moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToMove {
    pub batch: Batch,
    pub clusters: Vec<Cluster>,
    /// The first ones.
    pub documents: Page<DocumentRow>,
    /// Hidden fields that name all of them.
    pub fields: Vec<(String, String)>,
}

/// The page that asks where to.
#[component]
pub fn MovePage(to_move: ToMove) -> impl IntoView {
    let ToMove { batch, clusters, documents, fields } = to_move;
    let Page { items, total, next_cursor: _ } = documents;
    let id = batch.id;
    let rest = total.saturating_sub(items.len() as u64);
    let kept = fields.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value /> });
    let row = move |row: DocumentRow| {
        let place = match (row.cluster_name, row.outlier) {
            (Some(name), _) => Some(format!(", in {name}")),
            (None, true) => Some(", an outlier".to_owned()),
            (None, false) => Some(", not grouped".to_owned()),
        };
        view! {
            <li>
                <a href=format!("/batches/{id}/documents/{}", row.id)>
                    <bdi>{row.path}</bdi>
                </a>
                <bdi class="fine">{place}</bdi>
            </li>
        }
    };
    let body = match (total, batch.status.is_final()) {
        (0, _) => Either::Left("No document of this batch was chosen."),
        (_, false) => Either::Left("The batch is at work. Its documents can be moved when it is done."),
        (_, true) => Either::Right(view! {
            <form method="post" action=format!("/batches/{id}/clusters") data-testid="move">
                {kept.collect_view()}
                <Targets clusters />
            </form>
            <p class="fine">
                "What is moved or pinned stays there when the batch is analysed again, until the change is taken back on the \
                 page of a cluster."
            </p>
        }),
    };
    view! {
        <div class="page narrow" data-testid="move-page">
            <BatchCrumbs href=format!("/batches/{id}#documents") name=batch.name />
            <h1>{format!("Move {}", counted(total, "document", "documents"))}</h1>
            <ul class="to-move">
                {items.into_iter().map(row).collect_view()}
                {(rest > 0).then(|| view! { <li>{format!("and {} more", crate::format::count(rest))}</li> })}
            </ul>
            {body}
        </div>
    }
    .boxed()
}

/// Where to, with the buttons that move and pin.
#[component]
pub fn Targets(clusters: Vec<Cluster>) -> impl IntoView {
    let option = |cluster: Cluster| {
        view! { <option value=cluster.id.to_string()>{format!("{} {}", cluster.id, cluster.name)}</option> }
    };
    view! {
        <div class="move-to">
            <label class="field grow">
                <span>"Move to"</span>
                <select name="target">
                    {clusters.into_iter().map(option).collect_view()}
                    <option value="new">"A new cluster"</option>
                    <option value="outliers">"The outliers"</option>
                </select>
            </label>
            <button class="button quiet" name="do" value="move" data-testid="do-move">
                "Move"
            </button>
            <button class="button quiet" name="do" value="pin" data-testid="do-pin">
                "Pin where they are"
            </button>
        </div>
    }
    .boxed()
}
