//! What operators see of each request: a line in the log and a place in the metrics, under an id that the client gets too.
//! Only patterns of routes are written down: never a path, a query or a name.

use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use sheaf_engine::{Engine, Trace};
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::otlp;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The longest id of a request that is taken over, in bytes.
const ID_BYTES: usize = 64;

/// Where nothing better is known: files of the page, and paths that do not exist.
const OTHER: &str = "other";

/// Seconds, for everything from a row that is read to an upload of an hour.
const REQUEST_BUCKETS: [f64; 12] = [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0];
const STAGE_BUCKETS: [f64; 12] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0];

/// What collects the metrics of this process.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
    process: Collector,
}

/// What an answer about metrics needs.
#[derive(Clone)]
pub struct Scraped {
    pub metrics: Metrics,
    pub engine: Engine,
}

impl Metrics {
    /// Starts to collect; once in a process.
    ///
    /// # Errors
    /// When something collects already.
    pub fn install() -> Result<Self, BuildError> {
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full("sheaf_http_request_seconds".to_owned()), &REQUEST_BUCKETS)?
            .set_buckets_for_metric(Matcher::Full("sheaf_queue_seconds".to_owned()), &REQUEST_BUCKETS)?
            .set_buckets_for_metric(Matcher::Full("sheaf_keep_seconds".to_owned()), &REQUEST_BUCKETS)?
            .set_buckets_for_metric(Matcher::Full("sheaf_stage_seconds".to_owned()), &STAGE_BUCKETS)?
            .install_recorder()?;
        let process = Collector::default();
        process.describe();
        sheaf_engine::metrics::describe();
        describe_counter!("sheaf_http_requests_total", "Requests by method, pattern of the route, and status");
        describe_histogram!("sheaf_http_request_seconds", Unit::Seconds, "Until the first byte of the answer");
        describe_gauge!("sheaf_http_connections", "Connections that are open");
        describe_gauge!("sheaf_event_listeners", "Who listens to the events of a batch");
        describe_counter!("sheaf_events_total", "Events that listeners were told");
        describe_gauge!("sheaf_build_info", "Always 1; the label is the version");
        gauge!("sheaf_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1);
        Ok(Self { handle, process })
    }

    /// Forgets what is no longer needed; without it memory would grow while nobody asks.
    pub async fn keep_small(self) {
        loop {
            tokio::time::sleep(std::time::Duration::from_secs(10)).await;
            self.handle.run_upkeep();
        }
    }
}

/// `GET /metrics`, in the text format of Prometheus.
pub async fn metrics(State(scraped): State<Scraped>) -> ([(HeaderName, HeaderValue); 1], String) {
    let Scraped { metrics, engine } = scraped;
    engine.gauge_queue().await;
    metrics.process.collect();
    let format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(CONTENT_TYPE, format)], metrics.handle.render())
}

/// A listener to events, counted as long as it lives.
pub struct Listener(());

impl Listener {
    pub fn new() -> Self {
        gauge!("sheaf_event_listeners").increment(1);
        Self(())
    }

    /// Counts something that it was told.
    pub fn is_told(&self) {
        counter!("sheaf_events_total").increment(1);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        gauge!("sheaf_event_listeners").decrement(1);
    }
}

/// Gives each request an id and a trace, logs how it was answered, and counts it.
pub async fn request(request: Request<Body>, next: Next) -> Response {
    let id = request_id(request.headers());
    let method = method_name(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or(OTHER, |path| path.as_str()).to_owned();
    let span = tracing::info_span!("request", id, method, route, trace = Empty);
    let trace = trace(request.headers(), &span);
    span.record("trace", tracing::field::display(trace.id()));
    let begun = Instant::now();
    let mut response = trace.scope(next.run(request).instrument(span.clone())).await;
    let (status, took) = (response.status(), begun.elapsed());
    counter!("sheaf_http_requests_total", "method" => method, "route" => route.clone(), "status" => status.as_str().to_owned())
        .increment(1);
    histogram!("sheaf_http_request_seconds", "route" => route.clone()).record(took);
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| {
        // What is asked every few seconds, and the files of the page, would hide everything else.
        if matches!(route.as_str(), "/healthz" | "/readyz" | "/metrics") || route.starts_with("/pkg/") {
            tracing::debug!(status = status.as_u16(), milliseconds, "answered");
        } else {
            tracing::info!(status = status.as_u16(), milliseconds, "answered");
        }
    });
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The id that a proxy or client gave, if it is harmless in a log; a new one otherwise.
fn request_id(headers: &HeaderMap) -> String {
    let harmless = |id: &&str| {
        (1..=ID_BYTES).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(harmless);
    given.map_or_else(|| uuid::Uuid::new_v4().simple().to_string(), str::to_owned)
}

/// The trace of the caller, or a new one. Where spans are exported, what follows is a part of the request's own.
fn trace(headers: &HeaderMap, span: &Span) -> Trace {
    let given = headers.get(TRACEPARENT).and_then(|trace| trace.to_str().ok()).and_then(|trace| trace.parse().ok());
    if let Some(given) = given {
        otlp::follow(span, given);
    }
    otlp::exported(span).or(given).unwrap_or_default()
}

/// Of the methods that there are; anybody may invent others.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_ids_are_taken_over() {
        let check = |given: &'static str, taken: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_static(given));
            assert_eq!(request_id(&headers) == given, taken, "{given:?}");
        };
        check("4f-A_b.7", true);
        check("", false);
        check("a b", false);
        check("a\"b", false);
        check("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false);
        assert_ne!(request_id(&HeaderMap::new()), request_id(&HeaderMap::new()));
    }
}
