//! A flow that is being written, on its way from a form to the page that shows it again.

use sheaf_domain::Failure;
use sheaf_domain::FlowId;
use sheaf_domain::flow::FlowProblem;

/// What was sent and is not kept yet.
#[derive(Clone, Debug, Default)]
pub struct FlowDraft {
    /// The flow and version that is changed; absent for a new one.
    pub based_on: Option<(FlowId, u32)>,
    /// As TOML or JSON.
    pub text: String,
    pub problems: Vec<FlowProblem>,
    /// Why it cannot be read or kept.
    pub failure: Option<Failure>,
}
