//! `sheaf import`: records of a file, or results that were found elsewhere, become a batch of an installation.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, bail};
use sheaf_domain::{Added, Batch, BatchId, Failure, ModelName, Stage, Status};
use sheaf_engine::backlog::Tally;
use sheaf_engine::{Engine, ImportedRecords, RecordsRequest, name_of};

use super::storage::{Private, Storage};
use super::verify::bar;
use super::{plain, start_log};

/// Some documents failed, all others have results.
const SOME_FAILED: u8 = 2;

/// Files of records end so.
const RECORDS: [&str; 6] = ["json", "jsonl", "ndjson", "csv", "tsv", "tab"];

/// How often it is asked whether the batch is done.
const ASKED_EVERY: Duration = Duration::from_millis(100);

/// Make documents of the records of a file, or a batch out of the shards that `sheaf analyze --shard` wrote.
///
/// Each record of a .json, .jsonl, .csv or .tsv file becomes a document of the batch of that name, under its own id. What is there
/// already stays as it is, so that a file that has grown adds only what is new; a record that has changed takes the place of
/// what was there under its id. What the batch has and the file does not stays, and is counted. Of shards nothing is read or compared again. Originals are neither in records nor in shards. Ends with 0, with 2 when some documents or records could not
/// be used, and with 1 when it could not run. With SQLite stop the server first, for that belongs to one process.
#[derive(clap::Args)]
pub struct Args {
    /// One file of records, or all shards of one run.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The name of the batch; that of the file of records, or the date, when left out.
    #[arg(long, default_value = "")]
    name: String,
    /// The field that holds the id of a record; found when left out.
    #[arg(long, value_name = "FIELD")]
    id_field: Option<String>,
    /// The field that holds the text of a record; found when left out.
    #[arg(long, value_name = "FIELD")]
    text_field: Option<String>,
    /// By which model a new batch of records is grouped: accurate or fast.
    #[arg(long, default_value_t)]
    model: ModelName,
    /// Leave grouping to a server or worker; records can be processed at once all the same.
    #[arg(long)]
    later: bool,
    #[command(flatten)]
    storage: Storage,
    /// Do not show how far it is.
    #[arg(long)]
    quiet: bool,
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    start_log("warn");
    if args.files.iter().all(|file| RECORDS.iter().any(|suffix| has_suffix(file, suffix))) {
        return records(&args);
    }
    if let Some(other) = args.files.iter().find(|file| !has_suffix(file, "parquet")) {
        bail!(
            "`{}` is no shard and no file of records: give the .parquet files that `sheaf analyze --shard` wrote, or one .json, \
             .jsonl, .csv or .tsv file",
            other.display()
        );
    }
    let mut config = args.storage.apply("sheaf")?;
    config.serves_pages = false;
    config.stages = vec![Stage::Analyse];
    config.flows = false;
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

/// Adds records to their batch, and groups that unless somebody else is to do so.
fn records(args: &Args) -> anyhow::Result<ExitCode> {
    let [file] = args.files.as_slice() else { bail!("give one file of records at a time") };
    let private = Private::of(&args.storage)?;
    let mut config = args.storage.apply_in(private.folder("sheaf")?)?;
    config.serves_pages = false;
    config.stages = if args.later { Vec::new() } else { vec![Stage::Embed, Stage::Analyse] };
    config.flows = false;
    let name = if args.name.is_empty() { name_of(file) } else { args.name.clone() };
    let request = RecordsRequest {
        file: file.clone(),
        name: name.clone(),
        id_field: args.id_field.clone(),
        text_field: args.text_field.clone(),
        model: args.model,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let imported = runtime.block_on(async {
        let engine = Engine::open(config, async |folder| args.storage.open_store(folder).await).await;
        let engine = engine.map_err(|failure| plain(&failure))?;
        let imported = import_records(&engine, &request, args.quiet).await?;
        if let Some(batch) = imported.batch.filter(|_| !args.later) {
            group(&engine, batch, args.quiet).await?;
        }
        anyhow::Ok(imported)
    })?;
    runtime.shutdown_background();
    let Added { documents, again, already_there } = imported.added;
    let changed = match imported.changed {
        0 => String::new(),
        changed => format!("{changed} have changed, "),
    };
    println!(
        "{documents} records are new, {changed}{} were there, {} could not be used",
        again + already_there,
        imported.broken
    );
    if imported.changed > 0 {
        println!(
            "What has changed is in the place of what was there; `sheaf process` does again what has another text"
        );
    }
    if imported.gone > 0 {
        let more = if imported.gone > imported.gone_ids.len() as u64 { ", …" } else { "" };
        println!(
            "{} records of the batch are not in the file, or cannot be used as they are there, and stay: {}{more}",
            imported.gone,
            imported.gone_ids.join(", ")
        );
    }
    match imported.batch {
        Some(batch) => println!("Batch {batch} is called {name}"),
        None => println!("No batch was made"),
    }
    Ok(if imported.broken == 0 { ExitCode::SUCCESS } else { ExitCode::from(SOME_FAILED) })
}

async fn import_records(engine: &Engine, request: &RecordsRequest, quiet: bool) -> anyhow::Result<ImportedRecords> {
    let bar = bar(quiet, "{bar:32} {percent}%  {msg}").context("the terminal cannot be drawn on")?;
    let tally = Tally::default();
    let imported = engine.import_records(
        request,
        &tally,
        |columns| {
            let id = columns.id.as_deref().map_or("records are numbered".into(), |id| format!("ids are in `{id}`"));
            bar.suspend(|| eprintln!("Texts are in `{}`, {id}", columns.text));
        },
        |broken| bar.suspend(|| eprintln!("failed: {broken}")),
    );
    let mut imported = std::pin::pin!(imported);
    let ended = loop {
        tokio::select! {
            ended = &mut imported => break ended,
            () = tokio::time::sleep(ASKED_EVERY) => {
                bar.set_length(tally.bytes.load(Ordering::Relaxed));
                bar.set_position(tally.done_bytes.load(Ordering::Relaxed));
                bar.set_message(format!("{} records", tally.records.load(Ordering::Relaxed)));
            }
        }
    };
    bar.finish_and_clear();
    ended.map_err(|failure| plain(&failure))
}

/// Waits until the batch is grouped, working on it too.
async fn group(engine: &Engine, batch: BatchId, quiet: bool) -> anyhow::Result<()> {
    let bar = bar(quiet, "{spinner} {msg}").context("the terminal cannot be drawn on")?;
    bar.set_message("Grouping");
    bar.enable_steady_tick(ASKED_EVERY);
    let workers = engine.start_workers().await.map_err(|failure| plain(&failure))?;
    let grouped = finished(engine, batch).await;
    workers.stop().await;
    bar.finish_and_clear();
    let grouped = grouped.map_err(|failure| plain(&failure))?;
    if let Some(failure) = &grouped.failure {
        bail!("the records are kept, but could not be grouped: {}\n{}", failure.message, failure.hint);
    }
    Ok(())
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
