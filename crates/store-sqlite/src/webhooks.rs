//! Webhooks, the outbox of what they are told, and the log of how that went.

use sheaf_domain::{
    BatchId, Delivery, DeliveryId, DeliveryQuery, EventId, NewWebhook, Page, RunId, Status, Webhook, WebhookEvent,
    WebhookId,
};
use sheaf_store::{ClaimedDelivery, DELIVERIES_AT_ONCE, DELIVERIES_KEPT_MS, DeliveryOutcome};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, SqlitePool};
use uuid::Uuid;

use crate::rows::{count, get, id, json, name, seconds, signed};
use crate::{Result, database, now, read, runs};

pub async fn add(writer: &SqlitePool, new: &NewWebhook) -> Result<bool> {
    let Webhook { id, url, batch, created_at: _ } = &new.webhook;
    let added = sqlx::query(concat!(
        "INSERT INTO webhooks (id, url, secret, batch, created_at) SELECT ?1, ?2, ?3, ?4, ",
        now!(),
        " WHERE ?4 IS NULL OR EXISTS (SELECT 1 FROM batches WHERE id = ?4)"
    ))
    .bind(id.to_string())
    .bind(url)
    .bind(&new.secret)
    .bind(batch.map(|batch| batch.to_string()))
    .execute(writer)
    .await
    .map_err(database)?;
    Ok(added.rows_affected() > 0)
}

pub async fn list(readers: &SqlitePool, batch: Option<BatchId>) -> Result<Vec<Webhook>> {
    let rows = sqlx::query("SELECT id, url, batch, created_at FROM webhooks WHERE batch IS ? ORDER BY id")
        .bind(batch.map(|batch| batch.to_string()))
        .fetch_all(readers)
        .await
        .map_err(database)?;
    rows.iter()
        .map(|row| {
            Ok(Webhook {
                id: WebhookId(id(row, "webhooks", "id")?),
                url: get(row, "url")?,
                batch: optional_batch(row, "webhooks")?,
                created_at: seconds(get(row, "created_at")?),
            })
        })
        .collect()
}

fn optional_batch(row: &SqliteRow, table: &'static str) -> Result<Option<BatchId>> {
    let batch: Option<&str> = get(row, "batch")?;
    batch.map(|_| id(row, table, "batch").map(BatchId)).transpose()
}

pub async fn delete(writer: &SqlitePool, webhook: WebhookId) -> Result<bool> {
    let deleted = sqlx::query("DELETE FROM webhooks WHERE id = ?")
        .bind(webhook.to_string())
        .execute(writer)
        .await
        .map_err(database)?;
    Ok(deleted.rows_affected() > 0)
}

/// Queues what there is to tell of a batch that this transaction ended, for each webhook that hears of it.
pub(crate) async fn tell(tx: &mut SqliteConnection, batch: BatchId) -> Result<()> {
    let listeners: Vec<String> = sqlx::query_scalar("SELECT id FROM webhooks WHERE batch IS NULL OR batch = ?")
        .bind(batch.to_string())
        .fetch_all(&mut *tx)
        .await
        .map_err(database)?;
    if listeners.is_empty() {
        return Ok(());
    }
    let found = read::batch(&mut *tx, batch).await?;
    let event = found.and_then(|found| WebhookEvent::of_batch(EventId(Uuid::now_v7()), &found));
    if let Some(event) = event {
        for webhook in listeners {
            insert(tx, &webhook, &event).await?;
        }
    }
    forget_old(tx).await
}

/// The same of a run, for those that hear of everything.
pub(crate) async fn tell_of_run(tx: &mut SqliteConnection, run: RunId) -> Result<()> {
    let listeners: Vec<String> = sqlx::query_scalar("SELECT id FROM webhooks WHERE batch IS NULL")
        .fetch_all(&mut *tx)
        .await
        .map_err(database)?;
    if listeners.is_empty() {
        return Ok(());
    }
    let found = runs::read::run(&mut *tx, run).await?;
    let event = found.and_then(|found| WebhookEvent::of_run(EventId(Uuid::now_v7()), &found));
    if let Some(event) = event {
        for webhook in listeners {
            insert(tx, &webhook, &event).await?;
        }
    }
    forget_old(tx).await
}

async fn forget_old(tx: &mut SqliteConnection) -> Result<()> {
    sqlx::query(concat!(
        "DELETE FROM deliveries WHERE state IN ('completed', 'failed') AND created_at < ",
        now!(),
        " - ?"
    ))
    .bind(signed(DELIVERIES_KEPT_MS))
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

async fn insert(tx: &mut SqliteConnection, webhook: &str, event: &WebhookEvent) -> Result<DeliveryId> {
    let delivery = DeliveryId(Uuid::now_v7());
    sqlx::query(concat!(
        "INSERT INTO deliveries (id, webhook, event, kind, batch, run, body, asked_at, created_at, run_at) ",
        "SELECT ?, ?, ?, ?, ?, ?, ?, t, t, t FROM (SELECT ",
        now!(),
        " AS t)"
    ))
    .bind(delivery.to_string())
    .bind(webhook)
    .bind(event.id.to_string())
    .bind(event.kind.name())
    .bind(event.batch.as_ref().map(|batch| batch.id.to_string()))
    .bind(event.run.as_ref().map(|run| run.id.to_string()))
    .bind(json(event))
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(delivery)
}

pub async fn queue(writer: &SqlitePool, webhook: WebhookId, event: &WebhookEvent) -> Result<Option<DeliveryId>> {
    let mut tx = writer.begin().await.map_err(database)?;
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM webhooks WHERE id = ?)")
        .bind(webhook.to_string())
        .fetch_one(&mut *tx)
        .await
        .map_err(database)?;
    if !known {
        return Ok(None);
    }
    let delivery = insert(&mut tx, &webhook.to_string(), event).await?;
    tx.commit().await.map_err(database)?;
    Ok(Some(delivery))
}

/// The columns of the log.
const LOG: &str =
    "SELECT id, webhook, event, kind, batch, run, state, tries, created_at, run_at, answer, error FROM deliveries";

pub async fn deliveries(readers: &SqlitePool, query: &DeliveryQuery) -> Result<Page<Delivery>> {
    let DeliveryQuery { webhook, cursor, limit: _ } = query;
    let limit = query.effective_limit();
    let filter = |sql: &mut QueryBuilder<Sqlite>| {
        sql.push(" WHERE true");
        if let Some(webhook) = webhook {
            sql.push(" AND webhook = ").push_bind(webhook.to_string());
        }
    };
    let mut counting = QueryBuilder::new("SELECT count(*) FROM deliveries");
    filter(&mut counting);
    let total: i64 = counting.build_query_scalar().fetch_one(readers).await.map_err(database)?;
    let mut select = QueryBuilder::new(LOG);
    filter(&mut select);
    if let Some(cursor) = cursor {
        // Ids are UUID v7, so the id of the last row seen is the cursor.
        select.push(" AND id < ").push_bind(cursor.to_string());
    }
    select.push(" ORDER BY id DESC LIMIT ").push_bind(limit + 1);
    let rows = select.build().fetch_all(readers).await.map_err(database)?;
    let mut items = rows.iter().map(read_delivery).collect::<Result<Vec<_>>>()?;
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| more).map(|d| d.id.to_string());
    Ok(Page { items, total: u64::try_from(total).unwrap_or_default(), next_cursor })
}

pub async fn delivery(readers: &SqlitePool, delivery: DeliveryId) -> Result<Option<Delivery>> {
    let row = QueryBuilder::<Sqlite>::new(LOG)
        .push(" WHERE id = ")
        .push_bind(delivery.to_string())
        .build()
        .fetch_optional(readers)
        .await
        .map_err(database)?;
    row.as_ref().map(read_delivery).transpose()
}

fn read_delivery(row: &SqliteRow) -> Result<Delivery> {
    let status: Status = name(row, "deliveries", "state")?;
    let run_at: i64 = get(row, "run_at")?;
    Ok(Delivery {
        id: DeliveryId(id(row, "deliveries", "id")?),
        webhook: WebhookId(id(row, "deliveries", "webhook")?),
        event: EventId(id(row, "deliveries", "event")?),
        kind: name(row, "deliveries", "kind")?,
        batch: optional_batch(row, "deliveries")?,
        run: get::<Option<&str>>(row, "run")?.map(|_| id(row, "deliveries", "run").map(RunId)).transpose()?,
        status,
        attempts: get(row, "tries")?,
        created_at: seconds(get(row, "created_at")?),
        next_at: (!status.is_final()).then(|| seconds(run_at)),
        answer: get(row, "answer")?,
        error: get(row, "error")?,
    })
}

/// What is due, as a condition.
macro_rules! due {
    () => {
        "((state = 'pending' AND run_at <= CAST(unixepoch('subsec') * 1000 AS INTEGER)) OR \
         (state = 'processing' AND lease_until < CAST(unixepoch('subsec') * 1000 AS INTEGER)))"
    };
}

pub async fn claim(
    readers: &SqlitePool,
    writer: &SqlitePool,
    limit: u32,
    lease_ms: u64,
) -> Result<Vec<ClaimedDelivery>> {
    // Most of the time nothing is due: that is found out without keeping the one writer.
    let is_due: bool = sqlx::query_scalar(concat!("SELECT EXISTS (SELECT 1 FROM deliveries WHERE ", due!(), ")"))
        .fetch_one(readers)
        .await
        .map_err(database)?;
    if !is_due {
        return Ok(Vec::new());
    }
    let mut tx = writer.begin().await.map_err(database)?;
    let claimed: Vec<String> = sqlx::query_scalar(concat!(
        "UPDATE deliveries SET state = 'processing', attempts = attempts + 1, tries = tries + 1, lease_until = ",
        now!(),
        " + ? WHERE id IN (SELECT id FROM (SELECT id, run_at, row_number() OVER (PARTITION BY webhook ORDER BY run_at, id) AS n ",
        "FROM deliveries WHERE ",
        due!(),
        ") WHERE n <= ? ORDER BY run_at, id LIMIT ?) RETURNING id"
    ))
    .bind(signed(lease_ms))
    .bind(DELIVERIES_AT_ONCE)
    .bind(limit)
    .fetch_all(&mut *tx)
    .await
    .map_err(database)?;
    let rows = sqlx::query(concat!(
        "SELECT d.id, d.attempts, d.tries, ",
        now!(),
        " - d.asked_at AS age, w.url, w.secret, d.event, d.body FROM deliveries d JOIN webhooks w ON w.id = d.webhook ",
        "WHERE d.id IN (SELECT value FROM json_each(?)) ORDER BY d.run_at, d.id"
    ))
    .bind(json(&claimed))
    .fetch_all(&mut *tx)
    .await
    .map_err(database)?;
    let claims = rows
        .iter()
        .map(|row| {
            Ok(ClaimedDelivery {
                id: DeliveryId(id(row, "deliveries", "id")?),
                attempt: get(row, "attempts")?,
                tries: get(row, "tries")?,
                age_ms: count(row, "age")?,
                url: get(row, "url")?,
                secret: get(row, "secret")?,
                event: EventId(id(row, "deliveries", "event")?),
                body: get(row, "body")?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    tx.commit().await.map_err(database)?;
    Ok(claims)
}

pub async fn finish(writer: &SqlitePool, claim: &ClaimedDelivery, outcome: &DeliveryOutcome) -> Result<bool> {
    let (state, answer, error, after_ms) = match outcome {
        DeliveryOutcome::Arrived { answer } => (Status::Completed, Some(*answer), None, 0),
        DeliveryOutcome::Retry { answer, error, after_ms } => (Status::Pending, *answer, Some(error), *after_ms),
        DeliveryOutcome::GivenUp { answer, error } => (Status::Failed, *answer, Some(error), 0),
    };
    let finished = sqlx::query(concat!(
        "UPDATE deliveries SET state = ?1, answer = ?2, error = ?3, lease_until = NULL, run_at = ",
        now!(),
        " + ?4 + abs(random() % (?4 / 4 + 1)) WHERE id = ?5 AND attempts = ?6 AND state = 'processing'"
    ))
    .bind(state.name())
    .bind(answer)
    .bind(error)
    .bind(signed(after_ms))
    .bind(claim.id.to_string())
    .bind(claim.attempt)
    .execute(writer)
    .await
    .map_err(database)?;
    Ok(finished.rows_affected() > 0)
}

pub async fn send_again(writer: &SqlitePool, delivery: DeliveryId) -> Result<bool> {
    let asked = sqlx::query(concat!(
        "UPDATE deliveries SET state = 'pending', tries = 0, run_at = t, asked_at = t FROM (SELECT ",
        now!(),
        " AS t) WHERE id = ? AND state <> 'processing'"
    ))
    .bind(delivery.to_string())
    .execute(writer)
    .await
    .map_err(database)?;
    Ok(asked.rows_affected() > 0)
}
