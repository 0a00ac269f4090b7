//! Webhooks: who is told when a batch or a run ends, what is told, and how telling went. Never a document's text or path.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::batch::{Batch, Counts};
use crate::failure::FailureCode;
use crate::flow::FlowRun;
use crate::ids::{BatchId, DeliveryId, EventId, FlowId, RunId, WebhookId};
use crate::status::{Status, UnknownName};

/// An address that is told when batches and runs end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    pub id: WebhookId,
    pub url: String,
    /// The only batch that it hears of; absent when it hears of all, and of all runs.
    pub batch: Option<BatchId>,
    /// Seconds since 1970, UTC.
    pub created_at: i64,
}

/// A webhook with what its messages are signed with, which is never told again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewWebhook {
    /// In JSON its fields stand beside the secret.
    #[serde(flatten)]
    pub webhook: Webhook,
    pub secret: String,
}

/// What can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventKind {
    #[serde(rename = "batch.completed")]
    BatchCompleted,
    #[serde(rename = "batch.failed")]
    BatchFailed,
    #[serde(rename = "batch.cancelled")]
    BatchCancelled,
    #[serde(rename = "run.completed")]
    RunCompleted,
    #[serde(rename = "run.failed")]
    RunFailed,
    #[serde(rename = "run.cancelled")]
    RunCancelled,
    /// Asked for by a person, to see whether messages arrive.
    #[serde(rename = "test")]
    Test,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::BatchCompleted,
        Self::BatchFailed,
        Self::BatchCancelled,
        Self::RunCompleted,
        Self::RunFailed,
        Self::RunCancelled,
        Self::Test,
    ];

    /// The name in messages, the database and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BatchCompleted => "batch.completed",
            Self::BatchFailed => "batch.failed",
            Self::BatchCancelled => "batch.cancelled",
            Self::RunCompleted => "run.completed",
            Self::RunFailed => "run.failed",
            Self::RunCancelled => "run.cancelled",
            Self::Test => "test",
        }
    }

    /// What a batch of this status has to tell; nothing while it runs.
    pub const fn of(status: Status) -> Option<Self> {
        match status {
            Status::Completed => Some(Self::BatchCompleted),
            Status::Failed => Some(Self::BatchFailed),
            Status::Cancelled => Some(Self::BatchCancelled),
            Status::Pending | Status::Processing => None,
        }
    }

    /// What a run of this status has to tell; nothing while it goes on.
    pub const fn of_run(status: Status) -> Option<Self> {
        match status {
            Status::Completed => Some(Self::RunCompleted),
            Status::Failed => Some(Self::RunFailed),
            Status::Cancelled => Some(Self::RunCancelled),
            Status::Pending | Status::Processing => None,
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for EventKind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|k| k.name() == text).ok_or_else(|| UnknownName::new("event", text))
    }
}

/// Something that happened: the body of a message, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookEvent {
    /// A receiver that has seen it already can forget the message.
    pub id: EventId,
    pub kind: EventKind,
    /// Absent when it is not about a batch.
    pub batch: Option<EndedBatch>,
    /// Absent when it is not about a run.
    #[serde(default)]
    pub run: Option<EndedRun>,
}

/// What is told of a batch: nothing that its documents hold, nor how they are called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedBatch {
    pub id: BatchId,
    pub name: String,
    pub status: Status,
    /// Seconds since 1970, UTC.
    pub created_at: i64,
    /// Seconds since 1970, UTC.
    pub finished_at: Option<i64>,
    /// Seconds in which it was worked on.
    pub elapsed_seconds: u64,
    pub counts: Counts,
    /// Why the batch as a whole stopped, when it did.
    pub failure: Option<FailureCode>,
}

/// What is told of a run: nothing that was found, nor in which documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedRun {
    pub id: RunId,
    pub name: String,
    pub flow: FlowId,
    /// The version of the flow that was executed.
    pub version: u32,
    pub flow_name: String,
    pub status: Status,
    /// Seconds since 1970, UTC.
    pub created_at: i64,
    /// Seconds since 1970, UTC.
    pub finished_at: Option<i64>,
    /// Seconds in which it was worked on.
    pub elapsed_seconds: u64,
    /// Documents.
    pub counts: Counts,
    /// Values that were found.
    pub values: u64,
    /// Why the run as a whole stopped, when it did.
    pub failure: Option<FailureCode>,
}

impl WebhookEvent {
    /// What there is to tell of a batch that has just ended; nothing of one that runs.
    pub fn of_batch(id: EventId, batch: &Batch) -> Option<Self> {
        let kind = EventKind::of(batch.status)?;
        let batch = EndedBatch {
            id: batch.id,
            name: batch.name.clone(),
            status: batch.status,
            created_at: batch.created_at,
            finished_at: batch.finished_at,
            elapsed_seconds: batch.elapsed_seconds,
            counts: batch.counts,
            failure: batch.failure.as_ref().map(|failure| failure.code),
        };
        Some(Self { id, kind, batch: Some(batch), run: None })
    }

    /// What there is to tell of a run that has just ended; nothing of one that goes on.
    pub fn of_run(id: EventId, run: &FlowRun) -> Option<Self> {
        let kind = EventKind::of_run(run.status)?;
        let run = EndedRun {
            id: run.id,
            name: run.name.clone(),
            flow: run.flow,
            version: run.version,
            flow_name: run.flow_name.clone(),
            status: run.status,
            created_at: run.created_at,
            finished_at: run.finished_at,
            elapsed_seconds: run.elapsed_seconds,
            counts: run.counts,
            values: run.values,
            failure: run.failure.as_ref().map(|failure| failure.code),
        };
        Some(Self { id, kind, batch: None, run: Some(run) })
    }

    /// A message that only says that messages arrive.
    pub const fn test(id: EventId) -> Self {
        Self { id, kind: EventKind::Test, batch: None, run: None }
    }
}

/// How telling one webhook of one event went: a row of the delivery log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub id: DeliveryId,
    pub webhook: WebhookId,
    pub event: EventId,
    pub kind: EventKind,
    /// Absent when it is not about a batch.
    pub batch: Option<BatchId>,
    /// Absent when it is not about a run.
    pub run: Option<RunId>,
    /// `pending` until it arrives (`completed`) or is given up (`failed`).
    pub status: Status,
    /// Tries since it was queued or last asked for, the present one included.
    pub attempts: u32,
    /// Seconds since 1970, UTC.
    pub created_at: i64,
    /// When it is tried next; seconds since 1970, UTC; absent when it is not.
    pub next_at: Option<i64>,
    /// The HTTP status of the last answer.
    pub answer: Option<u16>,
    /// Why the last attempt did not succeed.
    pub error: Option<String>,
}

/// Which rows of the delivery log, latest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeliveryQuery {
    pub webhook: Option<WebhookId>,
    /// The last row seen.
    pub cursor: Option<DeliveryId>,
    /// Rows of a page; 0 means 50, more than 500 means 500.
    pub limit: u32,
}

impl DeliveryQuery {
    /// The number of rows within bounds.
    pub const fn effective_limit(&self) -> u32 {
        match self.limit {
            0 => 50,
            1..=500 => self.limit,
            501.. => 500,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_everywhere() {
        for kind in EventKind::ALL {
            assert_eq!(serde_json::to_value(kind).expect("JSON"), kind.name());
            assert_eq!(kind.name().parse::<EventKind>().expect("known"), kind);
        }
    }

    #[test]
    fn every_end_is_told_and_nothing_else() {
        for status in Status::ALL {
            assert_eq!(EventKind::of(status).is_some(), status.is_final(), "{status}");
            assert_eq!(EventKind::of_run(status).is_some(), status.is_final(), "{status}");
        }
    }
}
