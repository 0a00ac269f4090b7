//! Two texts side by side, and the choice of the second.

use leptos::either::{Either, EitherOf3};
use leptos::prelude::*;
use sheaf_domain::{
    BatchId, DiffCounts, DiffQuery, DiffRow, DiffSide, DiffSpan, DocumentId, DocumentView, Page, TextDiff,
};

use crate::boxed::Boxed;
use crate::components::crumbs::BatchCrumbs;
use crate::file_path::{file_name, split_path};
use crate::format::{count, counted};

/// The address at which two documents are compared.
pub fn diff_href(batch: BatchId, a: DocumentId, b: DocumentId) -> String {
    format!("/batches/{batch}/diff?a={a}&b={b}")
}

/// The address at which another document is chosen.
pub fn choose_href(batch: BatchId, a: DocumentId) -> String {
    format!("/batches/{batch}/diff?a={a}")
}

/// The whole page.
#[component]
pub fn Compared(asked: DiffQuery, diff: TextDiff) -> impl IntoView {
    let TextDiff { batch, batch_name, a, b, counts, rows } = diff;
    let Page { items, total, next_cursor: _ } = rows;
    let table = if total == 0 {
        Either::Left(view! {
            <div class="empty" data-testid="no-words">
                <p class="empty-title">"No words"</p>
                <p>"Neither text has a word that could be compared."</p>
            </div>
        })
    } else {
        Either::Right(view! {
            <Texts batch a b rows=items />
            <Paging batch asked total />
        })
    };
    view! {
        <div class="page" data-testid="diff">
            <BatchCrumbs href=format!("/batches/{batch}") name=batch_name />
            <h1>"Two texts compared"</h1>
            <Summary counts />
            <p class="meta">
                <a href=diff_href(batch, asked.b, asked.a)>"Swap them"</a>
                <a href=choose_href(batch, asked.a)>"Compare the first with another"</a>
            </p>
            {table}
        </div>
    }
    .boxed()
}

#[component]
fn Summary(counts: DiffCounts) -> impl IntoView {
    let DiffCounts { kept, removed, added, is_cut } = counts;
    let said = if removed + added == 0 {
        format!("All {} are the same.", counted(kept, "word", "words"))
    } else {
        let share = share(kept, kept + removed.max(added));
        format!(
            "{} in both ({share} of the longer text), {} only in A, {} only in B.",
            counted(kept, "word is", "words are"),
            count(removed),
            count(added)
        )
    };
    view! {
        <p class="lede diff-summary" data-testid="diff-summary">
            {said}
        </p>
        <p class="fine">
            "Case, the marks around words and line ends make no difference. What was moved counts as left out and added."
            {is_cut.then_some(" These texts are long: only the beginning was compared.")}
        </p>
    }
    .boxed()
}

/// A share in per cent: 100% only when nothing is missing.
#[expect(clippy::cast_precision_loss, reason = "whole per cents are shown")]
fn share(part: u64, whole: u64) -> String {
    if part == whole {
        return "100%".to_owned();
    }
    format!("{:.0}%", (part as f64 / whole.max(1) as f64 * 100.0).min(99.0))
}

#[component]
fn Texts(batch: BatchId, a: DiffSide, b: DiffSide, rows: Vec<DiffRow>) -> impl IntoView {
    let head = |side: DiffSide, which: &'static str| {
        let name = file_name(&side.path).to_owned();
        view! {
            <th scope="col">
                <span class="side-mark">{which}</span>
                " "
                <a href=format!("/batches/{batch}/documents/{}", side.id) title=side.path>
                    <bdi>{name}</bdi>
                </a>
            </th>
        }
    };
    view! {
        <table class="diff">
            <caption class="unseen">"The words of both texts, those that only one has marked as left out or added"</caption>
            <thead>
                <tr>{head(a, "A")} {head(b, "B")}</tr>
            </thead>
            <tbody>{rows.into_iter().map(row).collect_view()}</tbody>
        </table>
    }
    .boxed()
}

fn row(row: DiffRow) -> impl IntoView {
    match row {
        DiffRow::Words { a, b } => {
            let is_same = !a.iter().chain(&b).any(|span| span.is_changed);
            Either::Left(view! {
                <tr class=if is_same { "diff-same" } else { "diff-changed" } data-testid="diff-row">
                    <td dir="auto">{a.into_iter().map(|span| words(span, false)).collect_view()}</td>
                    <td dir="auto">{b.into_iter().map(|span| words(span, true)).collect_view()}</td>
                </tr>
            })
        }
        DiffRow::Same { words, begin, end } => Either::Right(view! {
            <tr class="diff-folded" data-testid="diff-folded">
                <td colspan="2">
                    <bdi>{begin}</bdi>
                    <span class="diff-count">{format!(" \u{2026} {} the same \u{2026} ", counted(words, "word", "words"))}</span>
                    <bdi>{end}</bdi>
                </td>
            </tr>
        }),
    }
}

fn words(span: DiffSpan, is_second: bool) -> impl IntoView {
    let DiffSpan { text, is_changed } = span;
    match (is_changed, is_second) {
        (false, _) => EitherOf3::A(text),
        (true, false) => EitherOf3::B(view! { <del>{text}</del> }),
        (true, true) => EitherOf3::C(view! { <ins>{text}</ins> }),
    }
}

#[component]
fn Paging(batch: BatchId, asked: DiffQuery, total: u64) -> impl IntoView {
    let size = DiffQuery::DEFAULT_LIMIT;
    let first = u64::from(asked.offset);
    let last = (first + u64::from(size)).min(total);
    let page = asked.offset / size + 1;
    let link = |page: u32, text: &'static str, rel: &'static str| {
        view! {
            <a class="button quiet" href=format!("{}&page={page}", diff_href(batch, asked.a, asked.b)) rel=rel>
                {text}
            </a>
        }
    };
    let previous = (page > 1).then(|| link(page - 1, "Previous", "prev"));
    let next = (last < total).then(|| link(page + 1, "Next", "next"));
    (total > u64::from(size)).then(|| {
        view! {
            <nav class="paging" aria-label="Pages of the comparison">
                <p>{format!("Rows {}\u{2013}{} of {}", count((first + 1).min(total)), count(last), count(total))}</p>
                {previous}
                {next}
            </nav>
        }
    })
}

/// A document that may be the second.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Other {
    pub id: DocumentId,
    pub path: String,
}

/// The choice of the second document: the most similar ones, or those that were searched for.
#[component]
pub fn ChooseOther(first: DocumentView, search: Option<String>, others: Vec<Other>) -> impl IntoView {
    let (batch, a) = (first.batch, first.row.id);
    let heading = if search.is_some() { "Found" } else { "Most similar" };
    let list = if others.is_empty() {
        let said = if search.is_some() {
            "No other document's path has that in it."
        } else {
            "Nothing is like it; search for one."
        };
        Either::Left(view! { <p class="fine" data-testid="no-others">{said}</p> })
    } else {
        let item = |other: Other| {
            let (folder, name) = split_path(&other.path);
            let (folder, name) = (folder.to_owned(), name.to_owned());
            view! {
                <li data-testid="other">
                    <a href=diff_href(batch, a, other.id)>
                        <bdi>{name}</bdi>
                    </a>
                    " "
                    <bdi class="fine">{folder}</bdi>
                </li>
            }
        };
        Either::Right(view! { <ul class="plain">{others.into_iter().map(item).collect_view()}</ul> })
    };
    view! {
        <div class="page narrow" data-testid="choose-other">
            <BatchCrumbs href=format!("/batches/{batch}") name=first.batch_name />
            <h1>"Compare with which?"</h1>
            <p class="lede">
                "The text of "
                <a href=format!("/batches/{batch}/documents/{a}")>
                    <bdi>{first.row.path}</bdi>
                </a>
            </p>
            <form class="search" method="get" action=format!("/batches/{batch}/diff")>
                <input type="hidden" name="a" value=a.to_string() />
                <label class="field grow">
                    "Part of the other's path"
                    <input type="search" name="q" value=search />
                </label>
                <button class="button" type="submit">
                    "Search"
                </button>
            </form>
            <section class="choices">
                <h2>{heading}</h2>
                {list}
            </section>
        </div>
    }
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn all_is_only_said_of_all() {
        let check = |part, whole, expect: &str| assert_eq!(share(part, whole), expect);
        check(0, 0, "100%");
        check(999, 1000, "99%");
        check(1, 3, "33%");
        check(0, 5, "0%");
    }
}
