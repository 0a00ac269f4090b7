//! Flows: kept in versions, checked, tried out and written to files; their runs, and the workers that carry them out.

mod ask;
mod backlog;
mod execute;
mod file;
mod finish;
mod labels;
mod pile;
mod steps;
mod templates;

mod estimate;
mod results;
mod run;
mod table;
mod work;

use sheaf_domain::flow::{Flow, FlowProblem, FlowSpec};
use sheaf_domain::{BatchId, DocumentId, Failure, FailureCode, FlowId};
use sheaf_store::Saved;
use uuid::Uuid;

use crate::Engine;
use crate::read::no_document;

pub use ask::{ModelConfig, ModelPrices, WrongEndpoint};
pub use backlog::{BacklogRequest, BacklogStatistics, BacklogTally};
pub use execute::{StepTrial, TrialTable};
pub use file::{FlowFile, flow_schema};
pub use results::{ResultPage, RowPlace, RunExport, Wanted};
pub use templates::{Template, templates};

pub(crate) use ask::Model;
pub(crate) use execute::PreparedFlows;
pub(crate) use steps::classify::NONE;
pub(crate) use steps::sentences::sentences;
pub(crate) use work::{Ended, Shift, work};

impl Engine {
    /// All problems of a flow, those that only show when it is prepared included; none, and it can be saved.
    pub fn check_flow(spec: &FlowSpec) -> Vec<FlowProblem> {
        let too_large = serde_json::to_vec(spec).map_or(0, |json| json.len()) > FlowSpec::MAX_BYTES;
        if too_large {
            let message = format!("the flow is larger than {} MiB; give it shorter lists", FlowSpec::MAX_BYTES >> 20);
            return vec![FlowProblem { step: None, field: "steps".to_owned(), message }];
        }
        let mut problems = spec.check();
        // What is missing altogether is told once.
        let more = execute::Prepared::new(spec).err().unwrap_or_default();
        let told =
            |one: &FlowProblem| problems.iter().any(|known| (known.step, &known.field) == (one.step, &one.field));
        let more: Vec<FlowProblem> = more.into_iter().filter(|problem| !told(problem)).collect();
        problems.extend(more);
        // In the order of the flow.
        problems.sort_by_key(|problem| problem.step);
        problems
    }

    /// Keeps a new flow, or the next version of the one that `based_on` names.
    ///
    /// # Errors
    /// `invalid_flow` with the first problem; `not_found`; `not_ready` when somebody else saved a version meanwhile; `storage`.
    pub async fn save_flow(&self, spec: &FlowSpec, based_on: Option<(FlowId, u32)>) -> Result<Flow, Failure> {
        refuse(spec, &Self::check_flow(spec))?;
        let (id, version) =
            based_on.map_or_else(|| (FlowId(Uuid::now_v7()), None), |(id, version)| (id, Some(version)));
        match self.store().save_flow(id, spec, version).await? {
            Saved::Version(version) => self.flow(id, Some(version)).await,
            Saved::Missing => Err(no_flow(id)),
            Saved::Outdated(version) => {
                Err(Failure::new(FailureCode::NotReady, format!("version {version} of the flow was saved meanwhile"))
                    .with_hint("Open the flow again and repeat the change there."))
            }
        }
    }

    /// The latest version of each flow.
    ///
    /// # Errors
    /// `storage`.
    pub async fn flows(&self) -> Result<Vec<Flow>, Failure> {
        Ok(self.store().flows().await?)
    }

    /// One version, the latest when absent.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn flow(&self, flow: FlowId, version: Option<u32>) -> Result<Flow, Failure> {
        self.store().flow(flow, version).await?.ok_or_else(|| no_flow(flow))
    }

    /// All versions, the latest first.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn flow_versions(&self, flow: FlowId) -> Result<Vec<Flow>, Failure> {
        let versions = self.store().flow_versions(flow).await?;
        if versions.is_empty() { Err(no_flow(flow)) } else { Ok(versions) }
    }

    /// Takes a flow off the list; its runs stay.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn delete_flow(&self, flow: FlowId) -> Result<(), Failure> {
        if self.store().delete_flow(flow).await? { Ok(()) } else { Err(no_flow(flow)) }
    }

    /// What each step gives for one document; nothing is kept. A flow with problems is tried as far as it can be prepared.
    ///
    /// # Errors
    /// `invalid_flow`, `not_found`, `not_ready` when the document was not read, `storage`. What goes wrong in a step is told
    /// at that step.
    pub async fn try_flow(
        &self,
        spec: &FlowSpec,
        batch: BatchId,
        document: DocumentId,
    ) -> Result<Vec<StepTrial>, Failure> {
        let problems = Self::check_flow(spec);
        refuse(spec, &problems)?;
        let prepared = execute::Prepared::new(spec).map_err(|problems| invalid(spec, &problems))?;
        let document = self.flow_document(batch, document).await?;
        Ok(execute::trial(self, &prepared, &document).await)
    }

    /// A document as steps see it.
    pub(crate) async fn flow_document(
        &self,
        batch: BatchId,
        document: DocumentId,
    ) -> Result<sheaf_store::DocumentText, Failure> {
        if let Some(found) = self.store().document_text(batch, document).await? {
            return Ok(found);
        }
        let (_, row) = self.store().document(batch, document).await?.ok_or_else(|| no_document(document))?;
        Err(row.failure.unwrap_or_else(|| {
            Failure::new(FailureCode::NotReady, format!("document `{}` was not read yet", row.path))
                .with_hint("Wait until its batch is done, then try again.")
        }))
    }

    /// Whether a language model can be asked.
    pub fn has_model(&self) -> bool {
        self.config().model.is_some()
    }
}

/// The first problem as a failure.
fn refuse(spec: &FlowSpec, problems: &[FlowProblem]) -> Result<(), Failure> {
    if problems.is_empty() { Ok(()) } else { Err(invalid(spec, problems)) }
}

fn invalid(spec: &FlowSpec, problems: &[FlowProblem]) -> Failure {
    let Some(problem) = problems.first() else {
        return Failure::new(FailureCode::InvalidFlow, "the flow has a problem");
    };
    let step = problem.step.and_then(|step| spec.steps.get(step as usize).map(|found| (step + 1, &found.name)));
    let place = step.map_or_else(String::new, |(number, name)| format!("step {number} (`{name}`), "));
    let more = match problems.len() {
        1 => String::new(),
        number => format!(" (and {} more)", number - 1),
    };
    Failure::new(FailureCode::InvalidFlow, format!("{place}`{}`: {}{more}", problem.field, problem.message))
}

fn no_flow(flow: FlowId) -> Failure {
    Failure::new(FailureCode::NotFound, format!("there is no flow `{flow}`"))
        .with_hint("Go back to the list of flows; it may have been deleted.")
}
