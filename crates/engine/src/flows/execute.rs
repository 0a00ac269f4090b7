//! Carries a flow out on one document, step by step. What is in the document changes values only, never what is done.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use sheaf_domain::flow::{
    Action, ActionKind, Ask, Classify, ColumnName, FlowProblem, FlowSpec, FoundValue, LabelAccuracy, OF_DOCUMENT,
    Review, RunValue, Select,
};
use sheaf_domain::{Failure, ModelName};
use sheaf_store::{DocumentText, RunClaim, RunFound};
use tokio::task::spawn_blocking;

use super::ask;
use super::labels::Labels;
use super::steps::find::Finder;
use super::steps::resolve::Resolver;
use super::steps::{Passage, classify, keywords, select, summary};
use super::table::{Subject, Table};
use crate::{Engine, internal};

/// The most values of one document, so that no pattern fills the disk.
const MOST_VALUES: usize = 200_000;

/// A flow with everything that its steps need. Cheap to clone.
#[derive(Clone)]
pub struct Prepared {
    pub spec: Arc<FlowSpec>,
    steps: Arc<[Ready]>,
}

/// One step, ready to be done.
enum Ready {
    Select(Select),
    Find {
        finder: Finder,
        within: Option<String>,
    },
    Classify {
        classify: Classify,
        labels: Labels,
    },
    Ask(Ask),
    Resolve {
        resolver: Resolver,
        column: ColumnName,
    },
    Keywords(u32),
    Summary(u32),
    /// It says how results are written, and does nothing to a document.
    Format,
}

impl Prepared {
    /// # Errors
    /// What is wrong with patterns, lists and tables, each at its step.
    pub fn new(spec: &FlowSpec) -> Result<Self, Vec<FlowProblem>> {
        let mut problems = Vec::new();
        let mut steps = Vec::new();
        for (place, step) in spec.steps.iter().enumerate() {
            match ready(&step.action) {
                Ok(step) => steps.push(step),
                Err((field, message)) => {
                    let step = u32::try_from(place).ok();
                    problems.push(FlowProblem { step, field: field.to_owned(), message });
                }
            }
        }
        if problems.is_empty() { Ok(Self { spec: Arc::new(spec.clone()), steps: steps.into() }) } else { Err(problems) }
    }
}

impl Prepared {
    /// The first step that gives labels, and how well it tells them apart; its classifier is made for that and kept.
    ///
    /// # Errors
    /// See [`Labels::of`].
    pub async fn accuracy(&self, engine: &Engine) -> Result<Option<(ModelName, LabelAccuracy)>, Failure> {
        for ready in self.steps.iter() {
            if let Ready::Classify { classify, labels } = ready {
                let model = engine.models().get(classify.model).await?;
                let trained = labels.of(engine, classify, &model, None).await?;
                return Ok(Some((classify.model, trained.accuracy())));
            }
        }
        Ok(None)
    }
}

fn ready(action: &Action) -> Result<Ready, (&'static str, String)> {
    Ok(match action {
        Action::Select(select) => Ready::Select(select.clone()),
        Action::Find(find) => Ready::Find { finder: Finder::new(find)?, within: find.within.clone() },
        Action::Classify(classify) => Ready::Classify { classify: classify.clone(), labels: Labels::default() },
        Action::Ask(ask) => Ready::Ask(ask.clone()),
        Action::Resolve(resolve) => Ready::Resolve {
            resolver: Resolver::new(resolve).map_err(|error| ("table", error))?,
            column: resolve.column.parse().map_err(|_| ("column", format!("`{}` is no column", resolve.column)))?,
        },
        Action::Keywords(keywords) => Ready::Keywords(keywords.count),
        Action::Summary(summary) => Ready::Summary(summary.sentences),
        Action::Format(_) => Ready::Format,
    })
}

/// What one step gave for a document that it was tried on.
#[derive(Clone, Debug, Serialize)]
pub struct StepTrial {
    /// Its place, from 0.
    pub step: u32,
    pub name: String,
    #[serde(rename = "do", serialize_with = "by_name")]
    pub kind: ActionKind,
    pub values: Vec<FoundValue>,
    /// Tokens that a model used.
    pub tokens: u64,
    pub seconds: f64,
    /// Characters of the text that the step after it sees.
    pub characters: u64,
    /// Whether the document is left out from here on.
    pub left_out: bool,
    /// How well the labels of the step are told apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<LabelAccuracy>,
    pub failure: Option<Failure>,
    /// Of the step that formats: what the document's rows of the result are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<TrialTable>,
}

/// A document's part of the result.
#[derive(Clone, Debug, Serialize)]
pub struct TrialTable {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

fn by_name<S: serde::Serializer>(kind: &ActionKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.name())
}

/// What is known of a document on its way through the steps.
struct Progress<'a> {
    document: &'a Arc<DocumentText>,
    selections: Vec<Select>,
    values: Vec<FoundValue>,
    left_out: bool,
    tokens: u64,
    /// Of the labels of the last step that had some.
    accuracy: Option<LabelAccuracy>,
}

impl<'a> Progress<'a> {
    const fn new(document: &'a Arc<DocumentText>) -> Self {
        Self { document, selections: Vec::new(), values: Vec::new(), left_out: false, tokens: 0, accuracy: None }
    }

    /// The values of one column.
    fn column(&self, column: &ColumnName) -> Vec<FoundValue> {
        if column.step == sheaf_domain::flow::DOCUMENT {
            return vec![FoundValue { value: of_document(self.document, &column.field), ..FoundValue::default() }];
        }
        let of_column = |value: &&FoundValue| value.step == column.step && value.field == column.field;
        self.values.iter().filter(of_column).cloned().collect()
    }

    fn of_step(&self, step: &str) -> Vec<FoundValue> {
        self.values.iter().filter(|value| value.step == step).cloned().collect()
    }

    /// What the result has of the document so far.
    fn table(&self, spec: &FlowSpec) -> TrialTable {
        let (table, document) = (Table::new(spec), self.document);
        let fields = OF_DOCUMENT.map(|field| (field, of_document(document, field)));
        let value = |(number, found): (u32, &FoundValue)| RunValue {
            document: document.document,
            batch: document.batch,
            path: document.path.clone(),
            number,
            found: found.clone(),
            review: Review::None,
            corrected: None,
            stands: true,
        };
        let values: Vec<RunValue> = (0..).zip(&self.values).map(value).collect();
        TrialTable { columns: table.headings(), rows: table.rows(&Subject { fields: fields.into() }, &values) }
    }

    fn characters(&self) -> u64 {
        seen(self.document, &self.selections).iter().map(|passage| passage.text.chars().count() as u64).sum()
    }
}

/// What is known of a document before the first step.
pub fn of_document(document: &DocumentText, field: &str) -> String {
    match field {
        "path" => document.path.clone(),
        "id" => document.document.to_string(),
        "kind" => document.kind.to_string(),
        "language" => document.language.clone().unwrap_or_default(),
        "pages" => document.pages.len().to_string(),
        _ => String::new(),
    }
}

/// What the selections leave of a document.
fn seen<'a>(document: &'a DocumentText, selections: &[Select]) -> Vec<Passage<'a>> {
    selections.iter().fold(select::whole(document), |passages, selection| select::narrow(selection, passages))
}

/// Runs every step for a document of a run.
///
/// # Errors
/// The failure of the step that cannot be done.
pub async fn execute(
    engine: &Engine,
    prepared: &Prepared,
    document: DocumentText,
    claim: &RunClaim,
) -> Result<RunFound, Failure> {
    let document = Arc::new(document);
    let mut progress = Progress::new(&document);
    for place in 0..prepared.steps.len() {
        step(engine, prepared, place, &mut progress, Some(claim)).await?;
        if progress.left_out {
            break;
        }
    }
    if progress.values.len() > MOST_VALUES {
        let message = format!("the steps found more than {MOST_VALUES} values in it");
        return Err(Failure::new(sheaf_domain::FailureCode::DocumentLimit, message)
            .with_hint("Give the steps that find something a lower limit."));
    }
    let values = if progress.left_out { Vec::new() } else { progress.values };
    Ok(RunFound { values, left_out: progress.left_out })
}

/// Runs every step up to the first that fails, and tells what each gave.
pub async fn trial(engine: &Engine, prepared: &Prepared, document: &DocumentText) -> Vec<StepTrial> {
    let document = Arc::new(document.clone());
    let mut progress = Progress::new(&document);
    let mut trials = Vec::new();
    for (place, of) in prepared.spec.steps.iter().enumerate() {
        let (since, before, tokens) = (Instant::now(), progress.values.len(), progress.tokens);
        let done = step(engine, prepared, place, &mut progress, None).await;
        trials.push(StepTrial {
            step: u32::try_from(place).unwrap_or(u32::MAX),
            name: of.name.clone(),
            kind: of.action.kind(),
            values: progress.values[before..].to_vec(),
            tokens: progress.tokens - tokens,
            seconds: since.elapsed().as_secs_f64(),
            characters: progress.characters(),
            left_out: progress.left_out,
            accuracy: progress.accuracy.take(),
            failure: done.as_ref().err().cloned(),
            table: (of.action.kind() == ActionKind::Format).then(|| progress.table(&prepared.spec)),
        });
        if done.is_err() || progress.left_out {
            break;
        }
    }
    trials
}

async fn step(
    engine: &Engine,
    prepared: &Prepared,
    place: usize,
    progress: &mut Progress<'_>,
    claim: Option<&RunClaim>,
) -> Result<(), Failure> {
    let name = prepared.spec.steps[place].name.clone();
    let document = Arc::clone(progress.document);
    let selections = progress.selections.clone();
    let steps = Arc::clone(&prepared.steps);
    let language = document.language.clone();
    let found = match &prepared.steps[place] {
        Ready::Format => Vec::new(),
        Ready::Select(selection) => {
            progress.selections.push(selection.clone());
            let empty = seen(&document, &progress.selections).iter().all(|passage| passage.text.trim().is_empty());
            progress.left_out = empty || !select::takes(selection, &document);
            Vec::new()
        }
        Ready::Find { within, .. } => {
            let earlier = within.as_ref().map(|within| progress.of_step(within));
            let run = move || match &steps[place] {
                Ready::Find { finder, .. } => finder.run(&name, &seen(&document, &selections), earlier.as_deref()),
                Ready::Select(_) | Ready::Classify { .. } | Ready::Ask(_) | Ready::Resolve { .. } => Vec::new(),
                Ready::Keywords(_) | Ready::Summary(_) | Ready::Format => Vec::new(),
            };
            spawn_blocking(run).await.map_err(internal)?
        }
        Ready::Classify { classify, labels } => {
            let model = engine.models().get(classify.model).await?;
            let trained = labels.of(engine, classify, &model, claim.map(|claim| claim.run)).await?;
            progress.accuracy = Some(trained.accuracy());
            let classify = classify.clone();
            let run = move || classify::run(&name, &classify, &*model, &trained, &seen(&document, &selections));
            spawn_blocking(run).await.map_err(internal)??
        }
        Ready::Ask(ask) => {
            let instructions = &prepared.spec.steps[place].instructions;
            let passages = seen(&document, &selections);
            let question = ask::Question { step: &name, instructions, ask, passages: &passages };
            let (values, tokens) = ask::run(engine, &question, claim).await?;
            progress.tokens += tokens;
            values
        }
        Ready::Resolve { column, .. } => {
            let source = progress.column(column);
            let run = move || match &steps[place] {
                Ready::Resolve { resolver, .. } => resolver.run(&name, &source.iter().collect::<Vec<_>>()),
                Ready::Select(_) | Ready::Classify { .. } | Ready::Ask(_) | Ready::Find { .. } => Vec::new(),
                Ready::Keywords(_) | Ready::Summary(_) | Ready::Format => Vec::new(),
            };
            spawn_blocking(run).await.map_err(internal)?
        }
        &Ready::Keywords(count) => {
            let run = move || keywords::run(&name, count, &seen(&document, &selections), language.as_deref());
            spawn_blocking(run).await.map_err(internal)?
        }
        &Ready::Summary(count) => {
            let run = move || summary::run(&name, count, &seen(&document, &selections), language.as_deref());
            spawn_blocking(run).await.map_err(internal)?
        }
    };
    progress.values.extend(found);
    Ok(())
}

/// Tokens that the questions of a flow about a document would cost, from and to; nothing is asked.
pub fn foreseen(prepared: &Prepared, document: &DocumentText) -> ask::Cost {
    let mut selections = Vec::new();
    let mut total = ask::Cost::default();
    for (place, ready) in prepared.steps.iter().enumerate() {
        match ready {
            Ready::Select(selection) => {
                selections.push(selection.clone());
                let empty = seen(document, &selections).iter().all(|passage| passage.text.trim().is_empty());
                if empty || !select::takes(selection, document) {
                    return total; // It is left out from here on.
                }
            }
            Ready::Ask(ask) => {
                let of = &prepared.spec.steps[place];
                let passages = seen(document, &selections);
                let question =
                    ask::Question { step: &of.name, instructions: &of.instructions, ask, passages: &passages };
                total = total + question.cost();
            }
            Ready::Find { .. }
            | Ready::Classify { .. }
            | Ready::Resolve { .. }
            | Ready::Keywords(_)
            | Ready::Summary(_)
            | Ready::Format => {}
        }
    }
    total
}

/// Flows that were prepared lately, by version: what compiling a large dictionary costs is paid once.
#[derive(Default)]
pub struct PreparedFlows(tokio::sync::Mutex<HashMap<(sheaf_domain::FlowId, u32), Prepared>>);

/// So many are kept.
const KEPT: usize = 16;

impl PreparedFlows {
    /// A version of a flow, prepared.
    ///
    /// # Errors
    /// `not_found`; `invalid_flow` when it was saved by a version of Sheaf that allowed more; `storage`.
    pub async fn get(&self, engine: &Engine, key: (sheaf_domain::FlowId, u32)) -> Result<Prepared, Failure> {
        let mut kept = self.0.lock().await;
        if let Some(prepared) = kept.get(&key) {
            return Ok(prepared.clone());
        }
        let flow = engine.flow(key.0, Some(key.1)).await?;
        let prepare = move || Prepared::new(&flow.spec).map_err(|problems| super::invalid(&flow.spec, &problems));
        let prepared = spawn_blocking(prepare).await.map_err(internal)??;
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, prepared.clone());
        Ok(prepared)
    }
}
