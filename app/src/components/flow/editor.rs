//! The whole form of a flow, and the choice of a document to try it on.

use leptos::either::Either;
use leptos::prelude::*;
use sheaf_domain::flow::{ActionKind, FlowProblem, LabelAccuracy};
use sheaf_domain::{BatchId, DocumentId, DocumentRow, Failure, FlowId};
use sheaf_engine::StepTrial;

use super::inputs::StepForm;
use super::step::{Beside, StepCard};
use crate::boxed::Boxed;
use crate::components::failure::FailureView;
use crate::draft::FlowDraft;
use crate::format::{count, counted};

/// What the flow gives for the document that was chosen.
#[derive(Clone, Debug)]
pub struct Trial {
    pub batch: BatchId,
    pub document: DocumentId,
    pub path: String,
    pub steps: Result<Vec<StepTrial>, Failure>,
    /// Whether a model would have to be asked, which is done on demand only.
    pub waits: bool,
}

/// Documents that were looked for, to try the flow on one.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub documents: Vec<(BatchId, String, DocumentRow)>,
    pub total: u64,
    /// Whether there is none at all.
    pub is_empty_library: bool,
}

/// How it comes that the form is shown.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    /// Whether it was saved just now.
    pub is_saved: bool,
    /// Whether nothing was done yet, so that what is missing is no mistake.
    pub is_untouched: bool,
    /// Whether the operator allowed a model to be asked.
    pub has_model: bool,
}

#[component]
pub fn Editor(
    draft: FlowDraft,
    problems: Vec<FlowProblem>,
    trial: Option<Trial>,
    found: Option<Found>,
    /// By the places of steps.
    accuracies: Vec<(usize, LabelAccuracy)>,
    visit: Visit,
) -> impl IntoView {
    let Visit { is_saved, is_untouched, has_model } = visit;
    let FlowDraft { based_on, sent, is_searching: _, may_ask: _, failure } = draft;
    let spec = sent.spec;
    let title = if spec.name.is_empty() { "New flow".to_owned() } else { spec.name.clone() };
    let whole = |field: &str| -> Option<String> {
        let of = |problem: &&FlowProblem| problem.step.is_none() && problem.field == field;
        problems.iter().find(of).map(|problem| problem.message.clone())
    };
    let (name_problem, steps_problem) = (whole("name"), whole("steps"));
    let cards = spec
        .steps
        .iter()
        .enumerate()
        .map(|(place, step)| {
            let of_step = |problem: &&FlowProblem| problem.step == u32::try_from(place).ok();
            let problems = problems.iter().filter(of_step).cloned().collect();
            let form = StepForm { place, problems, typed: sent.typed.clone() };
            let tried = trial.as_ref().and_then(|trial| {
                let of = trial.steps.as_ref().ok()?.iter().find(|tried| tried.step as usize == place)?;
                Some((of.clone(), trial.batch, trial.document))
            });
            let accuracy = accuracies.iter().find(|(of, _)| *of == place).map(|(_, accuracy)| *accuracy);
            let beside = Beside { trial: tried, is_tried: trial.is_some(), accuracy, has_model };
            view! { <StepCard form spec=spec.clone() step=step.clone() beside /> }
        })
        .collect_view();
    let to_mend = (!problems.is_empty() && !is_untouched).then(|| view! { <ToMend problems=problems.clone() /> });
    let steps_problem = match is_untouched {
        true => Either::Left(view! { <p class="fine">"There is none yet. Add the first one below."</p> }),
        false => {
            Either::Right(steps_problem.map(|message| view! { <p class="field-problem" role="alert">{message}</p> }))
        }
    };
    view! {
        <div class="page flow-page">
            <nav class="crumbs" aria-label="Where this is">
                <a href="/flows">"Flows"</a>
            </nav>
            <h1>{title}</h1>
            {failure.map(|failure| view! { <FailureView failure /> })}
            <form method="post" action="/flows/draft" enctype="multipart/form-data" class="flow-editor" data-flow-editor="">
                // The first button is the one that the Enter key presses.
                <button type="submit" name="change" value="check" hidden></button>
                {based_on.map(|(id, version)| view! { <Basis id version is_saved /> })}
                <div class="flow-about">
                    <label class="field">
                        <span>"Name"</span>
                        <input name="name" maxlength="200" value=spec.name.clone() aria-invalid=name_problem.as_ref().map(|_| "true") />
                    </label>
                    <label class="field grow">
                        <span>"What it is for"</span>
                        <input name="description" value=spec.description.clone() />
                    </label>
                </div>
                {name_problem.map(|message| view! { <p class="field-problem" role="alert">{message}</p> })}
                <TryOn trial search=sent.search found />
                <h2 id="steps-title">"Steps"</h2>
                {steps_problem}
                <ol class="flow-steps" data-testid="steps" aria-labelledby="steps-title">{cards}</ol>
                <Add next=spec.steps.len() />
                <div class="flow-end">
                    {to_mend}
                    <Actions based_on=based_on.map(|(id, _)| id) />
                </div>
            </form>
        </div>
    }
    .boxed()
}

/// How many problems there are, with the way to each step that has some.
#[component]
fn ToMend(problems: Vec<FlowProblem>) -> impl IntoView {
    let number = counted(problems.len() as u64, "problem", "problems");
    let mut steps: Vec<u32> = problems.iter().filter_map(|problem| problem.step).collect();
    steps.sort_unstable();
    steps.dedup();
    let link = |step: u32| {
        view! { " " <a href=format!("#s{step}")>{format!("Step {}", step + 1)}</a> }
    };
    view! {
        <p class="fine" data-testid="problem-count">
            {format!("{number} to mend before it can be saved.")} {steps.into_iter().map(link).collect_view()}
        </p>
    }
}

#[component]
fn Basis(id: FlowId, version: u32, is_saved: bool) -> impl IntoView {
    let saved = is_saved.then(|| {
        view! {
            <p class="notice flow-saved" role="status" data-testid="saved">
                {format!("Saved as version {version}. Next, choose the documents that it runs on.")} " "
                <a class="button" href=format!("/runs/new?flow={id}") rel="external">
                    "Choose documents"
                </a>
            </p>
        }
    });
    view! {
        {saved}
        <input type="hidden" name="id" value=id.to_string() />
        <input type="hidden" name="version" value=version.to_string() />
        <p class="fine">
            {format!("Version {version}. Saving makes the next one; runs keep the version with which they began.")}
        </p>
    }
}

#[component]
fn Add(next: usize) -> impl IntoView {
    let button = |kind: ActionKind| {
        view! {
            <li>
                <button
                    class="button quiet"
                    type="submit"
                    name="change"
                    value=format!("add:{kind}")
                    formaction=format!("/flows/draft#s{next}")
                >
                    {kind.label()}
                </button>
                <span class="fine">{kind.explained()}</span>
            </li>
        }
    };
    view! {
        <fieldset class="flow-add">
            <legend>"Add a step"</legend>
            <ul>{ActionKind::ALL.into_iter().map(button).collect_view()}</ul>
        </fieldset>
    }
}

#[component]
fn Actions(based_on: Option<FlowId>) -> impl IntoView {
    view! {
        <p class="actions">
            <button class="button" type="submit" name="change" value="save" data-testid="save-flow">
                "Save"
            </button>
            <button class="button quiet" type="submit" name="change" value="check">
                "Check"
            </button>
            {based_on
                .map(|id| {
                    view! {
                        <a class="button quiet" href=format!("/runs/new?flow={id}") rel="external">
                            "Run it"
                        </a>
                        <a class="button quiet" href=format!("/api/flows/{id}/export?format=toml") download="" rel="external">
                            "Download as TOML"
                        </a>
                        <a class="button quiet" href=format!("/api/flows/{id}/export?format=json") download="" rel="external">
                            "Download as JSON"
                        </a>
                    }
                })}
        </p>
    }
}

/// The choice of a document, and how the flow does on it as a whole.
#[component]
fn TryOn(trial: Option<Trial>, search: String, found: Option<Found>) -> impl IntoView {
    let chosen = trial.as_ref().map(|trial| (format!("{}/{}", trial.batch, trial.document), trial.path.clone()));
    let failure = trial.as_ref().and_then(|trial| trial.steps.as_ref().err().cloned());
    let waits = trial.is_some_and(|trial| trial.waits);
    let head = match chosen {
        Some((value, path)) => Either::Left(view! {
            <p class="try-chosen" data-testid="try-chosen">
                <input type="hidden" name="try" value=value />
                "Tried on "
                <bdi>{path}</bdi>
                ". What each step gives stands beside it."
            </p>
        }),
        None if found.as_ref().is_some_and(|found| found.is_empty_library) => Either::Right(Either::Left(view! {
            <p>
                "No document was read yet. " <a href="/" rel="external">"Upload some"</a>
                ", and see here what each step gives for one of them. The flow can be saved before."
            </p>
        })),
        None => Either::Right(Either::Right(view! {
            <p class="fine">"Choose a document, and beside each step stands what it gives."</p>
        })),
    };
    view! {
        <section class="try-on" id="try" aria-labelledby="try-title">
            <h2 id="try-title">"Try on one document"</h2>
            {head} {failure.map(|failure| view! { <FailureView failure /> })}
            <div class="search">
                <label class="field grow">
                    <span>"Name or words of a document"</span>
                    <input type="search" name="try_q" value=search />
                </label>
                <button class="button quiet" type="submit" name="change" value="search" formaction="/flows/draft#try">
                    "Find"
                </button>
                {waits
                    .then(|| {
                        view! {
                            <button class="button" type="submit" name="change" value="try" formaction="/flows/draft#steps-title">
                                "Ask the model, too"
                            </button>
                        }
                    })}
            </div>
            {found.map(|found| view! { <Candidates found /> })}
        </section>
    }
    .boxed()
}

#[component]
fn Candidates(found: Found) -> impl IntoView {
    let Found { documents, total, is_empty_library } = found;
    if is_empty_library {
        return Either::Right(Either::Left(()));
    }
    if documents.is_empty() {
        return Either::Left(view! { <p class="notice">"No document that was read has these words."</p> });
    }
    let shown = documents.len() as u64;
    let row = |(batch, batch_name, row): (BatchId, String, DocumentRow)| {
        view! {
            <li>
                <button
                    class="link"
                    type="submit"
                    name="try"
                    value=format!("{batch}/{}", row.id)
                    formaction="/flows/draft#steps-title"
                >
                    <bdi>{row.path}</bdi>
                </button>
                <span class="fine">
                    {batch_name}
                    {row.pages.map(|pages| format!(", {}", counted(pages.into(), "page", "pages")))}
                </span>
            </li>
        }
    };
    let more = (total > shown).then(|| {
        view! { <li class="fine">{format!("and {} more, found by name or words", count(total - shown))}</li> }
    });
    Either::Right(Either::Right(view! {
        <ul class="candidates" data-testid="candidates">
            {documents.into_iter().map(row).collect_view()} {more}
        </ul>
    }))
}
