//! One step of a flow that is written: its fields, and beside them what it gives.

use leptos::prelude::*;
use sheaf_domain::flow::{ActionKind, FlowProblem, FlowSpec, LabelAccuracy, Step};
use sheaf_domain::{BatchId, DocumentId};
use sheaf_engine::StepTrial;

use super::actions;
use super::inputs::StepForm;
use super::trial::Tried;
use crate::boxed::Boxed;
use crate::format::counted;

/// Problems of these fields stand above the step's own.
const OF_THE_STEP: [&str; 3] = ["name", "do", "instructions"];

/// What is known of a step besides what was filled in.
pub struct Beside {
    /// What it gave for the document that the flow is tried on.
    pub trial: Option<(StepTrial, BatchId, DocumentId)>,
    /// Whether a document was chosen at all.
    pub is_tried: bool,
    /// How well its labels are told apart.
    pub accuracy: Option<LabelAccuracy>,
    /// Whether there is a model that it could ask.
    pub has_model: bool,
}

#[component]
pub fn StepCard(form: StepForm, spec: FlowSpec, step: Step, beside: Beside) -> impl IntoView {
    let Beside { trial, is_tried, accuracy, has_model } = beside;
    let (place, last) = (form.place, spec.steps.len());
    let kind = step.action.kind();
    let name = if step.name.is_empty() { format!("step {}", place + 1) } else { step.name.clone() };
    let shown = form.problems.iter().filter(|problem| is_elsewhere(&form, problem)).cloned().collect::<Vec<_>>();
    let gives = step.output().map(|(fields, _)| fields.into_iter().map(str::to_owned).collect::<Vec<_>>());
    let model_missing = (kind == ActionKind::Ask && !has_model).then(|| view! { <NoModel /> });
    let waits = (place == 0 && !is_tried)
        .then(|| view! { <p class="fine">"What each step gives stands here, once a document is chosen above."</p> });
    let body = actions::fields(&form, &spec, &step);
    let label = actions::instructions(kind);
    let instructions = match kind == ActionKind::Ask {
        true => form.area("instructions", label, "", &step.instructions),
        false => form.text("instructions", label, "", &step.instructions),
    };
    view! {
        <li class=format!("flow-step of-{kind}") id=format!("s{place}") data-testid="step" data-kind=kind.name()>
            <input type="hidden" name="step" value=place.to_string() />
            <input type="hidden" name=form.name("do") value=kind.name() />
            <input type="hidden" name=form.name("was") value=step.name.clone() />
            <header class="flow-step-head">
                <button class="drag" type="button" hidden aria-label=format!("Move {name}: drag it, or press Alt and an arrow key") title="Drag, or press Alt and an arrow key">
                    <svg viewBox="0 0 12 16" width="12" height="16" aria-hidden="true">
                        <path d="M3 3h.01M9 3h.01M3 8h.01M9 8h.01M3 13h.01M9 13h.01" />
                    </svg>
                </button>
                <h3>
                    <span class="step-number tabular">{place + 1}</span>
                    {kind.label()}
                </h3>
                <p class="fine">{kind.explained()}</p>
                <Moves place last name=name.clone() />
            </header>
            <div class="flow-step-body">
                <div class="step-fields">
                    {model_missing}
                    {form.text("name", "Name", "", &step.name)}
                    {instructions} {body}
                    {accuracy.map(|accuracy| view! { <Measured accuracy /> })}
                    {(!shown.is_empty()).then(|| view! { <Elsewhere problems=shown /> })}
                </div>
                <div class="step-gives">
                    <Gives gives /> {waits}
                    {trial.map(|(trial, batch, document)| view! { <Tried trial batch document /> })}
                </div>
            </div>
        </li>
    }
    .boxed()
}

/// Whether a problem's field shows no messages of its own.
fn is_elsewhere(form: &StepForm, problem: &FlowProblem) -> bool {
    let has_place = matches!(
        problem.field.as_str(),
        "kinds"
            | "languages"
            | "clusters"
            | "words"
            | "pages"
            | "sections"
            | "what"
            | "pattern"
            | "terms"
            | "within"
            | "limit"
            | "labels"
            | "threshold"
            | "model"
            | "fields"
            | "rows"
            | "max_tokens"
            | "column"
            | "table"
            | "max_edits"
            | "count"
            | "sentences"
            | "file"
            | "columns"
    );
    let of_step = OF_THE_STEP.contains(&problem.field.as_str()) && problem.field != "do";
    debug_assert!(problem.step.is_none_or(|step| step as usize == form.place), "a problem stands at its step");
    !(has_place || of_step)
}

#[component]
fn Elsewhere(problems: Vec<FlowProblem>) -> impl IntoView {
    let row = |problem: FlowProblem| view! { <li>{problem.message}</li> };
    view! {
        <ul class="field-problem" role="alert" data-testid="problem">
            {problems.into_iter().map(row).collect_view()}
        </ul>
    }
}

#[component]
fn Moves(place: usize, last: usize, name: String) -> impl IntoView {
    let button = |change: &str, text: &'static str, label: String, to: usize, is_off: bool| {
        view! {
            <button
                class="button quiet small"
                type="submit"
                name="change"
                value=format!("{change}:{place}")
                formaction=format!("/flows/draft#s{to}")
                aria-label=label
                disabled=is_off
            >
                {text}
            </button>
        }
    };
    view! {
        <p class="flow-step-moves">
            {button("up", "Up", format!("Move {name} up"), place.saturating_sub(1), place == 0)}
            {button("down", "Down", format!("Move {name} down"), place + 1, place + 1 == last)}
            {button("remove", "Remove", format!("Remove {name}"), place.saturating_sub(1), false)}
        </p>
    }
}

/// What is to be done before a model can be asked.
#[component]
fn NoModel() -> impl IntoView {
    view! {
        <p class="notice wide" role="status" data-testid="no-model">
            "No language model is allowed yet, so nothing can be asked. Start Sheaf with --model-endpoint and the address of a server; \
             the flow can be written and saved before."
        </p>
    }
}

/// The columns that the steps below can use.
#[component]
fn Gives(gives: Option<Vec<String>>) -> impl IntoView {
    gives.filter(|fields| !fields.is_empty()).map(|fields| {
        view! {
            <p class="gives">
                <span class="fine">"Gives the columns "</span>
                {fields.into_iter().map(|field| view! { <code>{field}</code> " " }).collect_view()}
            </p>
        }
    })
}

/// How well examples predict each other, before anything is labelled by them.
#[component]
fn Measured(accuracy: LabelAccuracy) -> impl IntoView {
    let examples = counted(accuracy.examples.into(), "example", "examples");
    let said = match accuracy.accuracy {
        Some(share) => format!("Of {examples}, {:.0} % got their own label from the others.", share * 100.0),
        None => "With ten examples or more it is measured here how often a label is right.".to_owned(),
    };
    view! { <p class="step-field wide fine" data-testid="accuracy">{said}</p> }
}
