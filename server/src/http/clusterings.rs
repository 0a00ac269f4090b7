//! Other clusterings of a batch: tried, listed, taken over and removed, by programs and by the page's forms.

use axum::Json;
use axum::extract::rejection::{FormRejection, JsonRejection};
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::header::LOCATION;
use serde::Deserialize;
use sheaf_domain::{BatchParams, ClusteringId, Gallery, MethodName, TriedClustering};
use sheaf_engine::Engine;

use super::api::{Answer, batch_id, read};
use super::failure::HttpFailure;

fn clustering_id(text: &str) -> Result<ClusteringId, HttpFailure> {
    text.parse().map_err(|_| HttpFailure::not_found(format!("there is no clustering `{text}`")))
}

/// `GET /api/batches/{id}/clusterings`
pub async fn list(State(engine): State<Engine>, Path(id): Path<String>) -> Answer<Gallery> {
    Ok(Json(engine.gallery(batch_id(&id)?).await?))
}

/// How documents are to be grouped; the model stays that of the batch.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    method: MethodName,
    clusters: Option<u32>,
    similarity: Option<u32>,
    least: Option<u32>,
    #[serde(default)]
    seed: u64,
}

impl From<Wanted> for BatchParams {
    fn from(wanted: Wanted) -> Self {
        let Wanted { method, clusters, similarity, least, seed } = wanted;
        Self { method: Some(method), clusters, similarity, least, seed, ..Self::default() }
    }
}

/// `POST /api/batches/{id}/clusterings`: `{"method": "dbscan", "similarity": 60}`; answers with the clustering, which is computed
/// in the background.
pub async fn add(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Result<Response, HttpFailure> {
    let batch = batch_id(&id)?;
    let Json(wanted) = wanted.map_err(|error| {
        let example = "{\"method\": \"kmeans\", \"clusters\": 12}";
        HttpFailure::invalid(format!("{}; send for example {example}", error.body_text()))
    })?;
    let tried = engine.try_clustering(batch, wanted.into()).await?;
    let location = format!("/api/batches/{batch}/clusterings/{}", tried.id);
    Ok((StatusCode::ACCEPTED, [(LOCATION, location)], Json(tried)).into_response())
}

/// `GET /api/batches/{id}/clusterings/{clustering}`
pub async fn show(State(engine): State<Engine>, Path((id, tried)): Path<(String, String)>) -> Answer<TriedClustering> {
    Ok(Json(engine.tried(batch_id(&id)?, clustering_id(&tried)?).await?))
}

/// `DELETE /api/batches/{id}/clusterings/{clustering}`
pub async fn delete(
    State(engine): State<Engine>,
    Path((id, tried)): Path<(String, String)>,
) -> Result<StatusCode, HttpFailure> {
    engine.delete_tried(batch_id(&id)?, clustering_id(&tried)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/batches/{id}/clusterings/{clustering}/use`: the batch is grouped anew with these parameters.
pub async fn take_over(
    State(engine): State<Engine>,
    Path((id, tried)): Path<(String, String)>,
) -> Result<StatusCode, HttpFailure> {
    engine.use_tried(batch_id(&id)?, clustering_id(&tried)?).await?;
    Ok(StatusCode::ACCEPTED)
}

/// The form; what the chosen method does not take is not looked at.
#[derive(Deserialize)]
pub struct TryForm {
    method: String,
    clusters: Option<String>,
    similarity: Option<String>,
    least: Option<String>,
    seed: Option<String>,
}

impl TryForm {
    fn params(&self) -> Result<BatchParams, HttpFailure> {
        let method = read::<MethodName>("method", Some(&self.method))?.unwrap_or_default();
        let number = |name: &str, value: Option<&str>| match method.takes(name) {
            true => read::<u32>(name, value.map(str::trim)),
            false => Ok(None),
        };
        Ok(BatchParams {
            method: Some(method),
            clusters: number("clusters", self.clusters.as_deref())?,
            similarity: number("similarity", self.similarity.as_deref())?,
            least: number("least", self.least.as_deref())?,
            seed: read("seed", self.seed.as_deref().map(str::trim))?.unwrap_or_default(),
            ..BatchParams::default()
        })
    }
}

/// `POST /batches/{id}/clusterings`
pub async fn add_by_form(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    form: Result<Form<TryForm>, FormRejection>,
) -> Result<Redirect, HttpFailure> {
    let batch = batch_id(&id)?;
    let Form(form) = form.map_err(|error| HttpFailure::invalid(error.body_text()))?;
    engine.try_clustering(batch, form.params()?).await?;
    Ok(Redirect::to(&format!("/batches/{batch}/clusterings")))
}

/// `POST /batches/{id}/clusterings/{clustering}/delete`
pub async fn delete_by_form(
    State(engine): State<Engine>,
    Path((id, tried)): Path<(String, String)>,
) -> Result<Redirect, HttpFailure> {
    let batch = batch_id(&id)?;
    engine.delete_tried(batch, clustering_id(&tried)?).await?;
    Ok(Redirect::to(&format!("/batches/{batch}/clusterings")))
}

/// `POST /batches/{id}/clusterings/{clustering}/use`: goes on to the batch's page, which shows how it is grouped.
pub async fn use_by_form(
    State(engine): State<Engine>,
    Path((id, tried)): Path<(String, String)>,
) -> Result<Redirect, HttpFailure> {
    let batch = batch_id(&id)?;
    engine.use_tried(batch, clustering_id(&tried)?).await?;
    Ok(Redirect::to(&format!("/batches/{batch}")))
}
