//! Documents of a run that failed, by reason, each with what to do and a way to try again.

use leptos::prelude::*;
use sheaf_domain::RunId;
use sheaf_domain::flow::{RunDocument, RunFailures};

use crate::boxed::Boxed;
use crate::format::{count, counted};
use crate::words;

#[component]
pub fn Failures(
    run: RunId,
    failures: Vec<RunFailures>,
    /// Whether the run has ended, so that documents can be tried again.
    has_ended: bool,
) -> impl IntoView {
    let all: u64 = failures.iter().map(|failure| failure.documents).sum();
    let several = failures.len() > 1;
    (all > 0).then(|| {
        view! {
            <section class="section" aria-labelledby="failed" data-testid="run-failures">
                <h2 id="failed">{counted(all, "document failed", "documents failed")}</h2>
                <ul class="run-failures">
                    {failures.into_iter().map(|failure| view! { <Reason run failure has_ended /> }).collect_view()}
                </ul>
                {(several && has_ended).then(|| view! { <Again run which="failed".to_owned() documents=all /> })}
            </section>
        }
    })
}

#[component]
fn Reason(run: RunId, failure: RunFailures, has_ended: bool) -> impl IntoView {
    let RunFailures { code, documents, examples } = failure;
    let hint = examples.first().and_then(|document| document.failure.as_ref()).map(|failure| failure.hint.clone());
    let more = documents.saturating_sub(examples.len() as u64);
    let example = |document: RunDocument| {
        let message = document.failure.map(|failure| failure.message);
        view! {
            <li>
                <a href=format!("/runs/{run}/documents/{}", document.document) rel="external">
                    <bdi>{document.path}</bdi>
                </a>
                <span class="fine">" "{message}</span>
            </li>
        }
    };
    view! {
        <li>
            <p>
                <strong>{words::reason(code)}</strong>
                <span class="fine">" "{counted(documents, "document", "documents")}</span>
            </p>
            <p class="fine">{hint}</p>
            <ul>
                {examples.into_iter().map(example).collect_view()}
                {(more > 0).then(|| view! { <li class="fine">{format!("and {} more", count(more))}</li> })}
            </ul>
            {has_ended.then(|| view! { <Again run which=code.name().to_owned() documents /> })}
        </li>
    }
    .boxed()
}

/// The question before documents are tried again, and the button that does it.
#[component]
pub fn Again(
    run: RunId,
    /// `failed`, `cancelled`, or the code of a failure.
    which: String,
    documents: u64,
) -> impl IntoView {
    let text = match which.as_str() {
        "cancelled" => format!("Go on with {}", counted(documents, "document", "documents")),
        "failed" => format!("Try all {} again", count(documents)),
        _ if documents == 1 => "Try it again".to_owned(),
        _ => format!("Try these {} again", count(documents)),
    };
    view! {
        <form method="post" action=format!("/runs/{run}/restart") class="again">
            <input type="hidden" name="which" value=which />
            <button class="button quiet" type="submit">
                {text}
            </button>
        </form>
    }
}
