//! `sheaf export`: a backlog with its results as one file.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use sheaf_domain::{BatchId, BatchQuery, RunId};
use sheaf_engine::backlog::export;
use sheaf_store::{BacklogScope, Store};

use super::storage::Storage;
use super::verify::bar;
use super::{plain, start_log};

/// Write records or documents, with what a run made of them, into one file.
///
/// Each has its id, text, label, probability, confidence, status, attempts and error, in the order in which they came. In JSON a
/// record also comes out again as it was imported, and what a run found besides stands under `values`. It changes nothing, and
/// may run beside a server.
#[derive(clap::Args)]
pub struct Args {
    /// Only documents of this batch, given by its id or name, with what the latest run made of them; may be given several times.
    #[arg(long, value_name = "BATCH", conflicts_with = "run")]
    batch: Vec<String>,
    /// Only documents of this run, with what it made of them.
    #[arg(long, value_name = "RUN")]
    run: Option<RunId>,
    /// A .csv, .jsonl or .json file; it is replaced when it is complete.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    storage: Storage,
    /// Do not show how far it is.
    #[arg(long)]
    quiet: bool,
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    start_log("warn");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let rows = runtime.block_on(async {
        let (folder, _) = args.storage.existing()?;
        let store = args.storage.look_at_store(&folder).await?;
        let mut batches = Vec::with_capacity(args.batch.len());
        for given in &args.batch {
            batches.push(batch(&*store, given).await?);
        }
        if let Some(run) = args.run
            && store.run(run).await.context("the database cannot be read")?.is_none()
        {
            bail!("there is no run `{run}`");
        }
        let scope = args.run.map_or(BacklogScope::Batches(&batches), BacklogScope::Run);
        let bar = bar(args.quiet, "{spinner} {msg}").context("the terminal cannot be drawn on")?;
        let rows = export(&*store, scope, &args.out, |rows| {
            bar.set_message(format!("{rows} rows"));
            bar.tick();
        });
        let rows = rows.await.map_err(|failure| plain(&failure));
        bar.finish_and_clear();
        rows
    })?;
    println!("{rows} rows are in {}", args.out.display());
    Ok(ExitCode::SUCCESS)
}

/// A batch by its id or name.
async fn batch(store: &dyn Store, given: &str) -> anyhow::Result<BatchId> {
    let mut query =
        BatchQuery { search: Some(given.to_owned()), limit: BatchQuery::MAX_LIMIT, ..BatchQuery::default() };
    loop {
        let page = store.batches(&query).await.context("the database cannot be read")?;
        if let Some(found) = page.items.iter().find(|batch| batch.name == given || batch.id.to_string() == given) {
            return Ok(found.id);
        }
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => bail!("there is no batch `{given}`"),
        }
    }
}
