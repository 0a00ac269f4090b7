//! What the analysis of a batch reads, and its result with the batch's end: one transaction, fenced by the attempt.

mod identity;
mod placements;

use sheaf_domain::{BatchId, Cluster, DocumentId, Status};
use sheaf_store::{AnalysedDocument, AnalysisResult, NewClustering, Vectored};
use sqlx::{PgConnection, PgPool};

use crate::arrive::lock_batches;
use crate::rows::{get, id, json, signed, text};
use crate::steer::end;
use crate::work::finish_job;
use crate::{Result, database, families, levels, nul};

pub async fn analysed_documents(pool: &PgPool, batch: BatchId) -> Result<Vec<AnalysedDocument>> {
    let rows = sqlx::query(
        "SELECT d.id, d.path, d.sha256, p.language, v.vector, v.terms FROM documents d \
         JOIN parses p ON p.key = d.parse JOIN vectors v ON v.key = d.vector \
         WHERE d.batch = $1 AND d.status = 'completed' ORDER BY d.sha256, d.path, d.id",
    )
    .bind(batch.0)
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter()
        .map(|row| {
            let bytes: &[u8] = get(row, "vector")?;
            Ok(AnalysedDocument {
                id: DocumentId(id(row, "id")?),
                path: text(row, "path")?,
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

pub async fn complete_analysis(pool: &PgPool, result: &AnalysisResult) -> Result<bool> {
    let batch = result.claim.batch;
    let mut tx = pool.begin().await.map_err(database)?;
    lock_batches(&mut tx, [batch]).await?;
    if !finish_job(&mut tx, &result.claim, Status::Completed).await? {
        return Ok(false);
    }
    replace(&mut tx, batch, &result.clustering).await?;
    identity::note_report(&mut tx, batch, result.report.as_ref()).await?;
    families::replace(&mut tx, batch, &result.families).await?;
    // A batch of which no document could be read has failed; one of which some could has not.
    let failed: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM documents WHERE batch = $1) \
         AND NOT EXISTS (SELECT FROM documents WHERE batch = $1 AND status = 'completed')",
    )
    .bind(batch.0)
    .fetch_one(&mut *tx)
    .await
    .map_err(database)?;
    end(&mut tx, batch, if failed { Status::Failed } else { Status::Completed }, None).await?;
    tx.commit().await.map_err(database)?;
    Ok(true)
}

/// Puts a clustering in the place of the one that a batch has.
async fn replace(tx: &mut PgConnection, batch: BatchId, clustering: &NewClustering) -> Result<()> {
    for sql in ["DELETE FROM clusters WHERE batch = $1", "DELETE FROM clusterings WHERE batch = $1"] {
        sqlx::query(sql).bind(batch.0).execute(&mut *tx).await.map_err(database)?;
    }
    insert_clustering(tx, batch, clustering).await?;
    insert_clusters(tx, batch, &clustering.clusters).await?;
    levels::replace(tx, batch, &clustering.merges).await?;
    placements::replace(tx, batch, &clustering.placements).await?;
    identity::note_numbers(tx, batch, clustering).await
}

async fn insert_clustering(tx: &mut PgConnection, batch: BatchId, result: &NewClustering) -> Result<()> {
    sqlx::query(
        "INSERT INTO clusterings (batch, vectors, rows, dimensions, silhouette, heatmap, manifest) \
         VALUES ($1, $2, $3, $4, $5, $6::json, $7)",
    )
    .bind(batch.0)
    .bind(result.vectors.as_ref().map(|v| v.name.as_str()))
    .bind(result.vectors.as_ref().map_or(0, |v| i64::from(v.rows)))
    .bind(result.vectors.as_ref().map_or(0, |v| i64::from(v.dimensions)))
    .bind(result.silhouette)
    .bind(json(&result.heatmap))
    .bind(nul::hide(&result.manifest))
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

async fn insert_clusters(tx: &mut PgConnection, batch: BatchId, clusters: &[Cluster]) -> Result<()> {
    sqlx::query(
        "INSERT INTO clusters (batch, id, name, keywords, size, cohesion, average_probability, representative, named_by, edited) \
         SELECT $1, id, name, keywords::json, size, cohesion, average_probability, representative, named_by, edited \
         FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::real[], $7::real[], $8::uuid[], $9::text[], \
         $10::boolean[]) \
         AS c (id, name, keywords, size, cohesion, average_probability, representative, named_by, edited)",
    )
    .bind(batch.0)
    .bind(clusters.iter().map(|c| i64::from(c.id.0)).collect::<Vec<_>>())
    .bind(clusters.iter().map(|c| nul::hide(&c.name)).collect::<Vec<_>>())
    .bind(clusters.iter().map(|c| json(&c.keywords)).collect::<Vec<_>>())
    .bind(clusters.iter().map(|c| signed(c.size)).collect::<Vec<_>>())
    .bind(clusters.iter().map(|c| c.cohesion).collect::<Vec<_>>())
    .bind(clusters.iter().map(|c| c.average_probability).collect::<Vec<_>>())
    .bind(clusters.iter().map(|c| c.representative.0).collect::<Vec<_>>())
    .bind(clusters.iter().map(|c| c.named_by.name()).collect::<Vec<_>>())
    .bind(clusters.iter().map(|c| c.edited).collect::<Vec<_>>())
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}
