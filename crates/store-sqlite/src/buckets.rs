//! Rate limits that all workers share: token buckets, filled by the database's clock.

use sheaf_store::{RateLimit, Taken};
use sqlx::SqlitePool;

use crate::rows::get;
use crate::{Result, database, now};

pub async fn take(writer: &SqlitePool, bucket: &str, limit: RateLimit, want: u32) -> Result<Taken> {
    let RateLimit { per_minute, burst } = limit;
    let mut tx = writer.begin().await.map_err(database)?;
    // What came in since, never more than fits; a new bucket is full.
    let row = sqlx::query(concat!(
        "INSERT INTO buckets (name, tokens, at) VALUES (?1, ?3, ",
        now!(),
        ") ON CONFLICT DO UPDATE SET at = excluded.at, ",
        "tokens = min(?3, tokens + max(0, excluded.at - at) * ?2 / 60000.0) RETURNING tokens"
    ))
    .bind(bucket)
    .bind(f64::from(per_minute.get()))
    .bind(f64::from(burst.get()))
    .fetch_one(&mut *tx)
    .await
    .map_err(database)?;
    let tokens: f64 = get(&row, "tokens")?;
    let taken = limit.take(tokens, want);
    if let Taken::Granted(granted) = taken {
        sqlx::query("UPDATE buckets SET tokens = tokens - ? WHERE name = ?")
            .bind(f64::from(granted.get()))
            .bind(bucket)
            .execute(&mut *tx)
            .await
            .map_err(database)?;
    }
    tx.commit().await.map_err(database)?;
    Ok(taken)
}
