//! The placed documents of a batch, all at once.

use async_trait::async_trait;
use sheaf_domain::{BatchId, ClusterId, DocumentId, DocumentQuery};
use sheaf_store::{MapStore, PlacedDocument};
use sqlx::{PgPool, QueryBuilder};

use crate::again::{Patience, again};
use crate::rows::{document_tables, id, small_opt, text};
use crate::table::push_filter;
use crate::{PostgresStore, Result, database};

#[async_trait]
impl MapStore for PostgresStore {
    async fn placed(&self, batch: BatchId) -> Result<Vec<PlacedDocument>> {
        again(Patience::ASKED, || placed(&self.pool, batch)).await
    }

    async fn matching_positions(&self, batch: BatchId, query: &DocumentQuery) -> Result<Vec<u32>> {
        again(Patience::ASKED, || matching_positions(&self.pool, batch, query)).await
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

async fn matching_positions(pool: &PgPool, batch: BatchId, query: &DocumentQuery) -> Result<Vec<u32>> {
    let mut sql = QueryBuilder::new(concat!("SELECT l.position FROM ", document_tables!()));
    push_filter(&mut sql, Some(batch), query);
    sql.push(" AND l.position IS NOT NULL ORDER BY l.position");
    let positions: Vec<i64> = sql.build_query_scalar().fetch_all(pool).await.map_err(database)?;
    Ok(positions.into_iter().filter_map(|position| u32::try_from(position).ok()).collect())
}
