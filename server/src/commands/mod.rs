//! One file for each command.

pub mod analyze;
mod bounds;
mod database;
pub mod distil;
mod reading;
pub mod serve;

use std::io::IsTerminal;

use sheaf_domain::Failure;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::otlp::Exporter;

/// How lines of the log look.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum LogFormat {
    /// For people.
    Text,
    /// A JSON object on each line, with the fields of its spans.
    Json,
}

/// Logs to standard error, and gives spans to the exporter if there is one; `SHEAF_LOG` says what, in the syntax of `RUST_LOG`.
fn start_log(format: LogFormat, default: &str, exporter: Option<&Exporter>) {
    let filter = EnvFilter::try_from_env("SHEAF_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let log = match format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => log.json().flatten_event(true).with_span_list(false).boxed(),
    };
    let spans = exporter.map(|exporter| tracing_opentelemetry::layer().with_tracer(exporter.tracer()));
    tracing_subscriber::registry().with(filter).with(log).with(spans).init();
}

/// A failure for a terminal: what happened, and what to do.
fn plain(failure: &Failure) -> anyhow::Error {
    anyhow::anyhow!("{}\n{}", failure.message, failure.hint)
}
