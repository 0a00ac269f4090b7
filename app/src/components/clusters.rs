//! The clusters of a batch, largest first: each a link that filters the whole page.

use leptos::either::Either;
use leptos::prelude::*;
use sheaf_domain::{BatchId, BatchSummary, Cluster, ClusterFilter, ClusterId, EXACT_UP_TO, Merge, NamedBy};

use crate::boxed::Boxed;
use crate::components::chip::ClusterMark;
use crate::errors::AppError;
use crate::file_path::file_name;
use crate::filters::Filters;
use crate::format::{count, counted, ratio};
use crate::views::FacetPanel;

/// Clusters that are shown at once; the smaller ones open on demand.
const SHOWN: usize = 12;

/// The list, or what to do when there are none.
#[component]
pub fn Clusters(
    batch: BatchId,
    filters: Memo<Filters>,
    clusters: Vec<Cluster>,
    summary: BatchSummary,
    /// How many documents of each the other filters leave.
    facets: Resource<Result<FacetPanel, AppError>>,
    /// What the latest analysis changed: in short, then each change.
    news: Vec<String>,
) -> impl IntoView {
    let all = summary.clusters;
    let compared = summary.counts.completed.saturating_sub(summary.unclustered);
    let shown = clusters.len() as u64;
    let largest = clusters.iter().map(|cluster| cluster.size).max().unwrap_or(1).max(1);
    let body = if clusters.is_empty() {
        Either::Left(view! { <NoClusters summary /> })
    } else {
        let row = move |cluster: Cluster| view! { <Row batch filters cluster largest facets /> };
        let mut first = clusters;
        let rest = first.split_off(first.len().min(SHOWN));
        let rest = (!rest.is_empty()).then(|| {
            // Open when the cluster that is looked at is among them.
            let chosen = filters.get_untracked().cluster;
            let open = rest.iter().any(|cluster| chosen == Some(ClusterFilter::Cluster(cluster.id)));
            view! {
                <details class="more" open=open>
                    <summary>{counted(rest.len() as u64, "smaller cluster", "smaller clusters")}</summary>
                    <ul class="clusters">{rest.into_iter().map(row).collect_view()}</ul>
                </details>
            }
        });
        Either::Right(view! {
            <div class="clusters-head" aria-hidden="true">
                <span>"Distinguishing words"</span>
                <span>"Documents"</span>
                <span>"Cohesion"</span>
                <span>"Probability"</span>
                <span>"Typical document"</span>
            </div>
            <ul class="clusters">{first.into_iter().map(row).collect_view()}</ul>
            {rest}
        })
    };
    view! {
        <section class="section" id="clusters" aria-labelledby="clusters-title">
            <h2 id="clusters-title">"Clusters"</h2>
            {(!news.is_empty()).then(|| view! { <News news /> })}
            {(all > 2).then(|| view! { <Levels batch filters shown all /> })}
            {(compared > EXACT_UP_TO)
                .then(|| {
                    view! {
                        <p class="clusters-note">
                            "In a batch of more than 20,000 documents each is compared with those around it, not with all. \
                             Now and then a neighbour is missed."
                        </p>
                    }
                })}
            {body}
        </section>
    }
    .boxed()
}

/// What the latest analysis changed, in one line that opens.
#[component]
fn News(news: Vec<String>) -> impl IntoView {
    let mut lines = news.into_iter();
    let short = lines.next();
    view! {
        <details class="clusters-note" data-testid="cluster-news">
            <summary>{short}</summary>
            <ul>{lines.map(|line| view! { <li>{line}</li> }).collect_view()}</ul>
        </details>
    }
    .boxed()
}

/// How many groups the clusters are joined to: a plain form, sent by its button or by letting the slider go.
#[component]
fn Levels(batch: BatchId, filters: Memo<Filters>, shown: u64, all: u64) -> impl IntoView {
    let kept = move || {
        let pairs = filters.read().with_level(0).pairs();
        pairs.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value /> }).collect_view()
    };
    view! {
        <form class="levels" method="get" action=format!("/batches/{batch}#clusters") data-testid="levels">
            {kept}
            <label for="level">
                <output for="level" class="tabular">{shown.to_string()}</output>
                {format!(" of {} groups; fewer are coarser, joined by similarity", count(all))}
            </label>
            <span class="levels-slide">
                <span aria-hidden="true">"coarse"</span>
                <input type="range" id="level" name="level" min="1" max=all.to_string() value=shown.to_string() data-submit="" />
                <span aria-hidden="true">"fine"</span>
                <button class="button quiet">"Regroup"</button>
            </span>
        </form>
    }
    .boxed()
}

#[component]
fn Row(
    batch: BatchId,
    filters: Memo<Filters>,
    cluster: Cluster,
    largest: u64,
    facets: Resource<Result<FacetPanel, AppError>>,
) -> impl IntoView {
    let Cluster {
        id,
        name,
        keywords,
        size,
        cohesion,
        average_probability,
        representative,
        representative_path,
        named_by,
        edited,
    } = cluster;
    // Coarser groups follow from the clusters that they are made of.
    let change = (id.0 < Merge::FIRST).then(|| {
        let by = match (named_by, edited) {
            (NamedBy::Person, true) => "Named and changed by a person. ",
            (NamedBy::Person, false) => "Named by a person. ",
            (NamedBy::Words, true) => "Changed by a person. ",
            (NamedBy::Words, false) => "",
        };
        view! {
            <span class="cluster-by">
                {by}
                <a href=format!("/batches/{batch}/clusters/{id}") rel="external" data-testid="change-cluster">
                    "Change"
                    <span class="unseen">{format!(" cluster {id}")}</span>
                </a>
            </span>
        }
    });
    let filter = Some(ClusterFilter::Cluster(id));
    let chosen = move || filters.read().cluster == filter;
    let href = move || {
        let now = filters.read();
        now.with_cluster(if now.cluster == filter { None } else { filter }).href(batch)
    };
    let more = keywords.join(", ");
    let width = move |documents: u64| format!("{}%", (documents * 100).div_ceil(largest));
    view! {
        <li class="cluster-row" data-testid="cluster-row" data-cluster=id.to_string() class:chosen=chosen>
            <ClusterMark cluster=Some(id) />
            <span class="cluster-name">
                <a href=href data-noscroll="" aria-current=move || chosen().then_some("true")>
                    <bdi>{name}</bdi>
                </a>
                <bdi class="cluster-words">{more}</bdi>
                {change}
            </span>
            <span class="cluster-size">
                <span class="cluster-key">"Documents "</span>
                <Transition>
                    {move || Suspend::new(async move {
                        let of_others = facets.await.ok().and_then(|panel| left(&panel, filters.get_untracked().with_cluster(None).is_narrowed(), id));
                        let left = of_others.unwrap_or(size);
                        let part = of_others.map(|left| format!("{} of ", count(left)));
                        view! {
                            <span class=if left == 0 { "tabular none-left" } else { "tabular" } data-testid="cluster-size">
                                {part}
                                {count(size)}
                            </span>
                            <svg class=format!("bar {}", crate::words::hue_class(Some(id))) aria-hidden="true" height="6">
                                <rect class="bar-rest" width=width(size) height="6" rx="1" />
                                <rect class="bar-fill" width=width(left) height="6" rx="1" />
                            </svg>
                        }
                    })}
                </Transition>
            </span>
            <span class="cluster-number">
                <span class="cluster-key">"Cohesion "</span>
                {ratio(cohesion)}
            </span>
            <span class="cluster-number">
                <span class="cluster-key">"Probability "</span>
                {ratio(average_probability)}
            </span>
            <a
                class="cluster-typical"
                href=format!("/batches/{batch}/documents/{representative}")
                title=representative_path.clone()
            >
                <bdi>{file_name(&representative_path).to_owned()}</bdi>
            </a>
        </li>
    }
    .boxed()
}

/// Documents of a cluster that the other filters leave; absent when there are none.
fn left(panel: &FacetPanel, is_narrowed: bool, id: ClusterId) -> Option<u64> {
    is_narrowed.then(|| panel.clusters.iter().find(|(of, _)| *of == id).map_or(0, |(_, documents)| *documents))
}

#[component]
fn NoClusters(summary: BatchSummary) -> impl IntoView {
    let compared = summary.counts.completed.saturating_sub(summary.unclustered);
    let advice = match (summary.counts.total, compared) {
        (0, _) => "This batch is empty. Start a new one with the files that you want to see.",
        (_, 0) => {
            "No document of this batch has text that could be compared. The reasons are under Failures, with what to do \
             about each."
        }
        (_, 1..=3) => "There are too few documents with text to form groups. Start a new batch with more of them.",
        (_, _) => {
            "No group of documents is clearly closer to each other than to the rest. Try the accurate model, or ask for a \
             number of clusters."
        }
    };
    view! {
        <div class="empty" data-testid="no-clusters">
            <p class="empty-title">"No clusters"</p>
            <p>{advice}</p>
            <p>
                <a href="/">"Start a new batch"</a>
            </p>
        </div>
    }
    .boxed()
}
