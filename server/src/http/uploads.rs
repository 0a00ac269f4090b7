//! Uploads that break off and go on: each file is acknowledged when it survives a crash, and can be asked for.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Multipart, Path, Query, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, LOCATION};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sheaf_domain::{Batch, NewWebhook, Received, Upload, UploadFile, UploadId};
use sheaf_engine::{Announced, ArrivedFiles, Engine, Intake};

use super::api::{Answer, batch_id, read};
use super::failure::HttpFailure;
use super::multipart::{self, Part};
use super::settings::Settings;
use crate::state::Uploads;

/// An id from the path. One that is none names nothing, so the answer is that of an unknown one.
fn upload_id(text: &str) -> Result<UploadId, HttpFailure> {
    text.parse().map_err(|_| HttpFailure::not_found(format!("there is no upload `{text}`")))
}

/// `POST /api/uploads`: begins one, with the fields of `POST /api/batches` or a batch to add to.
pub async fn begin(
    State(engine): State<Engine>,
    body: Result<Json<Map<String, Value>>, JsonRejection>,
) -> Result<Response, HttpFailure> {
    let Json(mut fields) = body.map_err(|error| {
        HttpFailure::invalid(format!("{}; send JSON, for example {{\"name\": \"Letters\"}}", error.body_text()))
    })?;
    let announced = Announced { files: number(&mut fields, "files")?, bytes: number(&mut fields, "bytes")? };
    let mut webhook = None;
    let upload = match fields.remove("batch") {
        Some(Value::String(batch)) => {
            if let Some((name, _)) = fields.iter().next() {
                let message = format!("`{name}` cannot be given with `batch`: a batch is analysed as it was begun");
                return Err(HttpFailure::invalid(message));
            }
            engine.begin_upload_to(batch_id(&batch)?, announced).await?
        }
        Some(other) if !other.is_null() => return Err(HttpFailure::invalid("`batch` is not the id of one")),
        Some(_) | None => {
            let settings = Settings::of_object(&fields)?;
            settings.check(&engine)?;
            let upload = engine.begin_upload(settings.request.clone(), announced).await?;
            webhook = settings.add_webhook(&engine, upload.batch).await?;
            upload
        }
    };
    let location = format!("/api/uploads/{}", upload.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(Begun { upload, webhook })).into_response())
}

/// A new upload.
#[derive(Serialize)]
struct Begun {
    /// In JSON its fields stand beside the webhook.
    #[serde(flatten)]
    upload: Upload,
    /// The one that hears of its batch only, if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<NewWebhook>,
}

fn number(fields: &mut Map<String, Value>, name: &str) -> Result<u64, HttpFailure> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(0),
        Some(value) => {
            value.as_u64().ok_or_else(|| HttpFailure::invalid(format!("`{name}`: `{value}` is no whole number")))
        }
    }
}

#[derive(Deserialize)]
pub struct OneFile {
    path: Option<String>,
}

/// `PUT /api/uploads/{id}/files`: a few files as multipart, or one as the body with `?path=`.
pub async fn receive(
    State(engine): State<Engine>,
    State(uploads): State<Uploads>,
    Path(id): Path<String>,
    Query(one): Query<OneFile>,
    request: Request,
) -> Answer<Received> {
    let _slot = uploads.slot()?;
    let mut intake = engine.begin_files(upload_id(&id)?).await?;
    let taken = match one.path.filter(|path| !path.is_empty()) {
        Some(path) => one_file(&mut intake, &path, request).await,
        None => files(&mut intake, request, uploads.bytes).await,
    };
    match taken {
        Ok(()) => Ok(Json(intake.finish().await?)),
        Err(failure) => {
            // What came before the failure is whole; nobody is told, but who asks finds it.
            drop(intake.finish().await);
            Err(failure)
        }
    }
}

async fn one_file(intake: &mut Intake, path: &str, request: Request) -> Result<(), HttpFailure> {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.starts_with("multipart/") {
        return Err(HttpFailure::invalid("the body is either multipart, or one file with `path`, and not both"));
    }
    // The engine bounds its length.
    Ok(intake.add(path, request.into_body().into_data_stream()).await?)
}

async fn files(intake: &mut Intake, request: Request, limit: u64) -> Result<(), HttpFailure> {
    let mut body = multipart::opened(Multipart::from_request(request, &()).await)?;
    while let Some(part) = multipart::next(&mut body).await? {
        match part {
            Part::File(path, field) => multipart::add(intake, &path, field, limit).await?,
            Part::NothingChosen => {}
            Part::Value(name, _) => return Err(HttpFailure::invalid(format!("there is no field `{name}` here"))),
        }
    }
    Ok(())
}

#[derive(Deserialize)]
pub struct Range {
    limit: Option<String>,
    cursor: Option<String>,
}

/// `GET /api/uploads/{id}`: the upload, and a page of what has arrived.
pub async fn show(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Query(range): Query<Range>,
) -> Answer<ArrivedFiles> {
    let offset = read("cursor", range.cursor.as_deref())?.unwrap_or_default();
    let limit = read("limit", range.limit.as_deref())?.unwrap_or_default();
    Ok(Json(engine.arrived(upload_id(&id)?, offset, limit).await?))
}

/// `POST /api/uploads/{id}/finish`
pub async fn finish(State(engine): State<Engine>, Path(id): Path<String>) -> Answer<Batch> {
    Ok(Json(engine.finish_upload(upload_id(&id)?).await?))
}

/// `POST /uploads/{id}/finish`: the same by a button without JavaScript.
pub async fn finish_by_form(State(engine): State<Engine>, Path(id): Path<String>) -> Result<Redirect, HttpFailure> {
    let batch = engine.finish_upload(upload_id(&id)?).await?;
    Ok(Redirect::to(&format!("/batches/{}", batch.id)))
}

/// `DELETE /api/uploads/{id}`
pub async fn withdraw(State(engine): State<Engine>, Path(id): Path<String>) -> Result<StatusCode, HttpFailure> {
    engine.withdraw_upload(upload_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/batches/{id}/uploads`: those that are not finished.
pub async fn of_batch(State(engine): State<Engine>, Path(id): Path<String>) -> Answer<Vec<Upload>> {
    Ok(Json(engine.uploads(batch_id(&id)?).await?))
}

/// `POST /api/batches/{id}/known`: what the batch has of these paths.
pub async fn known(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    paths: Result<Json<Vec<String>>, JsonRejection>,
) -> Answer<Vec<UploadFile>> {
    let Json(paths) =
        paths.map_err(|error| HttpFailure::invalid(format!("{}; send a list of paths as JSON", error.body_text())))?;
    Ok(Json(engine.known_files(batch_id(&id)?, &paths).await?))
}
