//! Steering batches: cancel, start again, rename, and what there is to know meanwhile.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use sheaf_domain::{
    Attempt, Batch, BatchChange, Changes, ComparePart, CompareQuery, Comparison, ProgressGrid, Restart,
};
use sheaf_engine::Engine;

use super::api::{Answer, batch_id, document_id, read};
use super::failure::HttpFailure;

/// Fields of a progress grid when nothing was said.
const CELLS: u32 = 400;

/// `POST /api/batches/{id}/cancel`
pub async fn cancel(State(engine): State<Engine>, Path(id): Path<String>) -> Answer<Batch> {
    Ok(Json(engine.cancel_batch(batch_id(&id)?).await?))
}

/// How many documents are worked on again.
#[derive(Serialize)]
pub struct Restarted {
    documents: u64,
}

/// `POST /api/batches/{id}/restart`: `"cancelled"`, `"failed"`, `{"failed_with": CODE}` or `{"document": ID}`.
pub async fn restart(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    which: Result<Json<Restart>, JsonRejection>,
) -> Answer<Restarted> {
    let Json(which) = which.map_err(|error| not_understood(&error, "\"failed\""))?;
    Ok(Json(Restarted { documents: engine.restart(batch_id(&id)?, &which).await? }))
}

/// `PATCH /api/batches/{id}`
pub async fn change(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    change: Result<Json<BatchChange>, JsonRejection>,
) -> Answer<Batch> {
    let Json(change) = change.map_err(|error| not_understood(&error, "{\"name\": \"Letters\"}"))?;
    Ok(Json(engine.change_batch(batch_id(&id)?, change).await?))
}

fn not_understood(error: &JsonRejection, example: &str) -> HttpFailure {
    HttpFailure::invalid(format!("{}; send JSON, for example {example}", error.body_text()))
}

/// `GET /api/batches/{id}/documents/{document}/attempts`
pub async fn attempts(
    State(engine): State<Engine>,
    Path((id, document)): Path<(String, String)>,
) -> Answer<Vec<Attempt>> {
    Ok(Json(engine.attempts(batch_id(&id)?, document_id(&document)?).await?))
}

#[derive(Deserialize)]
pub struct After {
    after: Option<String>,
}

/// `GET /api/batches/{id}/changes?after=CURSOR`
pub async fn changes(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Query(after): Query<After>,
) -> Answer<Changes> {
    Ok(Json(engine.changes(batch_id(&id)?, after.after.as_deref()).await?))
}

#[derive(Deserialize)]
pub struct Cells {
    cells: Option<String>,
}

/// `GET /api/batches/{id}/grid?cells=N`
pub async fn grid(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Query(cells): Query<Cells>,
) -> Answer<ProgressGrid> {
    let cells = read("cells", cells.cells.as_deref())?.unwrap_or(CELLS);
    Ok(Json(engine.progress_grid(batch_id(&id)?, cells).await?))
}

/// Which two batches, and which of their documents.
#[derive(Deserialize)]
pub struct Two {
    a: String,
    b: String,
    part: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

/// `GET /api/compare?a=ID&b=ID&part=`
pub async fn compare(State(engine): State<Engine>, two: Result<Query<Two>, QueryRejection>) -> Answer<Comparison> {
    let Query(two) =
        two.map_err(|error| HttpFailure::invalid(format!("{}; give two ids as a and b", error.body_text())))?;
    let query = CompareQuery {
        first: batch_id(&two.a)?,
        second: batch_id(&two.b)?,
        part: read::<ComparePart>("part", two.part.as_deref())?.unwrap_or_default(),
        offset: read("cursor", two.cursor.as_deref())?.unwrap_or_default(),
        limit: read("limit", two.limit.as_deref())?.unwrap_or_default(),
    };
    Ok(Json(engine.compare(&query).await?))
}
