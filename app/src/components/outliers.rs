//! What fits nowhere: each outlier with the cluster and the document that it comes nearest to.

use leptos::either::Either;
use leptos::prelude::*;
use sheaf_domain::{Batch, BatchId, ClusterFilter, NearestCluster, Neighbour, Outlier, OutlierQuery, Page};

use crate::boxed::Boxed;
use crate::components::chip::ClusterMark;
use crate::components::crumbs::BatchCrumbs;
use crate::components::facets::SelectionBar;
use crate::file_path::split_path;
use crate::filters::Filters;
use crate::format::{count, counted, ratio};

/// The whole page.
#[component]
pub fn OutliersPage(
    batch: Batch,
    outliers: Page<Outlier>,
    /// From 0.
    offset: u32,
) -> impl IntoView {
    let id = batch.id;
    let Page { items, total, next_cursor } = outliers;
    let all = Filters::default().with_cluster(Some(ClusterFilter::Outliers));
    let body = if items.is_empty() {
        Either::Left(view! {
            <div class="empty" data-testid="no-outliers">
                <p class="empty-title">"No outliers"</p>
                <p>"Every document that could be compared is in a cluster."</p>
            </div>
        })
    } else {
        let shown = items.len() as u64;
        let rows: Vec<_> = items.into_iter().map(|outlier| view! { <Row batch=id outlier /> }).collect();
        Either::Right(view! {
            <SelectionBar batch=id fields=all.pairs() all=format!("all {}", counted(total, "outlier", "outliers")) />
            <div class="table-scroll" tabindex="0" role="region" aria-label="Outliers">
                <table class="listing" data-testid="outliers">
                    <thead>
                        <tr>
                            <th scope="col">"Document"</th>
                            <th scope="col">"Nearest cluster"</th>
                            <th scope="col" class="number">"Similarity"</th>
                            <th scope="col">"Nearest document"</th>
                            <th scope="col" class="number">"Similarity"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <Paging batch=id offset shown total has_more=next_cursor.is_some() />
        })
    };
    let head = (total > 0).then(|| {
        view! {
            <p class="lede">
                {counted(total, "document fits", "documents fit")}
                " nowhere: no group is clearly theirs. The oddest come first, those that are least similar even to the cluster they are \
                 nearest to."
            </p>
            <p class="fine">
                <a href=all.documents_href(id)>"The same in the table of all documents"</a>
                ", or "
                <a href=all.map_href(id) rel="external">"on the map"</a>
                "."
            </p>
        }
    });
    view! {
        <div class="page" data-testid="outliers-page">
            <BatchCrumbs href=format!("/batches/{id}") name=batch.name />
            <h1>"Outliers"</h1>
            {head}
            {body}
        </div>
    }
    .boxed()
}

#[component]
fn Row(batch: BatchId, outlier: Outlier) -> impl IntoView {
    let Outlier { document, nearest, neighbour } = outlier;
    let name = |path: &str| {
        let (folder, name) = split_path(path);
        view! {
            <bdi>
                <span class="folder">{folder.to_owned()}</span>
                {name.to_owned()}
            </bdi>
        }
    };
    let (cluster, similarity) = match nearest {
        Some(NearestCluster { cluster, name, similarity }) => {
            let to = Filters::default().with_cluster(Some(ClusterFilter::Cluster(cluster))).documents_href(batch);
            let link = view! {
                <span class="cluster-cell">
                    <ClusterMark cluster=Some(cluster) />
                    <a href=to>
                        <bdi>{name}</bdi>
                    </a>
                </span>
            };
            (Some(link), ratio(similarity))
        }
        None => (None, String::new()),
    };
    let (other, to_other) = match neighbour {
        Some(Neighbour { id, path, similarity, cluster: _ }) => {
            let link = view! { <a href=format!("/batches/{batch}/documents/{id}")>{name(&path)}</a> };
            (Some(link), ratio(similarity))
        }
        None => (None, String::new()),
    };
    view! {
        <tr data-testid="outlier">
            <th scope="row">
                <input
                    type="checkbox"
                    class="tick"
                    name="d"
                    value=document.id.to_string()
                    form="selection"
                    aria-label=format!("Choose {}", document.path)
                />
                <a href=format!("/batches/{batch}/documents/{}?cluster=outliers", document.id)>{name(&document.path)}</a>
            </th>
            <td>{cluster}</td>
            <td class="number">{similarity}</td>
            <td>{other}</td>
            <td class="number">{to_other}</td>
        </tr>
    }
    .boxed()
}

#[component]
fn Paging(batch: BatchId, offset: u32, shown: u64, total: u64, has_more: bool) -> impl IntoView {
    let first = u64::from(offset);
    let link = |offset: u32, text: &'static str, rel: &'static str| {
        view! {
            <a class="button quiet" href=format!("/batches/{batch}/outliers?from={offset}") rel=rel>
                {text}
            </a>
        }
    };
    let previous = (offset > 0).then(|| link(offset.saturating_sub(OutlierQuery::DEFAULT_LIMIT), "Previous", "prev"));
    let next = has_more.then(|| link(offset + OutlierQuery::DEFAULT_LIMIT, "Next", "next"));
    view! {
        <nav class="paging" aria-label="Pages of outliers">
            <p>{format!("{}\u{2013}{} of {}", count(first + 1), count(first + shown), count(total))}</p>
            {previous}
            {next}
        </nav>
    }
    .boxed()
}
