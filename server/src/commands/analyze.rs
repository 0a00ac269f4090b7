//! `sheaf analyze`: the whole walk without a server.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use sheaf_domain::{BatchParams, Failure, MethodName, ModelName, Passwords};
use sheaf_engine::ProcessingConfig;
use sheaf_engine::folder::{Fields, MATRIX_LIMIT, Outcome, Request, Tally, analyze, analyze_shard};
use sheaf_engine::shards::Shard;

use super::bounds::Bounds;
use super::reading::Reading;
use super::{plain, start_log};

/// Some documents failed, all others have results.
const SOME_FAILED: u8 = 2;

/// Failures that are listed on the terminal; the results hold all.
const SHOWN_FAILURES: usize = 20;

/// Analyse a folder, files, a ZIP or records, and write a folder of results.
///
/// Ends with 0 when every document could be used, with 2 when some could not (they are listed), and with 1 when it could
/// not run.
#[derive(clap::Args)]
pub struct Args {
    /// A folder (walked recursively), files, a ZIP; or .jsonl and .csv files of records with --text-field.
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Where to put the results; made if absent.
    #[arg(long, value_name = "RESULTS")]
    out: PathBuf,
    /// Read records: the field that holds the id.
    #[arg(long, value_name = "FIELD")]
    id_field: Option<String>,
    /// Read records: the field that holds the text.
    #[arg(long, value_name = "FIELD")]
    text_field: Option<String>,
    /// accurate (the better clusters) or fast (thousands of documents in seconds).
    #[arg(long, default_value_t)]
    model: ModelName,
    /// How documents are grouped: graph (the number of clusters is found), kmeans, dbscan, mixture or hierarchical; graph when
    /// left out, or kmeans where --clusters is given.
    #[arg(long)]
    method: Option<MethodName>,
    /// The number of clusters, of kmeans and mixture.
    #[arg(long, value_name = "N")]
    clusters: Option<u32>,
    /// The cosine similarity in percent from which on documents are near (dbscan) or groups are joined (hierarchical).
    #[arg(long, value_name = "PERCENT")]
    similarity: Option<u32>,
    /// Documents that must be near one another to found a cluster (dbscan); 5 when left out.
    #[arg(long, value_name = "N")]
    least: Option<u32>,
    /// Seeds every random choice.
    #[arg(long, default_value_t, value_name = "N")]
    seed: u64,
    /// Threads for embedding and grouping, and processes for reading; one for each core when left out.
    #[arg(long, value_name = "N", env = "SHEAF_THREADS")]
    threads: Option<usize>,
    /// Also write each document's text to RESULTS/text/PATH.txt.
    #[arg(long)]
    text: bool,
    /// Read only the I-th of N parts, from 0, and write it to RESULTS as a Parquet file that `sheaf import` takes; nothing is
    /// grouped.
    #[arg(long, value_name = "I/N", conflicts_with = "text")]
    shard: Option<Shard>,
    /// A file of passwords, one on each line, that are tried on documents and ZIPs that ask for one.
    #[arg(long, value_name = "FILE")]
    passwords: Option<PathBuf>,
    /// Print the outcome as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    bounds: Bounds,
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    start_log("warn");
    let mut processing = ProcessingConfig::new(std::env::current_exe().context("this program cannot be found")?);
    args.reading.apply(&mut processing);
    args.bounds.apply(&mut processing);
    if let Some(threads) = args.threads {
        anyhow::ensure!(threads > 0, "--threads must be at least 1");
        processing.parse_workers = threads;
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().context("threads cannot be started")?;
    }
    let params = BatchParams {
        model: args.model,
        clusters: args.clusters,
        seed: args.seed,
        method: args.method,
        similarity: args.similarity,
        least: args.least,
    };
    let fields = Fields::of(args.id_field, args.text_field);
    let passwords = match &args.passwords {
        Some(file) => Passwords::from_lines(
            &std::fs::read_to_string(file).with_context(|| format!("`{}` cannot be read", file.display()))?,
        ),
        None => Passwords::default(),
    };
    let request = Request {
        passwords,
        inputs: args.inputs,
        out: args.out,
        fields,
        params,
        replay: None,
        text: args.text,
        processing,
    };
    let out = request.out.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let shard = args.shard;
    let outcome = runtime.block_on(with_bar(request, shard, !args.json))?;
    say(&match shard {
        _ if args.json => serde_json::to_string_pretty(&Report::from(&outcome))?,
        Some(shard) => format!("Shard {shard} is in {}", out.join(shard.file()).display()),
        None => report(&outcome, &out),
    })?;
    if !args.json {
        report_failures(&outcome);
    }
    Ok(if outcome.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(SOME_FAILED) })
}

/// Runs the request and shows how far it is, on a terminal only.
pub(super) async fn with_bar(request: Request, shard: Option<Shard>, shown: bool) -> anyhow::Result<Outcome> {
    let tally = Arc::new(Tally::default());
    let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(0), target);
    let style = ProgressStyle::with_template("{msg:22} {bar:32} {pos}/{len}  {elapsed} (about {eta} left)");
    bar.set_style(style.context("the bar's template is wrong")?);
    let counted = Arc::clone(&tally);
    let mut running = std::pin::pin!(async move {
        match shard {
            Some(shard) => analyze_shard(request, shard, counted).await,
            None => analyze(request, counted).await,
        }
    });
    let outcome = loop {
        tokio::select! {
            outcome = &mut running => break outcome,
            () = tokio::time::sleep(Duration::from_millis(100)) => {
                bar.set_length(tally.total.load(Ordering::Relaxed));
                bar.set_position(tally.embedded.load(Ordering::Relaxed) + tally.failed.load(Ordering::Relaxed));
                bar.set_message(tally.stage());
            }
        }
    };
    bar.finish_and_clear();
    outcome.map_err(|failure| plain(&failure))
}

/// Prints a line. Who has closed the pipe (`sheaf analyze … | head`) does not want it; the results are there all the same.
fn say(text: &str) -> io::Result<()> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn report(outcome: &Outcome, out: &std::path::Path) -> String {
    let Outcome { documents, completed, clusters, outliers, families, failures, matrix } = outcome;
    let mut lines = vec![
        format!("{documents} documents: {completed} completed, {} failed", failures.len()),
        format!("{clusters} clusters, {outliers} outliers, {families} families of near-duplicates"),
        format!("Results are in {}", out.display()),
    ];
    if !matrix {
        lines.push(format!("similarity.csv was left out: it is written for up to {MATRIX_LIMIT} documents"));
    }
    lines.join("\n")
}

fn report_failures(Outcome { failures, .. }: &Outcome) {
    for (path, failure) in failures.iter().take(SHOWN_FAILURES) {
        eprintln!("failed: {path}: {} ({})", failure.message, failure.code);
    }
    if failures.len() > SHOWN_FAILURES {
        eprintln!("… and {} more; documents.csv lists all", failures.len() - SHOWN_FAILURES);
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    documents: u64,
    completed: u64,
    failed: usize,
    clusters: u64,
    outliers: u64,
    families: u64,
    failures: Vec<FailedDocument<'a>>,
}

#[derive(Serialize)]
struct FailedDocument<'a> {
    path: &'a str,
    #[serde(flatten)]
    failure: &'a Failure,
}

impl<'a> From<&'a Outcome> for Report<'a> {
    fn from(outcome: &'a Outcome) -> Self {
        let Outcome { documents, completed, clusters, outliers, families, failures, matrix: _ } = outcome;
        Self {
            documents: *documents,
            completed: *completed,
            failed: failures.len(),
            clusters: *clusters,
            outliers: *outliers,
            families: *families,
            failures: failures.iter().map(|(path, failure)| FailedDocument { path, failure }).collect(),
        }
    }
}
