//! Clusterings that are tried on a batch beside its own.

use async_trait::async_trait;
use sheaf_domain::{
    BatchId, BatchParams, ClusterId, ClusteringId, DocumentId, Failure, FailureCode, Status, TriedClustering,
};
use sheaf_store::{FoundTried, GalleryStore, StoreError, TriedClaim, TriedPlaces};
use sqlx::sqlite::SqliteRow;

use crate::arrive::queue_analysis_when_ready;
use crate::rows::{get, id, json, name, parsed, parsed_opt, seconds, signed};
use crate::steer::set_going;
use crate::{Result, SqliteStore, begin, database, now};

#[async_trait]
impl GalleryStore for SqliteStore {
    async fn add_tried(&self, tried: ClusteringId, batch: BatchId, params: &BatchParams) -> Result<bool> {
        let added = sqlx::query(concat!(
            "INSERT INTO tried (id, batch, params, created_at) SELECT ?1, id, ?2, ",
            now!(),
            " FROM batches WHERE id = ?3"
        ))
        .bind(tried.to_string())
        .bind(json(params))
        .bind(batch.to_string())
        .execute(&self.writer)
        .await
        .map_err(database)?;
        Ok(added.rows_affected() > 0)
    }

    async fn tried(&self, batch: BatchId) -> Result<Vec<TriedClustering>> {
        let rows = sqlx::query(
            "SELECT id, batch, params, status, created_at, seconds, documents, outliers, silhouette, clusters, failure \
             FROM tried WHERE batch = ? ORDER BY created_at, id",
        )
        .bind(batch.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(database)?;
        rows.iter().map(clustering).collect()
    }

    async fn tried_places(&self, tried: ClusteringId) -> Result<TriedPlaces> {
        let bytes: Option<Vec<u8>> = sqlx::query_scalar("SELECT places FROM tried WHERE id = ?")
            .bind(tried.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(database)?;
        TriedPlaces::from_bytes(&bytes.unwrap_or_default())
            .ok_or_else(|| StoreError::Row { table: "tried", reason: "column `places` is of another form".into() })
    }

    async fn claim_tried(&self, lease_ms: u64, most_attempts: u32) -> Result<Option<TriedClaim>> {
        let mut tx = begin(&self.writer).await?;
        let lost = Failure::new(FailureCode::Internal, "every process that computed this clustering ended meanwhile");
        sqlx::query(concat!(
            "UPDATE tried SET status = 'failed', failure = ?, lease_until = NULL ",
            "WHERE status = 'processing' AND attempt >= ? AND lease_until <= ",
            now!()
        ))
        .bind(json(&lost))
        .bind(most_attempts)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
        let row = sqlx::query(concat!(
            "UPDATE tried SET status = 'processing', attempt = attempt + 1, lease_until = ",
            now!(),
            " + ? WHERE id = (SELECT id FROM tried WHERE status = 'pending' OR (status = 'processing' AND lease_until <= ",
            now!(),
            ") ORDER BY created_at, id LIMIT 1) RETURNING id, batch, params, attempt"
        ))
        .bind(signed(lease_ms))
        .fetch_optional(&mut *tx)
        .await
        .map_err(database)?;
        tx.commit().await.map_err(database)?;
        row.map(|row| {
            Ok(TriedClaim {
                id: ClusteringId(id(&row, "tried", "id")?),
                batch: BatchId(id(&row, "tried", "batch")?),
                params: parsed(&row, "tried", "params")?,
                attempt: get(&row, "attempt")?,
            })
        })
        .transpose()
    }

    async fn free_tried(&self) -> Result<()> {
        sqlx::query("UPDATE tried SET lease_until = 0 WHERE status = 'processing'")
            .execute(&self.writer)
            .await
            .map_err(database)?;
        Ok(())
    }

    async fn keep_tried(&self, claim: &TriedClaim, lease_ms: u64) -> Result<bool> {
        let kept = sqlx::query(concat!(
            "UPDATE tried SET lease_until = ",
            now!(),
            " + ? WHERE id = ? AND attempt = ? AND status = 'processing'"
        ))
        .bind(signed(lease_ms))
        .bind(claim.id.to_string())
        .bind(claim.attempt)
        .execute(&self.writer)
        .await
        .map_err(database)?;
        Ok(kept.rows_affected() > 0)
    }

    async fn finish_tried(&self, claim: &TriedClaim, found: &std::result::Result<FoundTried, Failure>) -> Result<bool> {
        let (status, failure) = match found {
            Ok(_) => (Status::Completed, None),
            Err(failure) => (Status::Failed, Some(json(failure))),
        };
        let nothing = FoundTried::default();
        let FoundTried { seconds, silhouette, clusters, places } = found.as_ref().unwrap_or(&nothing);
        let finished = sqlx::query(
            "UPDATE tried SET status = ?, failure = ?, seconds = ?, silhouette = ?, documents = ?, outliers = ?, \
             clusters = ?, places = ?, lease_until = NULL WHERE id = ? AND attempt = ? AND status = 'processing'",
        )
        .bind(status.name())
        .bind(failure)
        .bind(found.is_ok().then_some(*seconds))
        .bind(*silhouette)
        .bind(signed(places.0.len() as u64))
        .bind(signed(places.outliers()))
        .bind(json(clusters))
        .bind(places.to_bytes())
        .bind(claim.id.to_string())
        .bind(claim.attempt)
        .execute(&self.writer)
        .await
        .map_err(database)?;
        Ok(finished.rows_affected() > 0)
    }

    async fn delete_tried(&self, batch: BatchId, tried: ClusteringId) -> Result<bool> {
        let deleted = sqlx::query("DELETE FROM tried WHERE id = ? AND batch = ?")
            .bind(tried.to_string())
            .bind(batch.to_string())
            .execute(&self.writer)
            .await
            .map_err(database)?;
        Ok(deleted.rows_affected() > 0)
    }

    async fn grouped_documents(&self, batch: BatchId) -> Result<Vec<(DocumentId, Option<ClusterId>)>> {
        let rows = sqlx::query("SELECT document, cluster FROM placements WHERE batch = ? ORDER BY document")
            .bind(batch.to_string())
            .fetch_all(&self.readers)
            .await
            .map_err(database)?;
        rows.iter()
            .map(|row| {
                let cluster: Option<u32> = get(row, "cluster")?;
                Ok((DocumentId(id(row, "placements", "document")?), cluster.map(ClusterId)))
            })
            .collect()
    }

    async fn regroup_by(&self, batch: BatchId, params: &BatchParams) -> Result<bool> {
        let mut tx = begin(&self.writer).await?;
        let changed = sqlx::query(
            "UPDATE batches SET params = ? WHERE id = ? AND open = 0 AND status IN ('completed', 'failed')",
        )
        .bind(json(params))
        .bind(batch.to_string())
        .execute(&mut *tx)
        .await
        .map_err(database)?;
        if changed.rows_affected() == 0 {
            return Ok(false);
        }
        set_going(&mut tx, batch).await?;
        queue_analysis_when_ready(&mut tx, batch).await?;
        tx.commit().await.map_err(database)?;
        Ok(true)
    }
}

fn clustering(row: &SqliteRow) -> Result<TriedClustering> {
    let count = |column: &str| get::<i64>(row, column).map(|count| u64::try_from(count).unwrap_or_default());
    let real = |column: &str| get::<Option<f64>>(row, column).map(|value| value.map(|value| value as f32));
    Ok(TriedClustering {
        id: ClusteringId(id(row, "tried", "id")?),
        batch: BatchId(id(row, "tried", "batch")?),
        params: parsed(row, "tried", "params")?,
        status: name(row, "tried", "status")?,
        created_at: seconds(get(row, "created_at")?),
        seconds: real("seconds")?,
        documents: count("documents")?,
        outliers: count("outliers")?,
        silhouette: real("silhouette")?,
        clusters: parsed(row, "tried", "clusters")?,
        failure: parsed_opt(row, "tried", "failure")?,
        compared: None,
    })
}
