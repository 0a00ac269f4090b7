//! The settings that say where documents and results are kept, the same for every command that opens them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use sheaf_engine::{BlobLocation, EngineConfig};
use sheaf_store::{Store, StoreError};
use sheaf_store_sqlite::SqliteStore;

/// Flattened into the arguments of `serve`, `work`, `verify` and `backup`.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Storage")]
pub struct Storage {
    /// A folder of this process alone, made if absent; the database and the documents too, unless they are elsewhere.
    #[arg(long, env = "SHEAF_DATA", value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// The database that several machines share; a file of SQLite in the data folder when left out.
    #[arg(long, env = "SHEAF_DATABASE", value_name = "postgres://…", hide_env_values = true)]
    database: Option<String>,
    /// Where documents and vectors are kept: a folder, or s3://bucket/prefix with the usual AWS_ variables; in the data
    /// folder when left out.
    #[arg(long, env = "SHEAF_BLOBS", value_name = "s3://…")]
    blobs: Option<BlobLocation>,
    /// The most MiB of documents from S3 that are kept in the data folder while they are read.
    #[arg(long, env = "SHEAF_BLOB_CACHE_MIB", default_value_t = 10 << 10, value_name = "MIB")]
    blob_cache_mib: u64,
}

/// Which database a command line names.
enum Database {
    /// In the data folder.
    Sqlite,
    Postgres,
}

impl Storage {
    /// What the engine has to know of it; the data folder is called `name` where none was given.
    pub fn apply(&self, name: &str) -> anyhow::Result<EngineConfig> {
        let program = std::env::current_exe().context("this program cannot be found")?;
        let mut config = EngineConfig::new(self.folder(name)?, program);
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
        match self.database.as_deref() {
            None | Some("") => Ok(Database::Sqlite),
            Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => Ok(Database::Postgres),
            Some(_) => bail!("--database wants postgres://user@host/name; leave it out for SQLite in the data folder."),
        }
    }

    /// Whether the database can be used by other processes too.
    pub fn is_shared(&self) -> anyhow::Result<bool> {
        Ok(matches!(self.database()?, Database::Postgres))
    }

    /// Opens the database, once the data folder belongs to this process.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn open_store(&self, folder: &Path) -> Result<Arc<dyn Store>, StoreError> {
        match self.database().map_err(|error| StoreError::Database(error.into()))? {
            Database::Sqlite => Ok(Arc::new(SqliteStore::open(&folder.join(SQLITE)).await?)),
            Database::Postgres => Err(StoreError::Database("this build has no PostgreSQL".into())),
        }
    }

    /// Opens the database for reading only, beside a server that may be at work with it.
    ///
    /// # Errors
    /// When there is none, or it is of another version.
    pub async fn look_at_store(&self, folder: &Path) -> anyhow::Result<Arc<dyn Store>> {
        match self.database()? {
            Database::Sqlite => {
                let file = folder.join(SQLITE);
                let store = SqliteStore::open_to_read(&file).await;
                Ok(Arc::new(store.with_context(|| format!("`{}` cannot be read", file.display()))?))
            }
            Database::Postgres => Ok(self.open_store(folder).await.context("the database cannot be reached")?),
        }
    }
}

/// The database's name in the data folder.
pub const SQLITE: &str = "sheaf.db";
