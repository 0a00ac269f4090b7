//! Reading documents: a page of the table.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use sheaf_domain::{BatchId, DocumentQuery, DocumentRow, Page};

#[cfg(feature = "ssr")]
use super::front_door::{engine, is_left_out, respond, respond_in_part};
#[cfg(feature = "ssr")]
use crate::components::facets::{FacetLists, SelectionBar};
#[cfg(feature = "ssr")]
use crate::components::figures::Figures;
#[cfg(feature = "ssr")]
use crate::components::map::MapPicture;
use crate::errors::AppError;
#[cfg(feature = "ssr")]
use crate::filters::Filters;
use crate::views::FacetPanel;
use crate::wire::Json;

/// A page of the documents of a batch; none where the page of a batch that runs is made, for that shows how far they are.
#[server(prefix = "/rpc", endpoint = "documents", input = GetUrl, output = Json)]
pub async fn list_documents(batch: BatchId, query: DocumentQuery) -> Result<Page<DocumentRow>, AppError> {
    let engine = engine()?;
    if is_left_out(&respond(engine.batch(batch).await)?) {
        return Ok(Page { items: Vec::new(), total: 0, next_cursor: None });
    }
    respond(engine.documents(batch, &query).await)
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
    let now = filters.clone();
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
    Ok(FacetPanel { figures, lists, selection, map, clusters })
}
