//! `sheaf work`: one of several machines that read, embed and group documents for the servers that share a database.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::{Context, bail};
use axum::Router;
use axum::routing::get;
use sheaf_domain::Stage;
use sheaf_engine::{Engine, EngineConfig};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::bounds::Bounds;
use super::ending::{Drain, Ending};
use super::logging::Logging;
use super::model::LanguageModel;
use super::reading::Reading;
use super::storage::Storage;
use super::{plain, warn_about_missing};
use crate::http::health::{self, Watched};
use crate::listen::{self, Patience};
use crate::watch::{self, Metrics, Scraped};

/// What a worker can do: a stage of documents, or runs of flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    Stage(Stage),
    Flows,
}

/// The name of runs of flows.
const FLOWS: &str = "flows";

impl FromStr for Task {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            FLOWS => Ok(Self::Flows),
            stage => stage.parse().map(Self::Stage).map_err(|_| {
                let known = Stage::ALL.map(Stage::name).join(", ");
                format!("`{stage}` is not a known stage: choose from {known} and {FLOWS}")
            }),
        }
    }
}

/// Work for servers on other machines; serves no page.
///
/// Any number of these share the database and the documents of one or more `sheaf serve`. SIGTERM lets what is running end.
#[derive(clap::Args)]
pub struct Args {
    /// What to work at; everything when left out.
    #[arg(long, env = "SHEAF_STAGES", value_name = "parse,embed,analyse,flows", value_delimiter = ',')]
    stages: Vec<Task>,
    /// Threads for embedding and grouping, and processes that read; one for each core when left out.
    #[arg(long, env = "SHEAF_THREADS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Answer /healthz, /readyz and /metrics at this address, which must be this machine's own.
    #[arg(long, env = "SHEAF_LISTEN", value_name = "127.0.0.1:3001")]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    storage: Storage,
    #[command(flatten)]
    drain: Drain,
    #[command(flatten)]
    logging: Logging,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    bounds: Bounds,
    #[command(flatten)]
    model: LanguageModel,
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let exporter = args.logging.start(&runtime)?;
    if !args.storage.is_shared()? {
        bail!(
            "SQLite belongs to one process: `sheaf serve` works with it itself.\n\
             To let several processes or machines work, give all of them the same --database postgres://… and --blobs."
        );
    }
    if let Some(address) = args.listen
        && !address.ip().is_loopback()
    {
        bail!(
            "{address} can be reached by others: give --listen an address of this machine's own, such as 127.0.0.1:3001."
        );
    }
    let config = config(&args)?;
    runtime.block_on(work(&args, config))?;
    // Before the runtime ends, which sends the rest.
    drop(exporter);
    // What still runs on threads that may block would hold the process up.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

fn config(args: &Args) -> anyhow::Result<EngineConfig> {
    let mut config = args.storage.apply("sheaf-work")?;
    config.serves_pages = false;
    config.lease = args.drain.lease();
    config.follow = crate::otlp::follow;
    args.reading.clone().apply(&mut config.processing);
    args.bounds.clone().apply(&mut config.processing);
    args.model.apply(&mut config)?;
    if let Some(threads) = args.threads.map(usize::from) {
        config.processing.parse_workers = threads;
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().context("threads cannot be started")?;
    }
    if !args.stages.is_empty() {
        let has = |stage: &Stage| args.stages.contains(&Task::Stage(*stage));
        config.stages = Stage::ALL.into_iter().filter(has).collect();
        config.flows = args.stages.contains(&Task::Flows);
    }
    Ok(config)
}

async fn work(args: &Args, config: EngineConfig) -> anyhow::Result<()> {
    warn_about_missing(&config);
    let ending = Ending::watch()?;
    let stages = config.stages.iter().map(|stage| stage.name()).chain(config.flows.then_some(FLOWS));
    let stages = stages.collect::<Vec<_>>().join(", ");
    let engine = Engine::open(config, async |folder| args.storage.open_store(folder).await);
    let engine = engine.await.map_err(|failure| plain(&failure))?;
    let listener = match args.listen {
        Some(address) => Some(TcpListener::bind(address).await.with_context(|| {
            format!("{address} cannot be listened on: another program has it; choose another with --listen")
        })?),
        None => None,
    };
    let workers = engine.start_workers().await.map_err(|failure| plain(&failure))?;
    match &listener {
        Some(listener) => println!("Sheaf works at {stages}; its health is at http://{}", listener.local_addr()?),
        None => println!("Sheaf works at {stages}"),
    }
    let metrics = Metrics::install()?;
    tokio::spawn(metrics.clone().keep_small());
    tokio::spawn(crate::memory::keep_trimmed());
    let scraped = Scraped { metrics, engine: engine.clone() };
    let watched = Watched { engine: engine.clone(), ending: ending.asked.clone() };
    // It answers while work ends, so that nobody takes the process for dead.
    let drained = CancellationToken::new();
    let served = async {
        if let Some(listener) = listener {
            let router = router(watched, scraped);
            listen::serve(listener, router, Patience::default(), drained.cancelled(), listen::DRAIN).await;
        }
    };
    let worked = async {
        ending.asked.cancelled().await;
        workers.drain(args.drain.grace(), ending.hurry.cancelled()).await;
        drained.cancel();
    };
    tokio::join!(served, worked);
    Ok(())
}

/// Whether the process lives, whether it takes work, and what it does.
fn router(watched: Watched, scraped: Scraped) -> Router {
    let metrics = Router::new().route("/metrics", get(watch::metrics)).with_state(scraped);
    let health = Router::new().route("/healthz", get(health::alive)).route("/readyz", get(health::ready));
    health.with_state(watched).merge(metrics)
}
