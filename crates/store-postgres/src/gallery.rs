//! Clusterings that are tried on a batch beside its own.

use async_trait::async_trait;
use sheaf_domain::{
    BatchId, BatchParams, ClusterId, ClusteringId, DocumentId, Failure, FailureCode, Status, TriedClustering,
};
use sheaf_store::{FoundTried, GalleryStore, StoreError, TriedClaim, TriedPlaces};
use sqlx::PgPool;
use sqlx::postgres::PgRow;

use crate::again::{Patience, again};
use crate::arrive::{lock_batches, queue_analysis_when_ready};
use crate::rows::{count, get, id, json, name, parsed, parsed_opt, seconds, signed, small};
use crate::steer::set_going;
use crate::{PostgresStore, Result, database, now};

#[async_trait]
impl GalleryStore for PostgresStore {
    async fn add_tried(&self, tried: ClusteringId, batch: BatchId, params: &BatchParams) -> Result<bool> {
        again(Patience::ASKED, || add(&self.pool, tried, batch, params)).await
    }
    async fn tried(&self, batch: BatchId) -> Result<Vec<TriedClustering>> {
        again(Patience::ASKED, || list(&self.pool, batch)).await
    }
    async fn tried_places(&self, tried: ClusteringId) -> Result<TriedPlaces> {
        again(Patience::ASKED, || places(&self.pool, tried)).await
    }
    async fn claim_tried(&self, lease_ms: u64, most_attempts: u32) -> Result<Option<TriedClaim>> {
        again(Patience::ASKED, || claim(&self.pool, lease_ms, most_attempts)).await
    }
    async fn free_tried(&self) -> Result<()> {
        again(Patience::ASKED, || free(&self.pool)).await
    }
    async fn keep_tried(&self, claim: &TriedClaim, lease_ms: u64) -> Result<bool> {
        again(Patience::lease(lease_ms), || keep(&self.pool, claim, lease_ms)).await
    }
    async fn finish_tried(&self, claim: &TriedClaim, found: &std::result::Result<FoundTried, Failure>) -> Result<bool> {
        again(Patience::WORK, || finish(&self.pool, claim, found)).await
    }
    async fn delete_tried(&self, batch: BatchId, tried: ClusteringId) -> Result<bool> {
        again(Patience::ASKED, || delete(&self.pool, batch, tried)).await
    }
    async fn grouped_documents(&self, batch: BatchId) -> Result<Vec<(DocumentId, Option<ClusterId>)>> {
        again(Patience::ASKED, || grouped(&self.pool, batch)).await
    }
    async fn regroup_by(&self, batch: BatchId, params: &BatchParams) -> Result<bool> {
        again(Patience::ASKED, || regroup(&self.pool, batch, params)).await
    }
}

async fn add(pool: &PgPool, tried: ClusteringId, batch: BatchId, params: &BatchParams) -> Result<bool> {
    // The answer to this may have been lost before.
    sqlx::query(concat!(
        "INSERT INTO tried (id, batch, params, created_at) SELECT $1, id, $2::json, ",
        now!(),
        " FROM batches WHERE id = $3 ON CONFLICT DO NOTHING"
    ))
    .bind(tried.0)
    .bind(json(params))
    .bind(batch.0)
    .execute(pool)
    .await
    .map_err(database)?;
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM tried WHERE id = $1)")
        .bind(tried.0)
        .fetch_one(pool)
        .await
        .map_err(database)
}

async fn list(pool: &PgPool, batch: BatchId) -> Result<Vec<TriedClustering>> {
    let rows = sqlx::query(
        "SELECT id, batch, params, status, created_at, seconds, documents, outliers, silhouette, clusters, failure \
         FROM tried WHERE batch = $1 ORDER BY created_at, id",
    )
    .bind(batch.0)
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter().map(clustering).collect()
}

async fn places(pool: &PgPool, tried: ClusteringId) -> Result<TriedPlaces> {
    let bytes: Option<Vec<u8>> = sqlx::query_scalar("SELECT places FROM tried WHERE id = $1")
        .bind(tried.0)
        .fetch_optional(pool)
        .await
        .map_err(database)?;
    TriedPlaces::from_bytes(&bytes.unwrap_or_default())
        .ok_or_else(|| StoreError::Row { table: "tried", reason: "column `places` is of another form".into() })
}

async fn claim(pool: &PgPool, lease_ms: u64, most_attempts: u32) -> Result<Option<TriedClaim>> {
    let lost = Failure::new(FailureCode::Internal, "every process that computed this clustering ended meanwhile");
    sqlx::query(concat!(
        "UPDATE tried SET status = 'failed', failure = $1::json, lease_until = NULL ",
        "WHERE status = 'processing' AND attempt >= $2 AND lease_until <= ",
        now!()
    ))
    .bind(json(&lost))
    .bind(i64::from(most_attempts))
    .execute(pool)
    .await
    .map_err(database)?;
    let row = sqlx::query(concat!(
        "UPDATE tried SET status = 'processing', attempt = attempt + 1, lease_until = ",
        now!(),
        " + $1 WHERE id = (SELECT id FROM tried WHERE status = 'pending' OR (status = 'processing' AND lease_until <= ",
        now!(),
        ") ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, batch, params, attempt"
    ))
    .bind(signed(lease_ms))
    .fetch_optional(pool)
    .await
    .map_err(database)?;
    row.map(|row| {
        Ok(TriedClaim {
            id: ClusteringId(id(&row, "id")?),
            batch: BatchId(id(&row, "batch")?),
            params: parsed(&row, "tried", "params")?,
            attempt: small(&row, "tried", "attempt")?,
        })
    })
    .transpose()
}

async fn free(pool: &PgPool) -> Result<()> {
    sqlx::query("UPDATE tried SET lease_until = 0 WHERE status = 'processing'")
        .execute(pool)
        .await
        .map_err(database)?;
    Ok(())
}

async fn keep(pool: &PgPool, claim: &TriedClaim, lease_ms: u64) -> Result<bool> {
    let kept = sqlx::query(concat!(
        "UPDATE tried SET lease_until = ",
        now!(),
        " + $1 WHERE id = $2 AND attempt = $3 AND status = 'processing'"
    ))
    .bind(signed(lease_ms))
    .bind(claim.id.0)
    .bind(i64::from(claim.attempt))
    .execute(pool)
    .await
    .map_err(database)?;
    Ok(kept.rows_affected() > 0)
}

async fn finish(pool: &PgPool, claim: &TriedClaim, found: &std::result::Result<FoundTried, Failure>) -> Result<bool> {
    let (status, failure) = match found {
        Ok(_) => (Status::Completed, None),
        Err(failure) => (Status::Failed, Some(json(failure))),
    };
    let nothing = FoundTried::default();
    let FoundTried { seconds, silhouette, clusters, places } = found.as_ref().unwrap_or(&nothing);
    let finished = sqlx::query(
        "UPDATE tried SET status = $1, failure = $2::json, seconds = $3, silhouette = $4, documents = $5, outliers = $6, \
         clusters = $7::json, places = $8, lease_until = NULL WHERE id = $9 AND attempt = $10 AND status = 'processing'",
    )
    .bind(status.name())
    .bind(failure)
    .bind(found.is_ok().then_some(*seconds))
    .bind(*silhouette)
    .bind(signed(places.0.len() as u64))
    .bind(signed(places.outliers()))
    .bind(json(clusters))
    .bind(places.to_bytes())
    .bind(claim.id.0)
    .bind(i64::from(claim.attempt))
    .execute(pool)
    .await
    .map_err(database)?;
    Ok(finished.rows_affected() > 0)
}

async fn delete(pool: &PgPool, batch: BatchId, tried: ClusteringId) -> Result<bool> {
    let deleted = sqlx::query("DELETE FROM tried WHERE id = $1 AND batch = $2")
        .bind(tried.0)
        .bind(batch.0)
        .execute(pool)
        .await
        .map_err(database)?;
    Ok(deleted.rows_affected() > 0)
}

async fn grouped(pool: &PgPool, batch: BatchId) -> Result<Vec<(DocumentId, Option<ClusterId>)>> {
    let rows = sqlx::query("SELECT document, cluster FROM placements WHERE batch = $1 ORDER BY document")
        .bind(batch.0)
        .fetch_all(pool)
        .await
        .map_err(database)?;
    rows.iter()
        .map(|row| {
            let cluster: Option<i64> = get(row, "cluster")?;
            let cluster = cluster.and_then(|cluster| u32::try_from(cluster).ok());
            Ok((DocumentId(id(row, "document")?), cluster.map(ClusterId)))
        })
        .collect()
}

async fn regroup(pool: &PgPool, batch: BatchId, params: &BatchParams) -> Result<bool> {
    let mut tx = pool.begin().await.map_err(database)?;
    lock_batches(&mut tx, [batch]).await?;
    let changed = sqlx::query(
        "UPDATE batches SET params = $1::json WHERE id = $2 AND NOT open AND status IN ('completed', 'failed')",
    )
    .bind(json(params))
    .bind(batch.0)
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

fn clustering(row: &PgRow) -> Result<TriedClustering> {
    Ok(TriedClustering {
        id: ClusteringId(id(row, "id")?),
        batch: BatchId(id(row, "batch")?),
        params: parsed(row, "tried", "params")?,
        status: name(row, "tried", "status")?,
        created_at: seconds(get(row, "created_at")?),
        seconds: get(row, "seconds")?,
        documents: count(row, "documents")?,
        outliers: count(row, "outliers")?,
        silhouette: get(row, "silhouette")?,
        clusters: parsed(row, "tried", "clusters")?,
        failure: parsed_opt(row, "tried", "failure")?,
        compared: None,
    })
}
