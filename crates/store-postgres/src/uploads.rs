//! Uploads that break off and go on: what arrived of each, and how it ends.

use sheaf_domain::{Added, BatchId, Upload, UploadFile, UploadId};
use sheaf_store::{NewBatch, NewDocument, NewUpload};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::arrive::{Destination, insert_batch, list, lock_batches, queue_analysis_when_ready, takes_more};
use crate::rows::{count, get, id, seconds, signed, text};
use crate::{Result, database, now, nul};

pub async fn begin_upload(pool: &PgPool, upload: &NewUpload, made: Option<&NewBatch>) -> Result<bool> {
    let mut tx = pool.begin().await.map_err(database)?;
    match made {
        Some(batch) => insert_batch(&mut tx, batch).await?,
        None if !takes_more(&mut tx, upload.batch).await? => return Ok(false),
        None => {}
    }
    sqlx::query(concat!(
        "INSERT INTO uploads (id, batch, makes_batch, began, files, bytes, created_at, seen_at) ",
        "VALUES ($1, $2, $3, $3, $4, $5, ",
        now!(),
        ", ",
        now!(),
        ") ON CONFLICT (id) DO NOTHING"
    ))
    .bind(upload.id.0)
    .bind(upload.batch.0)
    .bind(made.is_some())
    .bind(signed(upload.files))
    .bind(signed(upload.bytes))
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    tx.commit().await.map_err(database)?;
    Ok(true)
}

pub async fn arrive(
    pool: &PgPool,
    upload: UploadId,
    files: &[UploadFile],
    documents: &[NewDocument],
) -> Result<Option<Added>> {
    let mut tx = pool.begin().await.map_err(database)?;
    let Some(batch) = lock_batch_of(&mut tx, upload).await? else { return Ok(None) };
    let began: Option<bool> = sqlx::query_scalar("SELECT began FROM uploads WHERE id = $1 FOR UPDATE")
        .bind(upload.0)
        .fetch_optional(&mut *tx)
        .await
        .map_err(database)?;
    let Some(began) = began else { return Ok(None) };
    let listed = list(&mut tx, Destination { batch, upload: Some(upload), goes_on: !began }, documents).await?;
    if listed.went_on {
        sqlx::query("UPDATE batches SET open = true WHERE id = $1")
            .bind(batch.0)
            .execute(&mut *tx)
            .await
            .map_err(database)?;
    }
    sqlx::query(concat!(
        "WITH noted AS (INSERT INTO arrivals (upload, path, sha256, bytes) ",
        "SELECT $1, path, sha256, bytes FROM unnest($2::text[], $3::text[], $4::bigint[]) AS f (path, sha256, bytes) ",
        "ON CONFLICT DO NOTHING RETURNING bytes) ",
        "UPDATE uploads SET arrived_files = arrived_files + (SELECT count(*) FROM noted), ",
        "arrived_bytes = arrived_bytes + (SELECT coalesce(sum(bytes), 0) FROM noted)::bigint, began = began OR $5, seen_at = ",
        now!(),
        " WHERE id = $1"
    ))
    .bind(upload.0)
    .bind(files.iter().map(|f| nul::hide(&f.path)).collect::<Vec<_>>())
    .bind(files.iter().map(|f| f.sha256.as_str()).collect::<Vec<_>>())
    .bind(files.iter().map(|f| signed(f.bytes)).collect::<Vec<_>>())
    .bind(listed.went_on)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    tx.commit().await.map_err(database)?;
    Ok(Some(listed.added))
}

/// The batch of an upload, locked; absent when there is no such upload.
async fn lock_batch_of(tx: &mut PgConnection, upload: UploadId) -> Result<Option<BatchId>> {
    let batch: Option<Uuid> = sqlx::query_scalar("SELECT batch FROM uploads WHERE id = $1")
        .bind(upload.0)
        .fetch_optional(&mut *tx)
        .await
        .map_err(database)?;
    let Some(batch) = batch.map(BatchId) else { return Ok(None) };
    lock_batches(tx, [batch]).await?;
    Ok(Some(batch))
}

/// The columns of an upload.
macro_rules! upload_columns {
    () => {
        "id, batch, makes_batch, files, bytes, arrived_files, arrived_bytes, created_at, \
         greatest(0, (extract(epoch FROM statement_timestamp()) * 1000)::bigint - seen_at) AS idle_ms"
    };
}

fn read_upload(row: &PgRow) -> Result<Upload> {
    Ok(Upload {
        id: UploadId(id(row, "id")?),
        batch: BatchId(id(row, "batch")?),
        makes_batch: get(row, "makes_batch")?,
        files: count(row, "files")?,
        bytes: count(row, "bytes")?,
        arrived_files: count(row, "arrived_files")?,
        arrived_bytes: count(row, "arrived_bytes")?,
        created_at: seconds(get(row, "created_at")?),
        idle_seconds: count(row, "idle_ms")? / 1000,
    })
}

pub async fn upload(pool: &PgPool, upload: UploadId) -> Result<Option<Upload>> {
    let row = sqlx::query(concat!("SELECT ", upload_columns!(), " FROM uploads WHERE id = $1"))
        .bind(upload.0)
        .fetch_optional(pool)
        .await
        .map_err(database)?;
    row.as_ref().map(read_upload).transpose()
}

pub async fn uploads(pool: &PgPool, batch: BatchId) -> Result<Vec<Upload>> {
    let rows = sqlx::query(concat!("SELECT ", upload_columns!(), " FROM uploads WHERE batch = $1 ORDER BY id DESC"))
        .bind(batch.0)
        .fetch_all(pool)
        .await
        .map_err(database)?;
    rows.iter().map(read_upload).collect()
}

pub async fn arrived(pool: &PgPool, upload: UploadId, offset: u32, limit: u32) -> Result<Vec<UploadFile>> {
    let rows = sqlx::query(
        "SELECT path, bytes, sha256 FROM arrivals WHERE upload = $1 ORDER BY path, sha256 LIMIT $2 OFFSET $3",
    )
    .bind(upload.0)
    .bind(i64::from(limit))
    .bind(i64::from(offset))
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter().map(read_file).collect()
}

pub async fn known_files(pool: &PgPool, batch: BatchId, paths: &[String]) -> Result<Vec<UploadFile>> {
    let rows = sqlx::query(
        "SELECT path, bytes, sha256 FROM documents WHERE batch = $1 AND path = ANY($2) AND sha256 <> '' \
         AND status NOT IN ('failed', 'cancelled') \
         UNION SELECT a.path, a.bytes, a.sha256 FROM uploads u JOIN arrivals a ON a.upload = u.id \
         WHERE u.batch = $1 AND a.path = ANY($2)",
    )
    .bind(batch.0)
    .bind(paths.iter().map(|path| nul::hide(path)).collect::<Vec<_>>())
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter().map(read_file).collect()
}

fn read_file(row: &PgRow) -> Result<UploadFile> {
    Ok(UploadFile { path: text(row, "path")?, bytes: count(row, "bytes")?, sha256: get(row, "sha256")? })
}

pub async fn finish_upload(pool: &PgPool, upload: UploadId) -> Result<bool> {
    let mut tx = pool.begin().await.map_err(database)?;
    let Some(batch) = end(&mut tx, upload).await? else { return Ok(false) };
    close(&mut tx, batch).await?;
    tx.commit().await.map_err(database)?;
    Ok(true)
}

pub async fn withdraw_upload(pool: &PgPool, upload: UploadId) -> Result<Option<Vec<String>>> {
    let mut tx = pool.begin().await.map_err(database)?;
    let Some(batch) = end(&mut tx, upload).await? else { return Ok(None) };
    for sql in [
        // Whoever has a job of it in its hands is waited for; then those jobs are that were added by then.
        "SELECT FROM jobs WHERE batch = $1 AND document IN (SELECT id FROM documents WHERE batch = $1 AND upload = $2) \
         ORDER BY id FOR UPDATE",
        "SELECT FROM jobs WHERE batch = $1 AND document IN (SELECT id FROM documents WHERE batch = $1 AND upload = $2) \
         ORDER BY id FOR UPDATE",
        "SELECT FROM parses WHERE key IN (SELECT parse FROM documents WHERE batch = $1 AND upload = $2) \
         ORDER BY key FOR UPDATE",
        "SELECT FROM vectors WHERE key IN (SELECT vector FROM documents WHERE batch = $1 AND upload = $2) \
         ORDER BY key FOR UPDATE",
        // No trigger tells of documents that go: otherwise they go with their batch.
        "INSERT INTO tallies (batch, stage, status, documents, bytes) \
         SELECT batch, stage, status, -count(*), -sum(bytes) FROM documents WHERE batch = $1 AND upload = $2 \
         GROUP BY batch, stage, status",
    ] {
        sqlx::query(sql).bind(batch.0).bind(upload.0).execute(&mut *tx).await.map_err(database)?;
    }
    for (table, column) in [("parses", "parse"), ("vectors", "vector")] {
        let sql = format!(
            "DELETE FROM {table} WHERE key IN ( \
               SELECT d.{column} FROM documents d WHERE d.batch = $1 AND d.upload = $2 AND d.{column} IS NOT NULL \
               AND NOT EXISTS (SELECT FROM documents o WHERE o.sha256 = d.sha256 AND o.upload IS DISTINCT FROM $2 \
                 AND o.{column} = d.{column}))"
        );
        let forget = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(batch.0).bind(upload.0);
        forget.execute(&mut *tx).await.map_err(database)?;
    }
    let mut hashes: Vec<String> =
        sqlx::query_scalar("DELETE FROM documents WHERE batch = $1 AND upload = $2 RETURNING sha256")
            .bind(batch.0)
            .bind(upload.0)
            .fetch_all(&mut *tx)
            .await
            .map_err(database)?;
    hashes.sort_unstable();
    hashes.dedup();
    close(&mut tx, batch).await?;
    tx.commit().await.map_err(database)?;
    Ok(Some(hashes))
}

/// Removes the upload's row; gives its batch, which is locked.
async fn end(tx: &mut PgConnection, upload: UploadId) -> Result<Option<BatchId>> {
    let Some(batch) = lock_batch_of(tx, upload).await? else { return Ok(None) };
    let ended = sqlx::query("DELETE FROM uploads WHERE id = $1").bind(upload.0).execute(tx).await.map_err(database)?;
    Ok((ended.rows_affected() > 0).then_some(batch))
}

/// Closes the batch, unless another upload has brought it something and may bring more.
async fn close(tx: &mut PgConnection, batch: BatchId) -> Result<()> {
    sqlx::query("UPDATE batches SET open = EXISTS (SELECT FROM uploads WHERE batch = $1 AND began) WHERE id = $1")
        .bind(batch.0)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    queue_analysis_when_ready(tx, batch).await
}

pub async fn idle_uploads(pool: &PgPool, idle_ms: u64) -> Result<Vec<UploadId>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(concat!("SELECT id FROM uploads WHERE seen_at <= ", now!(), " - $1"))
        .bind(signed(idle_ms))
        .fetch_all(pool)
        .await
        .map_err(database)?;
    Ok(ids.into_iter().map(UploadId).collect())
}
