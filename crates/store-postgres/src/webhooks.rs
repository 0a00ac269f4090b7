//! Webhooks, the outbox of what they are told, and the log of how that went.

use sheaf_domain::{
    BatchId, Delivery, DeliveryId, DeliveryQuery, EventId, NewWebhook, Page, RunId, Status, Webhook, WebhookEvent,
    WebhookId,
};
use sheaf_store::{ClaimedDelivery, DELIVERIES_AT_ONCE, DELIVERIES_KEPT_MS, DeliveryOutcome};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::rows::{count, get, id, json, name, seconds, signed, small, small_opt};
use crate::{Result, database, now, nul, read, runs};

pub async fn add(pool: &PgPool, new: &NewWebhook) -> Result<bool> {
    let Webhook { id, url, batch, created_at: _ } = &new.webhook;
    // Done twice it is still there once, and that it is there is the answer.
    let added = sqlx::query(concat!(
        "INSERT INTO webhooks (id, url, secret, batch, created_at) SELECT $1, $2, $3, $4::uuid, ",
        now!(),
        " WHERE $4::uuid IS NULL OR EXISTS (SELECT FROM batches WHERE id = $4) ",
        "ON CONFLICT (id) DO UPDATE SET url = excluded.url"
    ))
    .bind(id.0)
    .bind(url)
    .bind(&new.secret)
    .bind(batch.map(|batch| batch.0))
    .execute(pool)
    .await
    .map_err(database)?;
    Ok(added.rows_affected() > 0)
}

pub async fn list(pool: &PgPool, batch: Option<BatchId>) -> Result<Vec<Webhook>> {
    let rows = sqlx::query(
        "SELECT id, url, batch, created_at FROM webhooks WHERE batch IS NOT DISTINCT FROM $1::uuid ORDER BY id",
    )
    .bind(batch.map(|batch| batch.0))
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter()
        .map(|row| {
            Ok(Webhook {
                id: WebhookId(id(row, "id")?),
                url: get(row, "url")?,
                batch: get::<Option<Uuid>>(row, "batch")?.map(BatchId),
                created_at: seconds(get(row, "created_at")?),
            })
        })
        .collect()
}

pub async fn delete(pool: &PgPool, webhook: WebhookId) -> Result<bool> {
    let deleted =
        sqlx::query("DELETE FROM webhooks WHERE id = $1").bind(webhook.0).execute(pool).await.map_err(database)?;
    Ok(deleted.rows_affected() > 0)
}

/// Queues what there is to tell of a batch that this transaction ended, for each webhook that hears of it.
pub(crate) async fn tell(tx: &mut PgConnection, batch: BatchId) -> Result<()> {
    // Locked, so that none is removed before its message refers to it.
    let listeners: Vec<Uuid> =
        sqlx::query_scalar("SELECT id FROM webhooks WHERE batch IS NULL OR batch = $1 ORDER BY id FOR KEY SHARE")
            .bind(batch.0)
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
            insert(tx, webhook, &event).await?;
        }
    }
    forget_old(tx).await
}

/// The same of a run, for those that hear of everything.
pub(crate) async fn tell_of_run(tx: &mut PgConnection, run: RunId) -> Result<()> {
    // Locked, so that none is removed before its message refers to it.
    let listeners: Vec<Uuid> =
        sqlx::query_scalar("SELECT id FROM webhooks WHERE batch IS NULL ORDER BY id FOR KEY SHARE")
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
            insert(tx, webhook, &event).await?;
        }
    }
    forget_old(tx).await
}

async fn forget_old(tx: &mut PgConnection) -> Result<()> {
    // What another server forgets just now is not waited for.
    sqlx::query(concat!(
        "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE state IN ('completed', 'failed') ",
        "AND created_at < ",
        now!(),
        " - $1 FOR UPDATE SKIP LOCKED)"
    ))
    .bind(signed(DELIVERIES_KEPT_MS))
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

async fn insert(tx: &mut PgConnection, webhook: Uuid, event: &WebhookEvent) -> Result<DeliveryId> {
    let delivery = DeliveryId(Uuid::now_v7());
    sqlx::query(concat!(
        "INSERT INTO deliveries (id, webhook, event, kind, batch, run, body, asked_at, created_at, run_at) ",
        "SELECT $1, $2, $3, $4, $5, $6, $7, t, t, t FROM (SELECT ",
        now!(),
        " AS t) AS present"
    ))
    .bind(delivery.0)
    .bind(webhook)
    .bind(event.id.0)
    .bind(event.kind.name())
    .bind(event.batch.as_ref().map(|batch| batch.id.0))
    .bind(event.run.as_ref().map(|run| run.id.0))
    .bind(json(event))
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(delivery)
}

pub async fn queue(pool: &PgPool, webhook: WebhookId, event: &WebhookEvent) -> Result<Option<DeliveryId>> {
    let mut tx = pool.begin().await.map_err(database)?;
    let known: Option<Uuid> = sqlx::query_scalar("SELECT id FROM webhooks WHERE id = $1 FOR KEY SHARE")
        .bind(webhook.0)
        .fetch_optional(&mut *tx)
        .await
        .map_err(database)?;
    let Some(known) = known else { return Ok(None) };
    let delivery = insert(&mut tx, known, event).await?;
    tx.commit().await.map_err(database)?;
    Ok(Some(delivery))
}

/// The columns of the log.
const LOG: &str =
    "SELECT id, webhook, event, kind, batch, run, state, tries, created_at, run_at, answer, error FROM deliveries";

pub async fn deliveries(pool: &PgPool, query: &DeliveryQuery) -> Result<Page<Delivery>> {
    let DeliveryQuery { webhook, cursor, limit: _ } = query;
    let limit = query.effective_limit();
    let filter = |sql: &mut QueryBuilder<Postgres>| {
        sql.push(" WHERE true");
        if let Some(webhook) = webhook {
            sql.push(" AND webhook = ").push_bind(webhook.0);
        }
    };
    let mut counting = QueryBuilder::new("SELECT count(*) FROM deliveries");
    filter(&mut counting);
    let total: i64 = counting.build_query_scalar().fetch_one(pool).await.map_err(database)?;
    let mut select = QueryBuilder::new(LOG);
    filter(&mut select);
    if let Some(cursor) = cursor {
        // Ids are UUID v7, so the id of the last row seen is the cursor.
        select.push(" AND id < ").push_bind(cursor.0);
    }
    select.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit) + 1);
    let rows = select.build().fetch_all(pool).await.map_err(database)?;
    let mut items = rows.iter().map(read_delivery).collect::<Result<Vec<_>>>()?;
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| more).map(|d| d.id.to_string());
    Ok(Page { items, total: u64::try_from(total).unwrap_or_default(), next_cursor })
}

pub async fn delivery(pool: &PgPool, delivery: DeliveryId) -> Result<Option<Delivery>> {
    let row = QueryBuilder::<Postgres>::new(LOG)
        .push(" WHERE id = ")
        .push_bind(delivery.0)
        .build()
        .fetch_optional(pool)
        .await
        .map_err(database)?;
    row.as_ref().map(read_delivery).transpose()
}

fn read_delivery(row: &PgRow) -> Result<Delivery> {
    let status: Status = name(row, "deliveries", "state")?;
    let run_at: i64 = get(row, "run_at")?;
    let answer = small_opt(row, "deliveries", "answer")?;
    Ok(Delivery {
        id: DeliveryId(id(row, "id")?),
        webhook: WebhookId(id(row, "webhook")?),
        event: EventId(id(row, "event")?),
        kind: name(row, "deliveries", "kind")?,
        batch: get::<Option<Uuid>>(row, "batch")?.map(BatchId),
        run: get::<Option<Uuid>>(row, "run")?.map(RunId),
        status,
        attempts: small(row, "deliveries", "tries")?,
        created_at: seconds(get(row, "created_at")?),
        next_at: (!status.is_final()).then(|| seconds(run_at)),
        answer: answer.and_then(|answer| u16::try_from(answer).ok()),
        error: get::<Option<String>>(row, "error")?.map(nul::show),
    })
}

/// What is due, as a condition.
macro_rules! due {
    () => {
        "((state = 'pending' AND run_at <= (extract(epoch FROM statement_timestamp()) * 1000)::bigint) OR \
         (state = 'processing' AND lease_until < (extract(epoch FROM statement_timestamp()) * 1000)::bigint))"
    };
}

pub async fn claim(pool: &PgPool, limit: u32, lease_ms: u64) -> Result<Vec<ClaimedDelivery>> {
    // Several servers do this at the same time: each takes what no other has in its hands.
    let rows = sqlx::query(concat!(
        "WITH ranked AS MATERIALIZED (SELECT id, run_at, row_number() OVER (PARTITION BY webhook ORDER BY run_at, id) AS n ",
        "FROM deliveries WHERE ",
        due!(),
        "), mine AS MATERIALIZED (SELECT id FROM deliveries WHERE id IN ",
        "(SELECT id FROM ranked WHERE n <= $2 ORDER BY run_at, id LIMIT $3) AND ",
        due!(),
        " ORDER BY id FOR UPDATE SKIP LOCKED) ",
        "UPDATE deliveries d SET state = 'processing', attempts = attempts + 1, tries = tries + 1, lease_until = ",
        now!(),
        " + $1 FROM mine, webhooks w WHERE d.id = mine.id AND w.id = d.webhook RETURNING d.id, d.attempts, d.tries, ",
        now!(),
        " - d.asked_at AS age, w.url, w.secret, d.event, d.body"
    ))
    .bind(signed(lease_ms))
    .bind(i64::from(DELIVERIES_AT_ONCE))
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter()
        .map(|row| {
            Ok(ClaimedDelivery {
                id: DeliveryId(id(row, "id")?),
                attempt: small(row, "deliveries", "attempts")?,
                tries: small(row, "deliveries", "tries")?,
                age_ms: count(row, "age")?,
                url: get(row, "url")?,
                secret: get(row, "secret")?,
                event: EventId(id(row, "event")?),
                body: get(row, "body")?,
            })
        })
        .collect()
}

pub async fn finish(pool: &PgPool, claim: &ClaimedDelivery, outcome: &DeliveryOutcome) -> Result<bool> {
    let (state, answer, error, after_ms) = match outcome {
        DeliveryOutcome::Arrived { answer } => (Status::Completed, Some(*answer), None, 0),
        DeliveryOutcome::Retry { answer, error, after_ms } => (Status::Pending, *answer, Some(error), *after_ms),
        DeliveryOutcome::GivenUp { answer, error } => (Status::Failed, *answer, Some(error), 0),
    };
    let finished = sqlx::query(concat!(
        "UPDATE deliveries SET state = $1, answer = $2, error = $3, lease_until = NULL, run_at = ",
        now!(),
        " + $4 + floor(random() * ($4 / 4 + 1))::bigint WHERE id = $5 AND attempts = $6 AND state = 'processing'"
    ))
    .bind(state.name())
    .bind(answer.map(i64::from))
    .bind(error.map(|error| nul::hide(error)))
    .bind(signed(after_ms))
    .bind(claim.id.0)
    .bind(i64::from(claim.attempt))
    .execute(pool)
    .await
    .map_err(database)?;
    Ok(finished.rows_affected() > 0)
}

pub async fn send_again(pool: &PgPool, delivery: DeliveryId) -> Result<bool> {
    let asked = sqlx::query(concat!(
        "UPDATE deliveries SET state = 'pending', tries = 0, run_at = t, asked_at = t FROM (SELECT ",
        now!(),
        " AS t) AS present WHERE id = $1 AND state <> 'processing'"
    ))
    .bind(delivery.0)
    .execute(pool)
    .await
    .map_err(database)?;
    Ok(asked.rows_affected() > 0)
}
