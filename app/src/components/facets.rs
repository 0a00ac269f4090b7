//! Facets beside the table, and the bar for a selection. The server makes both as text, so that the page's WebAssembly holds
//! nothing of them; their links are taken by the router like all others.

use leptos::prelude::*;
use sheaf_domain::{BatchId, FacetCount, Facets, FamilyFilter};

use crate::boxed::Boxed;
use crate::filters::Filters;
use crate::format::count;
use crate::words;

/// Values of a facet that are shown at once.
const SHOWN: usize = 8;

/// A value as a link.
struct Value {
    text: String,
    documents: u64,
    is_chosen: bool,
    /// Where it leads: the same page with this value, or without it when it is the chosen one.
    to: Filters,
}

fn values<T: PartialEq + Clone>(
    counts: Vec<FacetCount<T>>,
    chosen: Option<&T>,
    text: impl Fn(&T) -> String,
    with: impl Fn(Option<T>) -> Filters,
) -> Vec<Value> {
    counts
        .into_iter()
        .map(|FacetCount { value, documents }| {
            let is_chosen = chosen == Some(&value);
            let text = text(&value);
            Value { text, documents, is_chosen, to: with(Some(value).filter(|_| !is_chosen)) }
        })
        .collect()
}

/// Every filter with its values and how many documents each would leave under the other filters.
#[component]
pub fn FacetLists(
    filters: Filters,
    facets: Facets,
    /// The address of the page in another state.
    href: Callback<Filters, String>,
) -> impl IntoView {
    let now = &filters;
    // A year is a range of dates from it to itself.
    let year = now.from.clone().filter(|_| now.from == now.to).map(|day| day.to_string());
    let of_year = |year: Option<String>| {
        let day = year.and_then(|year| year.parse().ok());
        now.with_dates(day.clone(), day)
    };
    let Facets { matching: _, kinds, languages, statuses, failures, confidences, sizes, years, families, clusters: _ } =
        facets;
    let families_text = |filter: &FamilyFilter| words::family(*filter);
    let lists = [
        ("Kind", values(kinds, now.kind.as_ref(), |kind| kind.label().to_owned(), |kind| now.with_kind(kind))),
        ("Near-duplicates", values(families, now.family.as_ref(), families_text, |family| now.with_family(family))),
        (
            "Language",
            values(
                languages,
                now.language.as_ref(),
                |code| words::language(code).to_owned(),
                |language| now.with_language(language),
            ),
        ),
        (
            "Confidence",
            values(
                confidences,
                now.confidence.as_ref(),
                |level| words::confidence(*level).to_owned(),
                |level| now.with_confidence(level),
            ),
        ),
        (
            "Status",
            values(
                statuses,
                now.status.as_ref(),
                |status| words::status(*status).to_owned(),
                |status| now.with_status(status),
            ),
        ),
        ("Failure", values(failures, now.failure.as_ref(), |code| words::reason(*code), |code| now.with_failure(code))),
        ("Size", values(sizes, now.size.as_ref(), |size| words::size(*size).to_owned(), |size| now.with_size(size))),
        ("Year", values(years, year.as_ref(), Clone::clone, of_year)),
    ];
    let lists = lists.into_iter().filter(|(_, values)| values.len() > 1 || values.iter().any(|value| value.is_chosen));
    lists.map(|(name, values)| view! { <FacetList name values href /> }).collect_view()
}

#[component]
fn FacetList(name: &'static str, values: Vec<Value>, href: Callback<Filters, String>) -> impl IntoView {
    let row = move |Value { text, documents, is_chosen, to }: Value| {
        view! {
            <li>
                <a
                    class="facet-value"
                    href=href.run(to)
                    data-noscroll=""
                    aria-current=is_chosen.then_some("true")
                    data-testid="facet-value"
                >
                    <bdi>{text}</bdi>
                    <span class="tabular">{count(documents)}</span>
                    {is_chosen.then(|| view! { <span class="unseen">", chosen; remove this filter"</span> })}
                </a>
            </li>
        }
    };
    let mut first = values;
    let rest = first.split_off(first.len().min(SHOWN));
    let rest = (!rest.is_empty()).then(|| {
        let open = rest.iter().any(|value| value.is_chosen);
        view! {
            <details open=open>
                <summary>{format!("{} more", count(rest.len() as u64))}</summary>
                <ul>{rest.into_iter().map(row).collect_view()}</ul>
            </details>
        }
    });
    view! {
        <section class="facet" data-testid=format!("facet-{}", name.to_lowercase())>
            <h3>{name}</h3>
            <ul>{first.into_iter().map(row).collect_view()}</ul>
            {rest}
        </section>
    }
    .boxed()
}

/// What can be done with the documents that are ticked or, when none is, with all those that the fields name.
#[component]
pub fn SelectionBar(
    batch: BatchId,
    /// Hidden fields: filters, or `all` with ids.
    fields: Vec<(&'static str, String)>,
    /// What they name, in words.
    all: String,
    /// Whether documents are chosen on the map, by its script, and not by ticks.
    #[prop(optional)]
    is_map: bool,
) -> impl IntoView {
    let (before, after) = match is_map {
        true => ("With ", ":"),
        false => ("With the ticked documents, or ", " when none is ticked:"),
    };
    let kept = fields.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value /> });
    let kept = kept.collect_view();
    let button = |what: &'static str, text: &'static str| {
        view! {
            <button class="button quiet" name="do" value=what data-testid=format!("do-{what}")>
                {text}
            </button>
        }
    };
    view! {
            <form
                class="selection"
                id="selection"
                method="get"
                action=format!("/batches/{batch}/selection")
                data-testid="selection"
            >
                {kept}
                <p>
                    {before}" "<strong data-testid="all-matching">{all}</strong>" "{after}
                </p>
                {button("csv", "CSV")}
                {button("json", "JSON")}
                {button("originals", "Originals, ZIP")}
                {button("run", "Run a flow")}
                {button("move", "Move or pin")}
                <button class="button quiet" name="do" value="batch" formmethod="post" data-testid="do-batch">
                    "New batch"
                </button>
                {button("remove", "Remove")}
            </form>
    }
    .boxed()
}
