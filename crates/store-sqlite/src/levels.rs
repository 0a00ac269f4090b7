//! How clusters join.

use async_trait::async_trait;
use sheaf_domain::{BatchId, Merge};
use sheaf_store::LevelStore;

use crate::rows::{json, parsed, signed};
use crate::{Result, SqliteStore, database};

#[async_trait]
impl LevelStore for SqliteStore {
    async fn merges(&self, batch: BatchId) -> Result<Vec<Merge>> {
        let rows = sqlx::query("SELECT merge FROM levels WHERE batch = ? ORDER BY id")
            .bind(batch.to_string())
            .fetch_all(&self.readers)
            .await
            .map_err(database)?;
        rows.iter().map(|row| parsed(row, "levels", "merge")).collect()
    }
}

/// Replaces those of a batch.
pub async fn replace(tx: &mut sqlx::SqliteConnection, batch: &str, merges: &[Merge]) -> Result<()> {
    sqlx::query("DELETE FROM levels WHERE batch = ?").bind(batch).execute(&mut *tx).await.map_err(database)?;
    for merge in merges {
        sqlx::query("INSERT INTO levels (batch, id, start, size, merge) VALUES (?, ?, ?, ?, ?)")
            .bind(batch)
            .bind(merge.group.id.0)
            .bind(merge.start)
            .bind(signed(merge.group.size))
            .bind(json(merge))
            .execute(&mut *tx)
            .await
            .map_err(database)?;
    }
    Ok(())
}
