//! `sheaf serve`: the web page and the API on this machine.

use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use sheaf_engine::{AllowedAddress, Engine, EngineConfig};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::bounds::Bounds;
use super::ending::{Drain, Ending};
use super::logging::Logging;
use super::model::LanguageModel;
use super::reading::Reading;
use super::storage::Storage;
use super::{plain, warn_about_missing};
use crate::limits::allow_many_files;
use crate::listen::{self, Patience};
use crate::state::AppState;
use crate::watch::Metrics;
use crate::{otlp, router};

/// Serve the web page and the API on this machine.
#[derive(clap::Args)]
pub struct Args {
    /// The address to listen on. Only this machine's own, as long as there are no accounts.
    #[arg(long, env = "SHEAF_HOST", default_value = "127.0.0.1")]
    host: IpAddr,
    /// The port to listen on; 0 takes any that is free.
    #[arg(long, env = "SHEAF_PORT", default_value_t = 3000)]
    port: u16,
    /// Processes that read documents; one for each core when left out.
    #[arg(long, env = "SHEAF_PARSE_WORKERS", value_name = "N")]
    parse_workers: Option<usize>,
    /// The most documents of one batch.
    #[arg(long, env = "SHEAF_MAX_DOCUMENTS", default_value_t = 100_000, value_name = "N")]
    max_documents: u64,
    /// The most MiB of one upload.
    #[arg(long, env = "SHEAF_MAX_UPLOAD_MIB", default_value_t = 16 << 10, value_name = "MIB")]
    max_upload_mib: u64,
    /// Days after which an upload that nobody goes on with is ended with what has arrived; with 0 at once.
    #[arg(long, env = "SHEAF_UPLOAD_DAYS", default_value_t = 7, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(..=3650))]
    upload_days: u64,
    /// Hosts, addresses or networks that webhooks may reach though they are not public, separated by commas.
    #[arg(long, env = "SHEAF_WEBHOOK_ALLOW", value_name = "HOST,NETWORK", value_delimiter = ',')]
    webhook_allow: Vec<AllowedAddress>,
    /// Serve pages only, and leave all work to `sheaf work` on other machines.
    #[arg(long, env = "SHEAF_NO_WORK")]
    no_work: bool,
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
    allow_many_files();
    if !args.host.is_loopback() {
        bail!(
            "{} can be reached by others, and Sheaf has no accounts yet: everyone could read every document.\n\
             Leave --host out, and reach this machine through SSH or a proxy that asks for a login.",
            args.host
        );
    }
    if args.no_work && !args.storage.is_shared()? {
        bail!(
            "with --no-work nobody would read the documents: SQLite belongs to this process alone.\n\
             Leave --no-work out, or give --database postgres://… and start `sheaf work` with the same."
        );
    }
    let config = config(&args)?;
    runtime.block_on(serve(args, config))?;
    // Before the runtime ends, which sends the rest.
    drop(exporter);
    // What still runs on threads that may block would hold the process up; nobody waits for its results any more.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

fn config(args: &Args) -> anyhow::Result<EngineConfig> {
    let mut config = args.storage.apply("sheaf")?;
    config.intake.documents = args.max_documents;
    config.intake.bytes = args.max_upload_mib << 20;
    config.intake.idle = Duration::from_secs(args.upload_days * 86_400);
    config.webhook_allow = args.webhook_allow.clone();
    config.lease = args.drain.lease();
    config.follow = otlp::follow;
    args.reading.clone().apply(&mut config.processing);
    args.bounds.clone().apply(&mut config.processing);
    args.model.apply(&mut config)?;
    if let Some(workers) = args.parse_workers {
        config.processing.parse_workers = workers.max(1);
    }
    if args.no_work {
        config.stages.clear();
        config.flows = false;
    }
    Ok(config)
}

async fn serve(args: Args, config: EngineConfig) -> anyhow::Result<()> {
    warn_about_missing(&config);
    let ending = Ending::watch()?;
    let engine = Engine::open(config, async |folder| args.storage.open_store(folder).await);
    let engine = engine.await.map_err(|failure| plain(&failure))?;
    let address = SocketAddr::new(args.host, args.port);
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("{address} cannot be listened on: another program has it; choose another with --port")
    })?;
    let address = listener.local_addr()?;
    let metrics = Metrics::install()?;
    tokio::spawn(metrics.clone().keep_small());
    tokio::spawn(crate::memory::keep_trimmed());
    let state = AppState::new(engine.clone(), address, args.max_upload_mib << 20, ending.asked.clone(), metrics)?;
    let workers = engine.start_workers().await.map_err(|failure| plain(&failure))?;
    let deliveries = engine.start_deliveries();
    let _upkeep = engine.start_upkeep();
    println!("Sheaf is at http://{address}");
    // Pages are served while work ends, so that it can be seen.
    let drained = CancellationToken::new();
    let served =
        listen::serve(listener, router::router(state), Patience::default(), drained.cancelled(), listen::DRAIN);
    let worked = async {
        ending.asked.cancelled().await;
        workers.drain(args.drain.grace(), ending.hurry.cancelled()).await;
        engine.end_events();
        drained.cancel();
    };
    tokio::join!(served, worked);
    deliveries.stop().await;
    Ok(())
}
