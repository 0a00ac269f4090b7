//! The clustering of a batch: what it reads, and what it leaves.

mod identity;
mod placements;

use sheaf_domain::{BatchId, DocumentId, Status};
use sheaf_store::{AnalysedDocument, AnalysisResult, NewClustering, Vectored};
use sqlx::{SqliteConnection, SqlitePool};

use crate::finish::finish_job;
use crate::rows::{get, id, json, signed};
use crate::steer::end;
use crate::{Result, begin, database};
use crate::{families, levels};

pub async fn analysed_documents(readers: &SqlitePool, batch: BatchId) -> Result<Vec<AnalysedDocument>> {
    let rows = sqlx::query(
        "SELECT d.id, d.path, d.sha256, p.language, v.vector, v.terms FROM documents d \
         JOIN parses p ON p.key = d.parse JOIN vectors v ON v.key = d.vector \
         WHERE d.batch = ? AND d.status = 'completed' ORDER BY d.sha256, d.path, d.id",
    )
    .bind(batch.to_string())
    .fetch_all(readers)
    .await
    .map_err(database)?;
    rows.iter()
        .map(|row| {
            let bytes: &[u8] = get(row, "vector")?;
            Ok(AnalysedDocument {
                id: DocumentId(id(row, "documents", "id")?),
                path: get(row, "path")?,
                sha256: get(row, "sha256")?,
                language: get(row, "language")?,
                vectored: Vectored {
                    vector: bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
                    terms: get(row, "terms")?,
                },
            })
        })
        .collect()
}

pub async fn complete_analysis(writer: &SqlitePool, result: &AnalysisResult) -> Result<bool> {
    let claim = &result.claim;
    let batch = claim.batch.to_string();
    let rows = placements::Rows::of(&result.clustering.placements);
    let families = families::Rows::of(&result.families);
    let mut tx = begin(writer).await?;
    if !finish_job(&mut tx, claim, Status::Completed).await? {
        return Ok(false);
    }
    replace(&mut tx, &batch, &result.clustering, &rows).await?;
    identity::note_report(&mut tx, &batch, result.report.as_ref()).await?;
    families::replace(&mut tx, &batch, &families).await?;
    // A batch of which no document could be read has failed; one of which some could has not.
    let failed: bool = sqlx::query_scalar(
        "SELECT count(*) > 0 AND count(*) FILTER (WHERE status = 'completed') = 0 FROM tallies \
         WHERE batch = ? AND documents > 0",
    )
    .bind(&batch)
    .fetch_one(&mut *tx)
    .await
    .map_err(database)?;
    end(&mut tx, claim.batch, if failed { Status::Failed } else { Status::Completed }, None).await?;
    tx.commit().await.map_err(database)?;
    Ok(true)
}

/// Puts a clustering in the place of the one that a batch has.
async fn replace(
    tx: &mut SqliteConnection,
    batch: &str,
    clustering: &NewClustering,
    rows: &placements::Rows,
) -> Result<()> {
    for sql in ["DELETE FROM clusters WHERE batch = ?", "DELETE FROM clusterings WHERE batch = ?"] {
        sqlx::query(sql).bind(batch).execute(&mut *tx).await.map_err(database)?;
    }
    let NewClustering { placements: _, clusters, merges, silhouette, vectors, heatmap, manifest, found: _, next: _ } =
        clustering;
    sqlx::query(
        "INSERT INTO clusterings (batch, vectors, rows, dimensions, silhouette, heatmap, manifest) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(batch)
    .bind(vectors.as_ref().map(|v| v.name.as_str()))
    .bind(vectors.as_ref().map_or(0, |v| v.rows))
    .bind(vectors.as_ref().map_or(0, |v| v.dimensions))
    .bind(silhouette)
    .bind(json(heatmap))
    .bind(manifest)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    for cluster in clusters {
        sqlx::query(
            "INSERT INTO clusters (batch, id, name, keywords, size, cohesion, average_probability, representative, \
             named_by, edited) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(batch)
        .bind(cluster.id.0)
        .bind(&cluster.name)
        .bind(json(&cluster.keywords))
        .bind(signed(cluster.size))
        .bind(cluster.cohesion)
        .bind(cluster.average_probability)
        .bind(cluster.representative.to_string())
        .bind(cluster.named_by.name())
        .bind(cluster.edited)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    }
    levels::replace(tx, batch, merges).await?;
    placements::replace(tx, batch, rows).await?;
    identity::note_numbers(tx, batch, clustering).await
}
