//! Traces for a collector, by OTLP over HTTP: what requests and workers did, in the ids that callers sent along. Off unless an
//! endpoint is given; then it is the only thing besides webhooks that connects to another machine.

use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use axum::body::Bytes;
use http::{Request, Response};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracerProvider, Tracer};
use sheaf_engine::Trace;
use tokio::runtime::Handle;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// How long a collector may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends the rest when it is dropped.
pub struct Exporter(SdkTracerProvider);

impl Exporter {
    /// Collects spans for a collector at `endpoint`, such as `http://127.0.0.1:4318`. Call it in the runtime that sends.
    ///
    /// # Errors
    /// When the endpoint is no URL, or TLS has no certificates to trust.
    pub fn start(endpoint: &str) -> anyhow::Result<Self> {
        // Whoever comes second finds the same one installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client { client, runtime: Handle::current() })
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .build()
            .with_context(|| format!("spans cannot be sent to `{endpoint}`"))?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name("sheaf").with_attribute(version).build();
        Ok(Self(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build()))
    }

    pub fn tracer(&self) -> Tracer {
        self.0.tracer("sheaf")
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}

/// Sends from the thread of the exporter by the runtime of the server.
#[derive(Debug)]
struct Client {
    client: reqwest::Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let answer = client.execute(request.try_into()?).await?;
            let status = answer.status();
            let body = answer.bytes().await?;
            Ok::<_, reqwest::Error>((status, body))
        });
        let (status, body) = sent.await??;
        let mut response = Response::new(body);
        *response.status_mut() = status;
        Ok(response)
    }
}

/// Makes a span a part of a trace that began elsewhere.
pub fn follow(span: &Span, trace: Trace) {
    let (id, parent, flags) = trace.ids();
    let (id, parent) = (TraceId::from_bytes(id.to_be_bytes()), SpanId::from_bytes(parent.to_be_bytes()));
    let parent = SpanContext::new(id, parent, TraceFlags::new(flags), true, TraceState::default());
    // It fails where nothing is exported.
    let _ = span.set_parent(Context::new().with_remote_span_context(parent));
}

/// The trace of a span as it is exported; absent where nothing is.
pub fn exported(span: &Span) -> Option<Trace> {
    let context = span.context();
    let context = context.span().span_context().clone();
    let (id, own) = (context.trace_id().to_bytes(), context.span_id().to_bytes());
    Trace::of_ids(u128::from_be_bytes(id), u64::from_be_bytes(own), context.trace_flags().to_u8())
}
