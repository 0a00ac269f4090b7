//! Two texts side by side, as JSON.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use sheaf_domain::{DiffQuery, TextDiff};
use sheaf_engine::Engine;

use super::api::{Answer, batch_id, document_id, read};
use super::failure::HttpFailure;

/// Which two documents, and which page of the rows.
#[derive(Deserialize)]
pub struct Two {
    a: String,
    b: String,
    limit: Option<String>,
    cursor: Option<String>,
}

/// `GET /api/batches/{id}/diff?a=ID&b=ID`
pub async fn diff(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    two: Result<Query<Two>, QueryRejection>,
) -> Answer<TextDiff> {
    let Query(two) =
        two.map_err(|error| HttpFailure::invalid(format!("{}; give two ids as a and b", error.body_text())))?;
    let query = DiffQuery {
        a: document_id(&two.a)?,
        b: document_id(&two.b)?,
        offset: read("cursor", two.cursor.as_deref())?.unwrap_or_default(),
        limit: read("limit", two.limit.as_deref())?.unwrap_or_default(),
    };
    Ok(Json(engine.diff(batch_id(&id)?, &query).await?))
}
