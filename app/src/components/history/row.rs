//! One batch in the list.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::JsValue;
use sheaf_domain::{Batch, BatchId};
use wasm_bindgen_futures::JsFuture;

use crate::boxed::Boxed;
use crate::components::change::{Change, Changed};
use crate::components::status::StatusMark;
use crate::format::{count, counted, date_time, duration, iso};
use crate::history::History;
use crate::words;

/// Letters of an id that tell batches apart: its time in milliseconds.
const SHORT: usize = 13;

/// How long it is said that the id was copied.
const SAID_FOR: Duration = Duration::from_secs(2);

#[component]
pub fn Row(batch: Batch, history: History, with: Option<BatchId>, changed: Changed) -> impl IntoView {
    let Batch { id, name, status, created_at, elapsed_seconds, params, policy, counts, .. } = batch;
    let is_running = !status.is_final();
    let part = |number: u64, word: &str| (number > 0).then(|| format!(" · {} {word}", count(number)));
    let finished = is_running.then(|| format!(" · {} finished", count(counts.finished())));
    let failed = part(counts.failed, "failed").map(|text| view! { <span class="bad">{text}</span> });
    let time = duration(elapsed_seconds);
    let time = if is_running { format!("{time} so far") } else { format!("took {time}") };
    let compare = match with {
        None => Some(("Compare", history.comparing(Some(id)).href())),
        Some(other) if other == id => None,
        Some(other) => Some(("Compare with this", format!("/compare?a={other}&b={id}"))),
    };
    let compare = compare.map(|(text, href)| {
        let label = format!("{text}: {name}");
        view! {
            <a class="batch-action" data-testid="compare" href=href aria-label=label data-noscroll="">
                {text}
            </a>
        }
    });
    let delete_label = format!("Delete {name}");
    let is_chosen = with == Some(id);
    let title = name.clone();
    view! {
        <li class="batch-row" data-testid="batch-row" data-status=status.name() class:chosen=is_chosen>
            <a class="batch-name" href=format!("/batches/{id}")>
                <bdi>{title}</bdi>
            </a>
            <StatusMark status />
            <span class="batch-counts">
                {counted(counts.total, "document", "documents")} {finished} {failed} {part(counts.cancelled, "cancelled")}
            </span>
            <span class="batch-date">
                <time datetime=iso(created_at)>{date_time(created_at)}</time>
                <span>{time}</span>
                <span>{words::model(params.model)}</span>
                {words::priority_of_batch(policy.priority).map(|text| view! { <span>{text}</span> })}
            </span>
            <ShortId id />
            <span class="batch-actions">
                {compare} <Change batch=id name priority=policy.priority changed />
                <a class="batch-action" href=format!("/batches/{id}/delete") aria-label=delete_label>
                    "Delete"
                </a>
            </span>
        </li>
    }
    .boxed()
}

/// The beginning of an id; with JavaScript a button copies the whole.
#[component]
fn ShortId(id: BatchId) -> impl IntoView {
    let whole = id.to_string();
    let short: String = whole.chars().take(SHORT).collect();
    let (is_copied, set_copied) = signal(false);
    let copied = whole.clone();
    let copy = move |_| {
        let copying = window().navigator().clipboard().write_text(&copied);
        spawn_local(async move {
            // A browser may refuse; the id can be selected by hand.
            let answer: Result<JsValue, JsValue> = JsFuture::from(copying).await;
            if answer.is_ok() && set_copied.try_set(true).is_none() {
                set_timeout(
                    move || {
                        set_copied.try_set(false);
                    },
                    SAID_FOR,
                );
            }
        });
    };
    view! {
        <span class="batch-id">
            <code title=whole>{short}</code>
            <button class="link needs-script" type="button" on:click=copy aria-label=format!("Copy the id {id}")>
                {move || if is_copied.get() { "Copied" } else { "Copy" }}
            </button>
        </span>
    }
    .boxed()
}
