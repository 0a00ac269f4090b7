//! Runs of flows: what is asked for, how it stands, and what became of each document.

use serde::{Deserialize, Serialize};

use crate::batch::Counts;
use crate::failure::{Failure, FailureCode};
use crate::ids::{BatchId, DocumentId, FlowId, RunId};
use crate::query::DocumentQuery;
use crate::run::{Priority, RunPolicy};
use crate::status::Status;

/// One execution of a flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowRun {
    pub id: RunId,
    pub name: String,
    pub flow: FlowId,
    /// The version of the flow that is executed, whatever is saved later.
    pub version: u32,
    /// The name of that version.
    pub flow_name: String,
    pub status: Status,
    pub policy: RunPolicy,
    pub counts: Counts,
    /// Values found so far.
    pub values: u64,
    /// The most tokens that models may use for it.
    pub budget_tokens: Option<u64>,
    /// Tokens used so far.
    pub tokens: u64,
    /// Seconds since 1970, UTC.
    pub created_at: i64,
    /// Seconds since 1970, UTC.
    pub finished_at: Option<i64>,
    /// Seconds in which it was worked on.
    pub elapsed_seconds: u64,
    /// Why it stopped, when it did before its end.
    pub failure: Option<Failure>,
}

/// A request for a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRun {
    pub flow: FlowId,
    /// The latest version when absent.
    #[serde(default)]
    pub version: Option<u32>,
    /// Made from the flow's name and the time when empty.
    #[serde(default)]
    pub name: String,
    pub documents: RunDocuments,
    #[serde(default)]
    pub policy: RunPolicy,
    #[serde(default)]
    pub budget_tokens: Option<u64>,
    /// The most money that models may cost, where the operator said what they cost.
    #[serde(default)]
    pub budget_money: Option<f64>,
}

/// Which documents a run works on. Together they are taken once each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunDocuments {
    /// All documents of these batches, or those that `filter` lets through.
    pub batches: Vec<BatchId>,
    /// Documents by their ids, of whatever batches.
    pub documents: Vec<DocumentId>,
    /// Which documents of `batches`; its order and page are ignored.
    pub filter: Option<DocumentQuery>,
    /// Parts of batches, each with a filter of its own.
    pub selections: Vec<RunSelection>,
}

/// The documents of a batch that a filter lets through.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSelection {
    pub batch: BatchId,
    /// Its order and page are ignored.
    #[serde(default)]
    pub filter: DocumentQuery,
}

/// A document of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunDocument {
    pub document: DocumentId,
    pub batch: BatchId,
    pub path: String,
    pub status: Status,
    /// Values found.
    pub values: u32,
    /// Whether a `select` step left it out.
    pub left_out: bool,
    pub attempts: u32,
    pub tokens: u64,
    pub failure: Option<Failure>,
    /// Whether the document's text has changed since: what was found is of the earlier one.
    #[serde(default)]
    pub outdated: bool,
    /// Whether the document was deleted since.
    #[serde(default)]
    pub deleted: bool,
}

/// What runs have to do with the documents of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchUse {
    pub runs: u64,
    /// Values that they found in its documents.
    pub values: u64,
    /// Documents that they still have to do.
    pub waiting: u64,
}

/// Documents of a run that failed for one reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunFailures {
    pub code: FailureCode,
    pub documents: u64,
    /// A few of them.
    pub examples: Vec<RunDocument>,
}

/// What can be changed of a run at any time; absent means as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunChange {
    pub name: Option<String>,
    pub priority: Option<Priority>,
    pub budget_tokens: Option<u64>,
}

/// Which runs, latest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunQuery {
    pub flow: Option<FlowId>,
    /// Part of the name, case-insensitive.
    pub search: Option<String>,
    pub status: Option<Status>,
    /// The last run seen.
    pub cursor: Option<RunId>,
    /// 0 means 20, more than 200 means 200.
    pub limit: u32,
}

impl RunQuery {
    /// The number of rows within bounds.
    pub const fn effective_limit(&self) -> u32 {
        match self.limit {
            0 => 20,
            1..=200 => self.limit,
            201.. => 200,
        }
    }
}

/// Which documents of a run, in its order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunDocumentQuery {
    pub status: Option<Status>,
    /// Why they failed.
    pub code: Option<FailureCode>,
    /// How many to pass over.
    pub offset: u32,
    /// 0 means 50, more than 500 means 500.
    pub limit: u32,
}

impl RunDocumentQuery {
    /// The number of rows within bounds.
    pub const fn effective_limit(&self) -> u32 {
        match self.limit {
            0 => 50,
            1..=500 => self.limit,
            501.. => 500,
        }
    }
}

/// What a run would take, from a few documents on which it was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimated {
    /// Documents of the run.
    pub documents: u64,
    /// Documents on which it was tried.
    pub tried: u32,
    /// Seconds, from and to.
    pub seconds: (f64, f64),
    /// Tokens, from and to; 0 when no model is asked.
    pub tokens: (u64, u64),
    /// The latest answers of the model by whose time it was counted; 0 when it gave none yet.
    #[serde(default)]
    pub answers_timed: u32,
    /// The latest answers of the model by whose fitness it was counted; 0 when there were none yet.
    #[serde(default)]
    pub answers_judged: u32,
    /// The share of answers that are sent back to be mended, from and to.
    #[serde(default)]
    pub mended: (f64, f64),
    /// The most questions in a minute, by all workers together; 0 when no model is asked.
    #[serde(default)]
    pub per_minute: u32,
    /// The latest questions of which it is known whether the model's server put them off.
    #[serde(default)]
    pub waits_known: u32,
    /// Of them, those that were put off: refused for a while, and asked again.
    #[serde(default)]
    pub put_off: u32,
    /// Seconds that are counted for that with each question, from and to.
    #[serde(default)]
    pub wait_seconds: (f64, f64),
    /// Money, from and to, where the operator said what tokens cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<(f64, f64)>,
}
