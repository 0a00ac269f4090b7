//! `sheaf verify`: is everything that is stored there, and undamaged?

use std::process::ExitCode;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sheaf_engine::upkeep::{self, Blobs, Report};

use super::storage::Storage;
use super::{plain, start_log};

/// Something is missing or damaged.
const FOUND: u8 = 2;

/// Look whether everything that is stored is there and undamaged; a server may be running meanwhile.
///
/// Compares every document's bytes with their hash, every row with the bytes that it names, every batch with its manifest and
/// vectors. Ends with 0 when all is well, with 2 when something is missing or damaged (it is listed), and with 1 when it could
/// not run.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    storage: Storage,
    /// Do not show how far it is.
    #[arg(long)]
    quiet: bool,
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    start_log("warn");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(verify(&args))?;
    for finding in &report.findings {
        println!("{finding}");
    }
    println!("{}", summary(&report));
    Ok(if report.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
}

async fn verify(args: &Args) -> anyhow::Result<Report> {
    let (folder, location) = args.storage.existing()?;
    let store = args.storage.look_at_store(&folder).await?;
    let blobs = Blobs::open(&location, &std::env::temp_dir()).await.map_err(|failure| plain(&failure))?;
    let bar = bar(args.quiet, "{spinner} {msg}").context("the terminal cannot be drawn on")?;
    let report = upkeep::verify(&*store, &blobs, |report| {
        bar.set_message(format!("{} documents' bytes compared, {} MiB", report.blobs, report.bytes >> 20));
        bar.tick();
    });
    let report = report.await.map_err(|failure| plain(&failure))?;
    bar.finish_and_clear();
    Ok(report)
}

fn summary(report: &Report) -> String {
    let Report { batches, documents, blobs, bytes, unnamed, findings } = report;
    let mut text = format!("{batches} batches, {documents} documents, {blobs} blobs of {} MiB: ", bytes >> 20);
    text.push_str(&match findings.len() {
        0 => "all there and undamaged".to_owned(),
        1 => "1 thing is wrong".to_owned(),
        n => format!("{n} things are wrong"),
    });
    if *unnamed > 0 {
        text.push_str(&format!(
            "; {unnamed} blobs belong to nothing, and a running server removes them within two days"
        ));
    }
    text
}

/// Something that moves on a terminal, and is silent elsewhere.
pub fn bar(quiet: bool, template: &str) -> anyhow::Result<ProgressBar> {
    let bar =
        if quiet { ProgressBar::hidden() } else { ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()) };
    bar.set_style(ProgressStyle::with_template(template)?);
    Ok(bar)
}
