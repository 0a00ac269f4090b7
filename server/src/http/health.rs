//! For whoever watches over the process: `/healthz` asks only it, `/readyz` also what it needs.

use axum::extract::State;
use sheaf_engine::Engine;

use super::failure::HttpFailure;

/// Answers as long as the process does.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// Answers with 503 while the database cannot be read.
pub async fn ready(State(engine): State<Engine>) -> Result<&'static str, HttpFailure> {
    engine.check().await?;
    Ok("ready\n")
}
