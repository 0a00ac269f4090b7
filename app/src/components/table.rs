//! The table of documents: one page of rows, sorted by its headings. The server makes it as text: fifty rows of views would cost
//! the browser more than a filter may take.

use leptos::either::Either;
use leptos::prelude::*;
use sheaf_domain::{BatchId, DocumentQuery, DocumentRow, FamilyFilter, FamilyPlace, Page, SortKey};

use crate::boxed::Boxed;
use crate::components::chip::ClusterMark;
use crate::components::confidence::Confidence;
use crate::components::status::StatusMark;
use crate::file_path::split_path;
use crate::filters::Filters;
use crate::format::{count, ratio};
use crate::words;

/// Where a value is not known.
const NOTHING: &str = "\u{2013}";

/// From this many rows on, those out of sight are not laid out.
const LONG: usize = 20;

/// What the filters find: a page of the table and the way to the others.
#[component]
pub fn Listing(
    batch: BatchId,
    filters: Filters,
    page: Page<DocumentRow>,
    /// Documents of the batch.
    total: u64,
) -> impl IntoView {
    let Page { items, total: matching, next_cursor: _ } = page;
    if items.is_empty() {
        return Either::Left(view! { <NothingFound batch filters total /> });
    }
    Either::Right(view! {
        <Table batch filters=filters.clone() rows=items />
        <Paging batch filters matching />
    })
}

#[component]
fn Table(batch: BatchId, filters: Filters, rows: Vec<DocumentRow>) -> impl IntoView {
    let heading = |key: SortKey| {
        let direction = (filters.sort == key).then_some(if filters.descending { "descending" } else { "ascending" });
        let arrow = direction.map(|d| if d == "ascending" { "\u{2191}" } else { "\u{2193}" });
        view! {
            <th scope="col" class=format!("c-{key}") aria-sort=direction>
                <a href=filters.sorted_by(key).documents_href(batch)>
                    {words::column(key)} <span class="arrow" aria-hidden="true">{arrow}</span>
                </a>
            </th>
        }
    };
    // The document's page marks what was searched for, and leads on to the next one of the same list.
    let ask = filters.list_query();
    let before_confidence = SortKey::ALL.into_iter().filter(|key| *key != SortKey::Status).map(heading).collect_view();
    let class = if rows.len() < LONG { "table-scroll" } else { "table-scroll long" };
    view! {
        <div class=class tabindex="0" role="region" aria-label="Table of documents">
            <table class="documents" data-testid="documents">
                <thead>
                    <tr>
                        {before_confidence}
                        <th scope="col" class="c-confidence">
                            <span>"Confidence"</span>
                        </th>
                        {heading(SortKey::Status)}
                    </tr>
                </thead>
                <tbody>{rows.into_iter().map(|row| view! { <Row batch row ask=ask.clone() /> }).collect_view()}</tbody>
            </table>
        </div>
    }
    .boxed()
}

#[component]
fn Row(batch: BatchId, row: DocumentRow, ask: String) -> impl IntoView {
    let DocumentRow {
        family,
        id,
        path,
        kind,
        pages,
        words: word_count,
        language,
        status,
        cluster,
        cluster_name,
        probability,
        confidence,
        outlier,
        failure,
        ..
    } = row;
    let (folder, name) = split_path(&path);
    let (folder, name) = (folder.to_owned(), name.to_owned());
    let data_cluster = match (cluster, outlier) {
        (Some(id), _) => id.to_string(),
        (None, true) => "outliers".to_owned(),
        (None, false) => String::new(),
    };
    let cluster_cell = (cluster.is_some() || outlier).then(|| {
        view! {
            <span class="cluster-cell">
                <ClusterMark cluster />
                <bdi>{cluster_name.unwrap_or_else(|| "Outlier".to_owned())}</bdi>
            </span>
        }
    });
    let failure = failure.map(|failure| {
        view! {
            <span class="row-failure">
                <bdi>{failure.message}</bdi>
                " "
                <span class="row-hint">{failure.hint}</span>
            </span>
        }
    });
    let family = family.map(|FamilyPlace { id, principal }| {
        let text = if principal { "has duplicates" } else { "duplicate" };
        let to = Filters::default().with_family(Some(FamilyFilter::Family(id))).documents_href(batch);
        view! {
            " "
            <a class="double" href=to>
                {text}
            </a>
        }
    });
    let language = language.map(|code| words::language(&code).to_owned());
    let or_nothing = |value: Option<String>| value.unwrap_or_else(|| NOTHING.to_owned());
    view! {
        <tr data-testid="document-row" data-status=status.name() data-cluster=data_cluster>
            <th scope="row" class="c-path">
                <input
                    type="checkbox"
                    class="tick"
                    name="d"
                    value=id.to_string()
                    form="selection"
                    aria-label=format!("Choose {path}")
                />
                <a href=format!("/batches/{batch}/documents/{id}{ask}")>
                    <bdi>
                        <span class="folder">{folder}</span>
                        <wbr />
                        {name}
                    </bdi>
                </a>
                {family}
                {failure}
            </th>
            <td class="c-kind">{or_nothing(kind.map(|kind| kind.label().to_owned()))}</td>
            <td class="c-pages">{or_nothing(pages.map(|n| count(n.into())))}</td>
            <td class="c-words">{or_nothing(word_count.map(count))}</td>
            <td class="c-language">{or_nothing(language)}</td>
            <td class="c-cluster">{cluster_cell}</td>
            <td class="c-probability">{or_nothing(probability.map(ratio))}</td>
            <td class="c-confidence">{confidence.map(|level| view! { <Confidence level /> })}</td>
            <td class="c-status">
                <StatusMark status />
            </td>
        </tr>
    }
    .boxed()
}

#[component]
fn Paging(batch: BatchId, filters: Filters, matching: u64) -> impl IntoView {
    let size = u64::from(DocumentQuery::DEFAULT_LIMIT);
    let first = u64::from(filters.page) * size;
    let last = (first + size).min(matching);
    let link = |page: u32, text: &'static str, rel: &'static str| {
        view! {
            <a class="button quiet" href=filters.with_page(page).documents_href(batch) rel=rel>
                {text}
            </a>
        }
    };
    let previous = (filters.page > 0).then(|| link(filters.page - 1, "Previous", "prev"));
    let next = (last < matching).then(|| link(filters.page + 1, "Next", "next"));
    view! {
        <nav class="paging" aria-label="Pages of documents">
            <p data-testid="paging">
                {format!("{}\u{2013}{} of {}", count((first + 1).min(matching)), count(last), count(matching))}
            </p>
            <a class="button quiet" href=filters.run_href(batch) rel="external">
                "Run a flow on these"
            </a>
            {previous}
            {next}
        </nav>
    }
    .boxed()
}

#[component]
fn NothingFound(batch: BatchId, filters: Filters, total: u64) -> impl IntoView {
    let text = if total == 0 {
        Either::Left(view! {
            <p class="empty-title">"This batch holds no documents"</p>
            <p>
                "An archive may have been empty. " <a href="/">"Start a new batch"</a>
                " with the files that you want to see."
            </p>
        })
    } else {
        Either::Right(view! {
            <p class="empty-title">"No document matches"</p>
            <p>
                "Try fewer filters, or " <a href=filters.cleared().documents_href(batch)>"show all documents"</a> "."
            </p>
        })
    };
    view! {
        <div class="empty" data-testid="no-documents">
            {text}
        </div>
    }
    .boxed()
}
