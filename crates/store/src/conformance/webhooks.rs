//! Webhooks hear of every end exactly as often as it happens, and deliveries are leased like jobs.

use std::time::Duration;

use sheaf_domain::{
    BatchId, DeliveryId, DeliveryQuery, EventId, EventKind, Failure, FailureCode, NewWebhook, OnError, Restart,
    RunPolicy, Stage, Status, Webhook, WebhookEvent, WebhookId,
};
use uuid::Uuid;

use super::steering::analysed;
use super::{LEASE, batch_of, batch_with, claim, finish_all};
use crate::{ClaimedDelivery, DELIVERIES_AT_ONCE, DeliveryOutcome, Store};

async fn add<S: Store>(store: &S, batch: Option<BatchId>) -> WebhookId {
    let id = WebhookId(Uuid::now_v7());
    let webhook = Webhook { id, url: format!("https://example.com/{id}"), batch, created_at: 0 };
    assert!(store.add_webhook(&NewWebhook { webhook, secret: format!("secret of {id}") }).await.expect("added"));
    id
}

async fn claimed<S: Store>(store: &S) -> Vec<ClaimedDelivery> {
    store.claim_deliveries(100, LEASE).await.expect("claimed")
}

fn read(claim: &ClaimedDelivery) -> WebhookEvent {
    let event: WebhookEvent = serde_json::from_str(&claim.body).expect("an event as JSON");
    assert_eq!(event.id, claim.event);
    event
}

pub async fn every_end_is_told_once_to_those_who_hear_of_it<S: Store>(store: &S) {
    let (first, _) = batch_of(store, &["a.txt"]).await;
    let of_all = add(store, None).await;
    let of_first = add(store, Some(first)).await;
    let nowhere =
        Webhook { id: WebhookId(Uuid::now_v7()), url: "u".into(), batch: Some(BatchId(Uuid::nil())), created_at: 0 };
    assert!(!store.add_webhook(&NewWebhook { webhook: nowhere, secret: "s".into() }).await.expect("answered"));
    let listed: Vec<_> = store.webhooks(None).await.expect("listed").iter().map(|w| (w.id, w.batch)).collect();
    assert_eq!(listed, [(of_all, None)]);
    let listed = store.webhooks(Some(first)).await.expect("listed");
    assert_eq!((listed.len(), listed[0].id), (1, of_first));
    assert!(listed[0].created_at > 1_700_000_000, "by the database's clock");

    // Complete: both hear of it, by the same event.
    store.seal_batch(first).await.expect("sealed");
    finish_all(store).await;
    assert_eq!(claimed(store).await, [], "it still runs");
    let analyse = claim(store, Stage::Analyse, 1).await.remove(0);
    assert!(store.complete_analysis(&analysed(&analyse)).await.expect("answered"));
    assert!(!store.complete_analysis(&analysed(&analyse)).await.expect("answered"));
    let told = claimed(store).await;
    assert_eq!(told.len(), 2, "once each");
    assert_eq!(told[0].event, told[1].event);
    assert!(told.iter().any(|d| d.secret == format!("secret of {of_first}") && d.url.ends_with(&of_first.to_string())));
    let event = read(&told[0]);
    let batch = event.batch.expect("of a batch");
    assert_eq!((event.kind, batch.id, batch.name.as_str()), (EventKind::BatchCompleted, first, "Letters"));
    assert_eq!((batch.status, batch.counts.completed, batch.failure), (Status::Completed, 1, None));
    assert!(batch.finished_at.is_some());
    assert!(!told[0].body.contains("a.txt") && !told[0].body.contains("text of"), "nothing of a document");

    // Cancelled: the counts are those after it.
    let (second, _) = batch_of(store, &["b.txt", "c.txt"]).await;
    assert!(store.cancel_batch(second).await.expect("answered"));
    assert!(!store.cancel_batch(second).await.expect("answered"));
    let told = claimed(store).await;
    assert_eq!(told.len(), 1, "the other hears of the first only");
    let event = read(&told[0]);
    let batch = event.batch.expect("of a batch");
    assert_eq!((event.kind, batch.counts.cancelled, batch.counts.pending), (EventKind::BatchCancelled, 2, 0));

    // Failed, at the first failure; then started again and cancelled: each end is an event of its own.
    let strict = RunPolicy { on_error: OnError::FailAll, ..RunPolicy::default() };
    let (third, _) = batch_with(store, &["private name.txt", "e.txt"], strict).await;
    let held = claim(store, Stage::Parse, 1).await.remove(0);
    let failure = Failure::new(FailureCode::TimedOut, "private message");
    assert!(store.fail(&held, &failure, None).await.expect("answered"));
    let told = claimed(store).await;
    let event = read(&told[0]);
    let batch = event.batch.expect("of a batch");
    assert_eq!((event.kind, batch.failure), (EventKind::BatchFailed, Some(FailureCode::TimedOut)));
    assert_eq!((batch.counts.failed, batch.counts.cancelled), (1, 1));
    assert!(!told[0].body.contains("private"), "neither paths nor messages: {}", told[0].body);
    assert_eq!(store.restart(third, &Restart::Failed).await.expect("answered"), Some(1));
    assert!(store.cancel_batch(third).await.expect("answered"));
    let again = claimed(store).await;
    assert_eq!((again.len(), read(&again[0]).kind), (1, EventKind::BatchCancelled));
    assert_ne!(again[0].event, told[0].event);

    // A webhook that is limited to a batch goes with it; what others are still to hear does not.
    assert!(store.delete_batch(first).await.expect("deleted"));
    assert_eq!(store.webhooks(Some(first)).await.expect("listed"), []);
    let log = store.deliveries(&DeliveryQuery::default()).await.expect("read");
    assert_eq!((log.total, log.items.last().expect("rows").batch), (4, Some(first)));
    assert!(log.items.iter().all(|d| d.webhook == of_all));
    assert!(store.delete_webhook(of_all).await.expect("deleted"));
    assert!(!store.delete_webhook(of_all).await.expect("answered"));
    assert_eq!(store.deliveries(&DeliveryQuery::default()).await.expect("read").total, 0);
}

async fn queue<S: Store>(store: &S, webhook: WebhookId) -> DeliveryId {
    let event = WebhookEvent::test(EventId(Uuid::now_v7()));
    store.queue_delivery(webhook, &event).await.expect("queued").expect("it is there")
}

pub async fn a_delivery_is_leased_once_and_tried_until_it_ends<S: Store>(store: &S) {
    let webhook = add(store, None).await;
    let event = WebhookEvent::test(EventId(Uuid::now_v7()));
    assert_eq!(store.queue_delivery(WebhookId(Uuid::nil()), &event).await.expect("answered"), None);
    let id = queue(store, webhook).await;
    let row = async || store.delivery(id).await.expect("read").expect("it is there");
    assert_eq!((row().await.status, row().await.attempts, row().await.kind), (Status::Pending, 0, EventKind::Test));

    // Its lease runs out: who comes late changes nothing.
    let late = store.claim_deliveries(10, 1).await.expect("claimed").remove(0);
    assert!(!store.send_again(id).await.expect("answered"), "it is under way");
    tokio::time::sleep(Duration::from_millis(5)).await;
    let held = claimed(store).await.remove(0);
    assert_eq!((held.id, held.tries, &held.body), (id, 2, &late.body));
    assert!(held.attempt > late.attempt, "the attempt is the fencing token");
    assert_eq!(claimed(store).await, []);
    assert!(!store.finish_delivery(&late, &DeliveryOutcome::Arrived { answer: 200 }).await.expect("answered"));

    let retry = DeliveryOutcome::Retry { answer: Some(503), error: "busy".into(), after_ms: 60_000 };
    assert!(store.finish_delivery(&held, &retry).await.expect("answered"));
    assert!(!store.finish_delivery(&held, &retry).await.expect("answered"), "an attempt ends once");
    assert_eq!(claimed(store).await, [], "it waits");
    let waiting = row().await;
    assert_eq!((waiting.status, waiting.answer, waiting.error.as_deref()), (Status::Pending, Some(503), Some("busy")));
    assert!(waiting.next_at.is_some_and(|next| next >= waiting.created_at + 59));

    // A person need not wait, and gives it new attempts.
    assert!(store.send_again(id).await.expect("answered"));
    let held = claimed(store).await.remove(0);
    assert_eq!(held.tries, 1);
    assert!(held.age_ms < 30_000);
    let given_up = DeliveryOutcome::GivenUp { answer: None, error: "nobody there".into() };
    assert!(store.finish_delivery(&held, &given_up).await.expect("answered"));
    assert_eq!((row().await.status, row().await.answer, row().await.next_at), (Status::Failed, None, None));
    assert!(store.send_again(id).await.expect("answered"));
    let held = claimed(store).await.remove(0);
    assert!(store.finish_delivery(&held, &DeliveryOutcome::Arrived { answer: 204 }).await.expect("answered"));
    assert_eq!((row().await.status, row().await.answer, row().await.error), (Status::Completed, Some(204), None));
    assert!(!store.send_again(DeliveryId(Uuid::nil())).await.expect("answered"));

    let latest = queue(store, webhook).await;
    let query = DeliveryQuery { webhook: Some(webhook), limit: 1, ..DeliveryQuery::default() };
    let page = store.deliveries(&query).await.expect("read");
    assert_eq!((page.total, page.items[0].id), (2, latest), "latest first");
    let cursor = page.next_cursor.map(|cursor| cursor.parse().expect("an id"));
    let page = store.deliveries(&DeliveryQuery { cursor, ..query }).await.expect("read");
    assert_eq!((page.items[0].id, page.next_cursor), (id, None));
}

pub async fn a_webhook_that_does_not_answer_holds_nobody_up<S: Store>(store: &S) {
    let (silent, other) = (add(store, None).await, add(store, None).await);
    for _ in 0..20 {
        queue(store, silent).await;
    }
    let waiting = queue(store, other).await;
    let claims = claimed(store).await;
    assert_eq!(claims.len(), DELIVERIES_AT_ONCE as usize + 1);
    assert!(claims.iter().any(|claim| claim.id == waiting));
}
