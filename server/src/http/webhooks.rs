//! Webhooks, for programs as JSON and for the page as plain forms.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Form, Json};
use http::StatusCode;
use http::header::{HeaderValue, SET_COOKIE};
use serde::Deserialize;
use sheaf_domain::{Delivery, DeliveryId, DeliveryQuery, Failure, NewWebhook, Page, Webhook, WebhookId};
use sheaf_engine::Engine;

use super::api::{Answer, batch_id, read};
use super::failure::HttpFailure;

fn webhook_id(text: &str) -> Result<WebhookId, HttpFailure> {
    text.parse().map_err(|_| HttpFailure::not_found(format!("there is no webhook `{text}`")))
}

fn delivery_id(text: &str) -> Result<DeliveryId, HttpFailure> {
    text.parse().map_err(|_| HttpFailure::not_found(format!("there is no delivery `{text}`")))
}

#[derive(Deserialize)]
pub struct Of {
    batch: Option<String>,
}

/// `GET /api/webhooks?batch=`: those that hear of all batches, or those limited to one.
pub async fn list(State(engine): State<Engine>, Query(of): Query<Of>) -> Answer<Vec<Webhook>> {
    let batch = of.batch.as_deref().filter(|text| !text.is_empty()).map(batch_id).transpose()?;
    Ok(Json(engine.webhooks(batch).await?))
}

/// What a webhook is made of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    url: String,
    batch: Option<String>,
}

/// `POST /api/webhooks`
pub async fn add(
    State(engine): State<Engine>,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Result<(StatusCode, Json<NewWebhook>), HttpFailure> {
    let Json(wanted) = wanted.map_err(|error| {
        let example = "{\"url\": \"https://example.com/hook\"}";
        HttpFailure::invalid(format!("{}; send JSON, for example {example}", error.body_text()))
    })?;
    let batch = wanted.batch.as_deref().map(batch_id).transpose()?;
    Ok((StatusCode::CREATED, Json(engine.add_webhook(&wanted.url, batch).await?)))
}

/// `DELETE /api/webhooks/{id}`
pub async fn delete(State(engine): State<Engine>, Path(id): Path<String>) -> Result<StatusCode, HttpFailure> {
    engine.delete_webhook(webhook_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/webhooks/{id}/test`
pub async fn test(State(engine): State<Engine>, Path(id): Path<String>) -> Answer<Delivery> {
    Ok(Json(engine.test_webhook(webhook_id(&id)?).await?))
}

#[derive(Deserialize)]
pub struct Log {
    webhook: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

/// `GET /api/deliveries?webhook=&limit=&cursor=`
pub async fn deliveries(State(engine): State<Engine>, Query(log): Query<Log>) -> Answer<Page<Delivery>> {
    let query = DeliveryQuery {
        webhook: read("webhook", log.webhook.as_deref())?,
        cursor: read("cursor", log.cursor.as_deref())?,
        limit: read("limit", log.limit.as_deref())?.unwrap_or_default(),
    };
    Ok(Json(engine.deliveries(&query).await?))
}

/// `POST /api/deliveries/{id}/send`
pub async fn send_again(State(engine): State<Engine>, Path(id): Path<String>) -> Answer<Delivery> {
    Ok(Json(engine.send_again(delivery_id(&id)?).await?))
}

/// The field of the page's form.
#[derive(Deserialize)]
pub struct Address {
    url: String,
}

/// `POST /webhooks`: back to the page, which shows the secret once.
pub async fn add_by_form(State(engine): State<Engine>, Form(address): Form<Address>) -> Response {
    match engine.add_webhook(&address.url, None).await {
        Ok(new) => back(&app::notice::Notice::Added(new)),
        Err(failure) => back(&app::notice::Notice::Failed(failure)),
    }
}

/// `POST /webhooks/{id}/delete`
pub async fn delete_by_form(State(engine): State<Engine>, Path(id): Path<String>) -> Result<Response, HttpFailure> {
    Ok(back_with(engine.delete_webhook(webhook_id(&id)?).await))
}

/// `POST /webhooks/{id}/test`
pub async fn test_by_form(State(engine): State<Engine>, Path(id): Path<String>) -> Result<Response, HttpFailure> {
    Ok(back_with(engine.test_webhook(webhook_id(&id)?).await))
}

/// `POST /webhooks/deliveries/{id}/send`
pub async fn send_again_by_form(State(engine): State<Engine>, Path(id): Path<String>) -> Result<Response, HttpFailure> {
    Ok(back_with(engine.send_again(delivery_id(&id)?).await))
}

fn back_with<T>(done: Result<T, Failure>) -> Response {
    match done {
        Ok(_) => Redirect::to("/webhooks").into_response(),
        Err(failure) => back(&app::notice::Notice::Failed(failure)),
    }
}

/// Back to the page, with something that it shows once.
fn back(notice: &app::notice::Notice) -> Response {
    let cookie = HeaderValue::from_str(&notice.cookie());
    let mut response = Redirect::to("/webhooks").into_response();
    if let Ok(cookie) = cookie {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}
