//! Flows as JSON and as files. Described in `docs/api.md`.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use sheaf_domain::flow::{Classify, Flow, FlowProblem, FlowSpec, LabelAccuracy};
use sheaf_domain::{BatchId, DocumentId, FlowId};
use sheaf_engine::{Engine, FlowFile, StepTrial};

use super::api::{Answer, read};
use super::download::attachment;
use super::failure::HttpFailure;

/// An id from the path. One that is none names nothing, so the answer is that of an unknown one.
pub fn flow_id(text: &str) -> Result<FlowId, HttpFailure> {
    text.parse().map_err(|_| HttpFailure::not_found(format!("there is no flow `{text}`")))
}

fn spec(body: Result<Json<FlowSpec>, JsonRejection>) -> Result<FlowSpec, HttpFailure> {
    let Json(spec) = body.map_err(|error| {
        HttpFailure::invalid(format!("{}; docs/flow.schema.json says what a flow may hold", error.body_text()))
    })?;
    Ok(spec)
}

#[derive(Deserialize)]
pub struct Version {
    version: Option<String>,
    /// The version that was changed.
    based_on: Option<String>,
    format: Option<String>,
}

/// `GET /api/flows`
pub async fn list(State(engine): State<Engine>) -> Answer<Vec<Flow>> {
    Ok(Json(engine.flows().await?))
}

/// `POST /api/flows`
pub async fn add(
    State(engine): State<Engine>,
    body: Result<Json<FlowSpec>, JsonRejection>,
) -> Result<(StatusCode, Json<Flow>), HttpFailure> {
    Ok((StatusCode::CREATED, Json(engine.save_flow(&spec(body)?, None).await?)))
}

/// `GET /api/flows/{id}?version=`
pub async fn show(State(engine): State<Engine>, Path(id): Path<String>, Query(wanted): Query<Version>) -> Answer<Flow> {
    Ok(Json(engine.flow(flow_id(&id)?, read("version", wanted.version.as_deref())?).await?))
}

/// `PUT /api/flows/{id}?based_on=`: the next version, based on the latest when nothing was said.
pub async fn save(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Query(wanted): Query<Version>,
    body: Result<Json<FlowSpec>, JsonRejection>,
) -> Answer<Flow> {
    let id = flow_id(&id)?;
    let based_on = match read("based_on", wanted.based_on.as_deref())? {
        Some(version) => version,
        None => engine.flow(id, None).await?.version,
    };
    Ok(Json(engine.save_flow(&spec(body)?, Some((id, based_on))).await?))
}

/// `DELETE /api/flows/{id}`
pub async fn delete(State(engine): State<Engine>, Path(id): Path<String>) -> Result<StatusCode, HttpFailure> {
    engine.delete_flow(flow_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/flows/{id}/versions`
pub async fn versions(State(engine): State<Engine>, Path(id): Path<String>) -> Answer<Vec<Flow>> {
    Ok(Json(engine.flow_versions(flow_id(&id)?).await?))
}

/// `POST /api/flows/check`
pub async fn check(body: Result<Json<FlowSpec>, JsonRejection>) -> Answer<Vec<FlowProblem>> {
    Ok(Json(Engine::check_flow(&spec(body)?)))
}

/// `POST /api/flows/labels`: the parameters of a `classify` step; how well it tells its labels apart.
pub async fn labels(
    State(engine): State<Engine>,
    body: Result<Json<Classify>, JsonRejection>,
) -> Answer<LabelAccuracy> {
    let Json(classify) = body.map_err(|error| HttpFailure::invalid(error.body_text()))?;
    Ok(Json(engine.label_accuracy(&classify).await?))
}

/// `POST /api/flows/import`: a file in TOML or JSON as the body.
pub async fn import(State(engine): State<Engine>, text: String) -> Result<(StatusCode, Json<Flow>), HttpFailure> {
    let spec = FlowFile::of(&text).read(&text)?;
    Ok((StatusCode::CREATED, Json(engine.save_flow(&spec, None).await?)))
}

/// `GET /api/flows/{id}/export?format=toml|json&version=`
pub async fn export(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Query(wanted): Query<Version>,
) -> Result<Response, HttpFailure> {
    let flow = engine.flow(flow_id(&id)?, read("version", wanted.version.as_deref())?).await?;
    let format: FlowFile = wanted.format.as_deref().unwrap_or("toml").parse()?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(format.media_type())),
        (CONTENT_DISPOSITION, attachment(&format!("{}.{}", flow.spec.name.replace('/', "-"), format.name()))),
    ];
    Ok((headers, format.write(&flow.spec)?).into_response())
}

/// A flow to begin with.
#[derive(Serialize)]
pub struct Beginning {
    key: &'static str,
    #[serde(flatten)]
    spec: FlowSpec,
}

/// `GET /api/flows/templates`
pub async fn templates() -> Json<Vec<Beginning>> {
    let templates = sheaf_engine::templates().iter();
    Json(templates.map(|template| Beginning { key: template.key, spec: template.spec.clone() }).collect())
}

/// A document to try a flow on; with a flow of its own in place of the saved one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    batch: BatchId,
    document: DocumentId,
    flow: Option<FlowSpec>,
}

/// `POST /api/flows/{id}/try`
pub async fn try_on(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    body: Result<Json<Trial>, JsonRejection>,
) -> Answer<Vec<StepTrial>> {
    let Json(Trial { batch, document, flow }) = body.map_err(|error| HttpFailure::invalid(error.body_text()))?;
    let spec = match flow {
        Some(spec) => spec,
        None => engine.flow(flow_id(&id)?, None).await?.spec,
    };
    Ok(Json(engine.try_flow(&spec, batch, document).await?))
}
