//! The placed documents of a batch, all at once.

use async_trait::async_trait;
use sheaf_domain::{BatchId, ClusterId, DocumentId};
use sheaf_store::{MapStore, PlacedDocument};
use sqlx::PgPool;

use crate::again::{Patience, again};
use crate::rows::{id, small_opt, text};
use crate::{PostgresStore, Result, database};

#[async_trait]
impl MapStore for PostgresStore {
    async fn placed(&self, batch: BatchId) -> Result<Vec<PlacedDocument>> {
        again(Patience::ASKED, || placed(&self.pool, batch)).await
    }
}

async fn placed(pool: &PgPool, batch: BatchId) -> Result<Vec<PlacedDocument>> {
    let rows = sqlx::query(
        "SELECT d.id, d.path, l.cluster FROM placements l JOIN documents d ON d.id = l.document WHERE l.batch = $1 \
         ORDER BY l.position",
    )
    .bind(batch.0)
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter()
        .map(|row| {
            Ok(PlacedDocument {
                id: DocumentId(id(row, "id")?),
                path: text(row, "path")?,
                cluster: small_opt(row, "placements", "cluster")?.map(ClusterId),
            })
        })
        .collect()
}
