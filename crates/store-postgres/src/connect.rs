//! Opening a database: its address, its sessions, its tables.

use std::time::Duration;

use sheaf_store::StoreError;
use sqlx::ConnectOptions;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::{PostgresStore, Result, database};

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

/// Connections of one process. PostgreSQL allows 100 in all unless it is told otherwise.
const CONNECTIONS: u32 = 10;

/// How long a caller waits for a connection, be they all in use or the database away.
const ACQUIRE: Duration = Duration::from_secs(10);

impl PostgresStore {
    /// Connects to the database at `url` (`postgres://user:password@host/name`, with PostgreSQL's own `?sslmode=`,
    /// `?sslrootcert=` and the like; what is left out comes from `PGHOST`, `PGUSER`, `PGPASSWORD`, `~/.pgpass`) and brings
    /// its tables up to date. Of several processes that start at once, one does that and the others wait.
    ///
    /// # Errors
    /// When the address is none, the database cannot be reached or refuses, is not in UTF-8, or was made by a later version. No
    /// error holds the password.
    pub async fn open(url: &str) -> Result<Self> {
        let options: PgConnectOptions = url.parse().map_err(database)?;
        let options = options.application_name("sheaf").options([
            // A process that vanishes in the middle of a transaction must not hold its locks for longer than the work that it
            // had would wait. What takes that long by itself is done again.
            ("idle_in_transaction_session_timeout", "5s"),
            ("tcp_keepalives_idle", "30"),
            ("tcp_keepalives_interval", "10"),
            ("tcp_keepalives_count", "3"),
            // Migrations say that what they would make is there already.
            ("client_min_messages", "warning"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE)
            .connect_with(options.clone())
            .await;
        let pool = match pool {
            Ok(pool) => pool,
            // The pool has tried for a while and does not say what kept it; a single try does.
            Err(sqlx::Error::PoolTimedOut) => {
                let error = options.connect().await.err().unwrap_or(sqlx::Error::PoolTimedOut);
                return Err(database(error));
            }
            Err(error) => return Err(database(error)),
        };
        let encoding: String = sqlx::query_scalar("SHOW server_encoding").fetch_one(&pool).await.map_err(database)?;
        if encoding != "UTF8" {
            let text = format!("its encoding is {encoding}; create a database with ENCODING 'UTF8' TEMPLATE template0");
            return Err(StoreError::Database(text.into()));
        }
        MIGRATIONS.run(&pool).await.map_err(|e| StoreError::Database(Box::new(e)))?;
        Ok(Self { pool })
    }

    /// Waits for what is under way and closes the connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
