//! Finding documents by words, by meaning, and by what they are like.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use sheaf_domain::{BatchId, SearchMode, SearchQuery, SearchResults, SimilarQuery};
use sheaf_engine::Engine;

use super::api::{Answer, Filter, batch_id, read};
use super::failure::HttpFailure;

/// Where and how is searched, besides the filter of the table.
#[derive(Deserialize)]
pub struct Asked {
    batch: Option<String>,
    mode: Option<String>,
}

/// `GET /api/search?q=`
pub async fn search(
    State(engine): State<Engine>,
    Query(asked): Query<Asked>,
    Query(filter): Query<Filter>,
) -> Answer<SearchResults> {
    let filter = filter.query()?;
    let query = SearchQuery {
        text: filter.search.clone().unwrap_or_default(),
        batch: read::<BatchId>("batch", asked.batch.as_deref())?,
        mode: read::<SearchMode>("mode", asked.mode.as_deref())?.unwrap_or_default(),
        offset: filter.offset,
        limit: filter.limit,
        filter,
    };
    Ok(Json(engine.search(&query).await?))
}

/// `POST /api/batches/{id}/similar`: `{"text": …}` or `{"documents": [ID, …]}`.
pub async fn similar(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    query: Result<Json<SimilarQuery>, JsonRejection>,
) -> Answer<SearchResults> {
    let Json(query) = query.map_err(|error| {
        HttpFailure::invalid(format!("{}; send JSON, for example {{\"text\": \"late fees\"}}", error.body_text()))
    })?;
    Ok(Json(engine.similar(batch_id(&id)?, &query).await?))
}
