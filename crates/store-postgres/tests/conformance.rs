//! The contract of a store, on a real PostgreSQL.

use sheaf_store::conformance;
use sheaf_store_postgres::PostgresStore;
use sheaf_test_postgres::TestPostgres;

#[tokio::test]
async fn postgres_keeps_the_contract_of_a_store() {
    let server = TestPostgres::start();
    conformance::run(async || PostgresStore::open(&server.database()).await.expect("the store opens")).await;
}
