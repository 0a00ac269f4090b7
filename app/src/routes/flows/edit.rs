//! One flow: its text, its steps with their problems, and what it gives for one document. Everything is one form, so that
//! nothing is lost when a step is added or moved.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use sheaf_domain::flow::{ActionKind, FlowProblem, FlowSpec, Step};
use sheaf_domain::{BatchId, DocumentId, FlowId};
use sheaf_engine::{Engine, FlowFile, StepTrial, templates};

use crate::boxed::Boxed;
use crate::components::failure::{FailurePage, FailureView};
use crate::draft::FlowDraft;
use crate::errors::AppError;
use crate::format::count;
use crate::routes::path_param;
use crate::server_fns::front_door::{engine, respond};

/// Values of a step that are shown when a flow is tried.
const SHOWN: usize = 20;

/// `/flows/new` and `/flows/:id`
#[component]
pub fn EditFlow() -> impl IntoView {
    let id = path_param::<FlowId>("id").get_untracked();
    let query = use_query_map().get_untracked();
    let sent = use_context::<FlowDraft>();
    let read = async move {
        let engine = engine()?;
        let draft = match (sent, id) {
            (Some(draft), _) => draft,
            (None, Some(id)) => {
                let flow = respond(engine.flow(id, None).await)?;
                let text = respond(FlowFile::Toml.write(&flow.spec))?;
                FlowDraft { based_on: Some((id, flow.version)), text, ..FlowDraft::default() }
            }
            (None, None) => {
                let key = query.get("template").unwrap_or_default();
                let spec =
                    templates().iter().find(|template| template.key == key).map(|template| template.spec.clone());
                let spec = spec.unwrap_or_else(|| FlowSpec { name: "New flow".to_owned(), ..FlowSpec::default() });
                FlowDraft { text: respond(FlowFile::Toml.write(&spec))?, ..FlowDraft::default() }
            }
        };
        let parse = |key: &str| query.get(key).filter(|text| !text.is_empty());
        let batch = parse("batch").and_then(|text| text.parse::<BatchId>().ok());
        let document = parse("document").and_then(|text| text.parse::<DocumentId>().ok());
        let trial = match (FlowFile::of(&draft.text).read(&draft.text), batch.zip(document)) {
            (Ok(spec), Some((batch, document))) => Some(engine.try_flow(&spec, batch, document).await),
            (Ok(_) | Err(_), _) => None,
        };
        Ok::<_, AppError>((draft, trial))
    };
    view! {
        <Title text="Flow" />
        <Suspense>
            {Suspend::new(async move {
                match read.await {
                    Ok((draft, trial)) => Either::Left(view! { <Editor draft trial /> }),
                    Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Suspense>
    }
    .boxed()
}

#[component]
fn Editor(draft: FlowDraft, trial: Option<Result<Vec<StepTrial>, sheaf_domain::Failure>>) -> impl IntoView {
    let FlowDraft { based_on, text, problems, failure } = draft;
    let spec = FlowFile::of(&text).read(&text).ok();
    let problems = match (&spec, problems.is_empty()) {
        (Some(spec), true) => Engine::check_flow(spec),
        (_, _) => problems,
    };
    let name = spec.as_ref().map_or_else(|| "Flow".to_owned(), |spec| spec.name.clone());
    let steps = spec.map(|spec| spec.steps).unwrap_or_default();
    let whole: Vec<FlowProblem> = problems.iter().filter(|problem| problem.step.is_none()).cloned().collect();
    let last = steps.len();
    let run = based_on.map(|(id, _)| format!("/runs/new?flow={id}"));
    let file = based_on.map(|(id, _)| format!("/api/flows/{id}/export?format=toml"));
    view! {
        <div class="page">
            <nav class="crumbs" aria-label="Where this is"><a href="/flows">"Flows"</a></nav>
            <h1>{name}</h1>
            {failure.map(|failure| view! { <FailureView failure /> })}
            <form method="post" action="/flows/draft" class="flow-editor">
                {based_on
                    .map(|(id, version)| {
                        view! {
                            <input type="hidden" name="id" value=id.to_string() />
                            <input type="hidden" name="version" value=version.to_string() />
                        }
                    })}
                <ol class="flow-steps" data-testid="steps">
                    {steps
                        .into_iter()
                        .enumerate()
                        .map(|(place, step)| {
                            let of_step = |problem: &&FlowProblem| problem.step == u32::try_from(place).ok();
                            let problems: Vec<FlowProblem> = problems.iter().filter(of_step).cloned().collect();
                            view! { <StepRow place last step problems /> }
                        })
                        .collect_view()}
                </ol>
                <Problems problems=whole />
                <fieldset class="flow-add">
                    <legend>"Add a step"</legend>
                    {ActionKind::ALL
                        .into_iter()
                        .map(|kind| {
                            view! {
                                <button
                                    class="button quiet"
                                    type="submit"
                                    name="change"
                                    value=format!("add:{kind}")
                                    title=kind.explained()
                                >
                                    {kind.label()}
                                </button>
                            }
                        })
                        .collect_view()}
                </fieldset>
                <label class="field">
                    <span>"The flow as text (TOML or JSON)"</span>
                    <textarea name="text" rows="24" spellcheck="false" class="flow-text">
                        {text}
                    </textarea>
                </label>
                <p class="actions">
                    <button class="button" type="submit" name="change" value="save" data-testid="save-flow">"Save"</button>
                    <button class="button quiet" type="submit" name="change" value="check">"Check"</button>
                    {run.map(|href| view! { <a class="button quiet" href=href>"Run"</a> })}
                    {file.map(|href| view! { <a class="button quiet" href=href>"Download"</a> })}
                </p>
            </form>
            <Trial based_on=based_on.map(|(id, _)| id) trial />
        </div>
    }
    .boxed()
}

#[component]
fn StepRow(place: usize, last: usize, step: Step, problems: Vec<FlowProblem>) -> impl IntoView {
    let kind = step.action.kind();
    let fields = step.output().map(|(fields, _)| fields.join(", "));
    let name = step.name;
    let button = |change: &str, text: &'static str, label: String, is_off: bool| {
        let value = format!("{change}:{place}");
        view! {
            <button class="button quiet" type="submit" name="change" value=value aria-label=label disabled=is_off>
                {text}
            </button>
        }
    };
    view! {
        <li class="flow-step" data-testid="step">
            <p class="flow-step-name">
                <strong>{name.clone()}</strong>
                <span class="fine">{kind.label()} {fields.map(|fields| format!(" gives {fields}"))}</span>
            </p>
            <p class="flow-step-moves">
                {button("up", "Up", format!("Move {name} up"), place == 0)}
                {button("down", "Down", format!("Move {name} down"), place + 1 == last)}
                {button("remove", "Remove", format!("Remove {name}"), false)}
            </p>
            <p class="fine">{if step.instructions.is_empty() { kind.explained().to_owned() } else { step.instructions }}</p>
            <Problems problems />
        </li>
    }
    .boxed()
}

#[component]
fn Problems(problems: Vec<FlowProblem>) -> impl IntoView {
    let row = |problem: FlowProblem| view! { <li><code>{problem.field}</code>": "{problem.message}</li> };
    (!problems.is_empty()).then(|| {
        view! {
            <ul class="flow-problems" role="alert">{problems.into_iter().map(row).collect_view()}</ul>
        }
    })
}

/// What each step gave for the chosen document.
#[component]
fn Trial(based_on: Option<FlowId>, trial: Option<Result<Vec<StepTrial>, sheaf_domain::Failure>>) -> impl IntoView {
    let shown = match trial {
        None => None,
        Some(Err(failure)) => Some(Either::Left(view! { <FailureView failure /> })),
        Some(Ok(steps)) => Some(Either::Right(steps.into_iter().map(|step| view! { <Tried step /> }).collect_view())),
    };
    based_on.map(|id| {
        view! {
            <section class="section" id="try" aria-labelledby="try-title">
                <h2 id="try-title">"Try on one document"</h2>
                <p class="fine">"The last two parts of the address of a document's page are the ids of its batch and of itself."</p>
                <form method="get" action=format!("/flows/{id}#try") class="search">
                    <label class="field grow"><span>"Batch"</span><input name="batch" required /></label>
                    <label class="field grow"><span>"Document"</span><input name="document" required /></label>
                    <button class="button quiet" type="submit">"Try"</button>
                </form>
                {shown}
            </section>
        }
    })
}

#[component]
fn Tried(step: StepTrial) -> impl IntoView {
    let more = step.values.len().saturating_sub(SHOWN);
    let row = |value: sheaf_domain::flow::FoundValue| {
        view! {
            <li>
                <strong>{value.value}</strong>
                <span class="fine">{format!(" {} ", value.field)}{value.page.map(|page| format!("page {page}"))}</span>
                {value.quote.map(|quote| view! { <q>{quote}</q> })}
            </li>
        }
    };
    view! {
        <section class="flow-tried" data-testid="tried">
            <h3>{step.name}</h3>
            {step.left_out.then(|| view! { <p>"The document is left out here."</p> })}
            {step.failure.map(|failure| view! { <FailureView failure /> })}
            {step.accuracy.and_then(|known| known.accuracy).map(|right| {
                let said = format!("{:.0} % of the examples got their label from the others.", right * 100.0);
                view! { <p class="fine">{said}</p> }
            })}
            <ul>{step.values.into_iter().take(SHOWN).map(row).collect_view()}</ul>
            {(more > 0).then(|| view! { <p class="fine">{format!("and {} more", count(more as u64))}</p> })}
        </section>
    }
    .boxed()
}
