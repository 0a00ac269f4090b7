//! `sheaf import`: results that were found elsewhere become a batch of an installation.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use sheaf_domain::{Batch, BatchId, Failure, Stage, Status};
use sheaf_engine::Engine;

use super::storage::Storage;
use super::verify::bar;
use super::{plain, start_log};

/// Some documents failed, all others have results.
const SOME_FAILED: u8 = 2;

/// How often it is asked whether the batch is done.
const ASKED_EVERY: Duration = Duration::from_millis(100);

/// Make a batch out of the shards that `sheaf analyze --shard` wrote.
///
/// Nothing is read or compared again: the documents are listed with their texts, and grouped once. Originals are not in shards, so
/// the batch has none. Ends as `sheaf analyze` does. With SQLite stop the server first, for that belongs to one process.
#[derive(clap::Args)]
pub struct Args {
    /// All shards of one run.
    #[arg(required = true, value_name = "SHARD.parquet")]
    files: Vec<PathBuf>,
    /// The name of the batch; the date when left out.
    #[arg(long, default_value = "")]
    name: String,
    #[command(flatten)]
    storage: Storage,
    /// Do not show how far it is.
    #[arg(long)]
    quiet: bool,
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    start_log("warn");
    if let Some(other) = args.files.iter().find(|file| !has_suffix(file, "parquet")) {
        bail!("`{}` is no shard: give the .parquet files that `sheaf analyze --shard` wrote", other.display());
    }
    let mut config = args.storage.apply("sheaf")?;
    config.serves_pages = false;
    config.stages = vec![Stage::Analyse];
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let batch = runtime.block_on(async {
        let engine = Engine::open(config, async |folder| args.storage.open_store(folder).await).await;
        let engine = engine.map_err(|failure| plain(&failure))?;
        let workers = engine.start_workers().await.map_err(|failure| plain(&failure))?;
        let batch = import(&engine, &args).await;
        workers.stop().await;
        batch
    })?;
    let counts = &batch.counts;
    println!("{} documents: {} completed, {} failed", counts.total, counts.completed, counts.failed);
    println!("Batch {} is called {}", batch.id, batch.name);
    runtime.shutdown_background();
    Ok(match (batch.status, counts.failed) {
        (Status::Completed, 0) => ExitCode::SUCCESS,
        (Status::Completed, _) => ExitCode::from(SOME_FAILED),
        (Status::Pending | Status::Processing | Status::Failed | Status::Cancelled, _) => ExitCode::FAILURE,
    })
}

fn has_suffix(file: &Path, suffix: &str) -> bool {
    file.extension().is_some_and(|found| found.eq_ignore_ascii_case(suffix))
}

async fn import(engine: &Engine, args: &Args) -> anyhow::Result<Batch> {
    let bar = bar(args.quiet, "{spinner} {msg}").context("the terminal cannot be drawn on")?;
    let batch = engine.import_shards(&args.files, &args.name, |documents| {
        bar.set_message(format!("{documents} documents are listed"));
        bar.tick();
    });
    let batch = batch.await.map_err(|failure| plain(&failure))?;
    bar.set_message("Grouping");
    let grouped = finished(engine, batch).await.map_err(|failure| plain(&failure));
    bar.finish_and_clear();
    grouped
}

/// Waits for the end of a batch, whoever works on it.
async fn finished(engine: &Engine, batch: BatchId) -> Result<Batch, Failure> {
    loop {
        let found = engine.batch(batch).await?;
        if found.finished_at.is_some() {
            return Ok(found);
        }
        tokio::time::sleep(ASKED_EVERY).await;
    }
}
