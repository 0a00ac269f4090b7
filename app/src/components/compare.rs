//! Two batches side by side: their figures, and what became of each document in both.

mod table;

use leptos::either::Either;
use leptos::prelude::*;
use sheaf_domain::{BatchSummary, CompareCounts, ComparePart, CompareQuery, ComparedBatch, Comparison, Counts};

use crate::boxed::Boxed;
use crate::components::status::StatusMark;
use crate::format::{bytes, count, date_time, duration, ratio};
use crate::words;
use table::Rows;

/// Where a value is not known.
const NOTHING: &str = "\u{2013}";

/// The whole page.
#[component]
pub fn Compared(asked: CompareQuery, comparison: Comparison) -> impl IntoView {
    let Comparison { first, second, counts, documents } = comparison;
    let swapped = href(&swap(&asked));
    let body = if documents.items.is_empty() {
        Either::Left(view! { <Nothing part=asked.part /> })
    } else {
        let total = documents.total;
        Either::Right(view! {
            <Rows asked=asked.clone() documents=documents.items />
            <Paging asked=asked.clone() total />
        })
    };
    view! {
        <div class="page compare" data-testid="comparison">
            <nav class="crumbs" aria-label="Breadcrumbs">
                <a href="/">"Batches"</a>
            </nav>
            <h1>"Two batches compared"</h1>
            <p class="meta">
                <a href=swapped>"Swap them"</a>
                <a href=format!("/?compare={}#batches", asked.first)>"Compare the first with another"</a>
            </p>
            <Sides first second />
            <section class="section" id="documents" aria-labelledby="documents-title">
                <h2 id="documents-title">"Documents"</h2>
                <Parts asked=asked.clone() counts />
                {body}
            </section>
        </div>
    }
    .boxed()
}

/// The same seen from the other side, from the beginning.
fn swap(asked: &CompareQuery) -> CompareQuery {
    let part = match asked.part {
        ComparePart::OnlyFirst => ComparePart::OnlySecond,
        ComparePart::OnlySecond => ComparePart::OnlyFirst,
        same @ (ComparePart::Both | ComparePart::Changed) => same,
    };
    CompareQuery { first: asked.second, second: asked.first, part, offset: 0, limit: asked.limit }
}

/// The address of a comparison.
fn href(asked: &CompareQuery) -> String {
    let CompareQuery { first, second, part, offset, limit: _ } = asked;
    let part = if *part == ComparePart::default() { String::new() } else { format!("&part={part}") };
    let page = match offset / CompareQuery::DEFAULT_LIMIT {
        0 => String::new(),
        page => format!("&page={}", page + 1),
    };
    format!("/compare?a={first}&b={second}{part}{page}")
}

/// The figures of both.
#[component]
fn Sides(first: ComparedBatch, second: ComparedBatch) -> impl IntoView {
    let head = |side: &ComparedBatch, which: &'static str| {
        let (id, name) = (side.batch.id, side.batch.name.clone());
        view! {
            <th scope="col">
                <span class="side-mark">{which}</span>
                " "
                <a href=format!("/batches/{id}")>
                    <bdi>{name}</bdi>
                </a>
            </th>
        }
    };
    let (head_a, head_b) = (head(&first, "A"), head(&second, "B"));
    let (status_a, status_b) = (first.batch.status, second.batch.status);
    let rows = figures(&first)
        .into_iter()
        .zip(figures(&second))
        .map(|((label, a), (_, b))| {
            let class = if a == b { "" } else { "differs" };
            view! {
                <tr class=class>
                    <th scope="row">{label}</th>
                    <td>{a}</td>
                    <td>{b}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <table class="sides" data-testid="sides">
            <caption class="unseen">"The figures of the two batches"</caption>
            <thead>
                <tr>
                    <td></td>
                    {head_a}
                    {head_b}
                </tr>
            </thead>
            <tbody>
                <tr>
                    <th scope="row">"Status"</th>
                    <td>
                        <StatusMark status=status_a />
                    </td>
                    <td>
                        <StatusMark status=status_b />
                    </td>
                </tr>
                {rows}
            </tbody>
        </table>
    }
    .boxed()
}

fn figures(side: &ComparedBatch) -> Vec<(&'static str, String)> {
    let BatchSummary {
        counts,
        clusters,
        outliers,
        unclustered,
        average_probability,
        silhouette,
        pages,
        words,
        bytes: size,
    } = side.summary.clone();
    let Counts { total, pending, processing, completed, failed, cancelled } = counts;
    let batch = &side.batch;
    let or_nothing = |value: Option<f32>| value.map_or_else(|| NOTHING.to_owned(), ratio);
    vec![
        ("Added", date_time(batch.created_at)),
        ("Time taken", duration(batch.elapsed_seconds)),
        ("Model", words::model(batch.params.model).to_owned()),
        ("Documents", count(total)),
        ("Completed", count(completed)),
        ("Failed", count(failed)),
        ("Cancelled or not done", count(cancelled + pending + processing)),
        ("Clusters", count(clusters)),
        ("Outliers", count(outliers)),
        ("Not compared", count(unclustered)),
        ("Average probability", or_nothing(average_probability)),
        ("Silhouette", or_nothing(silhouette)),
        ("Pages", count(pages)),
        ("Words", count(words)),
        ("Size", bytes(size)),
    ]
}

/// The four parts as links, with their numbers.
#[component]
fn Parts(asked: CompareQuery, counts: CompareCounts) -> impl IntoView {
    let part = |part: ComparePart| {
        let to = href(&CompareQuery { part, offset: 0, ..asked.clone() });
        view! {
            <li>
                <a
                    class="part"
                    href=format!("{to}#documents")
                    data-testid=format!("part-{part}")
                    data-noscroll=""
                    aria-current=(part == asked.part).then_some("true")
                >
                    {label(part)}
                    " "
                    <span class="tabular">{count(counts.of(part))}</span>
                </a>
            </li>
        }
    };
    view! { <ul class="parts">{ComparePart::ALL.map(part)}</ul> }.boxed()
}

const fn label(part: ComparePart) -> &'static str {
    match part {
        ComparePart::Both => "In both",
        ComparePart::Changed => "Ended differently",
        ComparePart::OnlyFirst => "Only in A",
        ComparePart::OnlySecond => "Only in B",
    }
}

#[component]
fn Paging(asked: CompareQuery, total: u64) -> impl IntoView {
    let size = CompareQuery::DEFAULT_LIMIT;
    let first = u64::from(asked.offset);
    let last = (first + u64::from(size)).min(total);
    let link = |offset: u32, text: &'static str, rel: &'static str| {
        let to = href(&CompareQuery { offset, ..asked.clone() });
        view! {
            <a class="button quiet" href=format!("{to}#documents") rel=rel>
                {text}
            </a>
        }
    };
    let previous = (asked.offset > 0).then(|| link(asked.offset.saturating_sub(size), "Previous", "prev"));
    let next = (last < total).then(|| link(asked.offset + size, "Next", "next"));
    view! {
        <nav class="paging" aria-label="Pages of documents">
            <p>{format!("{}\u{2013}{} of {}", count((first + 1).min(total)), count(last), count(total))}</p>
            {previous}
            {next}
        </nav>
    }
    .boxed()
}

#[component]
fn Nothing(part: ComparePart) -> impl IntoView {
    let (title, text) = match part {
        ComparePart::Both => {
            ("Nothing in common", "No file of the one is in the other. Files are the same when every byte is.")
        }
        ComparePart::Changed => ("No difference", "Every document that is in both ended in the same way."),
        ComparePart::OnlyFirst => ("Nothing", "Everything that is in A is in B as well."),
        ComparePart::OnlySecond => ("Nothing", "Everything that is in B is in A as well."),
    };
    view! {
        <div class="empty" data-testid="nothing-compared">
            <p class="empty-title">{title}</p>
            <p>{text}</p>
        </div>
    }
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_has_an_address_from_both_sides() {
        let id = |last: char| format!("018f0000-0000-7000-8000-00000000000{last}");
        let (a, b) = (id('a'), id('b'));
        let asked = CompareQuery {
            first: a.parse().expect("an id"),
            second: b.parse().expect("an id"),
            part: ComparePart::OnlyFirst,
            offset: 2 * CompareQuery::DEFAULT_LIMIT,
            limit: 0,
        };
        assert_eq!(href(&asked), format!("/compare?a={a}&b={b}&part=only_first&page=3"));
        assert_eq!(href(&swap(&asked)), format!("/compare?a={b}&b={a}&part=only_second"));
        let plain = CompareQuery { part: ComparePart::Both, offset: 0, ..asked };
        assert_eq!(href(&plain), format!("/compare?a={a}&b={b}"));
    }
}
