//! Where the documents of a batch stand. After an edit most of them stand where they stood: only rows that differ are written.

use sheaf_store::Placement;
use sqlx::SqliteConnection;

use crate::chunks::Chunks;
use crate::rows::json;
use crate::{Result, database};

/// Placements as they are written.
pub struct Rows {
    chunks: Chunks,
    documents: String,
}

impl Rows {
    pub fn of(placements: &[Placement]) -> Self {
        // In the order of the table, so that each page of it is written once.
        let mut sorted: Vec<&Placement> = placements.iter().collect();
        sorted.sort_by_key(|placement| placement.document);
        Self {
            chunks: Chunks::of(&sorted, |placement| row(placement)),
            documents: json(&sorted.iter().map(|placement| placement.document).collect::<Vec<_>>()),
        }
    }
}

/// Puts placements in the place of those that a batch has.
pub async fn replace(tx: &mut SqliteConnection, batch: &str, Rows { chunks, documents }: &Rows) -> Result<()> {
    let has_some: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM placements WHERE batch = ?)")
        .bind(batch)
        .fetch_one(&mut *tx)
        .await
        .map_err(database)?;
    if has_some {
        clear(tx, batch, chunks, documents).await?;
    }
    let add = "INSERT INTO placements (document, batch, cluster, found, probability, position, neighbours) \
         SELECT value ->> 0, ?2, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 \
         FROM json_each(?1) WHERE true ON CONFLICT (document) DO NOTHING";
    chunks.execute(tx, add, batch).await
}

/// Removes the placements that differ. A position may be that of another document before: all that differ go, then all that
/// are missing come.
async fn clear(tx: &mut SqliteConnection, batch: &str, chunks: &Chunks, documents: &str) -> Result<()> {
    sqlx::query("DELETE FROM placements WHERE batch = ?1 AND document NOT IN (SELECT value FROM json_each(?2))")
        .bind(batch)
        .bind(documents)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    let remove = "DELETE FROM placements WHERE document IN (SELECT p.document FROM json_each(?1) n \
         CROSS JOIN placements p ON p.document = n.value ->> 0 \
         WHERE (p.batch, p.cluster, p.found, p.probability, p.position, p.neighbours) IS NOT \
         (?2, n.value ->> 1, n.value ->> 2, n.value ->> 3, n.value ->> 4, n.value ->> 5))";
    chunks.execute(tx, remove, batch).await
}

type Row = (String, Option<u32>, Option<u32>, f64, u32, String);

fn row(placement: &Placement) -> Row {
    let Placement { document, cluster, found, probability, position, neighbours } = placement;
    let number = |cluster: &Option<sheaf_domain::ClusterId>| cluster.map(|cluster| cluster.0);
    // As a bound f32 is stored, so that the same number compares as the same.
    (document.to_string(), number(cluster), number(found), f64::from(*probability), *position, json(neighbours))
}
