//! Reading documents: what a batch's page shows of those that its filters leave, made by the server.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use sheaf_domain::{BatchId, DocumentQuery, HeatmapCells};

#[cfg(feature = "ssr")]
use super::front_door::{engine, is_left_out, respond, respond_in_part};
#[cfg(feature = "ssr")]
use crate::components::facets::{FacetLists, SelectionBar};
#[cfg(feature = "ssr")]
use crate::components::figures::Figures;
#[cfg(feature = "ssr")]
use crate::components::filter_bar::FilterBar;
#[cfg(feature = "ssr")]
use crate::components::map::MapPicture;
#[cfg(feature = "ssr")]
use crate::components::table::Listing;
use crate::errors::AppError;
#[cfg(feature = "ssr")]
use crate::filters::Filters;
use crate::views::FacetPanel;
use crate::wire::Json;

/// A page of the table of documents as HTML, whose links keep the level and the part of the heatmap; nothing where the page of a batch
/// that runs is made, for that shows how far they are.
#[server(prefix = "/rpc", endpoint = "documents", input = GetUrl, output = Json)]
pub async fn documents_table(
    batch: BatchId,
    query: DocumentQuery,
    level: u32,
    /// First place and places of the heatmap, and what it shows.
    start: u32,
    len: u32,
    cells: HeatmapCells,
) -> Result<String, AppError> {
    let engine = engine()?;
    let of = respond(engine.batch(batch).await)?;
    if is_left_out(&of) {
        return Ok(String::new());
    }
    let page = respond(engine.documents(batch, &query).await)?;
    let number = query.offset / DocumentQuery::DEFAULT_LIMIT;
    let filters = Filters::of_query(query, level).with_page(number).zoomed(start, len).with_cells(cells);
    Ok(view! { <Listing batch filters page total=of.counts.total /> }.to_html())
}

/// What the filters of a batch's page leave; nothing where the page of a batch that runs is made. Pages of the table do not
/// matter; links keep the level.
#[server(prefix = "/rpc", endpoint = "facets", input = GetUrl, output = Json)]
pub async fn batch_facets(batch: BatchId, query: DocumentQuery, level: u32) -> Result<FacetPanel, AppError> {
    use sheaf_domain::ClusterFilter;

    let engine = engine()?;
    if is_left_out(&respond_in_part(engine.batch(batch).await)?) {
        return Ok(FacetPanel::default());
    }
    let (of, summary, families) = respond_in_part(engine.figures(batch).await)?;
    let (facets, selected) = respond_in_part(engine.facets_and_figures(batch, &query).await)?;
    let selected = selected.filter(|_| query.is_narrowed());
    // What is not analysed yet, or cannot be had, has no picture.
    let map = engine.map(batch, &query, level).await.unwrap_or_default();
    let filters = Filters::of_query(query, level);
    let names = match filters.cluster {
        Some(ClusterFilter::Cluster(_)) => {
            let level = if level == 0 { u32::MAX } else { level };
            respond_in_part(engine.clusters_at(batch, level).await)?.0
        }
        Some(ClusterFilter::Outliers) | None => Vec::new(),
    };
    let (now, total) = (filters.clone(), of.counts.total);
    let left_out = view! { <FilterBar batch filters=now.clone() names matching=facets.matching total /> }.to_html();
    let figures = view! { <Figures batch params=of.params summary families filters=now selected /> }.to_html();
    let clusters = facets.clusters.iter().filter_map(|count| match count.value {
        ClusterFilter::Cluster(id) => Some((id, count.documents)),
        ClusterFilter::Outliers => None,
    });
    let clusters = clusters.collect();
    let all = match facets.matching {
        1 => "the one that matches".to_owned(),
        many => format!("all {} that match", crate::format::count(many)),
    };
    let selection = match facets.matching {
        0 => String::new(),
        _ => view! { <SelectionBar batch fields=filters.pairs() all /> }.to_html(),
    };
    let map = view! { <MapPicture batch filters=filters.clone() map /> }.to_html();
    let href = Callback::new(move |state: Filters| state.documents_href(batch));
    let lists = view! { <FacetLists filters facets href /> }.to_html();
    Ok(FacetPanel { left_out, figures, lists, selection, map, clusters })
}
