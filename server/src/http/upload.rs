//! Uploads: a multipart body that is stored as it comes, by a program, the page, or a plain form.

use std::str::FromStr;

use axum::Json;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{Multipart, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::header::LOCATION;
use serde::Serialize;
use sheaf_domain::status::UnknownName;
use sheaf_domain::{Batch, BatchParams, Failure, FailureCode, NewWebhook, Passwords, RunPolicy};
use sheaf_engine::{Engine, Intake};

use super::failure::HttpFailure;
use crate::state::Uploads;

/// The longest value of a field that is no file, in bytes.
const VALUE_BYTES: usize = 4096;

/// `POST /api/batches`: answers with the batch.
pub async fn by_api(
    State(engine): State<Engine>,
    State(uploads): State<Uploads>,
    body: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<Response, HttpFailure> {
    let received = receive(&engine, &uploads, body).await?;
    let location = format!("/api/batches/{}", received.batch.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(received)).into_response())
}

/// `POST /batches`: the page's form without JavaScript; goes on to the batch's page.
pub async fn by_form(
    State(engine): State<Engine>,
    State(uploads): State<Uploads>,
    body: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<Redirect, HttpFailure> {
    let Received { batch, webhook: _ } = receive(&engine, &uploads, body).await?;
    Ok(Redirect::to(&format!("/batches/{}", batch.id)))
}

/// What came of an upload.
#[derive(Serialize)]
struct Received {
    /// In JSON its fields stand beside the webhook.
    #[serde(flatten)]
    batch: Batch,
    /// The one that hears of this batch only, if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<NewWebhook>,
}

async fn receive(
    engine: &Engine,
    uploads: &Uploads,
    body: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<Received, HttpFailure> {
    let _slot = uploads.slots.try_acquire().map_err(|_| {
        Failure::new(FailureCode::Overloaded, "too many uploads are under way")
            .with_hint("Wait for one to end, then try again.")
    })?;
    let mut body = body.map_err(|error| {
        HttpFailure(Failure::new(FailureCode::InvalidRequest, error.body_text()).with_hint(
            "Send the files as multipart/form-data, for example: curl -F name=Letters -F files=@a.pdf -F files=@b.zip",
        ))
    })?;
    let mut settings = Settings::default();
    let mut intake: Option<Intake> = None;
    let mut webhook = None;
    while let Some(field) = body.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "files" {
            let file_name = field.file_name().unwrap_or_default().to_owned();
            if file_name.is_empty() {
                continue; // What browsers send for a chooser in which nothing was chosen.
            }
            let intake = match &mut intake {
                Some(intake) => intake,
                None => {
                    let begun = intake.insert(begin(engine, &settings).await?);
                    if let Some(url) = &settings.webhook_url {
                        webhook = Some(engine.add_webhook(url, Some(begun.batch())).await?);
                    }
                    begun
                }
            };
            add(intake, &file_name, field, uploads.bytes).await?;
        } else if intake.is_some() {
            return Err(HttpFailure::invalid(format!("the field `{name}` comes after the first file; send it before")));
        } else {
            settings.take(&name, &value(field).await?)?;
        }
    }
    match intake {
        Some(intake) => Ok(Received { batch: intake.finish().await?, webhook }),
        None => Err(HttpFailure(Failure::new(FailureCode::InvalidRequest, "no file was sent").with_hint(
            "Choose at least one file and send the form again; a program sends files in the field `files`.",
        ))),
    }
}

/// What is said about a batch before its files.
#[derive(Default)]
struct Settings {
    name: String,
    params: BatchParams,
    policy: RunPolicy,
    passwords: Passwords,
    /// Who hears of this batch, and of no other.
    webhook_url: Option<String>,
}

async fn begin(engine: &Engine, settings: &Settings) -> Result<Intake, Failure> {
    if let Some(url) = &settings.webhook_url {
        engine.check_webhook(url)?;
    }
    engine.begin_batch(&settings.name, settings.params.clone(), settings.policy, settings.passwords.clone()).await
}

impl Settings {
    fn take(&mut self, name: &str, value: &str) -> Result<(), HttpFailure> {
        if name == "passwords" {
            self.passwords = Passwords::from_lines(value); // Spaces belong to them.
            return Ok(());
        }
        let value = value.trim();
        let number =
            || value.parse().map_err(|_| HttpFailure::invalid(format!("`{name}`: `{value}` is no whole number")));
        match name {
            "name" => self.name = value.to_owned(),
            _ if value.is_empty() => {} // Left open in the form.
            "model" => self.params.model = choice(name, value)?,
            "on_error" => self.policy.on_error = choice(name, value)?,
            "priority" => self.policy.priority = choice(name, value)?,
            "clusters" => {
                let clusters: u64 = number()?;
                self.params.clusters = Some(u32::try_from(clusters).unwrap_or(u32::MAX));
            }
            "webhook_url" => self.webhook_url = Some(value.to_owned()),
            "seed" => self.params.seed = number()?,
            other => return Err(HttpFailure::invalid(format!("there is no field `{other}`"))),
        }
        self.params.clone().check()?;
        Ok(())
    }
}

/// One of the names of an enum.
fn choice<T: FromStr<Err = UnknownName>>(name: &str, value: &str) -> Result<T, HttpFailure> {
    value.parse().map_err(|error| HttpFailure::invalid(format!("`{name}`: {error}")))
}

async fn value(mut field: Field<'_>) -> Result<String, HttpFailure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > VALUE_BYTES {
            return Err(HttpFailure::invalid(format!("a value is longer than {VALUE_BYTES} bytes")));
        }
    }
    String::from_utf8(bytes).map_err(|_| HttpFailure::invalid("a value is not UTF-8"))
}

/// Stores one file. A body beyond the limit ends in the middle of a file; that is told apart from a lost connection.
async fn add(intake: &mut Intake, name: &str, mut field: Field<'_>, limit: u64) -> Result<(), HttpFailure> {
    let mut too_large = false;
    let added = {
        let chunks = futures::stream::poll_fn(|cx| {
            let polled = futures::Stream::poll_next(std::pin::Pin::new(&mut field), cx);
            if let std::task::Poll::Ready(Some(Err(error))) = &polled {
                too_large = error.status() == StatusCode::PAYLOAD_TOO_LARGE;
            }
            polled
        });
        intake.add(name, chunks).await
    };
    added.map_err(|failure| HttpFailure(if too_large { exceeds(limit) } else { failure }))
}

fn broken(error: MultipartError) -> HttpFailure {
    let code = if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        FailureCode::TooLarge
    } else {
        FailureCode::InvalidRequest
    };
    HttpFailure(Failure::new(code, error.body_text()))
}

fn exceeds(limit: u64) -> Failure {
    Failure::new(FailureCode::TooLarge, format!("an upload takes at most {} MiB", limit >> 20))
}
