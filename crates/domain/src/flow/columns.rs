//! What each step gives: the columns that the steps after it, and the result, can use.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::FlowSpec;
use super::ask::Rows;
use super::step::{Action, Find, Step, What};
use crate::status::UnknownName;

/// The step whose columns every document has from the beginning.
pub const DOCUMENT: &str = "document";

/// What is known of a document before the first step.
pub const OF_DOCUMENT: [&str; 5] = ["path", "id", "kind", "language", "pages"];

/// Where a column comes from: `step.field`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnName {
    pub step: String,
    pub field: String,
}

impl fmt::Display for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.step, self.field)
    }
}

impl FromStr for ColumnName {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (step, field) = text.split_once('.').ok_or_else(|| UnknownName::new("column", text))?;
        Ok(Self { step: step.trim().to_owned(), field: field.trim().to_owned() })
    }
}

/// How many values a document has in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Multiplicity {
    /// At most one.
    One,
    /// One in each row of its step.
    Many,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: ColumnName,
    pub multiplicity: Multiplicity,
}

impl Step {
    /// The fields that it gives, and how many rows; `None` for a step that gives no values.
    pub fn output(&self) -> Option<(Vec<&str>, Multiplicity)> {
        match &self.action {
            Action::Select(_) | Action::Format(_) => None,
            Action::Find(find) => Some((find_fields(find), Multiplicity::Many)),
            Action::Classify(_) => Some((vec!["label", "probability", "confidence"], Multiplicity::One)),
            Action::Ask(ask) => {
                let rows = match ask.rows {
                    Rows::One => Multiplicity::One,
                    Rows::Many => Multiplicity::Many,
                };
                Some((ask.fields.iter().map(|field| field.name.as_str()).collect(), rows))
            }
            Action::Resolve(_) => Some((vec!["id", "name", "how"], Multiplicity::Many)),
            Action::Keywords(_) => Some((vec!["keyword"], Multiplicity::Many)),
            Action::Summary(_) => Some((vec!["sentence"], Multiplicity::Many)),
        }
    }
}

fn find_fields(find: &Find) -> Vec<&'static str> {
    match find.what {
        What::Pattern | What::Emails | What::Dois => vec!["value"],
        What::Terms | What::Genes => vec!["value", "id"],
        What::Dates => vec!["value", "date"],
        What::Money => vec!["value", "amount", "currency"],
    }
}

impl FlowSpec {
    /// All columns, those of the document first, then those of each step in order.
    pub fn columns(&self) -> Vec<Column> {
        self.columns_before(self.steps.len())
    }

    /// The columns that the step at this place (from 0) can use.
    pub fn columns_before(&self, place: usize) -> Vec<Column> {
        let of_document = OF_DOCUMENT.iter().map(|field| column(DOCUMENT, field, Multiplicity::One));
        let mut columns: Vec<Column> = of_document.collect();
        for step in self.steps.iter().take(place) {
            let Some((fields, multiplicity)) = step.output() else { continue };
            // What is resolved has as many rows as what it was resolved from.
            let multiplicity = match &step.action {
                Action::Resolve(resolve) => {
                    let source = columns.iter().find(|column| column.name.to_string() == resolve.column);
                    source.map_or(multiplicity, |source| source.multiplicity)
                }
                Action::Select(_)
                | Action::Find(_)
                | Action::Classify(_)
                | Action::Ask(_)
                | Action::Keywords(_)
                | Action::Summary(_)
                | Action::Format(_) => multiplicity,
            };
            columns.extend(fields.into_iter().map(|field| column(&step.name, field, multiplicity)));
        }
        columns
    }
}

fn column(step: &str, field: &str, multiplicity: Multiplicity) -> Column {
    Column { name: ColumnName { step: step.to_owned(), field: field.to_owned() }, multiplicity }
}
