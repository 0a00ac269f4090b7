//! What a process that runs for long tells of its work: its log, and spans for a collector.

use std::io::IsTerminal;

use tokio::runtime::Runtime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::otlp::Exporter;

/// Flattened into the arguments of `serve` and `work`.
#[derive(clap::Args)]
#[command(next_help_heading = "Logging")]
pub struct Logging {
    /// How lines of the log look: for people, or a JSON object each.
    #[arg(long, env = "SHEAF_LOG_FORMAT", default_value = "text")]
    log_format: LogFormat,
    /// Where spans of requests and workers are sent by OTLP over HTTP; nowhere when left out.
    #[arg(long, env = "SHEAF_OTLP_ENDPOINT", value_name = "URL")]
    otlp_endpoint: Option<String>,
}

/// How lines of the log look.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum LogFormat {
    /// For people.
    Text,
    /// A JSON object on each line, with the fields of its spans.
    Json,
}

impl Logging {
    /// Starts the log, and the exporter if one is wanted, which has to be dropped before the runtime ends: it sends the rest.
    ///
    /// # Errors
    /// When the endpoint cannot be used.
    pub fn start(&self, runtime: &Runtime) -> anyhow::Result<Option<Exporter>> {
        let _entered = runtime.enter();
        let exporter = self.otlp_endpoint.as_deref().map(Exporter::start).transpose()?;
        start(self.log_format, "info", exporter.as_ref());
        Ok(exporter)
    }
}

/// The log of a command that soon ends.
pub fn start_log(default: &str) {
    start(LogFormat::Text, default, None);
}

/// Logs to standard error, and gives spans to the exporter if there is one; `SHEAF_LOG` says what, in the syntax of
/// `RUST_LOG`.
fn start(format: LogFormat, default: &str, exporter: Option<&Exporter>) {
    let filter = EnvFilter::try_from_env("SHEAF_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let log = match format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => log.json().flatten_event(true).with_span_list(false).boxed(),
    };
    let spans = exporter.map(|exporter| tracing_opentelemetry::layer().with_tracer(exporter.tracer()));
    tracing_subscriber::registry().with(filter).with(log).with(spans).init();
}
