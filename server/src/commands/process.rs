//! `sheaf process`: gives each record of a file a label, without a server; or lets a flow work off what is in the database.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sheaf_analysis::classification::NONE_BELOW;
use sheaf_domain::ModelName;
use sheaf_engine::backlog::{ClassifierStatistics, Columns, Request, Statistics, Tally, process};

use super::backlog::{self, Stored};
use super::{plain, start_log};

/// Some records failed, all others have results.
const SOME_FAILED: u8 = 2;

/// Give each record of a file one of a set of labels, and write a folder of results; or let a flow work off what is in the database.
///
/// With a FILE nothing else is needed. Without one, --flow or --labels say what is done with the documents that are in the
/// database and were not done yet by that version of the flow; any number of processes can share that. Ends with 0 when every record could be used, with 2 when some could not (they have rows that say why), and with 1
/// when it could not run.
#[derive(clap::Args)]
pub struct Args {
    /// A .json (an array), .jsonl, .csv or .tsv file of records.
    #[arg(value_name = "FILE")]
    pub(super) input: Option<PathBuf>,
    /// A JSON file of labels: a list of names, a list of objects with name, description and examples, or a map from name to
    /// description.
    #[arg(long, value_name = "FILE")]
    pub(super) labels: Option<PathBuf>,
    /// Labelled examples, with columns id and label (ids of records) or text and label.
    #[arg(long, value_name = "FILE")]
    pub(super) examples: Option<PathBuf>,
    /// Where to put results.csv and results.jsonl of a FILE; made if absent.
    #[arg(long, value_name = "RESULTS")]
    out: Option<PathBuf>,
    /// The field that holds the id; found when left out.
    #[arg(long, value_name = "FIELD")]
    id_field: Option<String>,
    /// The field that holds the text; found when left out.
    #[arg(long, value_name = "FIELD")]
    text_field: Option<String>,
    /// accurate (the better labels) or fast (thousands of records a second).
    #[arg(long, default_value_t)]
    pub(super) model: ModelName,
    /// Give no label where the likeliest one is less likely than this, 0 to 1.
    #[arg(long, value_name = "P", default_value_t = NONE_BELOW, value_parser = probability)]
    pub(super) none_below: f32,
    /// Records that are classified together, or documents that are held at a time.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(super) batch_size: u32,
    /// Groups of records, or documents of the database, that are worked on at the same time; two for each thread when left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_024))]
    pub(super) max_concurrent: Option<u32>,
    /// Threads; one for each core when left out.
    #[arg(long, value_name = "N", env = "SHEAF_THREADS", value_parser = clap::value_parser!(u32).range(1..=1_024))]
    threads: Option<u32>,
    /// Read and check everything and say what would be done, but do nothing and write no results.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Also write counts, rates, latencies and errors as JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) stored: Stored,
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    start_log("warn");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads.unwrap_or(0) as usize);
    pool.build_global().context("threads cannot be started")?;
    let max_concurrent = args.max_concurrent.map_or_else(|| 2 * rayon::current_num_threads(), |n| n as usize);
    let Some(input) = args.input.clone() else { return backlog::run(&args, max_concurrent) };
    if args.stored.is_used() {
        bail!("with a FILE there is no database: leave FILE out to work off what `sheaf import` put there");
    }
    let Some(labels) = args.labels.clone() else { bail!("give the labels with --labels") };
    if args.out.is_none() && !args.dry_run {
        bail!("say where to put the results with --out");
    }
    let request = Request {
        input,
        labels,
        examples: args.examples,
        out: args.out.filter(|_| !args.dry_run),
        id_field: args.id_field,
        text_field: args.text_field,
        model: args.model,
        none_below: args.none_below,
        batch_size: args.batch_size as usize,
        max_concurrent,
        models: sheaf_analysis::find_models(),
    };
    let statistics = with_bar(&request)?;
    if let Some(output) = &args.output {
        let json = serde_json::to_string_pretty(&statistics)?;
        std::fs::write(output, json + "\n").with_context(|| format!("`{}` cannot be written", output.display()))?;
    }
    report(&statistics, &request);
    Ok(if statistics.errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(SOME_FAILED) })
}

fn probability(given: &str) -> Result<f32, String> {
    let value: f32 = given.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err("not between 0 and 1".into()) }
}

/// Runs the request and shows how far it is, on a terminal only.
fn with_bar(request: &Request) -> anyhow::Result<Statistics> {
    let (tally, ended) = (Tally::default(), AtomicBool::new(false));
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:32} {percent}%  {msg}  {elapsed} (about {eta} left)");
    bar.set_style(style.context("the bar's template is wrong")?);
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                bar.set_length(tally.bytes.load(Ordering::Relaxed));
                bar.set_position(tally.done_bytes.load(Ordering::Relaxed));
                bar.set_message(format!("{} records", tally.records.load(Ordering::Relaxed)));
                std::thread::park_timeout(Duration::from_millis(100));
            }
        });
        let outcome = process(request, &tally, &mut |columns, about| {
            bar.suspend(|| introduce(columns, about));
        });
        ended.store(true, Ordering::Relaxed);
        outcome
    });
    bar.finish_and_clear();
    outcome.map_err(|failure| plain(&failure))
}

/// What is known before the first record is classified.
fn introduce(columns: &Columns, about: &ClassifierStatistics) {
    let id = columns.id.as_deref().map_or("records are numbered".into(), |id| format!("ids are in `{id}`"));
    eprintln!("Texts are in `{}`, {id}", columns.text);
    let ClassifierStatistics { model, labels, examples, cross_validated_accuracy, .. } = about;
    eprintln!("{labels} labels, {examples} examples, the {model} model");
    match cross_validated_accuracy {
        Some(accuracy) => eprintln!("Cross-validated accuracy: {:.1} % of the examples", accuracy * 100.0),
        None => eprintln!("Accuracy is not known: that needs ten labelled examples"),
    }
}

fn report(statistics: &Statistics, request: &Request) {
    let of = |status: &str| statistics.by_status.get(status).copied().unwrap_or_default();
    let (records, failed) = (statistics.records, of("failed"));
    let Some(out) = &request.out else {
        println!("{records} records: {} can be classified, {failed} cannot. Nothing was written.", of("pending"));
        return list_errors(statistics);
    };
    println!("{records} records: {} completed, {failed} failed", of("completed"));
    println!("{:.0} records a second; results are in {}", statistics.records_per_second, out.display());
    list_errors(statistics);
}

fn list_errors(statistics: &Statistics) {
    for (error, count) in &statistics.errors {
        eprintln!("failed: {count} x {error}");
    }
}
