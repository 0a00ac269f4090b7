//! What Sheaf remembers, as one trait in domain words. It owns the contract; it refuses SQL, files and HTTP.
//!
//! The queue lives in the same store as the results, so that a result and its job's new state are one transaction: the
//! token for that is the job's attempt number, which rises with every claim. A worker that lost its lease completes
//! nothing.

mod backlog;
mod columns;
mod explore;
mod families;
mod flows;
mod gallery;
mod identity;
mod imports;
mod keeping;
mod levels;
mod map;
mod records;
mod removal;
mod runs;
mod search;
mod store;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use backlog::{BacklogRow, BacklogScope, BacklogStore, BacklogValue, HeldRecord, KeptRecords, NewRecord, Standing};
pub use columns::{ColumnClustering, ColumnRow, ColumnStore, Columns, GroupRange, Place, Selection};
pub use explore::ExploreStore;
pub use families::{AlikeRecord, FamilyRecord, FamilyStore, FoundFamilies, KeptAlike, PrintedDocument};
pub use flows::{FlowStore, Saved};
pub use gallery::{FoundTried, GalleryStore, TriedClaim, TriedPlaces};
pub use identity::{ClusterPast, IdentityStore, NewEdit, NewName, PastDocument, PastEdit};
pub use imports::{Found, ImportStore, ImportedDocument};
pub use keeping::Keeping;
pub use levels::LevelStore;
pub use map::{MapStore, PlacedDocument};
pub use records::{
    AnalysedDocument, AnalysisResult, Claim, ClaimedDelivery, Clustering, DeliveryOutcome, EmbedInput, EmbedOutcome,
    EmbedResult, NewBatch, NewClustering, NewDocument, NewUpload, PACE_WINDOW_MS, ParseInput, ParseRecord, Placement,
    QueueDepth, RateLimit, Room, StagePace, StoredDocument, Taken, VectorFile, Vectored, WorkerState,
};
pub use removal::{RemovalStore, Removed};
pub use runs::{DocumentText, RunClaim, RunFound, RunInput, RunStore, Spending, StartedRun};
pub use search::{BatchVectors, FoundDocument, SearchScope, SearchStore};
pub use store::{DELIVERIES_AT_ONCE, DELIVERIES_KEPT_MS, Store, StoreError};
