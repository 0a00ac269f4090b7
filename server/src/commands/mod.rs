//! One file for each command.

pub mod analyze;
mod bounds;
mod database;
pub mod distil;
mod reading;
pub mod serve;

use std::io::IsTerminal;

use sheaf_domain::Failure;
use tracing_subscriber::EnvFilter;

/// Logs to standard error; `SHEAF_LOG` says what, in the syntax of `RUST_LOG`.
fn start_log(default: &str) {
    let filter = EnvFilter::try_from_env("SHEAF_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

/// A failure for a terminal: what happened, and what to do.
fn plain(failure: &Failure) -> anyhow::Error {
    anyhow::anyhow!("{}\n{}", failure.message, failure.hint)
}
