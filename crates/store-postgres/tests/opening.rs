//! Opening a database: by many at once, with a wrong password, with the wrong encoding.

use std::error::Error;

use sheaf_store::{Store, StoreError};
use sheaf_store_postgres::PostgresStore;
use sheaf_test_postgres::{PASSWORD, TestPostgres};

/// All that an error says, its causes included.
fn told(error: &StoreError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause} {cause:?}"));
        source = cause.source();
    }
    text
}

#[tokio::test]
async fn processes_that_start_at_once_make_the_tables_once() {
    let server = TestPostgres::start();
    let url = server.database();
    let mut starting = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let url = url.clone();
        starting.spawn(async move { PostgresStore::open(&url).await.expect("it waits for the first") });
    }
    let stores = starting.join_all().await;
    let migrations =
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/postgres")).expect("there");
    let applied = server.psql("test_0", "SELECT count(*) FROM _sqlx_migrations WHERE success");
    assert_eq!(applied, migrations.count().to_string());
    for store in stores {
        assert!(store.is_shared());
        store.close().await;
    }
    PostgresStore::open(&url).await.expect("a second start finds its tables").close().await;
}

#[tokio::test]
async fn what_cannot_be_opened_says_why_and_never_the_password() {
    let server = TestPostgres::start();
    let url = server.database();
    server.psql("postgres", "CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
    let ascii = url.replace("test_0", "ascii");
    let absent = url.replace("test_0", "absent");
    let secret = "a-secret-that-nobody-may-see";
    let wrong = url.replace(PASSWORD, secret);
    let no_port = format!("postgres://sheaf:{secret}@localhost:port/x");
    for (url, expect) in [
        (ascii, "its encoding is SQL_ASCII"),
        (absent, "database \"absent\" does not exist"),
        (wrong, "password authentication failed"),
        (no_port, "port"),
    ] {
        let Err(error) = PostgresStore::open(&url).await else { panic!("{expect}: it was opened") };
        let said = told(&error);
        assert!(said.contains(expect), "{expect}: {said}");
        assert!(!said.contains(secret) && !said.contains(PASSWORD), "{said}");
    }
}
