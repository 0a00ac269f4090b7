//! Webhooks and their log. All that they do is plain forms, so that it works without JavaScript.

use leptos::either::Either;
use leptos::prelude::*;
use sheaf_domain::{Delivery, Page, Status, Webhook};

use crate::boxed::Boxed;
use crate::components::failure::FailureView;
use crate::components::status::StatusMark;
use crate::format::{date_time, iso};
use crate::notice::Notice;

/// What came of the form that was just sent.
#[component]
pub fn NoticeView(notice: Notice) -> impl IntoView {
    match notice {
        Notice::Failed(failure) => Either::Left(view! { <FailureView failure /> }),
        Notice::Added(new) => Either::Right(view! {
            <section class="secret" role="status" data-testid="secret">
                <h2>"The webhook was added"</h2>
                <p>
                    "Messages to " <bdi class="address">{new.webhook.url}</bdi>
                    " are signed with this secret. Copy it now: it is not shown again."
                </p>
                <p>
                    <code>{new.secret}</code>
                </p>
            </section>
        }),
    }
}

/// Those that hear of all batches and runs.
#[component]
pub fn WebhookList(webhooks: Vec<Webhook>) -> impl IntoView {
    if webhooks.is_empty() {
        return Either::Left(view! {
            <div class="empty" data-testid="no-webhooks">
                <p class="empty-title">"No webhooks yet"</p>
                <p>"Add the address of a program that is to know when a batch or a run has ended."</p>
            </div>
        });
    }
    Either::Right(view! {
        <ul class="webhooks">{webhooks.into_iter().map(|webhook| view! { <Row webhook /> }).collect_view()}</ul>
    })
}

#[component]
fn Row(webhook: Webhook) -> impl IntoView {
    let Webhook { id, url, batch: _, created_at } = webhook;
    let (test_label, remove_label) = (format!("Send a test to {url}"), format!("Remove {url}"));
    view! {
        <li class="webhook" data-testid="webhook">
            <bdi class="address">{url}</bdi>
            <time class="fine" datetime=iso(created_at)>
                {format!("added {}", date_time(created_at))}
            </time>
            <form method="post" action=format!("/webhooks/{id}/test")>
                <button class="button quiet" type="submit" aria-label=test_label>
                    "Send a test"
                </button>
            </form>
            <form method="post" action=format!("/webhooks/{id}/delete")>
                <button class="button quiet" type="submit" aria-label=remove_label>
                    "Remove"
                </button>
            </form>
        </li>
    }
    .boxed()
}

/// One more.
#[component]
pub fn AddWebhook() -> impl IntoView {
    view! {
        <form class="webhook-add" method="post" action="/webhooks">
            <label class="field">
                <span>"Address"</span>
                <input type="url" name="url" required maxlength="2048" placeholder="https://example.com/hook" />
            </label>
            <button class="button" type="submit" data-testid="add-webhook">
                "Add a webhook"
            </button>
        </form>
    }
    .boxed()
}

/// What was told and how that went, the latest first; `later` says that this is not the first page.
#[component]
pub fn DeliveryLog(log: Page<Delivery>, webhooks: Vec<Webhook>, later: bool) -> impl IntoView {
    let empty = log.items.is_empty();
    let link = |href: String, text: &'static str| {
        view! {
            <a class="button quiet" href=href>
                {text}
            </a>
        }
    };
    let older = log.next_cursor.map(|cursor| link(format!("/webhooks?cursor={cursor}#log"), "Older deliveries"));
    let latest = later.then(|| link("/webhooks#log".to_owned(), "Latest deliveries"));
    let rows = log
        .items
        .into_iter()
        .map(|delivery| {
            let to = webhooks.iter().find(|webhook| webhook.id == delivery.webhook).map(|webhook| webhook.url.clone());
            view! { <LogRow delivery to /> }
        })
        .collect_view();
    view! {
        <section class="section" id="log" aria-labelledby="log-title">
            <h2 id="log-title">"Deliveries"</h2>
            <p class="fine" hidden=!empty>
                "Nothing was sent yet."
            </p>
            <ul class="deliveries">{rows}</ul>
            <p class="actions">{latest}{older}</p>
        </section>
    }
    .boxed()
}

#[component]
fn LogRow(delivery: Delivery, to: Option<String>) -> impl IntoView {
    let Delivery { id, kind, batch, run, status, attempts, created_at, next_at, answer, error, .. } = delivery;
    let to = to.unwrap_or_else(|| "a webhook of one batch".to_owned());
    let tries = match attempts {
        0 => "not sent yet".to_owned(),
        1 => "1 attempt".to_owned(),
        attempts => format!("{attempts} attempts"),
    };
    let answer = answer.map(|answer| format!("answer {answer}"));
    let next = next_at.filter(|_| attempts > 0).map(|next| format!("next {}", date_time(next)));
    let facts = [Some(tries), answer, next].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let batch = batch.map(|batch| {
        view! {
            " "
            <a href=format!("/batches/{batch}")>"of this batch"</a>
        }
    });
    let run = run.map(|run| {
        view! {
            " "
            <a href=format!("/runs/{run}")>"of this run"</a>
        }
    });
    let again = (status != Status::Processing).then(|| {
        view! {
            <form method="post" action=format!("/webhooks/deliveries/{id}/send")>
                <button class="button quiet" type="submit" aria-label=format!("Send {kind} to {to} again")>
                    "Send again"
                </button>
            </form>
        }
    });
    view! {
        <li class="delivery" data-testid="delivery" data-status=status.name()>
            <StatusMark status />
            <p>
                <code>{kind.name()}</code>
                {batch}
                {run}
                " to "
                <bdi class="address">{to.clone()}</bdi>
            </p>
            <p class="fine">
                <time datetime=iso(created_at)>{date_time(created_at)}</time>
                {format!(" · {facts}")}
                {error.map(|error| view! { <span class="row-failure">{error}</span> })}
            </p>
            {again}
        </li>
    }
    .boxed()
}
