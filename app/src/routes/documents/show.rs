//! One document: what was found out about it, its text, and what is like it.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use sheaf_domain::{Around, Attempt, BatchId, DocumentId, DocumentKind, DocumentView, PageBox, PageView, TextQuery};

use crate::boxed::Boxed;
use crate::components::document::DocumentPage;
use crate::components::failure::FailurePage;
use crate::components::skeleton::Skeleton;
use crate::errors::AppError;
use crate::file_path::file_name;
use crate::filters::Filters;
use crate::routes::path_param;
use crate::server_fns::front_door::{engine, respond, respond_in_part};

/// `/batches/{id}/documents/{document}?page=&q=`: with a search, what it finds is marked; with `start` and `end`, the bytes
/// of a quote in the text of the page, that quote.
#[component]
pub fn ShowDocument() -> impl IntoView {
    let batch = path_param::<BatchId>("id");
    let document = path_param::<DocumentId>("document");
    let query = use_query_map();
    let chosen = Memo::new(move |_| query.read().get("page").and_then(|page| page.parse::<u32>().ok()));
    // `page` is the document's here.
    let list = Memo::new(move |_| Filters { page: 0, ..Filters::read(&query.read()) });
    let question = Memo::new(move |_| query.read().get("q").filter(|text| !text.trim().is_empty()));
    let quote = Memo::new(move |_| {
        let number = |key: &str| query.read().get(key).and_then(|text| text.parse::<u32>().ok());
        number("start").zip(number("end"))
    });
    let asked = move || {
        let marked = Marked { question: question.get(), quote: quote.get() };
        (batch.get(), document.get(), chosen.get(), marked, list.get())
    };
    let shown = Resource::new_blocking(asked, read);
    view! {
        <Transition fallback=|| {
            view! { <Skeleton rows=12 /> }
        }>
            {move || Suspend::new(async move {
                match shown.await {
                    Ok(Shown { view, attempts, chosen, boxes, around }) => {
                        Either::Left(
                            view! {
                                <Title text=file_name(&view.row.path).to_owned() />
                                <DocumentPage view chosen attempts question=question.get() quote=quote.get() boxes list=list.get() around />
                            },
                        )
                    }
                    Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Transition>
    }
    .boxed()
}

/// All that the page shows.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Shown {
    view: DocumentView,
    attempts: Vec<Attempt>,
    chosen: Option<(u32, Result<PageView, AppError>)>,
    /// Where the page has what was searched for, or the quote.
    boxes: Vec<PageBox>,
    /// What stands around it in the list that it was opened from.
    around: Option<Around>,
}

/// What is marked.
#[derive(Clone, PartialEq)]
struct Marked {
    question: Option<String>,
    /// From and to, in bytes of the page's text.
    quote: Option<(u32, u32)>,
}

async fn read(
    (batch, document, chosen, marked, list): (Option<BatchId>, Option<DocumentId>, Option<u32>, Marked, Filters),
) -> Result<Shown, AppError> {
    let (Some(batch), Some(document)) = (batch, document) else { return Err(AppError::not_found("document")) };
    let view = respond(engine()?.document(batch, document).await)?;
    let attempts = respond_in_part(engine()?.attempts(batch, document).await)?;
    let chosen = match chosen {
        Some(number) => Some((number, respond_in_part(engine()?.page(batch, document, number).await))),
        None => None,
    };
    let is_drawn = view.row.kind.is_some_and(DocumentKind::has_pictures);
    let boxes = match (&chosen, marked) {
        (Some((number, Ok(_))), Marked { quote: Some((start, end)), .. }) if is_drawn => {
            // A quote that has no place on the page is marked in the text alone.
            let found = engine()?.quote_boxes(batch, document, *number, start..end).await;
            found.map(|found| found.boxes).unwrap_or_default()
        }
        (Some((_, Ok(page))), Marked { question: Some(question), .. }) if is_drawn => {
            engine()?.hit_boxes(batch, document, page, &TextQuery::parse(&question)).await
        }
        (Some(_) | None, _) => Vec::new(),
    };
    let around = respond_in_part(engine()?.around(batch, &list.document_query(), document).await)?;
    Ok(Shown { view, attempts, chosen, boxes, around })
}
