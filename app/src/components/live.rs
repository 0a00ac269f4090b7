//! The page of a batch that runs: it asks every two seconds and stops when the batch is done.

mod poll;

use leptos::prelude::*;
use sheaf_domain::{Batch, DocumentProgress, Progress, Status};

use crate::boxed::Boxed;
use crate::components::status::StatusMark;
use crate::format::{count, counted, duration};
use crate::words;
use poll::poll;

/// The live header and the list of documents. `on_final` is called once, `on_speak` gets what a screen reader says.
#[component]
pub fn Live(batch: Batch, progress: Progress, on_final: Callback<()>, on_speak: WriteSignal<String>) -> impl IntoView {
    let total = progress.counts.total;
    let (progress, set_progress) = signal(progress);
    let (lost, set_lost) = signal(false);
    poll(batch.id, set_progress, set_lost, on_final, on_speak);

    let counts = move || progress.read().counts;
    let number = move |label: &'static str, class: &'static str, read: fn(&Progress) -> u64| {
        view! {
            <div class=format!("tally {class}")>
                <dt>{label}</dt>
                <dd data-testid=format!("count-{class}")>{move || count(read(&progress.read()))}</dd>
            </div>
        }
    };
    view! {
        // A page without JavaScript asks again by itself.
        <noscript inner_html="<meta http-equiv=\"refresh\" content=\"3\">"></noscript>
        <div class="page live" data-testid="progress">
            <p class="crumbs">
                <a href="/">"Batches"</a>
            </p>
            <header class="live-head">
                <h1>
                    <bdi>{batch.name}</bdi>
                </h1>
                <p class="meta">
                    {move || view! { <StatusMark status=progress.read().status /> }}
                    <span>{counted(total, "document", "documents")}</span>
                    <span>{format!("{} model", words::model(batch.params.model))}</span>
                    <span class="tabular">{move || duration(progress.read().elapsed_seconds)}</span>
                    <a href=format!("/batches/{}/delete", batch.id)>"Stop and delete"</a>
                </p>
            </header>
            <div class="live-bar">
                <progress
                    aria-label="Documents finished"
                    max=move || counts().total.max(1).to_string()
                    value=move || counts().finished().to_string()
                ></progress>
                <p class="live-line">
                    <strong class="tabular">{move || percent(&progress.read())}</strong>
                    <span class="live-stage">{move || stage_line(&progress.read())}</span>
                </p>
            </div>
            <dl class="tallies">
                {number("Pending", "pending", |p| p.counts.pending)}
                {number("Processing", "processing", |p| p.counts.processing)}
                {number("Completed", "completed", |p| p.counts.completed)}
                {number("Failed", "failed", |p| p.counts.failed)}
            </dl>
            <p class="notice" hidden=move || !lost.get()>
                "Sheaf does not answer at the moment. This page keeps asking; nothing that is done is lost."
            </p>
            <section class="section" aria-labelledby="in-work">
                <h2 id="in-work">"Documents"</h2>
                <ul class="live-list">
                    <For
                        each=move || progress.get().documents
                        key=|document| (document.id, document.status, document.stage, document.pages)
                        let:document
                    >
                        <Row document />
                    </For>
                </ul>
                <p class="fine">{move || remainder(&progress.read())}</p>
            </section>
        </div>
    }
    .boxed()
}

#[component]
fn Row(document: DocumentProgress) -> impl IntoView {
    let DocumentProgress { id: _, path, status, stage, failure, pages } = document;
    let stage = (status == Status::Processing).then(|| match pages {
        Some((done, total)) if total > 1 => {
            format!("{}, page {} of {}", stage.label(), count(done.into()), count(total.into()))
        }
        Some(_) | None => stage.label().to_owned(),
    });
    view! {
        <li class="live-row" data-status=status.name()>
            <bdi class="path">{path}</bdi>
            <span class="live-row-stage">{stage}</span>
            <StatusMark status />
            {failure.map(|failure| view! { <span class="live-row-failure">{failure.message}</span> })}
        </li>
    }
    .boxed()
}

/// Whole per cent of documents that are finished.
fn percent(progress: &Progress) -> String {
    let counts = progress.counts;
    format!("{} %", counts.finished() * 100 / counts.total.max(1))
}

/// What is going on now.
fn stage_line(progress: &Progress) -> String {
    let counts = progress.counts;
    if counts.total > 0 && counts.finished() == counts.total {
        return "Grouping the documents".to_owned();
    }
    let parts: Vec<String> = progress
        .stages
        .iter()
        .filter(|stage| stage.processing > 0)
        .map(|stage| format!("{} {}", stage.stage.label(), count(stage.processing)))
        .collect();
    if parts.is_empty() { "Waiting for a free worker".to_owned() } else { parts.join(" · ") }
}

/// How many documents the list leaves out.
fn remainder(progress: &Progress) -> String {
    let left = progress.counts.total.saturating_sub(progress.documents.len() as u64);
    if left == 0 { String::new() } else { format!("and {} more", count(left)) }
}
