//! The documents that could not be read, grouped by reason, each with what to do.

use leptos::prelude::*;
use sheaf_domain::{BatchId, FailureCount, Status};

use crate::filters::Filters;
use crate::format::counted;
use crate::words;

/// Nothing when everything was read.
#[component]
pub fn Failures(batch: BatchId, filters: Memo<Filters>, failures: Vec<FailureCount>) -> impl IntoView {
    (!failures.is_empty()).then(|| {
        let rows = failures
            .into_iter()
            .map(|FailureCount { stage: _, code, documents, retryable: _ }| {
                view! {
                    <li class="reason" data-testid="failure-reason" data-code=code.name()>
                        <span class="reason-title">{words::reason(code)}</span>
                        <a
                            class="reason-count"
                            href=move || filters.read().cleared().with_failure(Some(code)).documents_href(batch)
                        >
                            {counted(documents, "document", "documents")}
                        </a>
                        <span class="reason-hint">{code.hint()}</span>
                    </li>
                }
            })
            .collect_view();
        view! {
            <section class="section" id="failures" aria-labelledby="failures-title">
                <h2 id="failures-title">"Failures"</h2>
                <ul class="reasons">{rows}</ul>
                <p class="actions">
                    <a
                        class="button quiet"
                        href=move || filters.read().cleared().with_status(Some(Status::Failed)).documents_href(batch)
                    >
                        "Show all of them"
                    </a>
                </p>
            </section>
        }
    })
}
