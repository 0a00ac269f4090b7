//! Families of near-duplicates as JSON, and the dial of their threshold.

use axum::Json;
use axum::extract::rejection::{FormRejection, JsonRejection};
use axum::extract::{Form, Path, Query, State};
use axum::response::Redirect;
use serde::Deserialize;
use sheaf_domain::{Family, FamilyQuery, FamilySummary, Page};
use sheaf_engine::Engine;

use super::api::{Answer, batch_id, read};
use super::failure::HttpFailure;

/// Which page of the list, as it stands in a URL.
#[derive(Deserialize)]
pub struct Asked {
    limit: Option<String>,
    cursor: Option<String>,
}

/// `GET /api/batches/{id}/families?limit=&cursor=`
pub async fn list(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Answer<Page<Family>> {
    let query = FamilyQuery {
        offset: read("cursor", asked.cursor.as_deref())?.unwrap_or_default(),
        limit: read("limit", asked.limit.as_deref())?.unwrap_or_default(),
    };
    Ok(Json(engine.families(batch_id(&id)?, &query).await?))
}

/// The threshold of a batch.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    least: f32,
}

/// `PUT /api/batches/{id}/families`: `{"least": 0.6}`; the figures at that threshold, or the nearest that there is.
pub async fn change(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    wanted: Result<Json<Threshold>, JsonRejection>,
) -> Answer<FamilySummary> {
    let Json(Threshold { least }) = wanted
        .map_err(|error| HttpFailure::invalid(format!("{}; send for example {{\"least\": 0.6}}", error.body_text())))?;
    Ok(Json(engine.set_family_threshold(batch_id(&id)?, least).await?))
}

/// The dial's form, in percent.
#[derive(Deserialize)]
pub struct Dial {
    least: String,
}

/// `POST /batches/{id}/families`
pub async fn change_by_form(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    form: Result<Form<Dial>, FormRejection>,
) -> Result<Redirect, HttpFailure> {
    let batch = batch_id(&id)?;
    let Form(Dial { least }) = form.map_err(|error| HttpFailure::invalid(error.body_text()))?;
    let percent = read::<f32>("least", Some(&least))?.unwrap_or_default();
    engine.set_family_threshold(batch, percent / 100.0).await?;
    Ok(Redirect::to(&format!("/batches/{batch}/families")))
}
