//! Where the documents of a batch stand. After an edit most of them stand where they stood: only rows that differ are written.

use sheaf_domain::BatchId;
use sheaf_store::Placement;
use sqlx::PgConnection;

use crate::rows::json;
use crate::{Result, database};

/// Placements that one statement gets, so that a large batch is not sent as one message.
const ROWS: usize = 5_000;

/// Puts placements in the place of those that a batch has.
pub async fn replace(tx: &mut PgConnection, batch: BatchId, placements: &[Placement]) -> Result<()> {
    let documents: Vec<_> = placements.iter().map(|placement| placement.document.0).collect();
    sqlx::query(
        "DELETE FROM placements p WHERE batch = $1 \
         AND NOT EXISTS (SELECT FROM unnest($2::uuid[]) AS n (document) WHERE n.document = p.document)",
    )
    .bind(batch.0)
    .bind(documents)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    // A position may be that of another document before: all that differ go, then all that are missing come.
    let remove = "DELETE FROM placements p \
         USING unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::real[], $6::bigint[], $7::text[]) \
         AS n (document, cluster, found, probability, position, neighbours) \
         WHERE p.document = n.document AND (p.batch, p.cluster, p.found, p.probability, p.position, p.neighbours) \
         IS DISTINCT FROM ($1::uuid, n.cluster, n.found, n.probability, n.position, n.neighbours::jsonb)";
    let add = "INSERT INTO placements (document, batch, cluster, found, probability, position, neighbours) \
         SELECT document, $1, cluster, found, probability, position, neighbours::jsonb \
         FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::real[], $6::bigint[], $7::text[]) \
         AS n (document, cluster, found, probability, position, neighbours) ON CONFLICT (document) DO NOTHING";
    for sql in [remove, add] {
        for chunk in placements.chunks(ROWS) {
            write(tx, batch, sql, chunk).await?;
        }
    }
    Ok(())
}

async fn write(tx: &mut PgConnection, batch: BatchId, sql: &'static str, placements: &[Placement]) -> Result<()> {
    sqlx::query(sql)
        .bind(batch.0)
        .bind(placements.iter().map(|p| p.document.0).collect::<Vec<_>>())
        .bind(placements.iter().map(|p| p.cluster.map(|c| i64::from(c.0))).collect::<Vec<_>>())
        .bind(placements.iter().map(|p| p.found.map(|c| i64::from(c.0))).collect::<Vec<_>>())
        .bind(placements.iter().map(|p| p.probability).collect::<Vec<_>>())
        .bind(placements.iter().map(|p| i64::from(p.position)).collect::<Vec<_>>())
        .bind(placements.iter().map(|p| json(&p.neighbours)).collect::<Vec<_>>())
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    Ok(())
}
