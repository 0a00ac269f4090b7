//! `sheaf flows`: flows and their runs from the command line, with the same database as the server's.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use futures::StreamExt;
use sheaf_domain::flow::{FlowSpec, NewRun, RunDocuments};
use sheaf_domain::{BatchId, FlowId, RunPolicy, Status};
use sheaf_engine::{Engine, FlowFile, Wanted, templates};
use tokio::io::AsyncWriteExt;

use super::model::LanguageModel;
use super::storage::Storage;
use super::{plain, start_log};

/// Some documents of a run failed.
const SOME_FAILED: u8 = 2;

/// List, check, keep and run flows.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// List the flows that are kept, and those to begin with.
    List(Kept),
    /// Look whether a file holds a flow that can be run; needs no database.
    ///
    /// Says of each problem at which step and field it is, and what to write there. Ends with 0, and with 1 when there is one.
    Validate {
        /// A flow in TOML or JSON, or the key of one to begin with.
        file: String,
    },
    /// Keep the flow of a file.
    Import {
        /// In TOML or JSON.
        file: PathBuf,
        #[command(flatten)]
        kept: Kept,
    },
    /// Write a flow that is kept as a file.
    Export {
        flow: FlowId,
        /// toml or json.
        #[arg(long, default_value = "toml")]
        format: String,
        #[command(flatten)]
        kept: Kept,
    },
    /// Run a flow over batches, and write its results as a ZIP.
    Run {
        /// A flow that is kept, by its id; a file; or the key of one to begin with.
        flow: String,
        /// Which batches; may be given several times.
        #[arg(long, required = true)]
        batch: Vec<BatchId>,
        /// How the run is called.
        #[arg(long, default_value = "")]
        name: String,
        /// The ZIP.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// The most tokens that a model may use.
        #[arg(long, value_name = "TOKENS")]
        budget: Option<u64>,
        #[command(flatten)]
        kept: Kept,
    },
}

/// Where flows are kept.
#[derive(clap::Args)]
struct Kept {
    #[command(flatten)]
    storage: Storage,
    #[command(flatten)]
    model: LanguageModel,
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    start_log("warn");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(command(args.command))
}

async fn command(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List(kept) => {
            for flow in open(&kept, true).await?.flows().await.map_err(|failure| plain(&failure))? {
                println!("{}  version {}  {}", flow.id, flow.version, flow.spec.name);
            }
            for template in templates() {
                println!("{}  to begin with  {}", template.key, template.spec.name);
            }
        }
        Command::Validate { file } => return validate(&file),
        Command::Import { file, kept } => {
            let spec = read_file(&file)?;
            let flow = open(&kept, true).await?.save_flow(&spec, None).await.map_err(|failure| plain(&failure))?;
            println!("{}", flow.id);
        }
        Command::Export { flow, format, kept } => {
            let format: FlowFile = format.parse().map_err(|failure| plain(&failure))?;
            let flow = open(&kept, true).await?.flow(flow, None).await.map_err(|failure| plain(&failure))?;
            print!("{}", format.write(&flow.spec).map_err(|failure| plain(&failure))?);
        }
        Command::Run { flow, batch, name, out, budget, kept } => {
            let engine = open(&kept, false).await?;
            let flow = match flow.parse::<FlowId>() {
                Ok(id) => id,
                Err(_) => engine.save_flow(&read(&flow)?, None).await.map_err(|failure| plain(&failure))?.id,
            };
            let documents = RunDocuments { batches: batch, ..RunDocuments::default() };
            let wanted = NewRun {
                flow,
                version: None,
                name,
                documents,
                policy: RunPolicy::default(),
                budget_tokens: budget,
                budget_money: None,
            };
            return run_flow(&engine, &wanted, &out).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn open(kept: &Kept, idle: bool) -> anyhow::Result<Engine> {
    // Where a database is shared, each process has a folder of its own.
    let mut config = kept.storage.apply(if kept.storage.is_shared()? { "sheaf-flows" } else { "sheaf" })?;
    config.serves_pages = false;
    kept.model.apply(&mut config)?;
    if idle {
        config.stages.clear();
        config.flows = false;
    }
    let engine = Engine::open(config, async |folder| kept.storage.open_store(folder).await);
    engine.await.map_err(|failure| plain(&failure))
}

fn validate(file: &str) -> anyhow::Result<ExitCode> {
    let spec = read(file)?;
    let problems = Engine::check_flow(&spec);
    if problems.is_empty() {
        println!("`{}` has {} and no problems", spec.name, counted(spec.steps.len(), "step"));
        return Ok(ExitCode::SUCCESS);
    }
    for problem in &problems {
        let step = problem.step.and_then(|step| spec.steps.get(step as usize).map(|found| (step + 1, &found.name)));
        let place = step.map_or_else(String::new, |(number, name)| format!("step {number} (`{name}`), "));
        eprintln!("{place}`{}`: {}", problem.field, problem.message);
    }
    eprintln!("{} in `{}`", counted(problems.len(), "problem"), spec.name);
    Ok(ExitCode::FAILURE)
}

fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// A flow from a file, or one to begin with.
fn read(flow: &str) -> anyhow::Result<FlowSpec> {
    match templates().iter().find(|template| template.key == flow) {
        Some(template) => Ok(template.spec.clone()),
        None => read_file(&PathBuf::from(flow)),
    }
}

fn read_file(file: &PathBuf) -> anyhow::Result<FlowSpec> {
    let text = std::fs::read_to_string(file).with_context(|| format!("`{}` cannot be read", file.display()))?;
    FlowFile::of(&text).read(&text).map_err(|failure| plain(&failure))
}

async fn run_flow(engine: &Engine, wanted: &NewRun, out: &PathBuf) -> anyhow::Result<ExitCode> {
    let workers = engine.start_workers().await.map_err(|failure| plain(&failure))?;
    let started = engine.start_run(wanted).await.map_err(|failure| plain(&failure))?;
    println!("run {} `{}` over {} documents", started.id, started.name, started.counts.total);
    let ended = loop {
        let run = engine.run(started.id).await.map_err(|failure| plain(&failure))?;
        if run.status.is_final() {
            break run;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let export = engine.export_run(started.id, Wanted::Zip, None).await.map_err(|failure| plain(&failure))?;
    let mut file =
        tokio::fs::File::create(out).await.with_context(|| format!("`{}` cannot be written", out.display()))?;
    let mut stream = std::pin::pin!(export.into_stream());
    while let Some(chunk) = stream.next().await {
        file.write_all(&chunk.map_err(|failure| plain(&failure))?).await?;
    }
    file.sync_all().await?;
    workers.stop().await;
    println!(
        "{}: {} completed, {} failed, {} values, {} tokens",
        ended.status, ended.counts.completed, ended.counts.failed, ended.values, ended.tokens
    );
    match ended.status {
        Status::Completed if ended.counts.failed == 0 => Ok(ExitCode::SUCCESS),
        Status::Completed => Ok(ExitCode::from(SOME_FAILED)),
        Status::Pending | Status::Processing | Status::Failed | Status::Cancelled => bail!("the run did not succeed"),
    }
}
