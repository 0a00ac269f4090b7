//! What a run found, to be judged: each value with its evidence, and what people think of it.

use std::collections::HashMap;

use leptos::either::Either;
use leptos::prelude::*;
use sheaf_domain::flow::{Action, DOCUMENT, FlowSpec, Review, RunValue};
use sheaf_domain::{DocumentId, Page, RunId};

use super::filter::{EVERY, ValueFilter};
use crate::boxed::Boxed;
use crate::components::flow::Proof;
use crate::components::flow::choices::{Choice, options};
use crate::format::counted;

/// What the values are of.
#[derive(Clone, Debug)]
pub struct Whose {
    pub run: RunId,
    /// The page on which they stand.
    pub at: String,
    /// Values of all columns.
    pub found: u64,
    pub has_ended: bool,
    /// Whether values of several documents are shown.
    pub has_documents: bool,
    /// How documents begin whose values have no quote.
    pub beginnings: HashMap<DocumentId, String>,
}

#[component]
pub fn Values(
    of: Whose,
    values: Page<RunValue>,
    filter: ValueFilter,
    /// The flow as the run carries it out.
    spec: FlowSpec,
) -> impl IntoView {
    let Whose { run, at, found, has_ended, has_documents, beginnings } = of;
    let Page { items, total, next_cursor } = values;
    let tab = |label: &'static str, of: ValueFilter| {
        let is_current = (of.review, of.verified) == (filter.review, filter.verified);
        let href = format!("{at}{}#values", ValueFilter { column: filter.column.clone(), ..of }.write());
        view! {
            <a href=href aria-current=is_current.then_some("true") rel="external">
                {label}
            </a>
        }
    };
    let tabs = [
        ("All", ValueFilter::default()),
        ("Not reviewed", ValueFilter { review: Some(Review::None), ..ValueFilter::default() }),
        ("Not verified", ValueFilter { verified: Some(false), ..ValueFilter::default() }),
        ("Accepted", ValueFilter { review: Some(Review::Accepted), ..ValueFilter::default() }),
        ("Corrected", ValueFilter { review: Some(Review::Corrected), ..ValueFilter::default() }),
        ("Rejected", ValueFilter { review: Some(Review::Rejected), ..ValueFilter::default() }),
    ];
    let back = format!("{at}{}", filter.write());
    let next = next_cursor.map(|cursor| {
        let href = format!("{at}{}#values", ValueFilter { cursor: Some(cursor), ..filter.clone() }.write());
        view! { <a class="button quiet" href=href rel="external">"Next page"</a> }
    });
    let first = filter.cursor.is_some().then(|| {
        let href = format!("{at}{}#values", ValueFilter { cursor: None, ..filter.clone() }.write());
        view! { <a class="button quiet" href=href rel="external">"First page"</a> }
    });
    let hits = hits(items, &spec);
    let due = hits.iter().position(|hit| hit.value.review == Review::None);
    let said = match filter.column {
        None => format!("{} in the columns of the result", counted(total, "value", "values")),
        Some(_) => counted(total, "value", "values"),
    };
    let body = match hits.is_empty() {
        true => {
            let said = match (filter.is_narrowed(), found, has_ended) {
                (true, _, _) => "No value is like this.",
                (false, _, false) => "Nothing was found yet.",
                (false, 0, true) => {
                    "Nothing was found. Try the flow on one of the documents to see what each step gives."
                }
                (false, _, true) => "Nothing was found in the columns of the result. Earlier steps found something: ",
            };
            let earlier = (!filter.is_narrowed() && found > 0 && has_ended).then(|| {
                let href =
                    format!("{at}{}#values", ValueFilter { column: Some(EVERY.to_owned()), ..filter.clone() }.write());
                let every = counted(found, "value", "values");
                view! { <a href=href rel="external">{format!("see the {every} of every step")}</a> "." }
            });
            Either::Left(view! { <p class="empty" data-testid="no-values">{said} {earlier}</p> })
        }
        false => {
            let rows = hits.into_iter().enumerate().map(|(place, hit)| {
                let has_keys = due == Some(place);
                let beginning =
                    beginnings.get(&hit.value.document).cloned().filter(|_| hit.value.found.quote.is_none());
                view! { <HitRow run hit back=back.clone() has_document=has_documents has_keys beginning /> }
            });
            Either::Right(view! {
                <table class="run-values">
                    <thead>
                        <tr>
                            <th scope="col">"Value"</th>
                            <th scope="col">"Column"</th>
                            <th scope="col">"Where it stands"</th>
                            <th scope="col">"Review"</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            })
        }
    };
    view! {
        <section class="section" id="values" aria-labelledby="values-title">
            <h2 id="values-title">"Values"</h2>
            <nav class="run-tabs" aria-label="Which values">
                {tabs.into_iter().map(|(label, of)| tab(label, of)).collect_view()}
            </nav>
            <ByColumn at=at.clone() filter=filter.clone() spec />
            <p class="fine" data-testid="value-count">{said}</p>
            {body}
            <p class="actions">{first} {next}</p>
        </section>
    }
    .boxed()
}

/// The choice of a column.
#[component]
fn ByColumn(at: String, filter: ValueFilter, spec: FlowSpec) -> impl IntoView {
    let is_every = filter.column.as_deref() == Some(EVERY);
    let mut choices: Vec<Choice> = vec![
        (String::new(), "those of the result".to_owned(), filter.column.is_none()),
        (EVERY.to_owned(), "those of every step".to_owned(), is_every),
    ];
    choices.extend(spec.columns().into_iter().filter(|column| column.name.step != DOCUMENT).map(|column| {
        let name = column.name.to_string();
        let is_chosen = filter.column.as_ref() == Some(&name);
        (name.clone(), name, is_chosen)
    }));
    (choices.len() > 3).then(|| {
        view! {
            <form method="get" action=format!("{at}#values") class="search">
                <label class="field">
                    <span>"Columns"</span>
                    <select name="column">{options(choices)}</select>
                </label>
                {filter
                    .review
                    .map(|review| view! { <input type="hidden" name="review" value=review.name() /> })}
                {filter
                    .verified
                    .map(|verified| view! { <input type="hidden" name="verified" value=verified.to_string() /> })}
                <button class="button quiet" type="submit">
                    "Show"
                </button>
            </form>
        }
    })
}

/// What is judged at once: a value, with the others of its row where one place in the text gave all of them.
struct Hit {
    value: RunValue,
    others: Vec<RunValue>,
    /// Whether the row has more than this value.
    is_row: bool,
}

fn hits(values: Vec<RunValue>, spec: &FlowSpec) -> Vec<Hit> {
    let is_one = |action: &Action| matches!(action, Action::Find(_) | Action::Classify(_));
    let finds = |name: &str| spec.steps.iter().any(|step| step.name == name && is_one(&step.action));
    let of = |value: &RunValue| (value.document, value.found.step.clone(), value.found.row);
    let mut hits: Vec<Hit> = Vec::new();
    for value in values {
        match hits.last_mut().filter(|hit| hit.is_row && of(&hit.value) == of(&value)) {
            Some(hit) => hit.others.push(value),
            None => hits.push(Hit { is_row: finds(&value.found.step), value, others: Vec::new() }),
        }
    }
    hits
}

#[component]
fn HitRow(
    run: RunId,
    hit: Hit,
    back: String,
    has_document: bool,
    /// Whether the keys of the page judge this one.
    has_keys: bool,
    /// How its document begins.
    beginning: Option<String>,
) -> impl IntoView {
    let Hit { value, others, is_row } = hit;
    let RunValue { document, batch, path, number, found, review, corrected, stands } = value;
    let anchor = format!("v-{document}-{number}");
    let action = format!("/runs/{run}/values/{document}/{number}");
    let shown = corrected.clone().unwrap_or_else(|| found.value.clone());
    let was = corrected.map(|_| view! { <span class="was">{format!("found: {}", found.value)}</span> });
    let column = format!("{}.{}", found.step, found.field);
    let of_document = has_document.then(|| {
        view! {
            <a href=format!("/runs/{run}/documents/{document}") rel="external">
                <bdi>{path}</bdi>
            </a>
        }
    });
    let beginning = beginning.map(|text| view! { <span class="was" data-testid="beginning">{text}</span> });
    let since = (!stands).then(|| {
        view! {
            <span class="was" data-testid="since">
                "Its document was deleted, or has another text since."
            </span>
        }
    });
    let label = |verb: &str| format!("{verb} {}", found.value);
    let button = |of: Review, text: &'static str, key: &'static str| {
        view! {
            <button
                class="button quiet small"
                name="review"
                value=of.name()
                type="submit"
                aria-label=label(text)
                aria-pressed=(review == of).to_string()
                data-key=has_keys.then_some(key)
                data-key-label=has_keys.then(|| format!("{text} the first value that was not reviewed"))
            >
                {text}
            </button>
        }
    };
    let judged = match review {
        Review::None => None,
        Review::Accepted => Some("accepted"),
        Review::Corrected => Some("corrected"),
        Review::Rejected => Some("rejected"),
    };
    let beside: Vec<_> = others
        .iter()
        .filter(|other| other.corrected.as_deref().unwrap_or(&other.found.value) != shown)
        .map(|other| {
            let value = other.corrected.clone().unwrap_or_else(|| other.found.value.clone());
            view! { <span class="was">{format!("{}: ", other.found.field)} <bdi>{value}</bdi></span> }
        })
        .collect();
    let also = others.into_iter().map(|other| view! { <Also run other back=back.clone() /> }).collect_view();
    view! {
        <tr id=anchor data-testid="value" class=format!("review-{review}")>
            <td class="value">
                <bdi>{shown.clone()}</bdi>
                {was} {beside}
            </td>
            <td class="column fine">{column}</td>
            <td>{of_document} " " <Proof batch document found=found.clone() stands /> {beginning} {since}</td>
            <td class="judge">
                <form method="post" action=action class="review">
                    <input type="hidden" name="back" value=back />
                    // What one place gave is accepted and rejected together.
                    {is_row.then(|| view! { <input type="hidden" name="row" value="true" /> })}
                    {button(Review::Accepted, "Accept", "a")} {button(Review::Rejected, "Reject", "x")}
                    <input name="value" value=shown maxlength="10000" aria-label=label("What is right in place of") />
                    {button(Review::Corrected, "Correct", "c")}
                    <span class="fine" data-testid="judged">{judged}</span>
                </form>
                {also}
            </td>
        </tr>
    }
    .boxed()
}

/// Another field of the same place, to be corrected on its own.
#[component]
fn Also(run: RunId, other: RunValue, back: String) -> impl IntoView {
    let RunValue { document, number, found, corrected, .. } = other;
    let shown = corrected.unwrap_or_else(|| found.value.clone());
    view! {
        <details class="also">
            <summary>{format!("Correct {}", found.field)}</summary>
            <form method="post" action=format!("/runs/{run}/values/{document}/{number}") class="review">
                <input type="hidden" name="back" value=back />
                <input name="value" value=shown maxlength="10000" aria-label=format!("What is right as {} in place of {}", found.field, found.value) />
                <button
                    class="button quiet small"
                    name="review"
                    value=Review::Corrected.name()
                    type="submit"
                    aria-label=format!("Put it in the place of the {} {}", found.field, found.value)
                >
                    "Correct"
                </button>
            </form>
        </details>
    }
    .boxed()
}
