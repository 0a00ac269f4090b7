//! `sheaf serve`: the web page and the API on this machine.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use sheaf_engine::{Engine, EngineConfig};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::bounds::Bounds;
use super::database::{Database, DatabaseUrl};
use super::reading::Reading;
use super::{plain, start_log};
use crate::state::AppState;
use crate::{listen, router};

/// Serve the web page and the API on this machine.
#[derive(clap::Args)]
pub struct Args {
    /// The folder for the database and the documents; made if absent.
    #[arg(long, env = "SHEAF_DATA", value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// The database: postgres://user:password@host/name, which several servers can share, or sqlite:///path; a file in the
    /// data folder when left out. In the variable a password is not seen by others.
    #[arg(long, env = "SHEAF_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<DatabaseUrl>,
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
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    bounds: Bounds,
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    start_log("info");
    if !args.host.is_loopback() {
        bail!(
            "{} can be reached by others, and Sheaf has no accounts yet: everyone could read every document.\n\
             Leave --host out, and reach this machine through SSH or a proxy that asks for a login.",
            args.host
        );
    }
    let config = config(&args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(args, config))?;
    Ok(ExitCode::SUCCESS)
}

fn config(args: &Args) -> anyhow::Result<EngineConfig> {
    let data = match &args.data {
        Some(data) => data.clone(),
        None => dirs::data_dir().context("there is no home folder: say where to keep data with --data")?.join("sheaf"),
    };
    let mut config = EngineConfig::new(data, std::env::current_exe().context("this program cannot be found")?);
    config.intake.documents = args.max_documents;
    config.intake.bytes = args.max_upload_mib << 20;
    config.intake.idle = Duration::from_secs(args.upload_days * 86_400);
    args.reading.clone().apply(&mut config.processing);
    args.bounds.clone().apply(&mut config.processing);
    if let Some(workers) = args.parse_workers {
        config.processing.parse_workers = workers.max(1);
    }
    Ok(config)
}

async fn serve(args: Args, config: EngineConfig) -> anyhow::Result<()> {
    warn_about_missing(&config);
    let database = Database::of(args.database.as_ref())?;
    let engine = Engine::open(config, async |folder| database.open(folder).await);
    let engine = engine.await.map_err(|failure| plain(&failure))?;
    let address = SocketAddr::new(args.host, args.port);
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("{address} cannot be listened on: another program has it; choose another with --port")
    })?;
    let address = listener.local_addr()?;
    let state = AppState::new(engine.clone(), address, args.max_upload_mib << 20)?;
    let workers = engine.start_workers().await.map_err(|failure| plain(&failure))?;
    println!("Sheaf is at http://{address}");
    let stop = async {
        stopped().await;
        engine.end_events();
    };
    listen::serve(listener, router::router(state), stop).await;
    workers.stop().await;
    Ok(())
}

/// What is missing does not keep the server from starting: it keeps documents from being read, and each says so.
fn warn_about_missing(config: &EngineConfig) {
    if config.processing.pdfium.is_none() {
        tracing::warn!("PDFium is missing, PDFs will fail: run `cargo xtask setup` or set SHEAF_PDFIUM");
    }
    if config.processing.tesseract.is_none() {
        tracing::warn!(
            "Tesseract is missing, pictures of text will fail: install tesseract-ocr or set SHEAF_TESSERACT"
        );
    }
    if config.processing.models.is_none() {
        tracing::warn!("the models are missing, documents will fail: run `cargo xtask setup` or set SHEAF_MODEL_DIR");
    }
}

/// Resolves when the process is asked to end.
async fn stopped() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: unfinished documents go on at the next start");
}
