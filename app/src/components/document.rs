//! The page of one document.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Meta;
use sheaf_domain::{
    Around, Attempt, BatchId, ClusterFilter, DocumentId, DocumentKind, DocumentMetadata, DocumentRow, DocumentView,
    Failure, FailureCode, PageBox, PageView, Problem, SnippetPart, Status, TextQuery,
};

use crate::boxed::Boxed;
use crate::components::attempts::{Attempts, TryAgain};
use crate::components::chip::ClusterMark;
use crate::components::confidence::Confidence;
use crate::components::failure::FailureView;
use crate::components::families::OwnFamily;
use crate::components::neighbours::Neighbours;
use crate::components::pages::{ChosenPage, Of, PageStrip};
use crate::components::search::Snippet;
use crate::components::status::StatusMark;
use crate::errors::AppError;
use crate::file_path::split_path;
use crate::filters::Filters;
use crate::format::{bytes, count, counted, ratio};
use crate::words;

/// Places of a text that are marked.
const MARKS: usize = 1000;

/// Everything that is known about a document.
#[component]
pub fn DocumentPage(
    view: DocumentView,
    /// The number of the page that is looked at, and that page.
    chosen: Option<(u32, Result<PageView, AppError>)>,
    attempts: Vec<Attempt>,
    /// What was searched for when it was found.
    question: Option<String>,
    /// A quote of the page that is looked at, from and to in bytes of its text.
    quote: Option<(u32, u32)>,
    /// Where the page has it.
    boxes: Vec<PageBox>,
    /// The list that it was opened from, and what stands around it there.
    list: Filters,
    around: Option<Around>,
) -> impl IntoView {
    let words = question.as_deref().map(TextQuery::parse).unwrap_or_default();
    let of = Of::new(&view, question.clone());
    let DocumentView {
        batch,
        batch_name,
        row,
        metadata,
        problems,
        recognised,
        text,
        text_truncated,
        neighbours,
        family,
    } = view;
    let number = chosen.as_ref().map(|(number, _)| *number);
    let is_drawn = can_be_drawn(&row);
    let strip = is_drawn.then(|| view! { <PageStrip of=of.clone() chosen=number /> });
    let page = chosen.map(|(_, page)| view! { <ChosenPage of=of.clone() page is_drawn words=words.clone() quotes=quote.into_iter().collect() boxes /> });
    let (folder, name) = split_path(&row.path);
    let (folder, name) = (folder.to_owned(), name.to_owned());
    let api = format!("/api/batches/{batch}/documents/{}", row.id);
    let like = format!("/search?batch={batch}&like={}", row.id);
    let run = format!("/runs/new?document={}", row.id);
    let remove = format!("/batches/{batch}/remove?documents={}", row.id);
    let failure = row.failure.clone();
    let status = row.status;
    let readable = status == Status::Completed;
    let is_moving = !status.is_final();
    view! {
        // It asks again by itself, as long as it waits or is in work.
        {is_moving.then(|| view! { <Meta http_equiv="refresh" content="3" /> })}
        <article class="page document" data-testid="document" data-status=status.name()>
            <nav class="crumbs" aria-label="Breadcrumbs">
                <a href="/">"Batches"</a>
                <span aria-hidden="true">"/"</span>
                <a href=if list.is_narrowed() { list.documents_href(batch) } else { list.href(batch) }>
                    <bdi>{batch_name}</bdi>
                </a>
                {around.map(|around| view! { <Beside batch list around /> })}
            </nav>
            <header class="document-head">
                <div>
                    <p class="folder">
                        <bdi>{folder}</bdi>
                    </p>
                    <h1>
                        <bdi>{name}</bdi>
                    </h1>
                    <Facts row=row.clone() />
                </div>
                <nav class="downloads" aria-label="Downloads">
                    {readable.then(|| view! { <a class="download" href=like>"More like this"</a> })}
                    {readable.then(|| view! { <a class="download" href=run>"Run a flow"</a> })}
                    <a class="download" href=format!("{api}/original") download="" rel="external">
                        "Original file"
                    </a>
                    {readable
                        .then(|| {
                            view! {
                                <a class="download" href=format!("{api}/text") download="" rel="external">
                                    "Extracted text"
                                </a>
                            }
                        })}
                    {(!is_moving).then(|| view! { <a class="download" href=remove>"Remove"</a> })}
                </nav>
            </header>
            {failure.map(|failure| view! { <FailureView failure /> })}
            <TryAgain batch row=row.clone() />
            {strip}
            {page}
            <div class="document-body">
                <section aria-labelledby="text-title">
                    <h2 id="text-title">"Text"</h2>
                    <Text text truncated=text_truncated status words />
                </section>
                <aside>
                    <Belongs batch row=row.clone() />
                    {family.map(|family| view! { <OwnFamily batch document=row.id family /> })}
                    {readable.then(|| view! { <Neighbours batch document=row.id neighbours /> })}
                    <Recognised recognised pages=of.pages />
                    <Problems problems />
                    <Attempts attempts />
                    <Details metadata row />
                </aside>
            </div>
        </article>
    }
    .boxed()
}

/// The documents before and after it in the list.
#[component]
fn Beside(batch: BatchId, list: Filters, around: Around) -> impl IntoView {
    let Around { previous, next, place, total } = around;
    let ask = list.list_query();
    let link = |to: Option<DocumentId>, text: &'static str, key: &'static str, rel: &'static str| {
        to.map(|to| {
            view! {
                <a
                    href=format!("/batches/{batch}/documents/{to}{ask}")
                    rel=rel
                    data-key=key
                    data-testid=format!("document-{rel}")
                >
                    {text}
                </a>
            }
        })
    };
    view! {
        <span class="beside" data-testid="beside">
            {link(previous, "Previous document", "k", "prev")}
            <span class="tabular">{format!("{} of {}", count(place), count(total))}</span>
            {link(next, "Next document", "j", "next")}
        </span>
    }
    .boxed()
}

/// Whether there are pictures of its pages, as far as is known: what was not read yet may be damaged.
fn can_be_drawn(row: &DocumentRow) -> bool {
    let is_drawn = |failure: &Failure| {
        !matches!(failure.code, FailureCode::CorruptFile | FailureCode::EmptyFile | FailureCode::PasswordProtected)
    };
    row.kind.is_some_and(DocumentKind::has_pictures)
        && (row.pages.is_some() || row.failure.as_ref().is_some_and(is_drawn))
}

#[component]
fn Facts(row: DocumentRow) -> impl IntoView {
    let facts = [
        row.kind.map(|kind| kind.label().to_owned()),
        row.pages.map(|n| counted(n.into(), "page", "pages")),
        row.words.map(|n| counted(n, "word", "words")),
        row.language.as_deref().map(|code| words::language(code).to_owned()),
        Some(bytes(row.bytes)),
    ];
    view! {
        <p class="meta">
            <StatusMark status=row.status />
            {facts.into_iter().flatten().map(|fact| view! { <span>{fact}</span> }).collect_view()}
        </p>
    }
    .boxed()
}

#[component]
fn Text(text: String, truncated: bool, status: Status, words: TextQuery) -> impl IntoView {
    if text.is_empty() {
        let why = match status {
            Status::Pending | Status::Processing => {
                "It is still being read. This page shows the text as soon as it is there."
            }
            Status::Cancelled => "It was stopped before it was read.",
            Status::Completed | Status::Failed => {
                "No text could be read from this document. The original can still be downloaded."
            }
        };
        return Either::Left(view! {
            <div class="empty">
                <p class="empty-title">"No text"</p>
                <p>{why}</p>
            </div>
        });
    }
    let hits = words.hits(&text, MARKS);
    let parts = SnippetPart::cut(&text, 0..text.len(), &hits);
    let more = truncated.then(|| {
        view! { <p class="fine">"This is the beginning. Download the text to read all of it."</p> }
    });
    Either::Right(view! {
        <div class="document-text" data-testid="document-text" dir="auto" tabindex="0" role="region" aria-label="The document's text">
            <Snippet parts />
        </div>
        {more}
    })
}

/// Its cluster, and how firmly it sits there.
#[component]
fn Belongs(batch: BatchId, row: DocumentRow) -> impl IntoView {
    let DocumentRow { id: document, cluster, cluster_name, probability, confidence, outlier, status, .. } = row;
    let is_grouped = cluster.is_some() || outlier;
    let body = match (cluster, outlier) {
        (Some(id), _) => {
            let href = Filters::default().with_cluster(Some(ClusterFilter::Cluster(id)));
            let name = cluster_name.unwrap_or_else(|| format!("Cluster {id}"));
            Either::Left(view! {
                <p class="belongs">
                    <ClusterMark cluster=Some(id) />
                    <a href=href.href(batch)>
                        <bdi>{name}</bdi>
                    </a>
                </p>
            })
        }
        (None, true) => Either::Right("It fits into no cluster."),
        (None, false) if !status.is_final() => Either::Right("It is not compared with the others yet."),
        (None, false) if status == Status::Cancelled => {
            Either::Right("It was stopped before it was compared with the others.")
        }
        (None, false) => Either::Right("It was not compared with the others, for it has no usable text."),
    };
    view! {
        <section class="aside-section" data-testid="document-cluster">
            <h2>"Cluster"</h2>
            {body}
            {probability
                .map(|value| {
                    view! {
                        <p class="meta">
                            <span class="tabular">{format!("probability {}", ratio(value))}</span>
                            {confidence.map(|level| view! { <Confidence level /> })}
                        </p>
                    }
                })}
            {is_grouped
                .then(|| {
                    view! {
                        <p class="fine">
                            <a href=format!("/batches/{batch}/move?documents={document}") data-testid="move-document">
                                "Move or pin"
                            </a>
                        </p>
                    }
                })}
        </section>
    }
    .boxed()
}

/// How many pages were pictures, and how sure their text is.
#[component]
fn Recognised(recognised: Vec<(u32, f32)>, pages: u32) -> impl IntoView {
    (!recognised.is_empty()).then(|| {
        let mean = recognised.iter().map(|(_, confidence)| confidence).sum::<f32>() / recognised.len() as f32;
        let which = if pages == 1 {
            "The text was recognised on a picture".to_owned()
        } else {
            format!(
                "The text of {} of {} pages was recognised on pictures",
                count(recognised.len() as u64),
                count(pages.into())
            )
        };
        view! {
            <section class="aside-section" data-testid="recognised">
                <h2>"Text recognition"</h2>
                <p>{format!("{which}, with a mean confidence of {}.", ratio(mean))}</p>
            </section>
        }
    })
}

#[component]
fn Problems(problems: Vec<Problem>) -> impl IntoView {
    (!problems.is_empty()).then(|| {
        let rows = problems
            .into_iter()
            .map(|Problem { page, message }| {
                let page = page.map(|page| format!("Page {}: ", count(page.into())));
                view! {
                    <li>
                        {page} <bdi>{message}</bdi>
                    </li>
                }
            })
            .collect_view();
        view! {
            <section class="aside-section" data-testid="problems">
                <h2>"Problems"</h2>
                <ul class="plain">{rows}</ul>
            </section>
        }
    })
}

#[component]
fn Details(metadata: DocumentMetadata, row: DocumentRow) -> impl IntoView {
    let DocumentMetadata { title, author, created, producer } = metadata;
    let rows = [
        ("Title", title),
        ("Author", author),
        ("Created", created),
        ("Made with", producer),
        ("Path", Some(row.path)),
        ("SHA-256", Some(row.sha256)),
    ];
    let rows = rows
        .into_iter()
        .filter_map(|(key, value)| value.map(|value| (key, value)))
        .map(|(key, value)| {
            view! {
                <dt>{key}</dt>
                <dd>
                    <bdi>{value}</bdi>
                </dd>
            }
        })
        .collect_view();
    view! {
        <section class="aside-section">
            <h2>"Details"</h2>
            <dl class="details" data-testid="metadata">
                {rows}
            </dl>
        </section>
    }
    .boxed()
}
