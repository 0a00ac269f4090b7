//! Sending the pile with `XMLHttpRequest`, which, unlike `fetch`, tells how far an upload is.

use leptos::prelude::{RwSignal, Set, Update, window};
use leptos::wasm_bindgen::closure::Closure;
use leptos::wasm_bindgen::{JsCast, JsValue};
use send_wrapper::SendWrapper;
use serde::Deserialize;
use sheaf_domain::{BatchId, Failure, FailureCode};
use web_sys::{FormData, HtmlFormElement, ProgressEvent, XmlHttpRequest};

use super::Phase;
use super::pile::Pile;
use super::transfer::Transfer;

/// The fields before the files, in the order in which the server reads them.
const FIELDS: [&str; 7] = ["name", "model", "on_error", "priority", "clusters", "seed", "passwords"];

/// What the server answers: the batch that was made.
#[derive(Deserialize)]
struct Created {
    id: BatchId,
}

/// An upload on its way.
pub struct Request(SendWrapper<XmlHttpRequest>);

impl Request {
    /// Stops it. The server drops what it has got so far.
    pub fn abort(&self) {
        drop(self.0.abort());
    }
}

/// Starts the upload. `phase` follows it; `on_created` gets the new batch.
///
/// # Errors
/// When the browser refuses to build the request.
pub fn send(
    form: &HtmlFormElement,
    pile: &Pile,
    phase: RwSignal<Phase>,
    on_created: impl FnOnce(BatchId) + 'static,
) -> Result<Request, Failure> {
    start(form, pile, phase, on_created).map_err(|_| {
        Failure::new(FailureCode::InvalidRequest, "The browser could not read the files.")
            .with_hint("A file may have been moved or deleted since it was chosen. Choose the files again.")
    })
}

fn start(
    form: &HtmlFormElement,
    pile: &Pile,
    phase: RwSignal<Phase>,
    on_created: impl FnOnce(BatchId) + 'static,
) -> Result<Request, JsValue> {
    let request = XmlHttpRequest::new()?;
    request.open("POST", "/api/batches")?;
    request.set_request_header("Accept", "application/json")?;

    phase.set(Phase::Sending(Transfer::default()));
    let clock = window().performance();
    let on_progress = Closure::<dyn FnMut(ProgressEvent)>::new(move |event: ProgressEvent| {
        let now = clock.as_ref().map_or(0.0, web_sys::Performance::now);
        phase.update(|phase| {
            if let Phase::Sending(transfer) = phase {
                transfer.note(now, event.loaded(), event.total());
            }
        });
    });
    request.upload()?.set_onprogress(Some(on_progress.into_js_value().unchecked_ref()));

    let answered = request.clone();
    let on_load = Closure::once_into_js(move || match outcome(&answered) {
        Ok(created) => on_created(created.id),
        Err(failure) => phase.set(Phase::Choosing(Some(failure))),
    });
    request.set_onload(Some(on_load.unchecked_ref()));
    let on_error = Closure::once_into_js(move || {
        let failure = Failure::new(FailureCode::Internal, "The connection to Sheaf was lost during the upload.")
            .with_hint("See whether it is still running, then press Analyse again.");
        phase.set(Phase::Choosing(Some(failure)));
    });
    request.set_onerror(Some(on_error.unchecked_ref()));

    request.send_with_opt_form_data(Some(&body(form, pile)?))?;
    Ok(Request(SendWrapper::new(request)))
}

/// The fields of the form, then a part for each file with its path as the file name.
fn body(form: &HtmlFormElement, pile: &Pile) -> Result<FormData, JsValue> {
    let filled = FormData::new_with_form(form)?;
    let body = FormData::new()?;
    for field in FIELDS {
        body.append_with_str(field, &filled.get(field).as_string().unwrap_or_default())?;
    }
    for picked in pile.files() {
        body.append_with_blob_and_filename("files", &picked.file, &picked.path)?;
    }
    Ok(body)
}

fn outcome(request: &XmlHttpRequest) -> Result<Created, Failure> {
    let status = request.status().unwrap_or_default();
    let text = request.response_text().ok().flatten().unwrap_or_default();
    let unreadable = || Failure::new(FailureCode::Internal, format!("The server answered with status {status}."));
    if (200..300).contains(&status) {
        serde_json::from_str(&text).map_err(|_| unreadable())
    } else {
        Err(serde_json::from_str::<Failure>(&text).unwrap_or_else(|_| unreadable()))
    }
}
