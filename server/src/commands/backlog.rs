//! `sheaf process` against a database: a flow works off what it has not done yet, beside any number of others.

use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sheaf_domain::flow::{Flow, FlowSpec};
use sheaf_domain::{BatchId, FlowId, Status};
use sheaf_engine::backlog::{ClassifierStatistics, LabelsRequest};
use sheaf_engine::{BacklogRequest, BacklogStatistics, BacklogTally, Engine, FlowFile, templates};

use super::ending::{Drain, Ending};
use super::model::LanguageModel;
use super::plain;
use super::process::Args;
use super::storage::{Private, Storage};

/// Some documents failed.
const SOME_FAILED: u8 = 2;

/// The part of the arguments that is about the database.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "From the database")]
pub struct Stored {
    /// A flow that is kept, by its id or name; a file; or the key of one to begin with.
    #[arg(long, value_name = "FLOW", conflicts_with_all = ["labels", "examples"])]
    flow: Option<String>,
    /// Only documents of this batch, given by its id or name; may be given several times.
    #[arg(long, value_name = "BATCH")]
    batch: Vec<String>,
    /// Stay when all is done, and take what arrives.
    #[arg(long)]
    watch: bool,
    /// Also work again on what failed before.
    #[arg(long)]
    retry: bool,
    #[command(flatten)]
    storage: Storage,
    #[command(flatten)]
    model: LanguageModel,
    #[command(flatten)]
    drain: Drain,
}

impl Stored {
    /// Whether anything was said that only a database understands.
    pub fn is_used(&self) -> bool {
        self.flow.is_some() || !self.batch.is_empty() || self.watch || self.retry
    }
}

/// Works off what the arguments name.
///
/// # Errors
/// When it cannot run at all.
pub fn run(args: &Args, max_concurrent: usize) -> anyhow::Result<ExitCode> {
    if args.stored.flow.is_none() && args.labels.is_none() {
        bail!("say what to do with --flow or --labels; with a FILE in front no database is needed");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let private = Private::of(&args.stored.storage)?;
    let ended = runtime.block_on(process(args, &private, max_concurrent));
    // A text that is being embedded must not hold the process up.
    runtime.shutdown_background();
    ended
}

async fn process(args: &Args, private: &Private, max_concurrent: usize) -> anyhow::Result<ExitCode> {
    let Stored { flow: _, batch: _, watch, retry, storage, model, drain } = &args.stored;
    let ending = Ending::watch()?;
    let mut config = storage.apply_in(private.folder("sheaf")?)?;
    config.serves_pages = false;
    config.stages.clear();
    config.flows = false;
    config.lease = drain.lease();
    model.apply(&mut config)?;
    let engine = Engine::open(config, async |folder| storage.open_store(folder).await);
    let engine = engine.await.map_err(|failure| plain(&failure))?;
    let batches = batches(&engine, &args.stored.batch).await?;
    let Some(flow) = flow(&engine, args, &batches).await? else {
        // A file that was never kept: everything is new to it.
        return Ok(ExitCode::SUCCESS);
    };
    let request = BacklogRequest {
        flow,
        batches,
        batch_size: args.batch_size as usize,
        max_concurrent,
        watch: *watch,
        retry: *retry,
    };
    let waiting = engine.waiting(&request).await.map_err(|failure| plain(&failure))?;
    let classifier = engine.classifier_of(&request.flow).await.map_err(|failure| plain(&failure))?;
    introduce(&request.flow, waiting, classifier.as_ref());
    if args.dry_run {
        println!("{waiting} documents would be processed. Nothing was changed.");
        return Ok(ExitCode::SUCCESS);
    }
    let tally = BacklogTally::default();
    let tokens = (ending.asked.clone(), ending.hurry.clone());
    let work = engine.process_backlog(&request, classifier, &tally, tokens);
    let (asked, hurry, grace) = (ending.asked.clone(), ending.hurry.clone(), drain.grace());
    tokio::spawn(async move {
        asked.cancelled().await;
        tokio::time::sleep(grace).await;
        hurry.cancel();
    });
    let statistics = with_bar(work, &tally).await?;
    if let Some(output) = &args.output {
        let json = serde_json::to_string_pretty(&statistics)?;
        std::fs::write(output, json + "\n").with_context(|| format!("`{}` cannot be written", output.display()))?;
    }
    report(&statistics);
    Ok(match (statistics.status, statistics.run_by_status.failed) {
        (Status::Completed, 0) => ExitCode::SUCCESS,
        (Status::Completed | Status::Failed, _) => ExitCode::from(SOME_FAILED),
        // It was asked to end: the rest waits for the next time.
        (Status::Pending | Status::Processing, _) => ExitCode::SUCCESS,
        (Status::Cancelled, _) => ExitCode::FAILURE,
    })
}

async fn batches(engine: &Engine, given: &[String]) -> anyhow::Result<Vec<BatchId>> {
    let mut batches = Vec::with_capacity(given.len());
    for text in given {
        batches.push(match text.parse::<BatchId>() {
            Ok(id) => engine.batch(id).await.map_err(|failure| plain(&failure))?.id,
            Err(_) => match engine.batch_called(text).await.map_err(|failure| plain(&failure))? {
                Some(id) => id,
                None => bail!("there is no batch called `{text}`"),
            },
        });
    }
    Ok(batches)
}

/// The flow that was named, kept if it comes from a file; `None` when it would have to be kept and nothing may change.
async fn flow(engine: &Engine, args: &Args, batches: &[BatchId]) -> anyhow::Result<Option<Flow>> {
    let spec = match (&args.stored.flow, &args.labels) {
        (Some(name), _) => {
            if let Some(kept) = kept(engine, name).await? {
                return Ok(Some(kept));
            }
            read(name)?
        }
        (None, Some(labels)) => {
            let request = LabelsRequest {
                labels: labels.clone(),
                examples: args.examples.clone(),
                model: args.model,
                none_below: args.none_below,
                batches: batches.to_vec(),
            };
            engine.flow_of_labels(&request).await.map_err(|failure| plain(&failure))?
        }
        (None, None) => bail!("say what to do with --flow or --labels"),
    };
    if !args.dry_run {
        return Ok(Some(engine.flow_of_file(&spec).await.map_err(|failure| plain(&failure))?));
    }
    let flows = engine.flows().await.map_err(|failure| plain(&failure))?;
    if let Some(same) = flows.into_iter().find(|flow| flow.spec == spec) {
        return Ok(Some(same));
    }
    let waiting = engine.documents_with_text(batches).await.map_err(|failure| plain(&failure))?;
    println!("{waiting} documents would be processed by `{}`, which is new. Nothing was changed.", spec.name);
    Ok(None)
}

/// A flow that is kept, by its id or exactly its name.
async fn kept(engine: &Engine, name: &str) -> anyhow::Result<Option<Flow>> {
    if let Ok(id) = name.parse::<FlowId>() {
        return Ok(Some(engine.flow(id, None).await.map_err(|failure| plain(&failure))?));
    }
    let flows = engine.flows().await.map_err(|failure| plain(&failure))?;
    Ok(flows.into_iter().find(|flow| flow.spec.name == name))
}

/// A flow from a file, or one to begin with.
fn read(flow: &str) -> anyhow::Result<FlowSpec> {
    if let Some(template) = templates().iter().find(|template| template.key == flow) {
        return Ok(template.spec.clone());
    }
    let text = std::fs::read_to_string(flow)
        .with_context(|| format!("`{flow}` is no flow that is kept, and no file that can be read"))?;
    FlowFile::of(&text).read(&text).map_err(|failure| plain(&failure))
}

/// What is known before the first document is worked on.
fn introduce(flow: &Flow, waiting: u64, classifier: Option<&ClassifierStatistics>) {
    eprintln!("Flow `{}`, version {}: {waiting} documents are new to it", flow.spec.name, flow.version);
    let Some(ClassifierStatistics { model, labels, examples, cross_validated_accuracy, .. }) = classifier else {
        return;
    };
    eprintln!("{labels} labels, {examples} examples, the {model} model");
    match cross_validated_accuracy {
        Some(accuracy) => eprintln!("Cross-validated accuracy: {:.1} % of the examples", accuracy * 100.0),
        None => eprintln!("Accuracy is not known: that needs ten labelled examples"),
    }
}

/// Shows how far the run is, on a terminal only.
async fn with_bar(
    work: impl Future<Output = Result<BacklogStatistics, sheaf_domain::Failure>>,
    tally: &BacklogTally,
) -> anyhow::Result<BacklogStatistics> {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    let style =
        ProgressStyle::with_template("{bar:32} {percent}%  {pos} of {len}  {per_sec}  {elapsed} (about {eta} left)");
    bar.set_style(style.context("the bar's template is wrong")?);
    let mut work = std::pin::pin!(work);
    let ended = loop {
        tokio::select! {
            ended = &mut work => break ended,
            () = tokio::time::sleep(Duration::from_millis(200)) => {
                bar.set_length(tally.total.load(Ordering::Relaxed));
                bar.set_position(tally.ended.load(Ordering::Relaxed));
            }
        }
    };
    bar.finish_and_clear();
    ended.map_err(|failure| plain(&failure))
}

fn report(statistics: &BacklogStatistics) {
    let BacklogStatistics { run, status, run_by_status, own, .. } = statistics;
    let (total, completed, failed) = (run_by_status.total, run_by_status.completed, run_by_status.failed);
    println!("Run {run} is {status}: {completed} of {total} documents completed, {failed} failed");
    println!("This process did {} of them, {:.0} a second", own.records, own.records_per_second);
    let latency = &own.latency_milliseconds;
    println!("One took {:.0} ms in the middle, {:.0} ms at the 99th percentile", latency.p50, latency.p99);
    for (label, count) in &own.by_label {
        println!("{count:>8}  {label}");
    }
    for (error, count) in &own.errors {
        eprintln!("failed: {count} x {error}");
    }
}
