//! The batches that there are, latest first: found by name or id, renamed, compared, deleted.

mod row;

use leptos::either::Either;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use leptos_router::params::ParamsMap;
use sheaf_domain::{Batch, BatchId, Page, Status};
use web_sys::{Event, FormData, HtmlFormElement, HtmlSelectElement};

use crate::boxed::Boxed;
use crate::components::change::Changed;
use crate::components::field::follows;
use crate::format::counted;
use crate::history::History;
use crate::words;
use row::Row;

/// A GET form: without JavaScript the browser loads the page anew, with it the router does.
#[component]
pub fn Search(history: Memo<History>) -> impl IntoView {
    let navigate = use_navigate();
    let on_submit = move |event: SubmitEvent| {
        let Some(form) = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok()) else { return };
        let Ok(fields) = FormData::new_with_form(&form) else { return };
        event.prevent_default();
        let params: ParamsMap = ["q", "status", "compare"]
            .into_iter()
            .filter_map(|key| fields.get(key).as_string().map(|value| (key, value)))
            .collect();
        let options = NavigateOptions { scroll: false, ..NavigateOptions::default() };
        navigate(&History::read(&params).href(), options);
    };
    let apply = |event: Event| {
        let select = event.target().and_then(|target| target.dyn_into::<HtmlSelectElement>().ok());
        if let Some(form) = select.and_then(|select| select.form()) {
            // A browser without `requestSubmit` leaves it to the button.
            drop(form.request_submit());
        }
    };
    let option = move |value: Option<Status>| {
        let is_chosen = Signal::derive(move || history.read().status == value);
        view! {
            <option value=value.map_or("", Status::name) selected=is_chosen prop:selected=is_chosen>
                {value.map_or("All", words::status)}
            </option>
        }
    };
    let searched = follows(move || history.read().search.clone());
    let compare = move || {
        let batch = history.read().compare;
        batch.map(|batch| view! { <input type="hidden" name="compare" value=batch.to_string() /> })
    };
    view! {
        <form class="search" role="search" method="get" action="/#batches" on:submit=on_submit>
            {compare}
            <label class="field grow">
                <span>"Search by name or id"</span>
                <input
                    type="search"
                    name="q"
                    placeholder="Part of a name, or the beginning of an id"
                    value=move || history.read().search.clone()
                    node_ref=searched
                />
            </label>
            <label class="field">
                <span>"Status"</span>
                <select name="status" on:change=apply>
                    {option(None)}
                    {Status::ALL.map(|status| option(Some(status)))}
                </select>
            </label>
            <button class="button quiet" type="submit">
                "Search"
            </button>
        </form>
    }
    .boxed()
}

/// One page of batches. `compared` is the batch that another is chosen to be compared with.
#[component]
pub fn BatchList(page: Page<Batch>, history: History, compared: Option<Batch>, changed: Changed) -> impl IntoView {
    if page.items.is_empty() {
        return Either::Left(view! { <NothingFound history /> });
    }
    let link = |to: History, rel: &'static str, text: &'static str| {
        view! {
            <a class="button quiet" href=to.href() rel=rel>
                {text}
            </a>
        }
    };
    let older = page.next_cursor.map(|cursor| link(history.at(Some(cursor)), "next", "Older batches"));
    let latest = history.cursor.is_some().then(|| link(history.at(None), "first", "Latest batches"));
    let found = history.is_narrowed().then(|| {
        view! {
            <p class="fine" data-testid="batches-found">
                {counted(page.total, "batch found", "batches found")} ". "
                <a href=history.cleared().href()>"Show all batches"</a>
            </p>
        }
    });
    let with: Option<BatchId> = compared.as_ref().map(|batch| batch.id);
    let rows =
        page.items.into_iter().map(|batch| view! { <Row batch history=history.clone() with changed /> }).collect_view();
    Either::Right(view! {
        {compared.map(|batch| view! { <Choosing batch history=history.clone() /> })}
        {found}
        <ul class="batches">{rows}</ul>
        <p class="actions">{latest}{older}</p>
    })
}

/// What is to be chosen now.
#[component]
fn Choosing(batch: Batch, history: History) -> impl IntoView {
    view! {
        <p class="notice" data-testid="choosing">
            "Choose the batch to compare with " <strong><bdi>{batch.name}</bdi></strong> ". "
            <a href=history.comparing(None).href()>"Do not compare"</a>
        </p>
    }
    .boxed()
}

#[component]
fn NothingFound(history: History) -> impl IntoView {
    let is_narrowed = history.is_narrowed() || history.cursor.is_some();
    let text = if is_narrowed {
        Either::Left(view! {
            <p class="empty-title">"No batch matches"</p>
            <p>
                "Search for a shorter part of the name, choose another status, or "
                <a href=history.cleared().href()>"show all batches"</a> "."
            </p>
        })
    } else {
        Either::Right(view! {
            <p class="empty-title">"No batches yet"</p>
            <p>"Drop a folder, some files or a ZIP onto this page, or choose them above. Each upload becomes a batch."</p>
        })
    };
    let class = if is_narrowed { "empty" } else { "empty none-yet" };
    view! {
        <div class=class data-testid="no-batches">
            {text}
        </div>
    }
    .boxed()
}
