//! Identifiers. Each is a UUID of its own type, so that one cannot be passed for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id!(
    /// A named set of documents that is analysed together.
    BatchId
);
id!(
    /// One uploaded file.
    DocumentId
);
id!(
    /// A durable row of the queue.
    JobId
);
id!(
    /// Files on their way into a batch.
    UploadId
);
id!(
    /// An address that is told when batches end.
    WebhookId
);
id!(
    /// A message to one webhook about one event.
    DeliveryId
);
id!(
    /// Something that happened and is told; the same for every webhook that hears of it, and for every attempt.
    EventId
);
id!(
    /// A saved list of steps, in all its versions.
    FlowId
);
id!(
    /// One execution of a flow over documents.
    RunId
);
id!(
    /// A clustering of a batch that was tried beside its own.
    ClusteringId
);
