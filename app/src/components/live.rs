//! The page of a batch that runs: it is told what happens, or asks every two seconds, and stops when the batch is done.

mod estimate;
mod follow;
mod grid;
mod list;
mod listen;
mod rhythm;
mod stages;

use leptos::prelude::*;
use sheaf_domain::{Batch, Bottleneck, Progress, Status};

use crate::boxed::Boxed;
use crate::components::change::{Change, Changed};
use crate::components::status::StatusMark;
use crate::format::{count, counted, duration};
use crate::views::RunningBatch;
use crate::words;
use follow::{Shown, follow};
use grid::Grid;
use list::DocumentList;
use rhythm::Link;
use stages::Stages;

/// `on_end` is called once, with how the batch has ended or without when it is gone; `on_speak` gets what a screen reader says.
#[component]
pub fn Live(running: RunningBatch, on_end: Callback<Option<Status>>, on_speak: WriteSignal<String>) -> impl IntoView {
    let RunningBatch { batch, progress, grid } = running;
    let Batch { id, receiving, .. } = batch;
    let shown =
        Shown { progress: RwSignal::new(progress), grid: RwSignal::new(grid), link: RwSignal::new(Link::default()) };
    let progress = shown.progress;
    follow(id, shown, on_end, on_speak);

    let has_no_worker = move || {
        let estimate = progress.read().estimate;
        estimate.is_some_and(|estimate| estimate.bottleneck == Bottleneck::NoWorker)
    };
    view! {
        // A page without JavaScript asks again by itself.
        <noscript inner_html="<meta http-equiv=\"refresh\" content=\"3\">"></noscript>
        <div class="page live" data-testid="progress">
            <p class="crumbs">
                <a href="/">"Batches"</a>
            </p>
            <Head batch progress />
            <div class="live-bar">
                <progress
                    aria-label="Documents finished"
                    max=move || progress.read().counts.total.max(1).to_string()
                    value=move || progress.read().counts.finished().to_string()
                ></progress>
                <div class="live-line">
                    <strong class="tabular">{move || percent(&progress.read())}</strong>
                    <p class="live-estimate" data-testid="estimate">
                        {move || estimate::line(&progress.read(), receiving)}
                    </p>
                    <LinkMark link=shown.link />
                </div>
            </div>
            <p class="notice" data-testid="no-worker" hidden=move || !has_no_worker()>
                "Nothing works on this batch at the moment: no worker for what is left has given a sign of life in the last half \
                minute. Start one, or look in the log of those that should be running. The batch goes on by itself when one is there."
            </p>
            <Tallies progress />
            <Stages progress />
            <Grid progress grid=shown.grid />
            <DocumentList batch=id progress />
        </div>
    }
    .boxed()
}

/// The name, what the batch is, and what can be done with it.
#[component]
fn Head(batch: Batch, progress: RwSignal<Progress>) -> impl IntoView {
    let Batch { id, params, policy, receiving, .. } = batch;
    let name = RwSignal::new(batch.name);
    let priority = RwSignal::new(policy.priority);
    let changed = Changed(Callback::new(move |batch: Batch| {
        name.set(batch.name);
        priority.set(batch.policy.priority);
    }));
    view! {
        <header class="live-head">
            <h1>
                <bdi>{name}</bdi>
            </h1>
            <p class="meta">
                {move || view! { <StatusMark status=progress.read().status /> }}
                <span>{move || counted(progress.read().counts.total, "document", "documents")}</span>
                {receiving.then(|| view! { <span>"still arriving"</span> })}
                <span>{format!("{} model", words::model(params.model))}</span>
                {move || words::priority_of_batch(priority.get()).map(|text| view! { <span>{text}</span> })}
                {words::on_error(policy.on_error).map(|text| view! { <span>{text}</span> })}
                <span class="tabular">{move || duration(progress.read().elapsed_seconds)}</span>
            </p>
            <div class="steer">
                <a class="button quiet" href=format!("/batches/{id}/cancel") data-testid="cancel">
                    "Cancel"
                </a>
                <Change batch=id name priority changed />
                <a class="steer-link" href=format!("/batches/{id}/delete")>
                    "Stop and delete"
                </a>
            </div>
        </header>
    }
    .boxed()
}

/// How the page hears about its batch.
#[component]
fn LinkMark(link: RwSignal<Link>) -> impl IntoView {
    let name = move || match link.get() {
        Link::Starting => "starting",
        Link::Live => "live",
        Link::Asking => "asking",
        Link::Lost => "lost",
    };
    let text = move || match link.get() {
        Link::Starting => "",
        Link::Live => "Live",
        Link::Asking => "Every 2 s",
        Link::Lost => "Connection lost, trying again",
    };
    view! {
        <p class=move || format!("link-mark {}", name()) data-testid="link" data-link=name>
            {text}
        </p>
    }
    .boxed()
}

#[component]
fn Tallies(progress: RwSignal<Progress>) -> impl IntoView {
    let tally = move |label: &'static str, class: &'static str, read: fn(&Progress) -> u64| {
        view! {
            <div class=format!("tally {class}")>
                <dt>{label}</dt>
                <dd data-testid=format!("count-{class}")>{move || count(read(&progress.read()))}</dd>
            </div>
        }
    };
    // Of a batch that was continued in part.
    let has_cancelled = Memo::new(move |_| progress.read().counts.cancelled > 0);
    view! {
        <dl class="tallies">
            {tally("Pending", "pending", |p| p.counts.pending)}
            {tally("Processing", "processing", |p| p.counts.processing)}
            {tally("Completed", "completed", |p| p.counts.completed)} {tally("Failed", "failed", |p| p.counts.failed)}
            {move || has_cancelled.get().then(|| tally("Cancelled", "cancelled", |p| p.counts.cancelled))}
        </dl>
    }
    .boxed()
}

/// Whole per cent of documents that are finished.
fn percent(progress: &Progress) -> String {
    let counts = progress.counts;
    format!("{} %", counts.finished() * 100 / counts.total.max(1))
}
