//! A flow or a run that is being written, on its way from a form to the page that shows it again.

use sheaf_domain::Failure;
use sheaf_domain::FlowId;

use crate::flow_form::Sent;
use crate::run_form::RunForm;

/// What was sent and is not kept yet.
#[derive(Clone, Debug, Default)]
pub struct FlowDraft {
    /// The flow and version that is changed; absent for a new one.
    pub based_on: Option<(FlowId, u32)>,
    pub sent: Sent,
    /// Whether documents are looked for.
    pub is_searching: bool,
    /// Whether a model may be asked for the document that it is tried on.
    pub may_ask: bool,
    /// Why it cannot be read or kept.
    pub failure: Option<Failure>,
}

/// A run that was not begun yet.
#[derive(Clone, Debug, Default)]
pub struct RunDraft {
    pub form: RunForm,
    /// Why it did not begin.
    pub failure: Option<Failure>,
}

/// What a form asked for and was refused, where there is no page of its own for that.
#[derive(Clone, Debug)]
pub struct FailedForm(pub Failure);
