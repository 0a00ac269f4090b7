//! One cluster, with the forms that change it. All that they do works without JavaScript.

mod edits;
mod members;
mod moving;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use sheaf_domain::{
    Batch, BatchId, Cluster, ClusterEdit, ClusterFilter, ClusterId, DocumentId, DocumentRow, NamedBy, Page,
};

use crate::boxed::Boxed;
use crate::components::chip::ClusterMark;
use crate::components::crumbs::BatchCrumbs;
use crate::file_path::file_name;
use crate::filters::Filters;
use crate::format::{counted, ratio};

pub use moving::{MovePage, ToMove};

use edits::Edits;
use members::Members;

/// A sentence of a document that sits firmly in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    pub document: DocumentId,
    pub path: String,
    pub sentence: String,
}

/// All that the page shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterShown {
    pub batch: Batch,
    pub cluster: Cluster,
    /// All of the batch.
    pub clusters: Vec<Cluster>,
    /// The first ones, the least sure first.
    pub members: Page<DocumentRow>,
    pub quotes: Vec<Quote>,
    /// All of the batch, the earliest first.
    pub edits: Vec<ClusterEdit>,
}

/// The whole page.
#[component]
pub fn ClusterPage(shown: ClusterShown) -> impl IntoView {
    let ClusterShown { batch, cluster, clusters, members, quotes, edits } = shown;
    let (id, number, is_at_rest) = (batch.id, cluster.id, batch.status.is_final());
    let only = Filters::default().with_cluster(Some(ClusterFilter::Cluster(number)));
    let others: Vec<Cluster> = clusters.into_iter().filter(|other| other.id != number).collect();
    let forms = is_at_rest.then(|| {
        view! {
            <div class="cluster-forms">
                <Rename batch=id cluster=cluster.clone() />
                {(!others.is_empty()).then(|| view! { <Merge batch=id cluster=number others=others.clone() /> })}
                {(cluster.size > 1).then(|| view! { <Split batch=id cluster=number /> })}
            </div>
        }
    });
    view! {
        <article class="page" data-testid="cluster-page">
            <BatchCrumbs href=format!("/batches/{id}#clusters") name=batch.name />
            <Head cluster=cluster.clone() />
            <Quotes batch=id quotes />
            {(!is_at_rest).then(|| view! { <p>"The batch is at work. Its clusters can be changed when it is done."</p> })}
            {forms}
            <section class="section" aria-labelledby="members-title">
                <h2 id="members-title">"Documents"</h2>
                <p class="fine">
                    "Those that sit least firmly come first. "
                    <a href=only.documents_href(id)>"All of them in the table of the batch"</a>
                    ". "
                    <a href=only.run_href(id) rel="external" data-testid="run-cluster">"Run a flow on all of them"</a>
                    "."
                </p>
                <Members batch=id cluster=number others members may_change=is_at_rest />
            </section>
            <Edits batch=id cluster=number edits may_change=is_at_rest />
        </article>
    }
    .boxed()
}

#[component]
fn Head(cluster: Cluster) -> impl IntoView {
    let Cluster { id, name, keywords, size, cohesion, average_probability, named_by, edited, .. } = cluster;
    let facts = [
        Some(counted(size, "document", "documents")),
        Some(format!("cohesion {}", ratio(cohesion))),
        Some(format!("probability {}", ratio(average_probability))),
        (named_by == NamedBy::Person).then(|| "named by a person".to_owned()),
        edited.then(|| "changed by a person".to_owned()),
    ];
    view! {
        <header class="cluster-head">
            <ClusterMark cluster=Some(id) />
            <h1>
                <bdi>{name}</bdi>
            </h1>
            <p class="meta">{facts.into_iter().flatten().map(|fact| view! { <span>{fact}</span> }).collect_view()}</p>
            <p class="fine">
                <bdi>{keywords.join(", ")}</bdi>
            </p>
        </header>
    }
    .boxed()
}

#[component]
fn Quotes(batch: BatchId, quotes: Vec<Quote>) -> impl IntoView {
    let quote = move |Quote { document, path, sentence }: Quote| {
        view! {
            <figure>
                <blockquote>
                    <bdi>{sentence}</bdi>
                </blockquote>
                <figcaption>
                    <a href=format!("/batches/{batch}/documents/{document}")>
                        <bdi>{file_name(&path).to_owned()}</bdi>
                    </a>
                </figcaption>
            </figure>
        }
    };
    (!quotes.is_empty()).then(|| {
        view! {
            <section class="section" aria-labelledby="quotes-title">
                <h2 id="quotes-title">"Typical sentences"</h2>
                <div class="quotes">{quotes.into_iter().map(quote).collect_view()}</div>
            </section>
        }
    })
}

/// The hidden fields of a form on this page.
#[component]
fn Hidden(
    /// What it does; absent where the button says it.
    #[prop(optional)]
    what: Option<&'static str>,
    of: ClusterId,
) -> impl IntoView {
    view! {
        {what.map(|what| view! { <input type="hidden" name="do" value=what /> })}
        <input type="hidden" name="of" value=of.to_string() />
    }
}

#[component]
fn Rename(batch: BatchId, cluster: Cluster) -> impl IntoView {
    view! {
        <section aria-labelledby="rename-title">
            <h2 id="rename-title">"Rename"</h2>
            <form method="post" action=format!("/batches/{batch}/clusters") data-testid="rename">
                <Hidden what="rename" of=cluster.id />
                <label class="field">
                    <span>"Name"</span>
                    <input type="text" name="title" required maxlength="100" autocomplete="off" value=cluster.name />
                </label>
                <button class="button quiet">"Rename"</button>
            </form>
            <p class="fine">"The name stays when the batch is analysed again."</p>
        </section>
    }
    .boxed()
}

#[component]
fn Merge(batch: BatchId, cluster: ClusterId, others: Vec<Cluster>) -> impl IntoView {
    let choice = |other: Cluster| {
        view! {
            <li>
                <label>
                    <input type="checkbox" name="with" value=other.id.to_string() />
                    <ClusterMark cluster=Some(other.id) />
                    <bdi>{other.name}</bdi>
                    <span class="tabular">{crate::format::count(other.size)}</span>
                </label>
            </li>
        }
    };
    view! {
        <section aria-labelledby="merge-title">
            <h2 id="merge-title">"Merge with"</h2>
            <form method="post" action=format!("/batches/{batch}/clusters") data-testid="merge">
                <Hidden what="merge" of=cluster />
                <ul class="cluster-choices" tabindex="0" aria-labelledby="merge-title">
                    {others.into_iter().map(choice).collect_view()}
                </ul>
                <button class="button quiet">"Merge into this one"</button>
            </form>
        </section>
    }
    .boxed()
}

#[component]
fn Split(batch: BatchId, cluster: ClusterId) -> impl IntoView {
    view! {
        <section aria-labelledby="split-title">
            <h2 id="split-title">"Split"</h2>
            <form method="post" action=format!("/batches/{batch}/clusters") data-testid="split">
                <Hidden what="split" of=cluster />
                <label class="field">
                    <span>"Parts; none lets the documents decide"</span>
                    <input type="number" name="parts" min="2" max="50" inputmode="numeric" />
                </label>
                <button class="button quiet">"Split"</button>
            </form>
            <p class="fine">"The largest part keeps the number."</p>
        </section>
    }
    .boxed()
}
