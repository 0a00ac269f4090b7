//! Runs of flows as JSON, and their results as files. Described in `docs/api.md`.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use sheaf_domain::flow::{
    Estimated, Exchange, FlowRun, NewRun, RunChange, RunDocument, RunDocumentQuery, RunQuery, RunValue, ValueQuery,
    ValueReview,
};
use sheaf_domain::{Page, Restart, RunId};
use sheaf_engine::{Engine, Wanted};

use super::api::{Answer, document_id, read};
use super::download::attachment;
use super::failure::HttpFailure;

/// An id from the path. One that is none names nothing, so the answer is that of an unknown one.
pub fn run_id(text: &str) -> Result<RunId, HttpFailure> {
    text.parse().map_err(|_| HttpFailure::not_found(format!("there is no run `{text}`")))
}

fn body<T>(sent: Result<Json<T>, JsonRejection>, example: &str) -> Result<T, HttpFailure> {
    let Json(body) =
        sent.map_err(|error| HttpFailure::invalid(format!("{}; send JSON, for example {example}", error.body_text())))?;
    Ok(body)
}

const NEW_RUN: &str = "{\"flow\": ID, \"documents\": {\"batches\": [ID]}}";

/// `POST /api/runs`
pub async fn start(
    State(engine): State<Engine>,
    wanted: Result<Json<NewRun>, JsonRejection>,
) -> Result<(StatusCode, Json<FlowRun>), HttpFailure> {
    Ok((StatusCode::CREATED, Json(engine.start_run(&body(wanted, NEW_RUN)?).await?)))
}

/// `POST /api/runs/estimate`
pub async fn estimate(State(engine): State<Engine>, wanted: Result<Json<NewRun>, JsonRejection>) -> Answer<Estimated> {
    let wanted = body(wanted, NEW_RUN)?;
    let flow = engine.flow(wanted.flow, wanted.version).await?;
    Ok(Json(engine.estimate_run(&flow.spec, &wanted.documents).await?))
}

#[derive(Deserialize)]
pub struct Asked {
    flow: Option<String>,
    q: Option<String>,
    status: Option<String>,
    document: Option<String>,
    step: Option<String>,
    review: Option<String>,
    verified: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
    what: Option<String>,
    field: Option<String>,
    code: Option<String>,
    format: Option<String>,
}

/// `GET /api/runs?flow=&q=&status=&limit=&cursor=`
pub async fn list(State(engine): State<Engine>, Query(asked): Query<Asked>) -> Answer<Page<FlowRun>> {
    let query = RunQuery {
        flow: read("flow", asked.flow.as_deref())?,
        search: asked.q.filter(|q| !q.is_empty()),
        status: read("status", asked.status.as_deref())?,
        cursor: read("cursor", asked.cursor.as_deref())?,
        limit: read("limit", asked.limit.as_deref())?.unwrap_or_default(),
    };
    Ok(Json(engine.runs(&query).await?))
}

/// `GET /api/runs/{id}`
pub async fn show(State(engine): State<Engine>, Path(id): Path<String>) -> Answer<FlowRun> {
    Ok(Json(engine.run(run_id(&id)?).await?))
}

/// `PATCH /api/runs/{id}`
pub async fn change(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    change: Result<Json<RunChange>, JsonRejection>,
) -> Answer<FlowRun> {
    Ok(Json(engine.change_run(run_id(&id)?, body(change, "{\"budget_tokens\": 100000}")?).await?))
}

/// `DELETE /api/runs/{id}`
pub async fn delete(State(engine): State<Engine>, Path(id): Path<String>) -> Result<StatusCode, HttpFailure> {
    engine.delete_run(run_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/runs/{id}/cancel`
pub async fn cancel(State(engine): State<Engine>, Path(id): Path<String>) -> Answer<FlowRun> {
    Ok(Json(engine.cancel_run(run_id(&id)?).await?))
}

/// How many documents are worked on again.
#[derive(Serialize)]
pub struct Restarted {
    documents: u64,
}

/// `POST /api/runs/{id}/restart`: `"cancelled"`, `"failed"`, `{"failed_with": CODE}` or `{"document": ID}`.
pub async fn restart(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    which: Result<Json<Restart>, JsonRejection>,
) -> Answer<Restarted> {
    let which = body(which, "\"failed\"")?;
    Ok(Json(Restarted { documents: engine.restart_run(run_id(&id)?, &which).await? }))
}

/// `GET /api/runs/{id}/documents?status=&code=&limit=&cursor=`
pub async fn documents(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Answer<Page<RunDocument>> {
    let query = RunDocumentQuery {
        status: read("status", asked.status.as_deref())?,
        code: read("code", asked.code.as_deref())?,
        offset: read("cursor", asked.cursor.as_deref())?.unwrap_or_default(),
        limit: read("limit", asked.limit.as_deref())?.unwrap_or_default(),
    };
    Ok(Json(engine.run_documents(run_id(&id)?, &query).await?))
}

/// `GET /api/runs/{id}/values?document=&step=&field=&review=&verified=&limit=&cursor=`
pub async fn values(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Answer<Page<RunValue>> {
    let query = ValueQuery {
        document: asked.document.as_deref().filter(|text| !text.is_empty()).map(document_id).transpose()?,
        step: asked.step.filter(|step| !step.is_empty()),
        field: asked.field.filter(|field| !field.is_empty()),
        columns: Vec::new(),
        review: read("review", asked.review.as_deref())?,
        verified: read("verified", asked.verified.as_deref())?,
        cursor: asked.cursor.filter(|cursor| !cursor.is_empty()),
        limit: read("limit", asked.limit.as_deref())?.unwrap_or_default(),
    };
    Ok(Json(engine.run_values(run_id(&id)?, &query).await?))
}

/// `POST /api/runs/{id}/values/{document}/{number}`
pub async fn review(
    State(engine): State<Engine>,
    Path((id, document, number)): Path<(String, String, String)>,
    sent: Result<Json<ValueReview>, JsonRejection>,
) -> Result<StatusCode, HttpFailure> {
    let review = body(sent, "{\"review\": \"accepted\"}")?;
    let number = number.parse().map_err(|_| HttpFailure::not_found("the run has no such value"))?;
    engine.review_value(run_id(&id)?, document_id(&document)?, number, review).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/runs/{id}/documents/{document}/exchanges`
pub async fn exchanges(
    State(engine): State<Engine>,
    Path((id, document)): Path<(String, String)>,
) -> Answer<Vec<Exchange>> {
    Ok(Json(engine.exchanges(run_id(&id)?, document_id(&document)?).await?))
}

/// `GET /api/runs/{id}/export?what=zip|table&format=csv|tsv|json`: as the flow says without a format.
pub async fn export(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, HttpFailure> {
    let wanted = match asked.what.as_deref().unwrap_or("zip") {
        "zip" => Wanted::Zip,
        "table" => Wanted::Whole,
        other => return Err(HttpFailure::invalid(format!("`what`: `{other}` is neither zip nor table"))),
    };
    download(&engine, &id, wanted, asked.format.as_deref()).await
}

/// `GET /api/runs/{id}/documents/{document}/export?format=`
pub async fn export_document(
    State(engine): State<Engine>,
    Path((id, document)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, HttpFailure> {
    download(&engine, &id, Wanted::Document(document_id(&document)?), asked.format.as_deref()).await
}

async fn download(engine: &Engine, id: &str, wanted: Wanted, format: Option<&str>) -> Result<Response, HttpFailure> {
    let export = engine.export_run(run_id(id)?, wanted, read("format", format)?).await?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(export.media_type)),
        (CONTENT_DISPOSITION, attachment(&export.file_name)),
    ];
    Ok((headers, Body::from_stream(export.into_stream())).into_response())
}
