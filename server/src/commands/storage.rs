//! The settings that say where documents and results are kept, the same for every command that opens them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use sheaf_engine::{BlobLocation, EngineConfig};
use sheaf_store::{Store, StoreError};
use sheaf_store_sqlite::SqliteStore;

use super::database::{Database, DatabaseUrl, SQLITE};

/// Flattened into the arguments of `serve`, `work`, `verify` and `backup`.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Storage")]
pub struct Storage {
    /// A folder of this process alone, made if absent; the database and the documents too, unless they are elsewhere.
    #[arg(long, env = "SHEAF_DATA", value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// The database: postgres://user:password@host/name, which several machines can share, or sqlite:///path; a file in the
    /// data folder when left out. In the variable a password is not seen by others.
    #[arg(long, env = "SHEAF_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<DatabaseUrl>,
    /// Where documents and vectors are kept: a folder, or s3://bucket/prefix with the usual AWS_ variables; in the data
    /// folder when left out.
    #[arg(long, env = "SHEAF_BLOBS", value_name = "s3://…")]
    blobs: Option<BlobLocation>,
    /// The most MiB of documents from S3 that are kept in the data folder while they are read.
    #[arg(long, env = "SHEAF_BLOB_CACHE_MIB", default_value_t = 10 << 10, value_name = "MIB")]
    blob_cache_mib: u64,
}

/// The data folder of a command that comes and goes. Where others share the database and no folder was given, it is one of its
/// own that goes with it, so that any number of them can run side by side.
pub struct Private {
    given: Option<PathBuf>,
    own: Option<tempfile::TempDir>,
}

impl Private {
    /// # Errors
    /// When no folder can be made, or the address of the database names none.
    pub fn of(storage: &Storage) -> anyhow::Result<Self> {
        let is_own = storage.data.is_none() && storage.is_shared()?;
        let own = is_own.then(|| tempfile::Builder::new().prefix("sheaf-").tempdir()).transpose();
        Ok(Self { given: storage.data.clone(), own: own.context("no temporary folder can be made")? })
    }

    /// Where it is; called `name` where none was given.
    ///
    /// # Errors
    /// When there is no home folder.
    pub fn folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        match (&self.own, &self.given) {
            (Some(own), _) => Ok(own.path().to_owned()),
            (None, Some(given)) => Ok(given.clone()),
            (None, None) => {
                Ok(dirs::data_dir().context("there is no home folder: say where to keep data with --data")?.join(name))
            }
        }
    }
}

impl Storage {
    /// What the engine has to know of it; the data folder is called `name` where none was given.
    pub fn apply(&self, name: &str) -> anyhow::Result<EngineConfig> {
        self.apply_in(self.folder(name)?)
    }

    /// What the engine has to know of it, with the data in that folder.
    pub fn apply_in(&self, folder: PathBuf) -> anyhow::Result<EngineConfig> {
        let program = std::env::current_exe().context("this program cannot be found")?;
        let mut config = EngineConfig::new(folder, program);
        config.blobs = self.blobs.clone();
        config.blob_cache = self.blob_cache_mib << 20;
        Ok(config)
    }

    fn folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        match &self.data {
            Some(data) => Ok(data.clone()),
            None => {
                Ok(dirs::data_dir().context("there is no home folder: say where to keep data with --data")?.join(name))
            }
        }
    }

    /// The data folder and the blobs of an installation that exists.
    pub fn existing(&self) -> anyhow::Result<(PathBuf, BlobLocation)> {
        let folder = self.folder("sheaf")?;
        let blobs = self.blobs.clone().unwrap_or_else(|| BlobLocation::Folder(folder.clone()));
        Ok((folder, blobs))
    }

    fn database(&self) -> anyhow::Result<Database> {
        Database::of(self.database.as_ref())
    }

    /// Whether several processes can share the database.
    ///
    /// # Errors
    /// When the address names none.
    pub fn is_shared(&self) -> anyhow::Result<bool> {
        match self.database()? {
            Database::InFolder | Database::Sqlite(_) => Ok(false),
            Database::Postgres(_) => Ok(true),
        }
    }

    /// Opens the database, once the data folder belongs to this process.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn open_store(&self, folder: &Path) -> Result<Arc<dyn Store>, StoreError> {
        self.database().map_err(|error| StoreError::Database(error.into()))?.open(folder).await
    }

    /// The file of SQLite, where that is the database.
    ///
    /// # Errors
    /// When the address names no database.
    pub fn sqlite_file(&self, folder: &Path) -> anyhow::Result<Option<PathBuf>> {
        Ok(match self.database()? {
            Database::InFolder => Some(folder.join(SQLITE)),
            Database::Sqlite(file) => Some(file),
            Database::Postgres(_) => None,
        })
    }

    /// Opens a database that exists, beside a server that may be at work with it.
    ///
    /// # Errors
    /// When there is none, or it is of another version.
    pub async fn look_at_store(&self, folder: &Path) -> anyhow::Result<Arc<dyn Store>> {
        match self.sqlite_file(folder)? {
            Some(file) => Ok(Arc::new(open_to_read(&file).await?)),
            None => self.open_store(folder).await.context("the database cannot be used"),
        }
    }
}

/// Opens a file of SQLite for reading only.
///
/// # Errors
/// When there is none, or it is of another version.
pub async fn open_to_read(file: &Path) -> anyhow::Result<SqliteStore> {
    SqliteStore::open_to_read(file).await.with_context(|| format!("`{}` cannot be read", file.display()))
}
