//! The map of a batch. The server draws it whole, names and all; `public/map.js` makes it one that can be moved and chosen
//! from.

mod picture;

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use sheaf_domain::{Batch, BatchId, Cluster, ClusterFilter, DocumentMap, Facets, MapLabel};

use crate::boxed::Boxed;
use crate::components::chip::ClusterMark;
use crate::components::crumbs::BatchCrumbs;
use crate::components::facets::{FacetLists, SelectionBar};
use crate::components::filter_bar::FilterBar;
use crate::filters::Filters;
use crate::format::{count, counted};

use picture::{Frame, Names, Points};

/// The whole page.
#[component]
pub fn MapPage(
    batch: Batch,
    filters: Filters,
    map: DocumentMap,
    clusters: Vec<Cluster>,
    facets: Facets,
) -> impl IntoView {
    let id = batch.id;
    let placed = map.documents.len() as u64;
    let matching = map.matching.as_ref().map_or(placed, |matching| matching.len() as u64);
    let total = batch.counts.total;
    let outliers = map.clusters.iter().filter(|cluster| cluster.is_none()).count() as u64;
    let href = Callback::new(move |state: Filters| state.map_href(id));
    let body = if placed == 0 {
        view! {
            <div class="empty" data-testid="no-map">
                <p class="empty-title">"Nothing to place"</p>
                <p>"No document of this batch has text that could be compared, so none has a place on a map."</p>
            </div>
        }
        .into_any()
    } else {
        let all = match matching {
            1 => "the one that matches".to_owned(),
            many => format!("all {} that match", count(many)),
        };
        view! {
            <div class="explore">
                <div class="facets" data-testid="facets">
                    <h2 class="unseen">"Narrow what is coloured"</h2>
                    <Search batch=id filters=filters.clone() />
                    <FacetLists filters=filters.clone() facets href />
                </div>
                <div>
                    <Stage batch=id filters=filters.clone() map=map.clone() />
                    {(matching > 0).then(|| view! { <SelectionBar batch=id fields=filters.pairs() all is_map=true /> })}
                    <Table batch=id filters=filters.clone() labels=map.labels outliers />
                </div>
            </div>
        }
        .into_any()
    };
    view! {
        <div class="page map-page" data-testid="map-page">
            <BatchCrumbs href=filters.href(id) name=batch.name />
            <h1>"Map"</h1>
            <p class="lede" data-testid="map-count">
                {counted(placed, "document", "documents")}
                ". Similar ones stand near each other; how far apart groups are, and in which direction, means little."
            </p>
            <FilterBar batch=id filters=filters.clone() names=clusters matching total on_map=true />
            {body}
        </div>
        <script type="module" src="/map.js" nonce=use_nonce()></script>
    }
    .boxed()
}

/// Words of names and texts, kept with the other filters.
#[component]
fn Search(batch: BatchId, filters: Filters) -> impl IntoView {
    let kept = Filters { search: None, page: 0, ..filters.clone() }.pairs();
    let kept = kept.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value /> });
    view! {
        <form class="map-search" role="search" method="get" action=format!("/batches/{batch}/map")>
            {kept.collect_view()}
            <label class="field">
                <span>"Search names and texts"</span>
                <input type="search" name="q" value=filters.search data-key="/" data-key-label="Search names and texts" />
            </label>
            <button class="button quiet">"Search"</button>
        </form>
    }
    .boxed()
}

/// The map itself with what moves it.
#[component]
fn Stage(batch: BatchId, filters: Filters, map: DocumentMap) -> impl IntoView {
    let query = filters.list_query();
    let source = match query.as_str() {
        "" => format!("/api/batches/{batch}/map?level={}", filters.level),
        query => format!("/api/batches/{batch}/map{query}&level={}", filters.level),
    };
    let frame = Frame::of(&map, Frame::LARGE);
    let to = move |label: &MapLabel| {
        let cluster = Some(ClusterFilter::Cluster(label.cluster));
        filters.with_cluster(cluster.filter(|_| filters.cluster != cluster)).map_href(batch)
    };
    let tool = |name: &'static str, key: &'static str, label: &'static str, text: &'static str| {
        view! {
            <button type="button" class="button quiet" data-tool=name data-key=key data-key-label=label aria-label=label title=label>
                {text}
            </button>
        }
    };
    view! {
        <div
            class="map"
            data-testid="map"
            data-map=source
            data-open=format!("/batches/{batch}/documents/")
            data-query=query
            data-rows=format!("/api/batches/{batch}/documents?limit=1&documents=")
        >
            <div class="map-stage">
                <svg class="map-picture" viewBox=frame.view_box() role="group" aria-label="Clusters of the map, the largest first">
                    <Points frame map=map.clone() />
                    <Names frame labels=map.labels to />
                </svg>
            </div>
            <div class="map-tools" role="group" aria-label="Move and choose" hidden>
                {tool("in", "+", "Zoom in", "+")} {tool("out", "-", "Zoom out", "\u{2212}")} {tool("fit", "0", "Show all of it", "All")}
                <button
                    type="button"
                    class="button quiet"
                    data-tool="lasso"
                    data-key="l"
                    data-key-label="Draw a lasso around documents"
                    aria-pressed="false"
                >
                    "Lasso"
                </button>
                <button type="button" class="button quiet" data-tool="clear" hidden>
                    "Let go"
                </button>
            </div>
            <p class="map-readout fine" data-testid="map-readout" role="status"></p>
        </div>
    }
    .boxed()
}

/// The same as a table: every cluster, and what fits nowhere.
#[component]
fn Table(batch: BatchId, filters: Filters, labels: Vec<MapLabel>, outliers: u64) -> impl IntoView {
    let is_narrowed = filters.is_narrowed();
    let list = |filter: ClusterFilter| filters.with_cluster(Some(filter)).documents_href(batch);
    let row = |label: MapLabel| {
        let cluster = ClusterFilter::Cluster(label.cluster);
        view! {
            <tr data-testid="map-row">
                <td>
                    <ClusterMark cluster=Some(label.cluster) />
                </td>
                <th scope="row">
                    <a href=filters.with_cluster(Some(cluster)).map_href(batch)>
                        <bdi>{label.name}</bdi>
                    </a>
                </th>
                <td class="number">{count(u64::from(label.documents))}</td>
                {is_narrowed.then(|| view! { <td class="number">{count(u64::from(label.matching))}</td> })}
                <td class="tight">
                    <a href=list(cluster)>"In the list"</a>
                </td>
            </tr>
        }
    };
    let rows: Vec<_> = labels.into_iter().map(row).collect();
    let last = (outliers > 0).then(|| {
        view! {
            <tr data-testid="map-row">
                <td>
                    <ClusterMark cluster=None />
                </td>
                <th scope="row">
                    <a href=filters.with_cluster(Some(ClusterFilter::Outliers)).map_href(batch)>"Outliers: they fit nowhere"</a>
                </th>
                <td class="number">{count(outliers)}</td>
                {is_narrowed.then(|| view! { <td class="number"></td> })}
                <td class="tight">
                    <a href=list(ClusterFilter::Outliers)>"In the list"</a>
                </td>
            </tr>
        }
    });
    view! {
        <div class="table-scroll" tabindex="0" role="region" aria-label="Clusters of the map">
            <table class="listing" data-testid="map-table">
                <caption class="unseen">"What is on the map"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Nr."</th>
                        <th scope="col">"Cluster"</th>
                        <th scope="col" class="number">"Documents"</th>
                        {is_narrowed.then(|| view! { <th scope="col" class="number">"Match"</th> })}
                        <th scope="col">
                            <span class="unseen">"Where else"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{rows} {last}</tbody>
            </table>
        </div>
    }
    .boxed()
}

/// The map as a small picture that leads to the large one; empty when nothing is placed.
#[component]
pub fn MapPicture(batch: BatchId, filters: Filters, map: DocumentMap) -> impl IntoView {
    let frame = Frame::of(&map, Frame::SMALL);
    (!map.documents.is_empty()).then(|| {
        view! {
            <a class="map-small" href=filters.map_href(batch) rel="external" data-testid="map-picture">
                <svg class="map-picture" viewBox=frame.view_box() aria-hidden="true">
                    <Points frame map=map />
                </svg>
                <span>"Open the map: names, lasso, every document"</span>
            </a>
        }
    })
}
