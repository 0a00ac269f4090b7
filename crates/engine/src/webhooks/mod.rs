//! Webhooks: added, listed, tried out and removed by people; told of every batch that ends, at least once.

mod address;
mod deliver;
mod send;
mod sign;

use std::time::{Duration, Instant};

use sheaf_domain::{
    BatchId, Delivery, DeliveryId, DeliveryQuery, EventId, Failure, FailureCode, NewWebhook, Page, Status, Webhook,
    WebhookEvent, WebhookId,
};
use uuid::Uuid;

use crate::read::no_batch;
use crate::{Engine, internal};

pub use address::{AllowedAddress, NoAddress};
pub use deliver::Deliveries;

/// The most webhooks that hear of all batches; as many of one batch.
const WEBHOOKS: usize = 20;

/// How long a person waits to see how an attempt went.
const SETTLED_WITHIN: Duration = Duration::from_secs(3);

impl Engine {
    /// Adds a webhook, for all batches or for one, with a new secret.
    ///
    /// # Errors
    /// `invalid_request` for an address that cannot be called or when there are too many; `not_found`; `storage`.
    pub async fn add_webhook(&self, url: &str, batch: Option<BatchId>) -> Result<NewWebhook, Failure> {
        let url = self.check_webhook(url)?;
        if self.store().webhooks(batch).await?.len() >= WEBHOOKS {
            let message = format!("there are {WEBHOOKS} webhooks already");
            return Err(Failure::new(FailureCode::InvalidRequest, message).with_hint("Remove one that nobody needs."));
        }
        let id = WebhookId(Uuid::now_v7());
        let created_at = time::OffsetDateTime::now_utc().unix_timestamp();
        let secret = sign::new_secret().map_err(internal)?;
        let new = NewWebhook { webhook: Webhook { id, url, batch, created_at }, secret };
        match (self.store().add_webhook(&new).await?, batch) {
            (false, Some(batch)) => Err(no_batch(batch)),
            (true, _) | (false, None) => Ok(new),
        }
    }

    /// The address of a webhook as it will be called.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn check_webhook(&self, url: &str) -> Result<String, Failure> {
        Ok(address::check_url(&self.config().webhook_allow, url)?.into())
    }

    /// Those that hear of all batches, or those limited to one; the earliest first.
    ///
    /// # Errors
    /// `storage`.
    pub async fn webhooks(&self, batch: Option<BatchId>) -> Result<Vec<Webhook>, Failure> {
        Ok(self.store().webhooks(batch).await?)
    }

    /// Removes a webhook and its log; what it has not heard yet it will not hear.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn delete_webhook(&self, webhook: WebhookId) -> Result<(), Failure> {
        match self.store().delete_webhook(webhook).await? {
            true => Ok(()),
            false => Err(no_webhook(webhook)),
        }
    }

    /// Sends a message that says nothing, and gives how it stands after a few seconds at most.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn test_webhook(&self, webhook: WebhookId) -> Result<Delivery, Failure> {
        let event = WebhookEvent::test(EventId(Uuid::now_v7()));
        let queued = self.store().queue_delivery(webhook, &event).await?;
        self.settled(queued.ok_or_else(|| no_webhook(webhook))?).await
    }

    /// The delivery log, latest first.
    ///
    /// # Errors
    /// `storage`.
    pub async fn deliveries(&self, query: &DeliveryQuery) -> Result<Page<Delivery>, Failure> {
        Ok(self.store().deliveries(query).await?)
    }

    /// Sends a message now, with new attempts, however it went before; gives how it stands after a few seconds at most.
    ///
    /// # Errors
    /// `not_found`; `not_ready` while it is being sent; `storage`.
    pub async fn send_again(&self, delivery: DeliveryId) -> Result<Delivery, Failure> {
        self.delivery(delivery).await?;
        if !self.store().send_again(delivery).await? {
            let failure = Failure::new(FailureCode::NotReady, format!("delivery `{delivery}` is being sent"));
            return Err(failure.with_hint("Wait a moment and look at the log again."));
        }
        self.settled(delivery).await
    }

    async fn delivery(&self, delivery: DeliveryId) -> Result<Delivery, Failure> {
        let found = self.store().delivery(delivery).await?;
        found.ok_or_else(|| Failure::new(FailureCode::NotFound, format!("there is no delivery `{delivery}`")))
    }

    /// Waits until an attempt has ended, but not for long: it goes on by itself.
    async fn settled(&self, delivery: DeliveryId) -> Result<Delivery, Failure> {
        self.outbox().notify_waiters();
        let asked = Instant::now();
        loop {
            let found = self.delivery(delivery).await?;
            let tried = found.attempts > 0 && found.status != Status::Processing;
            if tried || asked.elapsed() > SETTLED_WITHIN {
                return Ok(found);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn no_webhook(webhook: WebhookId) -> Failure {
    Failure::new(FailureCode::NotFound, format!("there is no webhook `{webhook}`"))
}
