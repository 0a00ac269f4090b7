//! The front door: blobs, queue, stages and exports behind one type. It knows no HTTP and no Leptos.

mod columns;
mod compare;
mod config;
mod diff;
mod effort;
mod explore;
mod families;
mod feed;
mod flows;
mod gallery;
mod identity;
mod intake;
mod lately;
mod library;
pub mod metrics;
mod pictures;
mod progress;
mod quotes;
mod read;
mod renaming;
mod reservation;
mod search;
mod selection;
mod steer;
mod thumbnails;
mod typical;
mod webhooks;

mod queue;
mod stages;

mod exports;
mod heatmap;
mod map;
mod near;
mod outliers;

pub mod backlog;
pub mod folder;
pub mod shards;
pub mod upkeep;

mod blobs;
mod models;
mod partial;
mod rate;
mod sandbox;
mod trace;

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sheaf_domain::{BatchId, BatchQuery, Failure, FailureCode};
use sheaf_parsing::{Proof, Reader};
use sheaf_store::{Store, StoreError};
use tokio::sync::futures::OwnedNotified;
use tokio::sync::{Notify, broadcast};

use blobs::{BlobCache, BlobStore, LocalBlobs, RemoteBlobs, Staging};
use columns::ColumnCache;
use effort::Effort;
use feed::Feeds;
use flows::{Model, PreparedFlows};
use lately::{Grids, Summaries};
use map::MapCache;
use models::Models;
use pictures::PictureCache;
use reservation::Reservations;
use search::VectorCache;
use thumbnails::Thumbnails;

pub use blobs::{BlobLocation, WrongLocation};
pub use config::{EngineConfig, IntakeLimits, ProcessingConfig};
pub use exports::{Export, SIMILARITY_LIMIT};
pub use feed::{Event, Told};
pub use flows::{
    BacklogRequest, BacklogStatistics, BacklogTally, FlowFile, ModelConfig, ModelPrices, ResultPage, RowPlace,
    RunExport, StepTrial, Template, TrialTable, Wanted, WrongEndpoint, flow_schema, templates,
};
pub use intake::{
    Announced, ArrivedFiles, BatchRequest, ImportedRecords, Intake, KNOWN_PATHS, RecordsRequest, clean_path, name_of,
};
pub use queue::Workers;
pub use rate::{RateLimit, RateLimiter};
pub use read::Original;
pub use trace::{NoTrace, Trace};
pub use typical::Typical;
pub use webhooks::{AllowedAddress, Deliveries, NoAddress};

/// How long a bucket may take to answer when a readiness check asks.
const REACHED: Duration = Duration::from_secs(5);

/// Batches that may be stopped while a worker does not look.
const STOPPED: usize = 256;

/// Everything that a page, the API or a command can ask for. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    blobs: Arc<dyn BlobStore>,
    staging: Staging,
    reader: Reader,
    pictures: PictureCache,
    thumbnails: Thumbnails,
    /// As it was found at the start.
    sandbox: Proof,
    models: Models,
    /// The language model that the operator allowed.
    model: Option<Model>,
    prepared: PreparedFlows,
    config: EngineConfig,
    /// Announces that there may be something to claim.
    work: Arc<Notify>,
    effort: Arc<Effort>,
    reservations: Reservations,
    /// Announces a message that a person waits for.
    outbox: Notify,
    /// Announces batches that were stopped or deleted, so that work on them ends at once.
    stopped: broadcast::Sender<BatchId>,
    feeds: Feeds,
    vector_cache: VectorCache,
    column_cache: ColumnCache,
    maps: MapCache,
    grids: Grids,
    summaries: Summaries,
    /// Held as long as the engine lives: each process has a folder of its own, even where they share all else.
    _lock: File,
}

impl Engine {
    /// Opens the data folder, makes it if absent, and removes batches that were sent in one piece and that a
    /// crash cut off. It starts no work: see [`Engine::start_workers`] and [`Engine::start_upkeep`]. `open_store` gets the folder once it belongs to this process
    /// alone. A bucket that cannot be reached now is no error: it may come back.
    ///
    /// # Errors
    /// `storage` when the folder or the database cannot be used, another process has the folder, or the bucket refuses;
    /// `weak_sandbox` when parsers cannot be locked in.
    pub async fn open(
        config: EngineConfig,
        open_store: impl AsyncFnOnce(&Path) -> Result<Arc<dyn Store>, StoreError>,
    ) -> Result<Self, Failure> {
        fs::create_dir_all(&config.data).map_err(|error| unusable(&config, &error))?;
        let lock = File::create(config.data.join("lock")).map_err(|error| unusable(&config, &error))?;
        lock.try_lock().map_err(|_| {
            Failure::new(FailureCode::Storage, format!("`{}` is in use by another process", config.data.display()))
                .with_hint("Stop the other `sheaf`, or give this one a folder of its own with --data.")
        })?;
        let staging = Staging::open(&config.data).map_err(|error| unusable(&config, &error))?;
        let blobs = open_blobs(&config, &staging).await?;
        let store = open_store(&config.data).await.map_err(|error| no_database(&error))?;
        let reader = config.processing.reader();
        let reservations = config.processing.reservations();
        let sandbox = sandbox::prove(reader.pool()).await?;
        let pictures = PictureCache::open(&config.data, config.picture_cache).map_err(|e| unusable(&config, &e))?;
        let engine = Self(Arc::new(Inner {
            store,
            blobs,
            staging,
            reader,
            pictures,
            thumbnails: Thumbnails::new(),
            sandbox,
            models: Models::new(config.processing.models.clone()),
            model: config.model.clone().map(Model::new),
            prepared: PreparedFlows::default(),
            config,
            work: Arc::new(Notify::new()),
            effort: Arc::default(),
            reservations,
            outbox: Notify::new(),
            stopped: broadcast::channel(STOPPED).0,
            feeds: Feeds::default(),
            vector_cache: VectorCache::default(),
            column_cache: ColumnCache::default(),
            maps: MapCache::default(),
            grids: Grids::default(),
            summaries: Summaries::default(),
            _lock: lock,
        }));
        if !engine.store().is_shared() {
            // Nobody else can be sending one.
            engine.remove_abandoned_uploads(Duration::ZERO).await?;
        }
        Ok(engine)
    }

    /// Whether database and blobs can be used now, for a readiness check.
    ///
    /// # Errors
    /// `storage` when not.
    pub async fn check(&self) -> Result<(), Failure> {
        self.store().batches(&BatchQuery { limit: 1, ..BatchQuery::default() }).await?;
        match tokio::time::timeout(REACHED, self.blobs().check()).await {
            Ok(reached) => Ok(reached?),
            Err(_) => Err(Failure::new(FailureCode::Storage, "the bucket does not answer")
                .with_hint("Look at AWS_ENDPOINT_URL and the S3 server; work goes on by itself when it is back.")),
        }
    }

    /// What the parsers are locked in by, as it was found when the engine was opened.
    pub fn sandbox(&self) -> &Proof {
        &self.0.sandbox
    }

    fn store(&self) -> &dyn Store {
        &*self.0.store
    }

    fn blobs(&self) -> &Arc<dyn BlobStore> {
        &self.0.blobs
    }

    fn staging(&self) -> &Staging {
        &self.0.staging
    }

    fn reader(&self) -> &Reader {
        &self.0.reader
    }

    fn pictures(&self) -> &PictureCache {
        &self.0.pictures
    }

    fn thumbnails(&self) -> &Thumbnails {
        &self.0.thumbnails
    }

    fn models(&self) -> &Models {
        &self.0.models
    }

    fn model(&self) -> Option<&Model> {
        self.0.model.as_ref()
    }

    fn prepared(&self) -> &PreparedFlows {
        &self.0.prepared
    }

    fn feeds(&self) -> &Feeds {
        &self.0.feeds
    }

    fn maps(&self) -> &MapCache {
        &self.0.maps
    }

    fn vector_cache(&self) -> &VectorCache {
        &self.0.vector_cache
    }

    fn column_cache(&self) -> &ColumnCache {
        &self.0.column_cache
    }

    fn grids(&self) -> &Grids {
        &self.0.grids
    }

    fn summaries(&self) -> &Summaries {
        &self.0.summaries
    }

    fn config(&self) -> &EngineConfig {
        &self.0.config
    }

    /// Whether documents are being worked on in this process, now or a moment ago.
    pub fn is_at_work(&self) -> bool {
        self.0.effort.is_under_way()
    }

    fn effort(&self) -> &Arc<Effort> {
        &self.0.effort
    }

    fn reservations(&self) -> &Reservations {
        &self.0.reservations
    }

    fn outbox(&self) -> &Notify {
        &self.0.outbox
    }

    /// Says that there may be something to claim.
    fn wake(&self) {
        self.0.work.notify_waiters();
    }

    /// Says that a batch was stopped or deleted.
    fn announce_stop(&self, batch: BatchId) {
        // Nobody may be at work.
        let _ = self.0.stopped.send(batch);
    }

    /// The batches that are stopped from now on.
    fn stopped(&self) -> broadcast::Receiver<BatchId> {
        self.0.stopped.subscribe()
    }

    /// Resolves at the next [`Engine::wake`] after this call.
    fn woken(&self) -> OwnedNotified {
        Arc::clone(&self.0.work).notified_owned()
    }
}

/// The blobs that the configuration names.
async fn open_blobs(config: &EngineConfig, staging: &Staging) -> Result<Arc<dyn BlobStore>, Failure> {
    let folder = match &config.blobs {
        None => &config.data,
        Some(BlobLocation::Folder(folder)) => folder,
        Some(BlobLocation::Bucket { bucket, prefix }) => {
            let cache = BlobCache::open(&config.data, config.blob_cache).map_err(|error| unusable(config, &error))?;
            let blobs = RemoteBlobs::open(bucket, prefix, staging.clone(), cache)?;
            match blobs.check().await {
                Ok(()) => {}
                Err(error) if error.is_transient() => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the bucket cannot be reached yet");
                }
                Err(error) => return Err(error.into()),
            }
            return Ok(Arc::new(blobs));
        }
    };
    let blobs = LocalBlobs::open(folder).map_err(|error| {
        Failure::new(FailureCode::Storage, format!("`{}` cannot be used: {error}", folder.display()))
            .with_hint("Choose a folder that can be written.")
    })?;
    Ok(Arc::new(blobs))
}

fn unusable(config: &EngineConfig, error: &dyn std::error::Error) -> Failure {
    let message = format!("`{}` cannot be used: {}", config.data.display(), with_causes(error));
    Failure::new(FailureCode::Storage, message).with_hint("Choose a folder that can be written, with --data.")
}

fn no_database(error: &dyn std::error::Error) -> Failure {
    let message = format!("the database cannot be used: {}", with_causes(error));
    Failure::new(FailureCode::Storage, message).with_hint(
        "Look whether the address in --database is right and its server runs, or whether --data can be written.",
    )
}

/// An error and what led to it.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

/// A fault of ours: the log gets the details under an id, the user gets the id.
pub(crate) fn internal(error: impl std::fmt::Display) -> Failure {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let id = &id[..8];
    tracing::error!(id, %error, "internal fault");
    Failure::new(FailureCode::Internal, format!("something went wrong inside Sheaf (id {id})"))
}
