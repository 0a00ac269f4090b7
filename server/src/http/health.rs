//! For whoever watches over the process: `/healthz` asks only it, `/readyz` also what it needs.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use sheaf_engine::Engine;
use sheaf_parsing::Protections;

use super::failure::HttpFailure;

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

/// Answers with 503 while the database cannot be read.
pub async fn ready(State(engine): State<Engine>) -> Result<Json<Ready>, HttpFailure> {
    engine.check().await?;
    let proof = engine.sandbox();
    let protections = proof.protections.clone();
    let (weak, missing) = (protections.are_weak(), protections.missing());
    let sandbox = Sandbox { protections, weak, missing, possible: proof.possible.clone() };
    Ok(Json(Ready { status: "ready", sandbox }))
}
