//! Uploads that break off and go on: what arrived of each, and how it ends.

use sheaf_domain::{Added, BatchId, Upload, UploadFile, UploadId};
use sheaf_store::{NewBatch, NewDocument, NewUpload};
use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, SqlitePool};

use crate::arrive::{Destination, Whose, forget_results, insert_batch, list, queue_analysis_when_ready, takes_more};
use crate::rows::{count, get, id, json, seconds, signed};
use crate::{Result, begin, database, now};

pub async fn begin_upload(writer: &SqlitePool, upload: &NewUpload, made: Option<&NewBatch>) -> Result<bool> {
    let mut tx = begin(writer).await?;
    match made {
        Some(batch) => insert_batch(&mut tx, batch).await?,
        None if !takes_more(&mut tx, upload.batch).await? => return Ok(false),
        None => {}
    }
    sqlx::query(concat!(
        "INSERT INTO uploads (id, batch, makes_batch, began, files, bytes, created_at, seen_at) ",
        "VALUES (?1, ?2, ?3, ?3, ?4, ?5, ",
        now!(),
        ", ",
        now!(),
        ")"
    ))
    .bind(upload.id.to_string())
    .bind(upload.batch.to_string())
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
    writer: &SqlitePool,
    upload: UploadId,
    files: &[UploadFile],
    documents: &[NewDocument],
) -> Result<Option<Added>> {
    let mut tx = begin(writer).await?;
    let found = sqlx::query("SELECT batch, began FROM uploads WHERE id = ?")
        .bind(upload.to_string())
        .fetch_optional(&mut *tx)
        .await
        .map_err(database)?;
    let Some(found) = found else { return Ok(None) };
    let batch = BatchId(id(&found, "uploads", "batch")?);
    let began: bool = get(&found, "began")?;
    let listed = list(&mut tx, Destination { batch, upload: Some(upload), goes_on: !began }, documents).await?;
    if listed.went_on {
        sqlx::query("UPDATE batches SET open = 1 WHERE id = ?")
            .bind(batch.to_string())
            .execute(&mut *tx)
            .await
            .map_err(database)?;
    }
    let (mut arrived_files, mut arrived_bytes) = (0, 0);
    for file in files {
        let noted = sqlx::query(
            "INSERT INTO arrivals (upload, path, sha256, bytes) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(upload.to_string())
        .bind(&file.path)
        .bind(&file.sha256)
        .bind(signed(file.bytes))
        .execute(&mut *tx)
        .await
        .map_err(database)?;
        arrived_files += noted.rows_affected();
        arrived_bytes += noted.rows_affected() * file.bytes;
    }
    sqlx::query(concat!(
        "UPDATE uploads SET arrived_files = arrived_files + ?, arrived_bytes = arrived_bytes + ?, began = began OR ?, ",
        "seen_at = ",
        now!(),
        " WHERE id = ?"
    ))
    .bind(signed(arrived_files))
    .bind(signed(arrived_bytes))
    .bind(listed.went_on)
    .bind(upload.to_string())
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    tx.commit().await.map_err(database)?;
    Ok(Some(listed.added))
}

/// The columns of an upload.
macro_rules! upload_columns {
    () => {
        "id, batch, makes_batch, files, bytes, arrived_files, arrived_bytes, created_at, \
         max(0, CAST(unixepoch('subsec') * 1000 AS INTEGER) - seen_at) AS idle_ms"
    };
}

fn read_upload(row: &SqliteRow) -> Result<Upload> {
    Ok(Upload {
        id: UploadId(id(row, "uploads", "id")?),
        batch: BatchId(id(row, "uploads", "batch")?),
        makes_batch: get(row, "makes_batch")?,
        files: count(row, "files")?,
        bytes: count(row, "bytes")?,
        arrived_files: count(row, "arrived_files")?,
        arrived_bytes: count(row, "arrived_bytes")?,
        created_at: seconds(get(row, "created_at")?),
        idle_seconds: count(row, "idle_ms")? / 1000,
    })
}

pub async fn upload(readers: &SqlitePool, upload: UploadId) -> Result<Option<Upload>> {
    let row = sqlx::query(concat!("SELECT ", upload_columns!(), " FROM uploads WHERE id = ?"))
        .bind(upload.to_string())
        .fetch_optional(readers)
        .await
        .map_err(database)?;
    row.as_ref().map(read_upload).transpose()
}

pub async fn uploads(readers: &SqlitePool, batch: BatchId) -> Result<Vec<Upload>> {
    let rows = sqlx::query(concat!("SELECT ", upload_columns!(), " FROM uploads WHERE batch = ? ORDER BY id DESC"))
        .bind(batch.to_string())
        .fetch_all(readers)
        .await
        .map_err(database)?;
    rows.iter().map(read_upload).collect()
}

pub async fn arrived(readers: &SqlitePool, upload: UploadId, offset: u32, limit: u32) -> Result<Vec<UploadFile>> {
    let rows =
        sqlx::query("SELECT path, bytes, sha256 FROM arrivals WHERE upload = ? ORDER BY path, sha256 LIMIT ? OFFSET ?")
            .bind(upload.to_string())
            .bind(limit)
            .bind(offset)
            .fetch_all(readers)
            .await
            .map_err(database)?;
    rows.iter().map(read_file).collect()
}

pub async fn known_files(readers: &SqlitePool, batch: BatchId, paths: &[String]) -> Result<Vec<UploadFile>> {
    let rows = sqlx::query(
        "SELECT d.path, d.bytes, d.sha256 FROM json_each(?2) j CROSS JOIN documents d ON d.batch = ?1 AND d.path = j.value \
         WHERE d.sha256 <> '' AND d.status NOT IN ('failed', 'cancelled') \
         UNION SELECT a.path, a.bytes, a.sha256 FROM uploads u CROSS JOIN json_each(?2) j \
         CROSS JOIN arrivals a ON a.upload = u.id AND a.path = j.value WHERE u.batch = ?1",
    )
    .bind(batch.to_string())
    .bind(json(&paths))
    .fetch_all(readers)
    .await
    .map_err(database)?;
    rows.iter().map(read_file).collect()
}

fn read_file(row: &SqliteRow) -> Result<UploadFile> {
    Ok(UploadFile { path: get(row, "path")?, bytes: count(row, "bytes")?, sha256: get(row, "sha256")? })
}

pub async fn finish_upload(writer: &SqlitePool, upload: UploadId) -> Result<bool> {
    let mut tx = begin(writer).await?;
    let Some(batch) = end(&mut tx, upload).await? else { return Ok(false) };
    close(&mut tx, batch).await?;
    tx.commit().await.map_err(database)?;
    Ok(true)
}

pub async fn withdraw_upload(writer: &SqlitePool, upload: UploadId) -> Result<Option<Vec<String>>> {
    let mut tx = begin(writer).await?;
    let key = upload.to_string();
    let whose = Whose {
        // With the batch, of which there is an index. So the upload has to be there still.
        documents: "d.batch = (SELECT batch FROM uploads WHERE id = ?1) AND d.upload = ?1",
        others: "o.upload IS NOT ?1",
        key: &key,
    };
    forget_results(&mut tx, &whose).await?;
    let Some(batch) = end(&mut tx, upload).await? else { return Ok(None) };
    let mut hashes: Vec<String> =
        sqlx::query_scalar("DELETE FROM documents WHERE batch = ? AND upload = ? RETURNING sha256")
            .bind(batch.to_string())
            .bind(&key)
            .fetch_all(&mut *tx)
            .await
            .map_err(database)?;
    hashes.sort_unstable();
    hashes.dedup();
    close(&mut tx, batch).await?;
    tx.commit().await.map_err(database)?;
    Ok(Some(hashes))
}

/// Removes the upload's row; gives its batch.
async fn end(tx: &mut SqliteConnection, upload: UploadId) -> Result<Option<BatchId>> {
    let row = sqlx::query("DELETE FROM uploads WHERE id = ? RETURNING batch")
        .bind(upload.to_string())
        .fetch_optional(tx)
        .await
        .map_err(database)?;
    row.map(|row| id(&row, "uploads", "batch").map(BatchId)).transpose()
}

/// Closes the batch, unless another upload has brought it something and may bring more.
async fn close(tx: &mut SqliteConnection, batch: BatchId) -> Result<()> {
    sqlx::query(
        "UPDATE batches SET open = EXISTS (SELECT 1 FROM uploads WHERE batch = ?1 AND began = 1) WHERE id = ?1",
    )
    .bind(batch.to_string())
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    queue_analysis_when_ready(tx, batch).await
}

pub async fn idle_uploads(readers: &SqlitePool, idle_ms: u64) -> Result<Vec<UploadId>> {
    let rows = sqlx::query(concat!("SELECT id FROM uploads WHERE seen_at <= ", now!(), " - ?"))
        .bind(signed(idle_ms))
        .fetch_all(readers)
        .await
        .map_err(database)?;
    rows.iter().map(|row| id(row, "uploads", "id").map(UploadId)).collect()
}
