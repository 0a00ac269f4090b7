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
