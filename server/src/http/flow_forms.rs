//! What the forms of flows and runs send. A flow that is being written comes back as a page with its problems; nothing is lost.

use app::draft::FlowDraft;
use axum::body::Body;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{Method, Request};
use leptos::context::provide_context;
use serde::Deserialize;
use sheaf_domain::flow::{ActionKind, FlowSpec, NewRun, Review, RunDocuments, Step, ValueReview};
use sheaf_domain::{Failure, FailureCode, FlowId, Restart, RunPolicy};
use sheaf_engine::{Engine, FlowFile};

use super::api::{batch_id, document_id, read};
use super::failure::HttpFailure;
use super::flow_runs::run_id;
use super::flows::flow_id;
use crate::security::set_page_policy;
use crate::state::AppState;

type Onward = Result<Redirect, HttpFailure>;

fn not_understood(rejection: FormRejection) -> HttpFailure {
    HttpFailure::invalid(rejection.body_text())
}

/// `POST /flows/{id}/delete`
pub async fn delete(State(engine): State<Engine>, Path(id): Path<String>) -> Onward {
    engine.delete_flow(flow_id(&id)?).await?;
    Ok(Redirect::to("/flows"))
}

/// A flow that is being written.
#[derive(Deserialize)]
pub struct Draft {
    id: Option<String>,
    version: Option<String>,
    text: String,
    /// `save`, `check`, `add:KIND`, `up:PLACE`, `down:PLACE` or `remove:PLACE`.
    change: Option<String>,
}

/// `POST /flows/draft`
pub async fn draft(
    State(state): State<AppState>,
    form: Result<Form<Draft>, FormRejection>,
) -> Result<Response, HttpFailure> {
    let Form(Draft { id, version, text, change }) = form.map_err(not_understood)?;
    let based_on = read::<FlowId>("id", id.as_deref())?.zip(read::<u32>("version", version.as_deref())?);
    let mut draft = FlowDraft { based_on, text, ..FlowDraft::default() };
    match FlowFile::of(&draft.text).read(&draft.text) {
        Err(failure) => draft.failure = Some(failure),
        Ok(mut spec) => {
            let change = change.as_deref().unwrap_or("check");
            if change == "save" {
                match state.engine.save_flow(&spec, based_on).await {
                    Ok(flow) => return Ok(Redirect::to(&format!("/flows/{}", flow.id)).into_response()),
                    Err(failure) => draft.failure = Some(failure),
                }
            } else if change != "check" {
                apply(&mut spec, change)?;
                draft.text = FlowFile::of(&draft.text).write(&spec)?;
            }
            draft.problems = Engine::check_flow(&spec);
        }
    }
    Ok(page(state, draft).await)
}

/// Adds, moves or removes a step.
fn apply(spec: &mut FlowSpec, change: &str) -> Result<(), HttpFailure> {
    let wrong = || HttpFailure::invalid(format!("`change`: `{change}` is not understood"));
    let (verb, of) = change.split_once(':').ok_or_else(wrong)?;
    if verb == "add" {
        let kind: ActionKind = of.parse().map_err(|_| wrong())?;
        let names = (1..).map(|number| if number == 1 { kind.name().to_owned() } else { format!("{kind}_{number}") });
        let free = |name: &String| !spec.steps.iter().any(|step| step.name == *name);
        let name = names.into_iter().find(free).unwrap_or_default();
        let step = Step { name, instructions: String::new(), action: kind.new_action() };
        // What formats the result stays last.
        let ends = spec.steps.last().is_some_and(|step| step.action.kind() == ActionKind::Format);
        spec.steps.insert(spec.steps.len() - usize::from(ends), step);
        return Ok(());
    }
    let place: usize = of.parse().map_err(|_| wrong())?;
    match verb {
        "up" if place > 0 && place < spec.steps.len() => spec.steps.swap(place, place - 1),
        "down" if place + 1 < spec.steps.len() => spec.steps.swap(place, place + 1),
        "remove" if place < spec.steps.len() => {
            spec.steps.remove(place);
        }
        _ => return Err(wrong()),
    }
    Ok(())
}

/// The page of the flow with what was sent in place of what is kept.
async fn page(state: AppState, draft: FlowDraft) -> Response {
    let path = draft.based_on.map_or_else(|| "/flows/new".to_owned(), |(id, _)| format!("/flows/{id}"));
    let (engine, options) = (state.engine.clone(), state.options.clone());
    let context = move || {
        provide_context(engine.clone());
        provide_context(draft.clone());
        set_page_policy();
    };
    let handler = leptos_axum::render_app_async_with_context(context, move || app::shell(options.clone()));
    match Request::builder().method(Method::GET).uri(path).body(Body::empty()) {
        Ok(request) => handler(request).await.into_response(),
        Err(error) => HttpFailure(Failure::new(FailureCode::Internal, error.to_string())).into_response(),
    }
}

/// `POST /runs`. The form may hold several batches, so it is read as pairs.
pub async fn start(State(engine): State<Engine>, form: Result<Form<Vec<(String, String)>>, FormRejection>) -> Onward {
    let Form(fields) = form.map_err(not_understood)?;
    let of =
        |name: &'static str| fields.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str());
    let batches = of("batch").map(batch_id).collect::<Result<Vec<_>, _>>()?;
    let wanted = NewRun {
        flow: flow_id(of("flow").next().unwrap_or_default())?,
        version: None,
        name: of("name").next().unwrap_or_default().to_owned(),
        documents: RunDocuments { batches, ..RunDocuments::default() },
        policy: RunPolicy::default(),
        budget_tokens: read("budget_tokens", of("budget_tokens").next())?,
    };
    let run = engine.start_run(&wanted).await?;
    Ok(Redirect::to(&format!("/runs/{}", run.id)))
}

/// `POST /runs/{id}/cancel`
pub async fn cancel(State(engine): State<Engine>, Path(id): Path<String>) -> Onward {
    let run = run_id(&id)?;
    unless_too_late(engine.cancel_run(run).await)?;
    Ok(Redirect::to(&format!("/runs/{run}")))
}

/// Which documents are worked on again.
#[derive(Deserialize)]
pub struct Again {
    which: String,
}

/// `POST /runs/{id}/restart`
pub async fn restart(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    form: Result<Form<Again>, FormRejection>,
) -> Onward {
    let run = run_id(&id)?;
    let which = match form.map_err(not_understood)?.0.which.as_str() {
        "cancelled" => Restart::Cancelled,
        "failed" => Restart::Failed,
        other => return Err(HttpFailure::invalid(format!("`which`: `{other}` is neither cancelled nor failed"))),
    };
    unless_too_late(engine.restart_run(run, &which).await)?;
    Ok(Redirect::to(&format!("/runs/{run}")))
}

/// A form may be sent after what it asks for has come about: the page says so better than an error.
fn unless_too_late<T>(done: Result<T, Failure>) -> Result<(), HttpFailure> {
    match done {
        Err(failure) if matches!(failure.code, FailureCode::NotRunning | FailureCode::NothingToRestart) => Ok(()),
        Err(failure) => Err(failure.into()),
        Ok(_) => Ok(()),
    }
}

/// A judgement; the value counts for a correction only.
#[derive(Deserialize)]
pub struct Judgement {
    review: String,
    value: Option<String>,
}

/// `POST /runs/{id}/values/{document}/{number}`
pub async fn review(
    State(engine): State<Engine>,
    Path((id, document, number)): Path<(String, String, String)>,
    form: Result<Form<Judgement>, FormRejection>,
) -> Onward {
    let Form(Judgement { review, value }) = form.map_err(not_understood)?;
    let review: Review = review.parse().map_err(|error| HttpFailure::invalid(format!("`review`: {error}")))?;
    let (run, document) = (run_id(&id)?, document_id(&document)?);
    let number: u32 = number.parse().map_err(|_| HttpFailure::not_found("the run has no such value"))?;
    engine.review_value(run, document, number, ValueReview { review, value }).await?;
    Ok(Redirect::to(&format!("/runs/{run}#v-{document}-{number}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_added_moved_and_removed() {
        let mut spec = FlowSpec::default();
        let names = |spec: &FlowSpec| spec.steps.iter().map(|step| step.name.clone()).collect::<Vec<_>>().join(" ");
        for (change, expect) in [
            ("add:find", "find"),
            ("add:format", "find format"),
            ("add:find", "find find_2 format"),
            ("up:1", "find_2 find format"),
            ("down:0", "find find_2 format"),
            ("remove:0", "find_2 format"),
        ] {
            assert!(apply(&mut spec, change).is_ok(), "{change}");
            assert_eq!(names(&spec), expect, "{change}");
        }
        for wrong in ["up:0", "down:1", "remove:9", "add:nothing", "x", "up:x"] {
            assert!(apply(&mut spec, wrong).is_err(), "{wrong}");
        }
    }
}
