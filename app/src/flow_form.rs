//! The form in which a flow is written, read field by field into the flow that it describes. What cannot be read stands beside
//! its step as a problem, and comes back as it was typed. The names of fields are given here and nowhere else.

mod change;
mod fields;
mod steps;

use std::collections::BTreeMap;

use sheaf_domain::flow::{Action, ActionKind, FlowProblem, FlowSpec, Step};
use sheaf_domain::{BatchId, DocumentId};

pub use change::{Change, Row, RowChange, UnknownChange};
pub use fields::Fields;

use steps::StepFields;

/// What was typed into fields that could not be read, by the name of the field.
pub type Typed = BTreeMap<String, String>;

/// What a form says.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    pub spec: FlowSpec,
    /// What could not be read. Whether the flow is right is another question.
    pub problems: Vec<FlowProblem>,
    pub typed: Typed,
    /// The document that it is tried on.
    pub tried: Option<(BatchId, DocumentId)>,
    /// Words by which such a document is looked for.
    pub search: String,
}

/// The name of a field of the step at this place of the form.
pub fn field(step: usize, name: &str) -> String {
    format!("s{step}.{name}")
}

/// The name of a field in a row of a list of a step.
pub fn row_field(step: usize, list: &str, row: usize, name: &str) -> String {
    format!("s{step}.{list}.{row}.{name}")
}

/// Reads a form, changed as its button says.
pub fn read(fields: &Fields, change: &Change) -> Sent {
    let mut sent = Sent {
        spec: FlowSpec { name: fields.text("name"), description: fields.text("description"), steps: Vec::new() },
        tried: fields.last("try").and_then(place),
        search: fields.text("try_q"),
        ..Sent::default()
    };
    let mut keys = fields.all("step");
    change.move_steps(&mut keys);
    let mut renamed = BTreeMap::new();
    for (place, key) in keys.iter().enumerate() {
        let mut of = StepFields::new(fields, change, key, place);
        let step = of.read();
        if let Some(was) = fields.last(&format!("s{key}.was")).filter(|was| !was.is_empty() && *was != step.name) {
            renamed.insert(was.to_owned(), step.name.clone());
        }
        sent.problems.append(&mut of.problems);
        sent.typed.append(&mut of.typed);
        sent.spec.steps.push(step);
    }
    for step in &mut sent.spec.steps {
        rename(&mut step.action, &renamed);
    }
    if let Change::Add(kind) = change {
        add(&mut sent.spec, *kind);
    }
    sent
}

/// `BATCH/DOCUMENT`
fn place(text: &str) -> Option<(BatchId, DocumentId)> {
    let (batch, document) = text.split_once('/')?;
    Some((batch.parse().ok()?, document.parse().ok()?))
}

/// Steps that name one which has another name now follow it.
fn rename(action: &mut Action, renamed: &BTreeMap<String, String>) {
    let column = |column: &mut String| {
        let new = column.split_once('.').and_then(|(step, field)| Some(format!("{}.{field}", renamed.get(step)?)));
        if let Some(new) = new {
            *column = new;
        }
    };
    match action {
        Action::Find(find) => {
            if let Some(new) = find.within.as_ref().and_then(|within| renamed.get(within)) {
                find.within = Some(new.clone());
            }
        }
        Action::Resolve(resolve) => column(&mut resolve.column),
        Action::Format(format) => format.columns.iter_mut().for_each(|chosen| column(&mut chosen.from)),
        Action::Select(_) | Action::Classify(_) | Action::Ask(_) | Action::Keywords(_) | Action::Summary(_) => {}
    }
}

/// A step of this kind at the end; what formats the result stays last.
fn add(spec: &mut FlowSpec, kind: ActionKind) {
    let names = (1..).map(|number| if number == 1 { kind.name().to_owned() } else { format!("{kind}_{number}") });
    let free = |name: &String| !spec.steps.iter().any(|step| step.name == *name);
    let name = names.into_iter().find(free).unwrap_or_default();
    let step = Step { name, instructions: String::new(), action: kind.new_action() };
    let ends = spec.steps.last().is_some_and(|step| step.action.kind() == ActionKind::Format);
    spec.steps.insert(spec.steps.len() - usize::from(ends), step);
}

#[cfg(test)]
mod tests;
