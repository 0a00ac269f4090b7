//! How clusters join.

use async_trait::async_trait;
use sheaf_domain::{BatchId, Merge};
use sheaf_store::LevelStore;
use sqlx::{PgConnection, PgPool};

use crate::again::{Patience, again};
use crate::rows::{json, parsed, signed};
use crate::{PostgresStore, Result, database};

#[async_trait]
impl LevelStore for PostgresStore {
    async fn merges(&self, batch: BatchId) -> Result<Vec<Merge>> {
        again(Patience::ASKED, || merges(&self.pool, batch)).await
    }
}

async fn merges(pool: &PgPool, batch: BatchId) -> Result<Vec<Merge>> {
    let rows = sqlx::query("SELECT merge FROM levels WHERE batch = $1 ORDER BY id")
        .bind(batch.0)
        .fetch_all(pool)
        .await
        .map_err(database)?;
    rows.iter().map(|row| parsed(row, "levels", "merge")).collect()
}

/// Replaces those of a batch.
pub async fn replace(tx: &mut PgConnection, batch: BatchId, merges: &[Merge]) -> Result<()> {
    sqlx::query("DELETE FROM levels WHERE batch = $1").bind(batch.0).execute(&mut *tx).await.map_err(database)?;
    sqlx::query(
        "INSERT INTO levels (batch, id, start, size, merge) SELECT $1, id, start, size, merge::json \
         FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[]) AS l (id, start, size, merge)",
    )
    .bind(batch.0)
    .bind(merges.iter().map(|m| i64::from(m.group.id.0)).collect::<Vec<_>>())
    .bind(merges.iter().map(|m| i64::from(m.start)).collect::<Vec<_>>())
    .bind(merges.iter().map(|m| signed(m.group.size)).collect::<Vec<_>>())
    .bind(merges.iter().map(json).collect::<Vec<_>>())
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}
