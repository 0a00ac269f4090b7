//! What the forms of flows send. A flow that is being written comes back as a page with its problems; nothing is lost.

use app::draft::{FailedForm, FlowDraft};
use app::flow_form::{self, Change, Fields, Sent};
use axum::body::Body;
use axum::extract::multipart::{Multipart, MultipartError, MultipartRejection};
use axum::extract::{Path, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http::{Method, Request};
use leptos::context::provide_context;
use sheaf_domain::{Failure, FailureCode, FlowId};
use sheaf_engine::{Engine, FlowFile};

use super::api::read;
use super::failure::HttpFailure;
use super::flows::flow_id;
use crate::security::set_page_policy;
use crate::state::AppState;

/// `POST /flows/{id}/delete`
pub async fn delete(State(engine): State<Engine>, Path(id): Path<String>) -> Result<Redirect, HttpFailure> {
    engine.delete_flow(flow_id(&id)?).await?;
    Ok(Redirect::to("/flows"))
}

/// `POST /flows/draft`: the form of a flow, with `change` for the button that was pressed.
pub async fn draft(
    State(state): State<AppState>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, HttpFailure> {
    let fields = fields(form).await?;
    let change: Change = match fields.last("change") {
        // A document was chosen.
        None => Change::Check,
        Some(text) => {
            text.parse().map_err(|unknown: flow_form::UnknownChange| HttpFailure::invalid(unknown.to_string()))?
        }
    };
    let based_on = read::<FlowId>("id", fields.last("id"))?.zip(read::<u32>("version", fields.last("version"))?);
    let mut draft = FlowDraft {
        based_on,
        sent: flow_form::read(&fields, &change),
        is_searching: change == Change::Search,
        may_ask: change == Change::Try,
        failure: None,
    };
    if change == Change::Save && draft.sent.problems.is_empty() && Engine::check_flow(&draft.sent.spec).is_empty() {
        match state.engine.save_flow(&draft.sent.spec, based_on).await {
            Ok(flow) => {
                // The document that it was tried on stays beside it.
                let tried = draft.sent.tried.map(|(batch, document)| format!("&batch={batch}&document={document}"));
                let address = format!("/flows/{}?saved=1{}", flow.id, tried.unwrap_or_default());
                return Ok(Redirect::to(&address).into_response());
            }
            Err(failure) => draft.failure = Some(failure),
        }
    }
    Ok(page(state, draft).await)
}

/// `POST /flows/import`: a file in TOML or JSON. What has problems is shown to be mended.
pub async fn import(
    State(state): State<AppState>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, HttpFailure> {
    let fields = fields(form).await?;
    let text = fields.last("file").unwrap_or_default();
    if text.trim().is_empty() {
        let failure = Failure::new(FailureCode::InvalidRequest, "no file was chosen");
        return Err(failure.with_hint("Choose a file that was downloaded from a flow, in TOML or JSON.").into());
    }
    let spec = FlowFile::of(text).read(text)?;
    if Engine::check_flow(&spec).is_empty() {
        let flow = state.engine.save_flow(&spec, None).await?;
        return Ok(Redirect::to(&format!("/flows/{}?saved=1", flow.id)).into_response());
    }
    Ok(page(state, FlowDraft { sent: Sent { spec, ..Sent::default() }, ..FlowDraft::default() }).await)
}

/// The fields of a form that may hold files; a file comes after all else, and counts if one was chosen.
async fn fields(form: Result<Multipart, MultipartRejection>) -> Result<Fields, HttpFailure> {
    let wrong = |error: MultipartError| HttpFailure::invalid(error.body_text());
    let mut form = form.map_err(|rejection| HttpFailure::invalid(rejection.body_text()))?;
    let (mut pairs, mut files) = (Vec::new(), Vec::new());
    while let Some(field) = form.next_field().await.map_err(wrong)? {
        let name = field.name().unwrap_or_default().to_owned();
        let is_file = field.file_name().is_some();
        let bytes = field.bytes().await.map_err(wrong)?;
        let text = String::from_utf8_lossy(&bytes).trim_start_matches('\u{feff}').to_owned();
        match is_file {
            false => pairs.push((name, text)),
            true if text.is_empty() => {}
            true => files.push((name, text)),
        }
    }
    pairs.append(&mut files);
    Ok(Fields::new(pairs))
}

/// The page of the flow with what was sent in place of what is kept.
async fn page(state: AppState, draft: FlowDraft) -> Response {
    let path = draft.based_on.map_or_else(|| "/flows/new".to_owned(), |(id, _)| format!("/flows/{id}"));
    render(state, &path, move || provide_context(draft.clone())).await
}

/// A person who sent a form reads a page, not JSON, when it fails.
pub async fn failures_as_pages(State(state): State<AppState>, request: Request<Body>, next: Next) -> Response {
    let is_form = request.method() == Method::POST && !request.uri().path().starts_with("/api/");
    let response = next.run(request).await;
    match response.extensions().get::<Failure>().cloned().filter(|_| is_form) {
        Some(failure) => render(state, "/failed", move || provide_context(FailedForm(failure.clone()))).await,
        None => response,
    }
}

/// A page with more than its address says.
pub async fn render(state: AppState, path: &str, context: impl Fn() + Clone + Send + Sync + 'static) -> Response {
    let (engine, options) = (state.engine.clone(), state.options.clone());
    let context = move || {
        provide_context(engine.clone());
        context();
        set_page_policy();
    };
    let handler = leptos_axum::render_app_async_with_context(context, move || app::shell(options.clone()));
    match Request::builder().method(Method::GET).uri(path).body(Body::empty()) {
        Ok(request) => handler(request).await.into_response(),
        Err(error) => HttpFailure(Failure::new(FailureCode::Internal, error.to_string())).into_response(),
    }
}
