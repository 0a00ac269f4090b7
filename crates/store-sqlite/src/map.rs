//! The placed documents of a batch, all at once.

use async_trait::async_trait;
use sheaf_domain::{BatchId, ClusterId, DocumentId, DocumentQuery};
use sheaf_store::{MapStore, PlacedDocument};
use sqlx::QueryBuilder;

use crate::rows::{document_tables, get, id};
use crate::table::push_filter;
use crate::{Result, SqliteStore, database};

#[async_trait]
impl MapStore for SqliteStore {
    async fn placed(&self, batch: BatchId) -> Result<Vec<PlacedDocument>> {
        let rows = sqlx::query(
            "SELECT d.id, d.path, l.cluster FROM placements l JOIN documents d ON d.id = l.document WHERE l.batch = ? \
             ORDER BY l.position",
        )
        .bind(batch.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(database)?;
        rows.iter()
            .map(|row| {
                Ok(PlacedDocument {
                    id: DocumentId(id(row, "documents", "id")?),
                    path: get(row, "path")?,
                    cluster: get::<Option<u32>>(row, "cluster")?.map(ClusterId),
                })
            })
            .collect()
    }

    async fn matching_positions(&self, batch: BatchId, query: &DocumentQuery) -> Result<Vec<u32>> {
        let mut sql = QueryBuilder::new(concat!("SELECT l.position FROM ", document_tables!()));
        push_filter(&mut sql, Some(batch), query);
        sql.push(" AND l.position IS NOT NULL ORDER BY l.position");
        sql.build_query_scalar().fetch_all(&self.readers).await.map_err(database)
    }
}
