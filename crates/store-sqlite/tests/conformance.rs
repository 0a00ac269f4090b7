//! The contract of a store, on SQLite.

use sheaf_store::conformance;
use sheaf_store_sqlite::SqliteStore;

#[tokio::test]
async fn sqlite_keeps_the_contract_of_a_store() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let next = std::sync::atomic::AtomicU32::new(0);
    conformance::run(async || {
        let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        SqliteStore::open(&folder.path().join(format!("{number}.db"))).await.expect("the store opens")
    })
    .await;
}

#[tokio::test]
async fn one_process_at_a_time_has_the_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("sheaf.db");
    let store = SqliteStore::open(&file).await.expect("the store opens");
    let Err(error) = SqliteStore::open(&file).await else { panic!("it is open twice") };
    assert!(format!("{error:?}").contains("in use"), "{error:?}");
    store.close().await;
    drop(store);
    SqliteStore::open(&file).await.expect("it is free again").close().await;
}
