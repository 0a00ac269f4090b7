//! One flow: its steps with their problems, and what they give for one document.

use leptos::either::Either;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use sheaf_domain::flow::{Action, FlowProblem, FlowSpec, LabelAccuracy};
use sheaf_domain::{BatchId, BatchQuery, DocumentId, DocumentQuery, Failure, FlowId, LibraryQuery, LibraryRow, Status};
use sheaf_engine::{Engine, templates};

use crate::boxed::Boxed;
use crate::components::failure::FailurePage;
use crate::components::flow::{Editor, Found, Trial, Visit};
use crate::draft::FlowDraft;
use crate::errors::AppError;
use crate::flow_form::Sent;
use crate::routes::path_param;
use crate::server_fns::front_door::{engine, respond};

/// Documents that are offered.
const OFFERED: u32 = 12;
/// Documents that are offered before any was looked for.
const AT_FIRST: u32 = 6;
/// Of them, from each of the latest batches.
const FROM_EACH: u32 = 2;

/// `/flows/new?template=` and `/flows/:id?batch=&document=`
#[component]
pub fn EditFlow() -> impl IntoView {
    let id = path_param::<FlowId>("id").get_untracked();
    let query = use_query_map().get_untracked();
    let sent = use_context::<FlowDraft>();
    let is_sent = sent.is_some();
    let read = async move {
        let engine = engine()?;
        let has_model = engine.has_model();
        let mut draft = match (sent, id) {
            (Some(draft), _) => draft,
            (None, Some(id)) => {
                let flow = respond(engine.flow(id, None).await)?;
                of_spec(flow.spec, Some((id, flow.version)))
            }
            (None, None) => of_spec(template(&query.get("template").unwrap_or_default()), None),
        };
        let given = |key: &str| query.get(key).filter(|text| !text.is_empty());
        let batch = given("batch").and_then(|text| text.parse::<BatchId>().ok());
        let document = given("document").and_then(|text| text.parse::<DocumentId>().ok());
        draft.sent.tried = draft.sent.tried.or(batch.zip(document));
        let is_saved = given("saved").is_some() && draft.based_on.is_some() && draft.failure.is_none() && !is_sent;
        let is_untouched = !is_sent && draft.sent.spec.steps.is_empty();
        look(&engine, draft).await.map(|looked| (looked, Visit { is_saved, is_untouched, has_model }))
    };
    view! {
        <Title text="Flow" />
        <Suspense>
            {Suspend::new(async move {
                match read.await {
                    Ok((Looked { draft, problems, trial, found, accuracies }, visit)) => {
                        Either::Left(view! { <Editor draft problems trial found accuracies visit /> })
                    }
                    Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Suspense>
        <script type="module" src="/flow-editor.js" nonce=use_nonce()></script>
    }
    .boxed()
}

fn of_spec(spec: FlowSpec, based_on: Option<(FlowId, u32)>) -> FlowDraft {
    FlowDraft { based_on, sent: Sent { spec, ..Sent::default() }, ..FlowDraft::default() }
}

fn template(key: &str) -> FlowSpec {
    let found = templates().iter().find(|template| template.key == key).map(|template| template.spec.clone());
    found.unwrap_or_else(|| FlowSpec { name: "New flow".to_owned(), ..FlowSpec::default() })
}

/// A draft with all that is shown beside it.
struct Looked {
    draft: FlowDraft,
    problems: Vec<FlowProblem>,
    trial: Option<Trial>,
    found: Option<Found>,
    /// By the places of steps.
    accuracies: Vec<(usize, LabelAccuracy)>,
}

async fn look(engine: &Engine, draft: FlowDraft) -> Result<Looked, AppError> {
    let spec = &draft.sent.spec;
    let mut problems = draft.sent.problems.clone();
    for problem in Engine::check_flow(spec) {
        if !problems.iter().any(|known| known.step == problem.step && known.field == problem.field) {
            problems.push(problem);
        }
    }
    let trial = match draft.sent.tried {
        Some((batch, document)) => Some(tried(engine, spec, &problems, (batch, document), draft.may_ask).await?),
        None => None,
    };
    // Before one is chosen some are offered.
    let found = match draft.is_searching || trial.is_none() {
        true => Some(found(engine, &draft.sent.search).await?),
        false => None,
    };
    let accuracies = accuracies(engine, spec, &problems, trial.as_ref()).await;
    Ok(Looked { draft, problems, trial, found, accuracies })
}

/// The steps before the first problem, and before the first question to a model unless one may be asked.
async fn tried(
    engine: &Engine,
    spec: &FlowSpec,
    problems: &[FlowProblem],
    (batch, document): (BatchId, DocumentId),
    may_ask: bool,
) -> Result<Trial, AppError> {
    let view = respond(engine.document(batch, document).await)?;
    let mut part = spec.clone();
    let wrong = problems.iter().filter_map(|problem| problem.step).min();
    part.steps.truncate(wrong.map_or(spec.steps.len(), |step| step as usize));
    let asks = part.steps.iter().position(|step| matches!(step.action, Action::Ask(_)));
    let waits = asks.is_some() && !may_ask && engine.has_model();
    if let Some(place) = asks.filter(|_| !may_ask) {
        part.steps.truncate(place);
    }
    if part.name.trim().is_empty() {
        "Flow".clone_into(&mut part.name);
    }
    let steps = match part.steps.is_empty() {
        true => Ok::<_, Failure>(Vec::new()),
        false => engine.try_flow(&part, batch, document).await,
    };
    Ok(Trial { batch, document, path: view.row.path, steps, waits })
}

async fn found(engine: &Engine, words: &str) -> Result<Found, AppError> {
    let filter = DocumentQuery {
        search: Some(words.to_owned()).filter(|words| !words.is_empty()),
        status: Some(Status::Completed),
        limit: if words.is_empty() { AT_FIRST } else { OFFERED },
        ..DocumentQuery::default()
    };
    let page = respond(engine.library(&LibraryQuery { batch: None, filter: filter.clone() }).await)?;
    let mut rows = page.items;
    if words.is_empty() && page.total > rows.len() as u64 {
        rows = of_several_batches(engine, filter, rows).await?;
    }
    let documents = rows.into_iter().map(|row| (row.batch, row.batch_name, row.document)).collect();
    Ok(Found { documents, total: page.total, is_empty_library: words.is_empty() && page.total == 0 })
}

/// The first documents of each of the latest batches, so that a large one does not hide the others; then those of `rest`.
async fn of_several_batches(
    engine: &Engine,
    filter: DocumentQuery,
    rest: Vec<LibraryRow>,
) -> Result<Vec<LibraryRow>, AppError> {
    let latest = BatchQuery { limit: AT_FIRST / FROM_EACH, ..BatchQuery::default() };
    let filter = DocumentQuery { limit: FROM_EACH, ..filter };
    let mut rows: Vec<LibraryRow> = Vec::new();
    for batch in respond(engine.batches(&latest).await)?.items {
        let of_batch = LibraryQuery { batch: Some(batch.id), filter: filter.clone() };
        rows.extend(respond(engine.library(&of_batch).await)?.items);
    }
    for row in rest {
        if rows.len() < AT_FIRST as usize && rows.iter().all(|known| known.document.id != row.document.id) {
            rows.push(row);
        }
    }
    Ok(rows)
}

/// How well the labels of steps are told apart, where that can be measured.
async fn accuracies(
    engine: &Engine,
    spec: &FlowSpec,
    problems: &[FlowProblem],
    trial: Option<&Trial>,
) -> Vec<(usize, LabelAccuracy)> {
    let mut accuracies = Vec::new();
    for (place, step) in spec.steps.iter().enumerate() {
        let Action::Classify(classify) = &step.action else { continue };
        if problems.iter().any(|problem| problem.step == u32::try_from(place).ok()) {
            continue;
        }
        let tried = trial.and_then(|trial| trial.steps.as_ref().ok()).and_then(|steps| steps.get(place)?.accuracy);
        let measured = match tried {
            Some(accuracy) => Some(accuracy),
            None => engine.label_accuracy(classify).await.ok(),
        };
        accuracies.extend(measured.map(|accuracy| (place, accuracy)));
    }
    accuracies
}
