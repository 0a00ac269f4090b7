//! What was tried with a document before, and a way to try again.

use leptos::prelude::*;
use sheaf_domain::{Attempt, BatchId, DocumentRow, Restart, Status};

use crate::boxed::Boxed;
use crate::components::restart::RestartButton;
use crate::format::{date_time, iso};
use crate::words;

/// A button for a document that failed or was cancelled. Nothing for any other, and for one whose bytes were not kept.
#[component]
pub fn TryAgain(batch: BatchId, row: DocumentRow) -> impl IntoView {
    let text = match row.status {
        Status::Failed => Some("Try again"),
        Status::Cancelled => Some("Continue with this document"),
        Status::Pending | Status::Processing | Status::Completed => None,
    };
    text.filter(|_| !row.sha256.is_empty())
        .map(|text| view! { <RestartButton batch which=Restart::Document(row.id) text is_main=true /> })
}

/// The failures that there were, the earliest first. Nothing when there was none.
#[component]
pub fn Attempts(attempts: Vec<Attempt>) -> impl IntoView {
    (!attempts.is_empty()).then(|| {
        let rows = attempts
            .into_iter()
            .map(|Attempt { stage, number, ended_at, failure }| {
                view! {
                    <li class="attempt" data-testid="attempt" data-code=failure.code.name()>
                        <span class="attempt-when">
                            {format!("{}, attempt {number} · ", words::while_at(stage))}
                            <time datetime=iso(ended_at)>{date_time(ended_at)}</time>
                        </span>
                        <span>{words::reason(failure.code)} ": " <bdi>{failure.message}</bdi></span>
                    </li>
                }
            })
            .collect_view();
        view! {
            <section class="aside-section" data-testid="attempts">
                <h2>"Attempts that failed"</h2>
                <ol class="plain">{rows}</ol>
            </section>
        }
        .boxed()
    })
}
