//! Rate limits that all workers share: token buckets, filled by the database's clock.

use sheaf_store::{RateLimit, Taken};
use sqlx::PgPool;

use crate::rows::get;
use crate::{Result, database, now};

pub async fn take(pool: &PgPool, bucket: &str, limit: RateLimit, want: u32) -> Result<Taken> {
    let RateLimit { per_minute, burst } = limit;
    let mut tx = pool.begin().await.map_err(database)?;
    // What came in since, never more than fits; a new bucket is full. Whoever waited for the row may have an earlier time than
    // it says: the same moment must not fill it twice.
    let row = sqlx::query(concat!(
        "INSERT INTO buckets (name, tokens, at) VALUES ($1, $3, ",
        now!(),
        ") ON CONFLICT (name) DO UPDATE SET at = greatest(buckets.at, excluded.at), ",
        "tokens = least($3, buckets.tokens + greatest(0, excluded.at - buckets.at) * $2 / 60000) RETURNING tokens"
    ))
    .bind(bucket)
    .bind(f64::from(per_minute.get()))
    .bind(f64::from(burst.get()))
    .fetch_one(&mut *tx)
    .await
    .map_err(database)?;
    let taken = limit.take(get(&row, "tokens")?, want);
    if let Taken::Granted(granted) = taken {
        sqlx::query("UPDATE buckets SET tokens = tokens - $1 WHERE name = $2")
            .bind(f64::from(granted.get()))
            .bind(bucket)
            .execute(&mut *tx)
            .await
            .map_err(database)?;
    }
    tx.commit().await.map_err(database)?;
    Ok(taken)
}
