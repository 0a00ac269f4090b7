//! The documents that are most worth seeing while a batch runs.

use leptos::prelude::*;
use sheaf_domain::{BatchId, DocumentProgress, Progress, Status};

use crate::boxed::Boxed;
use crate::components::status::StatusMark;
use crate::format::count;

/// Those that the progress names, and how many it leaves out.
#[component]
pub fn DocumentList(batch: BatchId, progress: RwSignal<Progress>) -> impl IntoView {
    view! {
        <section class="section" aria-labelledby="in-work">
            <h2 id="in-work">"Documents"</h2>
            <ul class="live-list">
                <For
                    each=move || progress.get().documents
                    key=|document| (document.id, document.status, document.stage, document.pages)
                    let:document
                >
                    <Row batch document />
                </For>
            </ul>
            <p class="fine">{move || remainder(&progress.read())}</p>
        </section>
    }
    .boxed()
}

#[component]
fn Row(batch: BatchId, document: DocumentProgress) -> impl IntoView {
    let DocumentProgress { id, path, status, stage, failure, pages } = document;
    let stage = (status == Status::Processing).then(|| match pages {
        Some((done, total)) if total > 1 => {
            format!("{}, page {} of {}", stage.label(), count(done.into()), count(total.into()))
        }
        Some(_) | None => stage.label().to_owned(),
    });
    view! {
        <li class="live-row" data-testid="live-row" data-status=status.name()>
            <a class="path" href=format!("/batches/{batch}/documents/{id}")>
                <bdi>{path}</bdi>
            </a>
            <span class="live-row-stage">{stage}</span>
            <StatusMark status />
            {failure.map(|failure| view! { <span class="live-row-failure">{failure.message}</span> })}
        </li>
    }
    .boxed()
}

/// How many documents the list leaves out.
fn remainder(progress: &Progress) -> String {
    let left = progress.counts.total.saturating_sub(progress.documents.len() as u64);
    if left == 0 { String::new() } else { format!("and {} more", count(left)) }
}
