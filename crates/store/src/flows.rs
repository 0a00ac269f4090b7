//! What Sheaf remembers of flows: every version that was saved.

use async_trait::async_trait;
use sheaf_domain::FlowId;
use sheaf_domain::flow::{Flow, FlowSpec};

use crate::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// How saving a flow ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// As this version.
    Version(u32),
    /// Somebody else saved this later version meanwhile.
    Outdated(u32),
    /// There is no such flow.
    Missing,
}

/// Flows. Every method is one transaction.
#[async_trait]
pub trait FlowStore: Send + Sync + 'static {
    /// Saves the next version of a flow. `based_on` is the version that was changed; absent, a new flow begins. The same
    /// content as that version makes no new one.
    async fn save_flow(&self, flow: FlowId, spec: &FlowSpec, based_on: Option<u32>) -> Result<Saved>;
    /// The latest version of each flow, the one that was saved last first.
    async fn flows(&self) -> Result<Vec<Flow>>;
    /// One version of a flow, the latest when absent. Versions of a flow that was deleted stay for its runs.
    async fn flow(&self, flow: FlowId, version: Option<u32>) -> Result<Option<Flow>>;
    /// All versions, the latest first.
    async fn flow_versions(&self, flow: FlowId) -> Result<Vec<Flow>>;
    /// Takes a flow off the list; `false` when there is none.
    async fn delete_flow(&self, flow: FlowId) -> Result<bool>;
}
