//! `GET /api/batches/{id}/events`: what happens to a batch as server-sent events, without a gap after a reconnection.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::sse::{self, KeepAlive, Sse};
use futures::{Stream, StreamExt};
use http::HeaderMap;
use sheaf_engine::{Engine, Event};

use super::api::batch_id;
use super::failure::HttpFailure;
use crate::watch::Listener;

/// A sign of life, so that a proxy does not take a quiet stream for a dead one.
const ALIVE_EVERY: Duration = Duration::from_secs(15);
/// After how long a browser comes back when the stream ends.
const RECONNECT: Duration = Duration::from_secs(2);
/// A cursor is shorter; a longer one is none of ours.
const CURSOR_BYTES: usize = 100;

/// Where a listener that comes back wants to go on, by what browsers send.
const LAST_EVENT_ID: &str = "last-event-id";

pub async fn events(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, HttpFailure> {
    let after = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
    let after = after.filter(|cursor| !cursor.is_empty() && cursor.len() <= CURSOR_BYTES).map(str::to_owned);
    let events = engine.events(batch_id(&id)?, after).await?;
    let listener = Listener::new();
    let lines = events.map(move |event| {
        listener.is_told();
        Ok(line(&event).unwrap_or_else(|_| sse::Event::default().comment("unwritable")))
    });
    Ok(Sse::new(lines).keep_alive(KeepAlive::new().interval(ALIVE_EVERY)))
}

fn line(event: &Event) -> Result<sse::Event, axum::Error> {
    let named = |name: &str| sse::Event::default().event(name).retry(RECONNECT);
    match event {
        Event::Documents(documents, cursor) => Ok(named("documents").id(cursor).data(documents.json())),
        Event::Progress(progress, cursor) => Ok(named("progress").id(cursor).data(progress.json())),
        Event::Ended(status, cursor) => named("end").id(cursor).json_data(status),
        Event::Gone => named("gone").json_data(()),
    }
}
