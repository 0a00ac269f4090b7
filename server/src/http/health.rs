//! For whoever watches over the process: `/healthz` asks only it, `/readyz` also what it needs.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use sheaf_domain::{Failure, FailureCode};
use sheaf_engine::Engine;
use sheaf_parsing::Protections;
use tokio_util::sync::CancellationToken;

use super::failure::HttpFailure;

/// What is asked about.
#[derive(Clone)]
pub struct Watched {
    pub engine: Engine,
    /// Cancelled when the process was asked to end.
    pub ending: CancellationToken,
}

/// Answers as long as the process does.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// What [`ready`] says.
#[derive(Serialize)]
pub struct Ready {
    status: &'static str,
    sandbox: Sandbox,
}

/// What the parsers are locked in by.
#[derive(Serialize)]
struct Sandbox {
    #[serde(flatten)]
    protections: Protections,
    /// Whether this system could do more than it does.
    weak: bool,
    /// What it lacks, in words.
    missing: Vec<&'static str>,
    /// What a parser could do when it was asked to break out.
    possible: Vec<String>,
}

/// Answers with 503 while the database or the blobs cannot be read, and once the process was asked to end.
pub async fn ready(State(Watched { engine, ending }): State<Watched>) -> Response {
    if ending.is_cancelled() {
        let failure = Failure::new(FailureCode::Overloaded, "this process is about to end")
            .with_hint("Ask another one, or wait until it is back.");
        return (StatusCode::SERVICE_UNAVAILABLE, Json(failure)).into_response();
    }
    if let Err(failure) = engine.check().await {
        return HttpFailure(failure).into_response();
    }
    let proof = engine.sandbox();
    let protections = proof.protections.clone();
    let (weak, missing) = (protections.are_weak(), protections.missing());
    let sandbox = Sandbox { protections, weak, missing, possible: proof.possible.clone() };
    Json(Ready { status: "ready", sandbox }).into_response()
}
