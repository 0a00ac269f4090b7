//! The batches that there are, latest first.

use leptos::either::Either;
use leptos::prelude::*;
use sheaf_domain::{Batch, Page};

use crate::boxed::Boxed;
use crate::components::status::StatusMark;
use crate::format::{counted, date_time, iso};
use crate::words;

/// One page of batches; `later` says that it is not the first.
#[component]
pub fn BatchList(page: Page<Batch>, later: bool) -> impl IntoView {
    if page.items.is_empty() {
        return Either::Left(view! {
            <div class="empty" data-testid="no-batches">
                <p class="empty-title">"No batches yet"</p>
                <p>"Drop a folder, some files or a ZIP onto this page, or choose them above. Each upload becomes a batch."</p>
            </div>
        });
    }
    let older = page.next_cursor.map(|cursor| {
        view! {
            <a class="button quiet" href=format!("/?cursor={cursor}#batches") rel="next">
                "Older batches"
            </a>
        }
    });
    let newest = later.then(|| {
        view! {
            <a class="button quiet" href="/#batches">
                "Latest batches"
            </a>
        }
    });
    Either::Right(view! {
        <ul class="batches">{page.items.into_iter().map(|batch| view! { <Row batch /> }).collect_view()}</ul>
        <p class="actions">{newest}{older}</p>
    })
}

#[component]
fn Row(batch: Batch) -> impl IntoView {
    let Batch { id, name, status, created_at, params, counts, .. } = batch;
    let failed = (counts.failed > 0).then(|| format!("{} failed", crate::format::count(counts.failed)));
    let running = (!status.is_final()).then(|| {
        format!("{} of {} finished", crate::format::count(counts.finished()), crate::format::count(counts.total))
    });
    let delete_label = format!("Delete {name}");
    view! {
        <li class="batch-row" data-testid="batch-row" data-status=status.name()>
            <a class="batch-name" href=format!("/batches/{id}")>
                <bdi>{name}</bdi>
            </a>
            <span class="batch-counts">
                {counted(counts.total, "document", "documents")} {running.map(|text| format!(" · {text}"))}
                {failed.map(|text| view! { <span class="bad">{format!(" · {text}")}</span> })}
            </span>
            <span class="batch-date">
                <time datetime=iso(created_at)>{date_time(created_at)}</time>
                {format!(" · {}", words::model(params.model))}
            </span>
            <StatusMark status />
            <a class="batch-delete" href=format!("/batches/{id}/delete") aria-label=delete_label>
                "Delete"
            </a>
        </li>
    }
    .boxed()
}
