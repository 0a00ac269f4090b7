//! The documents that could not be read, grouped by stage and reason, each with what to do and a way to try again.

use leptos::prelude::*;
use sheaf_domain::{BatchId, FailureCode, FailureCount, Restart, Stage, Status};

use crate::boxed::Boxed;
use crate::components::restart::RestartButton;
use crate::filters::Filters;
use crate::format::{count, counted};
use crate::views::FailedDocument;
use crate::words;

/// Nothing when everything was read.
#[component]
pub fn Failures(
    batch: BatchId,
    filters: Memo<Filters>,
    failures: Vec<FailureCount>,
    /// Some of each reason.
    failed: Vec<FailedDocument>,
    restarted: Callback<()>,
) -> impl IntoView {
    (!failures.is_empty()).then(|| {
        let retryable: u64 = failures.iter().map(|failure| failure.retryable).sum();
        let groups = Stage::ALL
            .into_iter()
            .map(|stage| (stage, failures.iter().filter(|failure| failure.stage == stage).copied().collect::<Vec<_>>()))
            .filter(|(_, rows)| !rows.is_empty())
            .map(|(stage, rows)| {
                let rows = rows.into_iter().map(|failure| {
                    let retryable = of_code(&failures, failure.code);
                    let is_of_these =
                        |failed: &&FailedDocument| failed.stage == stage && failed.failure.code == failure.code;
                    let examples = failed.iter().filter(is_of_these).cloned().collect();
                    view! { <Reason batch filters failure examples retryable restarted /> }
                });
                view! {
                    <h3 class="reasons-title">{words::while_at(stage)}</h3>
                    <ul class="reasons">{rows.collect_view()}</ul>
                }
            })
            .collect_view();
        // Of a single reason its own button does the same.
        let all = (retryable > 0 && failures.len() > 1).then(|| {
            view! { <RestartButton batch which=Restart::Failed text=again("all", retryable) restarted /> }
        });
        view! {
            <section class="section" id="failures" aria-labelledby="failures-title">
                <h2 id="failures-title">"Failures"</h2>
                {groups}
                <div class="actions">
                    {all}
                    <a
                        class="button quiet"
                        href=move || filters.read().cleared().with_status(Some(Status::Failed)).documents_href(batch)
                    >
                        "Show all of them"
                    </a>
                </div>
            </section>
        }
        .boxed()
    })
}

#[component]
fn Reason(
    batch: BatchId,
    filters: Memo<Filters>,
    failure: FailureCount,
    /// The first of them.
    examples: Vec<FailedDocument>,
    /// Of all documents with this code, whatever their stage.
    retryable: u64,
    restarted: Callback<()>,
) -> impl IntoView {
    let FailureCount { stage: _, code, documents, retryable: of_these } = failure;
    let again = match (of_these, retryable) {
        (0, _) => None,
        (_, 1) => Some("Try this again".to_owned()),
        (_, many) => Some(again("these", many)),
    };
    let refused = (of_these < documents).then(|| {
        let refused = documents - of_these;
        let text = if of_these == 0 {
            "Refused on arrival".to_owned()
        } else {
            format!("{} refused on arrival", count(refused))
        };
        view! { <span class="reason-refused">{format!("{text}: add what is wanted anew.")}</span> }
    });
    let example = |FailedDocument { id, path, stage: _, failure }: FailedDocument| {
        view! {
            <li>
                <a href=format!("/batches/{batch}/documents/{id}")>
                    <bdi>{path}</bdi>
                </a>
                ": "
                <bdi>{failure.message}</bdi>
            </li>
        }
    };
    view! {
        <li class="reason" data-testid="failure-reason" data-code=code.name()>
            <span class="reason-title">{words::reason(code)}</span>
            <a
                class="reason-count"
                href=move || filters.read().cleared().with_failure(Some(code)).documents_href(batch)
            >
                {counted(documents, "document", "documents")}
            </a>
            <span class="reason-hint">{code.hint()} " " {refused}</span>
            <span class="reason-again">
                {again
                    .map(|text| view! { <RestartButton batch which=Restart::FailedWith(code) text restarted /> })}
            </span>
            <ul class="reason-examples">{examples.into_iter().map(example).collect_view()}</ul>
        </li>
    }
    .boxed()
}

/// How many documents with this code can be tried again.
fn of_code(failures: &[FailureCount], code: FailureCode) -> u64 {
    failures.iter().filter(|failure| failure.code == code).map(|failure| failure.retryable).sum()
}

fn again(which: &str, documents: u64) -> String {
    match documents {
        1 => "Try it again".to_owned(),
        many => format!("Try {which} {} again", count(many)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_tried_again_at_all_stages_together() {
        let row = |stage, code, retryable| FailureCount { stage, code, documents: 9, retryable };
        let failures = [
            row(Stage::Parse, FailureCode::TimedOut, 3),
            row(Stage::Embed, FailureCode::TimedOut, 2),
            row(Stage::Parse, FailureCode::NoText, 4),
        ];
        assert_eq!(of_code(&failures, FailureCode::TimedOut), 5);
        assert_eq!((again("these", 5), again("all", 1)), ("Try these 5 again".to_owned(), "Try it again".to_owned()));
    }
}
