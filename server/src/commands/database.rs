//! `--database`: which database a command opens. It owns the address, which may hold a password and is shown nowhere.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use sheaf_store::{Store, StoreError};
use sheaf_store_postgres::PostgresStore;
use sheaf_store_sqlite::SqliteStore;

/// The database's name in the data folder.
pub const SQLITE: &str = "sheaf.db";

/// The address as it was given. Any text is one until [`DatabaseUrl::database`] looks at it: what clap refuses, it prints.
#[derive(Clone)]
pub struct DatabaseUrl(String);

impl From<String> for DatabaseUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.split_once(':').map_or("", |(scheme, _)| scheme);
        write!(f, "{scheme}:…")
    }
}

impl DatabaseUrl {
    /// Which database it names.
    ///
    /// # Errors
    /// When it is none of those that Sheaf knows.
    pub fn database(&self) -> anyhow::Result<Database> {
        let url = self.0.as_str();
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Database::Postgres(self.clone()));
        }
        match url.strip_prefix("sqlite://") {
            Some(path) if !path.is_empty() => Ok(Database::Sqlite(path.into())),
            Some(_) | None => bail!(
                "--database names no database that Sheaf knows: give postgres://user@host/name or sqlite:///path/to/file, or \
                 leave it out for one in the data folder."
            ),
        }
    }
}

/// A database.
pub enum Database {
    /// SQLite in the data folder.
    InFolder,
    /// SQLite in this file.
    Sqlite(PathBuf),
    /// PostgreSQL at this address.
    Postgres(DatabaseUrl),
}

impl Database {
    /// The database that was asked for, or the one in the data folder.
    ///
    /// # Errors
    /// When the address names none.
    pub fn of(url: Option<&DatabaseUrl>) -> anyhow::Result<Self> {
        // An empty variable says as little as none.
        url.filter(|url| !url.0.is_empty()).map_or(Ok(Self::InFolder), DatabaseUrl::database)
    }

    /// Opens it, once the data folder belongs to this process.
    ///
    /// # Errors
    /// When it cannot be reached or refuses; never with its password.
    pub async fn open(&self, folder: &Path) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            Self::InFolder => Arc::new(SqliteStore::open(&folder.join(SQLITE)).await?),
            Self::Sqlite(file) => Arc::new(SqliteStore::open(file).await?),
            Self::Postgres(url) => Arc::new(PostgresStore::open(&url.0).await?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_databases() {
        let check = |url: &str, expect: Option<&str>| {
            let found = Database::of(Some(&url.to_owned().into())).ok().map(|database| match database {
                Database::InFolder => "folder".to_owned(),
                Database::Sqlite(file) => file.display().to_string(),
                Database::Postgres(_) => "postgres".to_owned(),
            });
            assert_eq!(found.as_deref(), expect, "{url}");
        };
        check("", Some("folder"));
        check("sqlite:///var/lib/sheaf/rows.db", Some("/var/lib/sheaf/rows.db"));
        check("postgres://sheaf@db/sheaf", Some("postgres"));
        check("postgresql://sheaf@db/sheaf", Some("postgres"));
        check("sqlite://", None);
        check("mysql://sheaf:hunter2@db/sheaf", None);
        check("sheaf.db", None);
    }

    #[test]
    fn an_address_is_not_shown() {
        let url = DatabaseUrl::from("mysql://sheaf:hunter2@db/sheaf".to_owned());
        let error = Database::of(Some(&url)).err().expect("unknown");
        assert!(!format!("{url:?} {error:?} {error:#}").contains("hunter2"));
    }
}
