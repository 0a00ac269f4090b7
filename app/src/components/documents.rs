//! The documents of a batch: search, filters, and the page of the table that the URL asks for.

use leptos::either::Either;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use leptos_router::params::ParamsMap;
use sheaf_domain::{BatchId, Day};
use web_sys::{FormData, HtmlFormElement};

use crate::boxed::Boxed;
use crate::components::failure::FailureView;
use crate::components::field::follows;
use crate::components::skeleton::Skeleton;
use crate::errors::AppError;
use crate::filters::Filters;
use crate::views::FacetPanel;

/// What the form sends.
const FIELDS: [&str; 13] = [
    "cluster",
    "status",
    "kind",
    "confidence",
    "failure",
    "language",
    "family",
    "size",
    "from",
    "to",
    "q",
    "sort",
    "dir",
];

/// A year, a month or a day.
const DAY: &str = "[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?";

/// The form and, under it, what it finds, between the facets and the bar for a selection.
#[component]
pub fn Documents(
    batch: BatchId,
    filters: Memo<Filters>,
    /// The page of the table, as the server makes it.
    table: Resource<Result<String, AppError>>,
    facets: Resource<Result<FacetPanel, AppError>>,
) -> impl IntoView {
    view! {
        <Search batch filters />
        <div class="explore">
        <Panel facets class="facets" of=|panel| panel.lists />
        <div>
        <Panel facets class="selected" of=|panel| panel.selection />
        <Transition fallback=|| {
            view! { <Skeleton rows=20 /> }
        }>
            {move || Suspend::new(async move {
                match table.await {
                    Ok(html) => Either::Left(view! { <div inner_html=html></div> }),
                    Err(error) => Either::Right(view! { <FailureView failure=error.0 /> }),
                }
            })}
        </Transition>
        </div>
        </div>
    }
    .boxed()
}

/// A part of the page that the server makes.
#[component]
pub fn Panel(
    facets: Resource<Result<FacetPanel, AppError>>,
    class: &'static str,
    of: fn(FacetPanel) -> String,
) -> impl IntoView {
    view! {
        <Transition>
            {move || Suspend::new(async move {
                let html = facets.await.map(of).unwrap_or_default();
                view! { <div class=class data-testid=class inner_html=html></div> }
            })}
        </Transition>
    }
    .boxed()
}

/// A GET form: without JavaScript the browser loads the page anew, with it the router does.
#[component]
fn Search(batch: BatchId, filters: Memo<Filters>) -> impl IntoView {
    let navigate = use_navigate();
    let on_submit = move |event: SubmitEvent| {
        let Some(form) = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok()) else { return };
        let Ok(fields) = FormData::new_with_form(&form) else { return };
        event.prevent_default();
        let params: ParamsMap =
            FIELDS.into_iter().filter_map(|key| fields.get(key).as_string().map(|value| (key, value))).collect();
        let now = filters.get_untracked();
        let next = Filters { level: now.level, cells: now.cells, ..Filters::read(&params) };
        navigate(&next.href(batch), NavigateOptions { scroll: false, ..NavigateOptions::default() });
    };
    let words = follows(move || filters.read().search.clone());
    let from = follows(move || filters.read().from.as_ref().map(Day::to_string));
    let to = follows(move || filters.read().to.as_ref().map(Day::to_string));
    let kept = move || {
        let kept = filters.get().without_search().with_dates(None, None);
        kept.pairs()
            .into_iter()
            .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
            .collect_view()
    };
    view! {
        <form
            class="search"
            role="search"
            method="get"
            action=format!("/batches/{batch}#documents")
            on:submit=on_submit
        >
            {kept}
            <label class="field grow">
                <span>"Search names and texts"</span>
                <input
                    type="search"
                    name="q"
                    placeholder="Part of a name, or words of the text"
                    value=move || filters.read().search.clone()
                    node_ref=words
                />
            </label>
            <label class="field dated">
                <span>"Made from"</span>
                <input
                    name="from"
                    placeholder="2019-05-31"
                    pattern=DAY
                    value=move || filters.read().from.as_ref().map(Day::to_string)
                    node_ref=from
                />
            </label>
            <label class="field dated">
                <span>"until"</span>
                <input
                    name="to"
                    placeholder="2026"
                    pattern=DAY
                    value=move || filters.read().to.as_ref().map(Day::to_string)
                    node_ref=to
                />
            </label>
            <button class="button quiet" type="submit">
                "Search"
            </button>
        </form>
    }
    .boxed()
}
