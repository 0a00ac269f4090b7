//! What every request handler can reach.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use sheaf_domain::{Failure, FailureCode};
use sheaf_engine::Engine;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use crate::http::health::Watched;
use crate::watch::{Metrics, Scraped};

/// Uploads that are received at the same time; further ones are asked to wait.
const UPLOADS: usize = 8;

/// Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    pub engine: Engine,
    pub options: LeptosOptions,
    pub uploads: Uploads,
    /// Cancelled when the process was asked to end.
    pub ending: CancellationToken,
    pub metrics: Metrics,
}

impl FromRef<AppState> for Watched {
    fn from_ref(state: &AppState) -> Self {
        Self { engine: state.engine.clone(), ending: state.ending.clone() }
    }
}

impl FromRef<AppState> for Engine {
    fn from_ref(state: &AppState) -> Self {
        state.engine.clone()
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.options.clone()
    }
}

impl FromRef<AppState> for Uploads {
    fn from_ref(state: &AppState) -> Self {
        state.uploads.clone()
    }
}

impl FromRef<AppState> for Scraped {
    fn from_ref(state: &AppState) -> Self {
        Self { metrics: state.metrics.clone(), engine: state.engine.clone() }
    }
}

/// Room for uploads.
#[derive(Clone)]
pub struct Uploads {
    pub slots: Arc<Semaphore>,
    /// The most bytes of one request.
    pub bytes: u64,
}

impl Uploads {
    /// A place for one request; given back when dropped.
    ///
    /// # Errors
    /// `overloaded` when all are taken.
    pub fn slot(&self) -> Result<SemaphorePermit<'_>, Failure> {
        self.slots.try_acquire().map_err(|_| {
            Failure::new(FailureCode::Overloaded, "too many uploads are under way")
                .with_hint("Wait for one to end, then try again.")
        })
    }
}

impl AppState {
    /// The page's files are in `assets/site` beside the program, or where `SHEAF_SITE` says.
    pub fn new(
        engine: Engine,
        address: SocketAddr,
        upload_bytes: u64,
        ending: CancellationToken,
        metrics: Metrics,
    ) -> anyhow::Result<Self> {
        let exe = std::env::current_exe().context("this program cannot be found")?;
        let folder = exe.parent().context("this program is in no folder")?;
        let site = std::env::var_os("SHEAF_SITE").map_or_else(|| folder.join("assets/site"), PathBuf::from);
        let site = std::path::absolute(&site).with_context(|| format!("`{}` is no folder", site.display()))?;
        let hashes = site.join("hash.txt");
        let options = LeptosOptions::builder()
            .output_name("sheaf")
            .site_root(site.to_string_lossy())
            .site_pkg_dir("pkg")
            .site_addr(address)
            // Leptos panics at each page when it is told to use a file that is absent.
            .hash_files(hashes.is_file())
            // Leptos looks beside the program, unless this is a whole path.
            .hash_file(hashes.to_string_lossy().into())
            .build();
        if !site.join("pkg").is_dir() {
            tracing::warn!(
                "the page's scripts and styles are missing at `{}`: run `cargo xtask build`; everything works without them, \
                 but plainly",
                site.display()
            );
        }
        let uploads = Uploads { slots: Arc::new(Semaphore::new(UPLOADS)), bytes: upload_bytes };
        Ok(Self { engine, options, uploads, metrics, ending })
    }
}
