//! One request with `XMLHttpRequest`, which, unlike `fetch`, tells how far an upload is.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use js_sys::{Function, Promise};
use leptos::wasm_bindgen::closure::Closure;
use leptos::wasm_bindgen::{JsCast, JsValue};
use send_wrapper::SendWrapper;
use serde::de::DeserializeOwned;
use sheaf_domain::{Failure, FailureCode};
use wasm_bindgen_futures::JsFuture;
use web_sys::{FormData, ProgressEvent, XmlHttpRequest};

/// The line to the server, of which one request is used at a time. It can be cut. Clones are of the same line.
#[derive(Clone)]
pub struct Line(SendWrapper<Rc<State>>);

#[derive(Default)]
struct State {
    current: RefCell<Option<XmlHttpRequest>>,
    is_cut: Cell<bool>,
}

/// What is sent.
pub enum Body<'a> {
    Nothing,
    Json(String),
    Files(&'a FormData),
}

/// How a request ended.
pub enum Answer {
    /// The server did what it was asked to; the text of its answer.
    Done(String),
    /// The server refused, and will refuse again.
    Refused(Failure),
    /// There was no answer, or one that says to try again later, with its words.
    Lost(Option<Failure>),
}

impl Line {
    pub fn new() -> Self {
        Self(SendWrapper::new(Rc::default()))
    }

    /// Ends the request that is under way, and every one to come.
    pub fn cut(&self) {
        self.0.is_cut.set(true);
        if let Some(request) = &*self.0.current.borrow() {
            drop(request.abort());
        }
    }

    pub fn is_cut(&self) -> bool {
        self.0.is_cut.get()
    }

    /// Asks the server. `on_progress` gets the share of the body that was sent, 0 to 1.
    pub async fn ask(&self, method: &str, url: &str, body: Body<'_>, on_progress: impl Fn(f64) + 'static) -> Answer {
        if self.is_cut() {
            return Answer::Lost(None);
        }
        match start(method, url, body, on_progress) {
            Ok((request, ended, progress)) => {
                *self.0.current.borrow_mut() = Some(request.clone());
                drop(JsFuture::from(ended).await);
                *self.0.current.borrow_mut() = None;
                drop(progress);
                outcome(&request)
            }
            Err(_) => Answer::Lost(None),
        }
    }
}

type Progress = Closure<dyn FnMut(ProgressEvent)>;

/// The request, the promise of its end, and what has to live until then.
fn start(
    method: &str,
    url: &str,
    body: Body<'_>,
    on_progress: impl Fn(f64) + 'static,
) -> Result<(XmlHttpRequest, Promise, Progress), JsValue> {
    let request = XmlHttpRequest::new()?;
    request.open(method, url)?;
    request.set_request_header("Accept", "application/json")?;
    let progress = Progress::new(move |event: ProgressEvent| {
        if event.total() > 0.0 {
            on_progress(event.loaded() / event.total());
        }
    });
    let ended = Promise::new(&mut |resolve: Function, _| request.set_onloadend(Some(&resolve)));
    match body {
        Body::Nothing => request.send()?,
        Body::Json(text) => {
            request.set_request_header("Content-Type", "application/json")?;
            request.send_with_opt_str(Some(&text))?;
        }
        Body::Files(form) => {
            request.upload()?.set_onprogress(Some(progress.as_ref().unchecked_ref()));
            request.send_with_opt_form_data(Some(form))?;
        }
    }
    Ok((request, ended, progress))
}

fn outcome(request: &XmlHttpRequest) -> Answer {
    let status = request.status().unwrap_or_default();
    let text = request.response_text().ok().flatten().unwrap_or_default();
    let failure = || serde_json::from_str::<Failure>(&text).ok();
    match status {
        200..300 => Answer::Done(text),
        0 => Answer::Lost(None),
        408 | 429 | 502 | 503 | 504 => Answer::Lost(failure()),
        _ => Answer::Refused(failure().unwrap_or_else(|| unreadable(status))),
    }
}

/// An answer as `T`.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|_| unreadable(200))
}

fn unreadable(status: u16) -> Failure {
    Failure::new(FailureCode::Internal, format!("The server answered with status {status}."))
}

/// Resolves after that time.
pub async fn sleep(time: Duration) {
    let elapsed = Promise::new(&mut |resolve: Function, _| {
        let wake = move || drop(resolve.call0(&JsValue::UNDEFINED));
        leptos::prelude::set_timeout(wake, time);
    });
    drop(JsFuture::from(elapsed).await);
}
