//! What the forms of runs send: to begin one, to stop it, to try again, and what people think of its values.

use std::str::FromStr;

use app::draft::RunDraft;
use app::flow_form::Fields;
use app::run_form::{Act, RunForm};
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use leptos::context::provide_context;
use serde::Deserialize;
use sheaf_domain::flow::{NewRun, Review, ValueReview};
use sheaf_domain::{Failure, FailureCode, Restart, RunPolicy};
use sheaf_engine::Engine;

use super::api::document_id;
use super::failure::HttpFailure;
use super::flow_forms::render;
use super::flow_runs::run_id;
use crate::state::AppState;

type Onward = Result<Redirect, HttpFailure>;

fn not_understood(rejection: FormRejection) -> HttpFailure {
    HttpFailure::invalid(rejection.body_text())
}

/// `POST /runs`: the form that begins a run; it comes back as a page until it does.
pub async fn begin(
    State(state): State<AppState>,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<Response, HttpFailure> {
    let Form(pairs) = form.map_err(not_understood)?;
    let mut draft = RunDraft { form: RunForm::read(&Fields::new(pairs)), failure: None };
    if draft.form.act == Act::Start {
        let started = match wanted(&draft.form) {
            Ok(wanted) => state.engine.start_run(&wanted).await,
            Err(failure) => Err(failure),
        };
        match started {
            Ok(run) => return Ok(Redirect::to(&format!("/runs/{}", run.id)).into_response()),
            Err(failure) => draft.failure = Some(failure),
        }
    }
    Ok(render(state, "/runs/new", move || provide_context(draft.clone())).await)
}

fn wanted(form: &RunForm) -> Result<NewRun, Failure> {
    let wrong = |message: String| Failure::new(FailureCode::InvalidRequest, message);
    let flow = form.flow.ok_or_else(|| wrong("no flow was chosen".to_owned()))?;
    Ok(NewRun {
        flow,
        version: None,
        name: form.name.clone(),
        documents: form.documents(),
        policy: RunPolicy::default(),
        budget_tokens: number(&form.budget_tokens, "tokens")?,
        budget_money: number(&form.budget_money, "money")?,
    })
}

/// A number that may be left out.
fn number<T: FromStr>(text: &str, of: &str) -> Result<Option<T>, Failure> {
    let parsed = Some(text.replace([',', ' '], "")).filter(|text| !text.is_empty()).map(|text| text.parse());
    parsed.transpose().map_err(|_| {
        let message = format!("`{text}` is no number for the most {of}");
        Failure::new(FailureCode::InvalidRequest, message).with_hint("Write a number such as 20000, or leave it empty.")
    })
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
        code => Restart::FailedWith(code.parse().map_err(|_| {
            HttpFailure::invalid(format!("`which`: `{code}` is neither cancelled nor failed nor the code of a failure"))
        })?),
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

/// `POST /runs/{id}/delete`
pub async fn delete(State(engine): State<Engine>, Path(id): Path<String>) -> Onward {
    engine.delete_run(run_id(&id)?).await?;
    Ok(Redirect::to("/runs"))
}

/// A judgement; the value counts for a correction only.
#[derive(Deserialize)]
pub struct Judgement {
    review: String,
    value: Option<String>,
    /// Whether it is meant for the whole row.
    #[serde(default)]
    row: bool,
    /// The page of the run to go back to.
    back: Option<String>,
}

/// `POST /runs/{id}/values/{document}/{number}`
pub async fn review(
    State(engine): State<Engine>,
    Path((id, document, number)): Path<(String, String, String)>,
    form: Result<Form<Judgement>, FormRejection>,
) -> Onward {
    let Form(Judgement { review, value, row, back }) = form.map_err(not_understood)?;
    let review: Review = review.parse().map_err(|error| HttpFailure::invalid(format!("`review`: {error}")))?;
    let (run, document) = (run_id(&id)?, document_id(&document)?);
    let number: u32 = number.parse().map_err(|_| HttpFailure::not_found("the run has no such value"))?;
    engine.review_value(run, document, number, ValueReview { review, value, row }).await?;
    // Only to a page of this run.
    let home = format!("/runs/{run}");
    let is_own = |back: &String| {
        back.strip_prefix(&home).is_some_and(|rest| rest.is_empty() || rest.starts_with(['?', '/']))
            && !back.contains("..")
    };
    let back = back.filter(is_own).unwrap_or(home.clone());
    // In a list of what was not reviewed it does not stand any more.
    let place = if back.contains("review=") { "values".to_owned() } else { format!("v-{document}-{number}") };
    Ok(Redirect::to(&format!("{back}#{place}")))
}
