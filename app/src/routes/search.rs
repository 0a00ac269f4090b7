//! What was found, in a batch or in all of them. The question is the URL.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;
use sheaf_domain::{Batch, DocumentQuery, Facets, SearchQuery, SearchResults, SimilarQuery};

use crate::boxed::Boxed;
use crate::components::failure::FailurePage;
use crate::components::search::{Asked, SearchPage};
use crate::components::skeleton::Skeleton;
use crate::errors::AppError;
use crate::filters::Filters;
use crate::server_fns::front_door::{engine, respond};

/// `/search?q=&batch=&mode=`, or `/search?batch=&like=` with the id of a document.
#[component]
pub fn Search() -> impl IntoView {
    let query = use_query_map();
    let asked = Memo::new(move |_| read(&query.read()));
    let results = Resource::new_blocking(move || asked.get(), find);
    view! {
        <Title text=move || {
            let asked = asked.get();
            if asked.query.text.is_empty() { "Search".to_owned() } else { format!("{} – search", asked.query.text) }
        } />
        <Transition fallback=|| {
            view! { <Skeleton rows=12 /> }
        }>
            {move || Suspend::new(async move {
                match results.await {
                    Ok((results, batch, like, facets)) => {
                        Either::Left(view! { <SearchPage asked=asked.get() results batch like facets /> })
                    }
                    Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Transition>
    }
    .boxed()
}

/// What a URL asks for; all that cannot be understood is as if it were not there.
fn read(params: &ParamsMap) -> Asked {
    let filters = Filters::read(params);
    let filter = DocumentQuery { search: None, offset: 0, limit: 0, ..filters.document_query() };
    let parsed = |key: &str| params.get(key).filter(|text| !text.is_empty());
    let query = SearchQuery {
        text: filters.search.unwrap_or_default(),
        batch: parsed("batch").and_then(|id| id.parse().ok()),
        mode: parsed("mode").and_then(|mode| mode.parse().ok()).unwrap_or_default(),
        filter,
        offset: filters.page.saturating_mul(SearchQuery::DEFAULT_LIMIT),
        limit: SearchQuery::DEFAULT_LIMIT,
    };
    Asked { query, like: parsed("like").and_then(|id| id.parse().ok()) }
}

/// What was found, the batch that was searched, and the path of the document that others are to be like.
async fn find(asked: Asked) -> Result<(SearchResults, Option<Batch>, Option<String>, Facets), AppError> {
    let engine = engine()?;
    let batch = match asked.query.batch {
        Some(batch) => Some(respond(engine.batch(batch).await)?),
        None => None,
    };
    if let (Some(like), Some(batch)) = (asked.like, &batch) {
        let view = respond(engine.document(batch.id, like).await)?;
        let query =
            SimilarQuery { text: None, documents: vec![like], offset: asked.query.offset, limit: asked.query.limit };
        let results = respond(engine.similar(batch.id, &query).await)?;
        return Ok((results, Some(batch.clone()), Some(view.row.path), Facets::default()));
    }
    let (results, facets) = respond(engine.search_with_facets(&asked.query).await)?;
    Ok((results, batch, None, facets))
}
