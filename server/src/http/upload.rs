//! Uploads in one piece: a multipart body that is stored as it comes, by a program or a plain form. It makes a batch, or adds to
//! one; one that breaks off leaves nothing.

use axum::Json;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::header::LOCATION;
use serde::Serialize;
use sheaf_domain::{Added, Batch, BatchId, Failure, FailureCode, NewWebhook};
use sheaf_engine::{Engine, Intake};

use super::api::{Answer, batch_id};
use super::failure::HttpFailure;
use super::multipart::{self, Part};
use super::settings::Settings;
use crate::state::Uploads;

type Body = Result<Multipart, MultipartRejection>;

/// `POST /api/batches`: answers with the batch.
pub async fn by_api(
    State(engine): State<Engine>,
    State(uploads): State<Uploads>,
    body: Body,
) -> Result<Response, HttpFailure> {
    let made = receive(&engine, &uploads, body).await?;
    let location = format!("/api/batches/{}", made.batch.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(made)).into_response())
}

/// `POST /batches`: the page's form without JavaScript; goes on to the batch's page.
pub async fn by_form(
    State(engine): State<Engine>,
    State(uploads): State<Uploads>,
    body: Body,
) -> Result<Redirect, HttpFailure> {
    let Made { batch, webhook: _ } = receive(&engine, &uploads, body).await?;
    Ok(Redirect::to(&format!("/batches/{}", batch.id)))
}

/// A new batch.
#[derive(Serialize)]
struct Made {
    /// In JSON its fields stand beside the webhook.
    #[serde(flatten)]
    batch: Batch,
    /// The one that hears of this batch only, if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<NewWebhook>,
}

/// A batch to which documents were added.
#[derive(Serialize)]
pub struct Extended {
    #[serde(flatten)]
    added: Added,
    batch: Batch,
}

/// `POST /api/batches/{id}/documents`: adds documents to a batch.
pub async fn add_by_api(
    State(engine): State<Engine>,
    State(uploads): State<Uploads>,
    Path(id): Path<String>,
    body: Body,
) -> Answer<Extended> {
    let id = batch_id(&id)?;
    let added = extend(&engine, &uploads, id, body).await?;
    Ok(Json(Extended { added, batch: engine.batch(id).await? }))
}

/// `POST /batches/{id}/documents`: the same by the page's form without JavaScript.
pub async fn add_by_form(
    State(engine): State<Engine>,
    State(uploads): State<Uploads>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Redirect, HttpFailure> {
    let id = batch_id(&id)?;
    extend(&engine, &uploads, id, body).await?;
    Ok(Redirect::to(&format!("/batches/{id}")))
}

async fn receive(engine: &Engine, uploads: &Uploads, body: Body) -> Result<Made, HttpFailure> {
    let _slot = uploads.slot()?;
    let mut body = multipart::opened(body)?;
    let mut settings = Settings::default();
    let mut intake: Option<Intake> = None;
    let mut webhook = None;
    while let Some(part) = multipart::next(&mut body).await? {
        match part {
            Part::File(path, field) => {
                let intake = match &mut intake {
                    Some(intake) => intake,
                    None => {
                        settings.check(engine)?;
                        let begun = intake.insert(engine.begin_batch(settings.request.clone()).await?);
                        webhook = settings.add_webhook(engine, begun.batch()).await?;
                        begun
                    }
                };
                multipart::add(intake, &path, field, uploads.bytes).await?;
            }
            Part::NothingChosen => {}
            Part::Value(name, _) if intake.is_some() => {
                let message = format!("the field `{name}` comes after the first file; send it before");
                return Err(HttpFailure::invalid(message));
            }
            Part::Value(name, value) => settings.take(&name, &value)?,
        }
    }
    let intake = intake.ok_or_else(nothing_sent)?;
    let batch = intake.batch();
    intake.finish().await?;
    Ok(Made { batch: engine.batch(batch).await?, webhook })
}

async fn extend(engine: &Engine, uploads: &Uploads, batch: BatchId, body: Body) -> Result<Added, HttpFailure> {
    let _slot = uploads.slot()?;
    let mut body = multipart::opened(body)?;
    let mut intake = engine.begin_addition(batch).await?;
    while let Some(part) = multipart::next(&mut body).await? {
        match part {
            Part::File(path, field) => multipart::add(&mut intake, &path, field, uploads.bytes).await?,
            Part::NothingChosen => {}
            Part::Value(name, _) => {
                let message = format!("there is no field `{name}`: a batch is analysed as it was begun");
                return Err(HttpFailure::invalid(message));
            }
        }
    }
    Ok(intake.finish().await?.added)
}

fn nothing_sent() -> Failure {
    Failure::new(FailureCode::InvalidRequest, "no file was sent")
        .with_hint("Choose at least one file and send the form again; a program sends files in the field `files`.")
}
