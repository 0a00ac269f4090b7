//! Flows: saved, versioned lists of steps that turn documents into tables, and their runs. It owns the words, what a step may
//! hold and what is wrong with one; it refuses to execute anything.

mod step;

mod check;
mod columns;

mod ask;
mod format;
mod labels;

mod run;
mod value;

use serde::{Deserialize, Serialize};

use crate::ids::FlowId;

pub use ask::{Answer, Ask, AskField, FieldKind, Rows};
pub use check::FlowProblem;
pub use columns::{Column, ColumnName, DOCUMENT, Multiplicity, OF_DOCUMENT};
pub use format::{ChosenColumn, FileFormat, Format};
pub use labels::{Classify, Label, LabelAccuracy};
pub use run::{
    BatchUse, Estimated, FlowRun, NewRun, RunChange, RunDocument, RunDocumentQuery, RunDocuments, RunFailures,
    RunQuery, RunSelection,
};
pub use step::{Action, ActionKind, Find, Keywords, PageRange, Resolve, Select, Step, Summary, What};
pub use value::{Exchange, FoundValue, Review, RunValue, ValueQuery, ValueReview};

/// What a flow is made of: the content of its file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FlowSpec {
    /// How people call it.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// In the order in which they are done.
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// A flow in one of its versions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    pub id: FlowId,
    /// From 1; each save makes the next.
    pub version: u32,
    /// When this version was saved; seconds since 1970, UTC.
    pub saved_at: i64,
    /// In JSON its fields stand beside the others.
    #[serde(flatten)]
    pub spec: FlowSpec,
}

impl FlowSpec {
    /// The longest name, in characters.
    pub const LONGEST_NAME: usize = 200;
    /// The most steps.
    pub const MAX_STEPS: usize = 40;
    /// The largest flow as JSON, in bytes: dictionaries of tens of thousands of terms fit.
    pub const MAX_BYTES: usize = 16 << 20;

    /// How the result is written: by its step, or all columns as CSV when it has none.
    pub fn format(&self) -> Format {
        let chosen = self.steps.iter().find_map(|step| match &step.action {
            Action::Format(format) => Some(format.clone()),
            Action::Select(_)
            | Action::Find(_)
            | Action::Classify(_)
            | Action::Ask(_)
            | Action::Resolve(_)
            | Action::Keywords(_)
            | Action::Summary(_) => None,
        });
        let mut format = chosen.unwrap_or_default();
        if format.columns.is_empty() {
            format.columns = self.default_columns();
        }
        format
    }

    /// The document's path and every column of every step.
    fn default_columns(&self) -> Vec<ChosenColumn> {
        let path = ChosenColumn { from: format!("{DOCUMENT}.path"), name: String::new() };
        let found = self.columns().into_iter().filter(|column| column.name.step != DOCUMENT);
        std::iter::once(path)
            .chain(found.map(|column| ChosenColumn { from: column.name.to_string(), name: String::new() }))
            .collect()
    }

    /// Whether a language model is asked.
    pub fn asks(&self) -> bool {
        self.steps.iter().any(|step| step.action.kind() == ActionKind::Ask)
    }
}

#[cfg(test)]
mod tests;
